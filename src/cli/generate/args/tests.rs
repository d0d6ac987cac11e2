//! What arguments settle to, and which do not go together.

use std::path::PathBuf;

use clap::Parser;

use super::*;
use crate::generate::Mix;
use crate::generate::verify::{Expectation, ExpectedDimension};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    generate: GenerateArgs,
}

/// One of each flag that says what a configuration says.
const DESCRIBING: [&str; 16] = [
    "--verify-namespace x",
    "--verify-suffixes",
    "--verify-const-label a=b",
    "--verify-const-label=",
    "--verify-no-resource-labels",
    "--verify-connector-namespace x",
    "--verify-unit s",
    "--verify-bounds 1ms,2ms",
    "--verify-no-histogram",
    "--verify-dimension http.route",
    "--verify-dimension=",
    "--verify-exclude span.kind",
    "--verify-event-dimension exception.type",
    "--verify-no-events",
    "--verify-delete host.name",
    "--verify-delete=",
];

fn args(words: &str) -> GenerateArgs {
    let words = std::iter::once("generate").chain(words.split_whitespace());
    Command::try_parse_from(words).expect("arguments").generate
}

fn refusal(words: &str) -> String {
    args(words).run_options().expect_err(words).to_string()
}

fn timing(options: &RunOptions) -> String {
    match &options.pace.timing {
        Timing::Profile(profile) => profile.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn defaults_are_a_closed_loop_of_ten_seconds() {
    let options = args("").run_options().expect("defaults go together");
    assert_eq!(options.target.authority, "localhost:4317");
    assert_eq!(options.pace.duration, Some(Duration::from_secs(10)));
    assert!(!options.pace.is_open());
    assert_eq!(options.pace.items, None);
    assert_eq!(options.prepared, 64);
}

#[test]
fn open_loop_makes_each_request_as_it_is_sent() {
    let options = args("--rate 500 --protocol http --count 20")
        .run_options()
        .expect("fit");
    assert_eq!(options.target.authority, "localhost:4318");
    assert_eq!((options.prepared, options.pace.duration), (0, None));
    assert_eq!(timing(&options), "steady:500");
    assert_eq!(options.pace.items, Some(20));
}

#[test]
fn profile_is_an_open_loop_of_its_own() {
    let options = args("--profile step:100,200:5s")
        .run_options()
        .expect("fit");
    assert_eq!(timing(&options), "step:100,200:5s");
    assert_eq!(options.prepared, 0);
}

#[test]
fn profile_is_sent_as_a_whole_unless_it_is_said_otherwise() {
    let pace = |words: &str| args(words).run_options().expect(words).pace;
    for (words, seconds) in [
        ("--profile ramp:0-500:60s", 60),
        ("--profile step:1,2,3:20s", 60),
        ("--profile burst:1-5:10s:1s", 30),
        ("--profile ramp:0-500:60s --duration 5s", 5),
        ("--rate 5", 10),
    ] {
        let pace = pace(words);
        assert_eq!(pace.duration, Some(Duration::from_secs(seconds)), "{words}");
    }
    let counted = pace("--profile ramp:0-500:60s --count 5");
    assert_eq!((counted.duration, counted.items), (None, Some(5)));
}

#[test]
fn signals_are_sent_by_the_weights_of_the_flag() {
    let options = args("--signals traces=8,metrics=1,logs=1").run_options();
    let options = options.expect("fit");
    assert!(!options.load.metrics.is_empty() && !options.load.logs.is_empty());
    assert_eq!(options.mix, Mix::new([8, 1, 1], 1).expect("weights"));
    // Points are not prepared unless somebody asks for it.
    assert_eq!(options.prepared, 0);
    let options = args("--scenario sidecar --signals logs=3").run_options();
    let weights = options.expect("fit").load.signals;
    assert_eq!((weights.traces, weights.metrics, weights.logs), (0, 0, 3));
    for (wrong, part) in [
        ("spans=1", "`spans` is no signal"),
        ("traces", "`traces` is no signal with a weight"),
        ("traces=x", "`x` is no weight"),
        ("traces=1,traces=2", "two weights"),
        ("logs=0", "nothing would be sent"),
        ("traces=10000,logs=1", "too fine"),
    ] {
        let words = ["generate", "--signals", wrong];
        let refused = Command::try_parse_from(words).expect_err(wrong).to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn enough_is_prepared_for_every_label_set_beside_other_signals() {
    let words = "--services 2 --routes 3 --cardinality 5000 --spans-per-request 100 --signals";
    let prepared = |signals: &str| {
        let options = args(&format!("{words} {signals}")).run_options();
        options.expect(signals).prepared
    };
    assert_eq!(prepared("traces=1,logs=3"), 4 * prepared("traces=1"));
    assert_eq!(prepared("logs=1"), 64);
}

#[test]
fn endpoint_of_grpc_has_neither_path_nor_query() {
    for endpoint in ["http://localhost:4317/base", "localhost:4317?tenant=5"] {
        let words = format!("--endpoint {endpoint}");
        assert!(refusal(&words).contains("OTLP/gRPC"), "{endpoint}");
        let options = args(&format!("{words} --protocol http")).run_options();
        assert!(options.is_ok(), "{endpoint}");
    }
    let options = args("--endpoint http://localhost:4317/").run_options();
    assert!(options.is_ok());
}

#[test]
fn count_of_well_formed_items_needs_some() {
    let refusal = refusal("--malformed-share 1 --count 5");
    assert!(refusal.contains("--duration"), "{refusal}");
    for words in [
        "--malformed-share 1",
        "--malformed-share 1 --count 5 --duration 1s",
        "--malformed-share 0.9 --count 5",
    ] {
        assert!(args(words).run_options().is_ok(), "{words}");
    }
}

#[test]
fn protocols_go_by_the_names_of_the_environment_variable_and_by_short_ones() {
    for (word, protocol) in [
        ("grpc", Protocol::Grpc),
        ("http/protobuf", Protocol::Http),
        ("http", Protocol::Http),
        ("http/json", Protocol::HttpJson),
        ("http-json", Protocol::HttpJson),
    ] {
        let options = args(&format!("--protocol {word}")).run_options();
        assert_eq!(options.expect(word).protocol, protocol);
    }
}

#[test]
fn path_of_the_endpoint_is_kept() {
    let words = "--protocol http --endpoint http://127.0.0.1:8428/opentelemetry";
    let options = args(words).run_options().expect("fit");
    assert_eq!(
        options.target.to_string(),
        "http://127.0.0.1:8428/opentelemetry"
    );
}

#[test]
fn what_has_no_meaning_beside_a_capture_is_refused_by_the_parser() {
    for words in [
        "--listen 127.0.0.1:0",
        "--capture-max 5",
        "--capture c --listen 127.0.0.1:0 --rate 5",
        "--capture c --listen 127.0.0.1:0 --replay d",
        "--capture c --listen 127.0.0.1:0 --report json",
        "--capture c --listen 127.0.0.1:0 --report json --totals",
        "--capture c --listen 127.0.0.1:0 --scenario shop",
        "--capture c --listen 127.0.0.1:0 --threads 2",
        "--capture c --listen 127.0.0.1:0 --connections 2",
        "--capture c --listen 127.0.0.1:0 --in-flight 2",
        "--capture c --listen 127.0.0.1:0 --timeout 2s",
        "--capture c --listen 127.0.0.1:0 --signals logs=1",
        "--replay c --scenario shop",
        "--replay c --signals logs=1",
        "--replay c --spans-per-request 5",
        "--replay c --services 5",
        "--replay c --routes 5",
        "--replay c --resources 5",
        "--replay c --cardinality 5",
        "--replay c --error-share 0.5",
        "--replay c --event-share 0.5",
        "--replay c --span-bytes 5",
        "--replay c --seed 5",
        "--replay c --report json --totals",
        "--replay c --compression gzip",
        "--replay c --malformed-share 0.5",
        "--replay c --replay-times --rate 5",
        "--replay-times",
        "--rate 5 --profile ramp:0-5:1s",
        "--malformed-share 2",
        "--profile ramp:0-5",
    ] {
        let words = std::iter::once("generate").chain(words.split_whitespace());
        let parsed = Command::try_parse_from(words.clone());
        assert!(parsed.is_err(), "{:?}", words.collect::<Vec<_>>());
    }
    for words in [
        "--capture c --listen 127.0.0.1:0 --duration 5s --quiet --capture-max 5",
        "--replay c --report json --quiet --rate 5 --connections 2 --threads 2 --timeout 1s",
    ] {
        args(words);
    }
}

#[test]
fn prepared_requests_hold_every_label_set() {
    let words = "--services 2 --routes 3 --cardinality 5000 --spans-per-request 100";
    let options = args(words).run_options().expect("fit");
    assert_eq!(options.prepared, 2 * 3 * 5_000 * 4 / 100);
}

#[test]
fn scenario_says_what_no_flag_does() {
    let options = args("--scenario sidecar").run_options().expect("built in");
    assert_eq!(options.items_per_request, 10);
    assert_eq!(options.connections, 1);
    let words = "--scenario gateway --connections 3 --spans-per-request 64 --span-bytes 200 --seed 9 \
                 --resources 2 --error-share 1 --malformed-share 0.5";
    let options = args(words).run_options().expect("fit");
    assert_eq!((options.connections, options.items_per_request), (3, 64));
    assert_eq!((options.load.span_bytes, options.load.seed), (200, 9));
    assert_eq!(options.malformed_share.to_bits(), 0.5_f64.to_bits());
    for service in &options.load.services {
        assert_eq!(service.pods, 2);
        assert!(service.operations[0].spans.status.error >= 1.0);
    }
}

#[test]
fn values_that_grow_are_never_prepared() {
    let options = args("--scenario cardinality-bomb").run_options();
    assert_eq!(options.expect("built in").prepared, 0);
    for words in [
        "--scenario cardinality-bomb --prepared 5",
        "--scenario cardinality-bomb --signals traces=1,logs=1 --prepared 5",
    ] {
        let refusal = refusal(words);
        assert!(refusal.contains("leave --prepared out"), "{refusal}");
    }
    // What grows is not sent.
    let options = args("--scenario cardinality-bomb --signals logs=1 --prepared 5").run_options();
    assert_eq!(options.expect("fit").prepared, 5);
}

#[test]
fn flags_that_size_a_load_do_not_go_with_a_scenario() {
    for flag in [
        "--services 2",
        "--routes 2",
        "--cardinality 2",
        "--event-share 0",
    ] {
        let words = format!("generate --scenario shop {flag}");
        let refused = Command::try_parse_from(words.split_whitespace()).expect_err(flag);
        assert_eq!(refused.kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}

#[test]
fn scenario_that_is_not_there_is_refused_with_those_that_are() {
    let refusal = refusal("--scenario shp");
    assert!(refusal.contains("shop, sidecar, gateway"), "{refusal}");
}

#[test]
fn what_does_not_go_together_is_refused_with_the_reason() {
    assert!(refusal("--protocol http --in-flight 2").contains("--protocol grpc"));
    assert!(refusal("--spans-per-request 100000 --span-bytes 1000000").contains("above"));
    assert!(refusal("--services 10000 --routes 10000").contains("100000000 routes"));
    assert!(refusal("--endpoint https://localhost").contains("TLS"));
}

#[test]
fn numbers_out_of_range_are_refused_by_the_parser() {
    for words in [
        "--rate -1",
        "--error-share 1.5",
        "--services 0",
        "--duration 5",
        "--rate nan",
    ] {
        let words = std::iter::once("generate").chain(words.split_whitespace());
        assert!(
            Command::try_parse_from(words.clone()).is_err(),
            "{:?}",
            words.collect::<Vec<_>>()
        );
    }
}

#[test]
fn verification_defaults_to_the_guide() {
    let expectation = args("").verify.expectation().expect("defaults");
    assert_eq!(expectation, Expectation::default());
}

#[test]
fn every_verification_flag_changes_the_expectation() {
    for words in DESCRIBING.into_iter().chain(["--verify-ignore-label pod"]) {
        let expectation = args(words).verify.expectation().expect(words);
        assert_ne!(expectation, Expectation::default(), "{words}");
    }
}

#[test]
fn lists_of_flags_take_the_place_of_the_guides_lists() {
    let words = "--verify-dimension http.route --verify-dimension user.id=nobody \
                 --verify-bounds 5ms,1.5s --verify-const-label a=b=c";
    let expectation = args(words).verify.expectation().expect("well-formed");
    let dimensions = [
        ExpectedDimension::new("http.route", None),
        ExpectedDimension::new("user.id", Some("nobody")),
    ];
    assert_eq!(expectation.dimensions, dimensions);
    let bounds = expectation.histogram.expect("a histogram").bounds_ns;
    assert_eq!(bounds, [5_000_000, 1_500_000_000]);
    assert_eq!(
        expectation.const_labels,
        [("a".to_owned(), "b=c".to_owned())]
    );
    assert!(args("--verify-const-label a").verify.expectation().is_err());
}

#[test]
fn configuration_takes_the_place_of_every_flag_that_describes_it() {
    for words in DESCRIBING {
        let words = format!("generate --verify x --config c.yaml {words}");
        let parsed = Command::try_parse_from(words.split_whitespace());
        let kind = parsed.expect_err(&words).kind();
        assert_eq!(kind, clap::error::ErrorKind::ArgumentConflict, "{words}");
    }
    let config = args("--verify x --config file:c.yaml --feature-gates a --feature-gates=-b")
        .verify
        .config()
        .expect("given");
    assert_eq!(config.config, PathBuf::from("file:c.yaml"));
    assert_eq!(config.feature_gates, ["a", "-b"]);
    assert!(args("--verify x").verify.config().is_none());
}

#[test]
fn configuration_without_a_target_is_refused() {
    for words in [
        "generate --config c.yaml",
        "generate --verify x --feature-gates a",
    ] {
        assert!(
            Command::try_parse_from(words.split_whitespace()).is_err(),
            "{words}"
        );
    }
}
