//! Configurations in, what a person sees out: every file of `tests/golden/config` beside the report
//! that it gets. A changed text is accepted with `INSTA_UPDATE=always cargo test --test config`.

use std::fs;
use std::path::{Path, PathBuf};

use spanmill::cli::validate::{ValidateArgs, run};

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
        config: file.to_owned(),
        strict,
        feature_gates,
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
