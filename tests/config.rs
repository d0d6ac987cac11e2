//! Configurations in, what a person sees out: every file of `tests/golden/config` beside the report
//! that it gets, and nothing that a file may hold makes the check panic. A changed text is accepted with `INSTA_UPDATE=always cargo test --test config`.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use spanmill::cli::ConfigArgs;
use spanmill::cli::validate::{ValidateArgs, run};
use spanmill::config::Source;
use spanmill::pipeline::settings::check;

const FOLDER: &str = "tests/golden/config";

/// What the command line is in the cases that need more than the file.
fn arguments(case: &str) -> (bool, Vec<String>) {
    match case {
        "86-unknown-gate" => (false, vec!["no.such.gate".to_owned()]),
        "gates-known" => (
            false,
            vec![
                "spanmill.collectorCompat,+connector.spanmetrics.legacyMetricNames".to_owned(),
                "exporter.prometheusremotewritexporter.enableSendingRW2".to_owned(),
                "telemetry.disableAddressFieldForInternalTelemetry".to_owned(),
            ],
        ),
        "gates-wrong" => (
            false,
            vec!["spanmill.colectorCompat, -telemetry.disableAddressFieldForInternalTelemetry,no.such.gate".to_owned()],
        ),
        "guide-remote-write-strict" => (true, Vec::new()),
        "guide-scrape-compat" => (false, vec!["spanmill.collectorCompat".to_owned()]),
        _ => (false, Vec::new()),
    }
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "GRPC_PORT" => "20001",
        "HTTP_PORT" => "20002",
        "PROM_PORT" => "20003",
        "TELEMETRY_PORT" => "20004",
        "ZPAGES_PORT" => "20006",
        "RW_URL" => "http://127.0.0.1:20005/api/v1/write",
        "INTERVAL" => "soon",
        "OCTAL" => "0123",
        "LIST" => "[otlp]",
        "EMPTY" => "",
        "LOOP" => "${env:LOOP}",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The report on a case, with its exit status.
fn report(case: &str, file: &Path) -> String {
    let (strict, feature_gates) = arguments(case);
    let args = ValidateArgs {
        config: ConfigArgs {
            config: file.to_owned(),
            feature_gates,
        },
        strict,
    };
    let mut stderr = Vec::new();
    let status = run(&args, &variable, &mut stderr).expect("a vector takes every byte");
    let text = String::from_utf8(stderr).expect("reports are UTF-8");
    format!("{text}exit {status}")
}

#[test]
fn every_configuration_gets_its_report() {
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(files.len() > 90, "only {} cases found", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden/config");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in &files {
            let case = file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("a name");
            insta::assert_snapshot!(case, report(case, file));
        }
    });
}

/// Everything that is said about a text, and that each place lies in it.
fn examine(bytes: &[u8]) {
    let source = Source::from_bytes("t", bytes);
    let checked = check(&source, &variable, "", false);
    assert_eq!(checked.settings.is_none(), checked.report.has_errors());
    for (source, diagnostic) in checked.report.iter() {
        let context = diagnostic.context.iter().map(|(span, _)| *span);
        for span in context.chain([diagnostic.span]) {
            let range = span.start as usize..span.end as usize;
            assert!(
                source.text().get(range).is_some(),
                "{span:?} of {:?} in {:?}",
                diagnostic.message,
                source.text()
            );
        }
    }
    assert!(checked.report.has_errors() <= !checked.report.render().is_empty());
}

/// Pieces that mean something in YAML or in a configuration.
const PIECES: [&str; 30] = [
    "\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "::",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "'",
    "\"",
    "!!str ",
    "---\n",
    "...\n",
    "${env:GRPC_PORT}",
    "${",
    "$$",
    "~",
    "\u{e9}",
    "endpoint",
];

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        examine(&bytes);
    }

    #[test]
    fn arbitrary_pieces_of_yaml_never_panic(
        pieces in proptest::collection::vec(0..PIECES.len(), 0..40),
    ) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        examine(text.as_bytes());
    }

    #[test]
    fn mutated_guide_files_never_panic(
        scrape in any::<bool>(),
        edits in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..12, 0..PIECES.len()),
            1..6,
        ),
    ) {
        let name = if scrape { "guide-scrape" } else { "guide-remote-write" };
        let mut bytes = fs::read(format!("{FOLDER}/{name}.yaml")).expect("the guide's file");
        for (at, removed, piece) in edits {
            let start = at.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, PIECES[piece].bytes());
        }
        examine(&bytes);
    }
}

#[test]
fn a_file_that_is_not_there_is_one_error() {
    assert_eq!(
        report("missing", Path::new("no-such-file.yaml")),
        "error: cannot read no-such-file.yaml: No such file or directory (os error 2)\nexit 1"
    );
}

#[test]
fn a_path_may_have_the_collectors_file_scheme() {
    let text = report(
        "scheme",
        Path::new("file:tests/golden/config/yaml-forms.yaml"),
    );
    assert_eq!(text, "exit 0");
}

#[test]
fn a_configuration_beyond_the_limit_is_refused() {
    let text = format!("# {}\n", "x".repeat(1 << 20));
    let checked = check(&Source::new("t", text), &variable, "", false);
    let rendered = checked.report.render();
    assert!(rendered.contains("larger than 1048576 bytes"), "{rendered}");
}
