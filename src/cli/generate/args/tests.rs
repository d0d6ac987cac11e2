//! What arguments settle to, and which do not go together.

use std::path::PathBuf;

use clap::Parser;

use super::*;
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

#[test]
fn defaults_are_a_closed_loop_of_ten_seconds() {
    let options = args("").run_options().expect("defaults go together");
    assert_eq!(options.target.authority, "localhost:4317");
    assert_eq!(options.pace.duration, Some(Duration::from_secs(10)));
    assert_eq!(
        (options.pace.spans_per_second, options.pace.spans),
        (None, None)
    );
    assert_eq!(options.prepared, 64);
}

#[test]
fn open_loop_makes_each_request_as_it_is_sent() {
    let options = args("--rate 500 --protocol http --count 20")
        .run_options()
        .expect("fit");
    assert_eq!(options.target.authority, "localhost:4318");
    assert_eq!((options.prepared, options.pace.duration), (0, None));
    assert_eq!(
        (options.pace.spans_per_second, options.pace.spans),
        (Some(500.0), Some(20))
    );
}

#[test]
fn prepared_requests_hold_every_label_set() {
    let words = "--services 2 --routes 3 --cardinality 5000 --spans-per-request 100";
    let options = args(words).run_options().expect("fit");
    assert_eq!(options.prepared, 2 * 3 * 5_000 * 4 / 100);
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
