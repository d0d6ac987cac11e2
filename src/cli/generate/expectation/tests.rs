//! What configurations tell the verifier, and which it refuses.

use super::*;
use crate::config::Source;
use crate::pipeline::settings::load;

const GUIDE: &str = include_str!("../../../../config/guide-scrape.yaml");
/// With bare bounds, and one key deleted twice.
const GUIDE_AS_PRINTED: &str = include_str!("../../../../tests/golden/guide/scrape.yaml");

fn read(text: &str, gates: &str) -> Result<Expectation, ExpectationError> {
    let settings = load(&Source::new("test", text), &|_| None, gates, false);
    of(&settings.expect("a good configuration"), 1234)
}

#[test]
fn guides_files_say_what_the_flags_say_by_default() {
    assert_eq!(read(GUIDE, ""), Ok(Expectation::default()));
    assert_eq!(read(GUIDE_AS_PRINTED, ""), Ok(Expectation::default()));
}

#[test]
fn gates_change_what_a_file_says() {
    let compat = read(GUIDE_AS_PRINTED, "spanmill.collectorCompat").expect("one way");
    let histogram = compat.histogram.as_ref().expect("a histogram");
    assert_eq!(histogram.bounds_ns, [0, 0, 0, 0, 0, 0, 1, 5, 10]);
    assert!(compat.bounds_ns().is_err(), "repeats cannot be verified");
    let legacy = GUIDE.replace(
        "  spanmetrics:\n",
        "  spanmetrics:\n    namespace: calls.of\n",
    );
    let gate = "connector.spanmetrics.legacyMetricNames";
    assert_eq!(read(GUIDE, gate).expect("one way").connector_namespace, "");
    assert_eq!(
        read(&legacy, gate).expect("one way").connector_namespace,
        "calls.of"
    );
}

/// Each key of the file that names, labels or buckets depend on.
#[test]
fn every_key_changes_the_expectation() {
    for (from, to) in [
        ("namespace: acs", "namespace: x"),
        ("add_metric_suffixes: false", "add_metric_suffixes: true"),
        ("label1: value1", "label2: value1"),
        (
            "conversion:\n      enabled: true",
            "conversion:\n      enabled: false",
        ),
        ("histogram:\n", "namespace: x\n    histogram:\n"),
        ("histogram:\n", "histogram:\n      unit: s\n"),
        ("histogram:\n", "histogram:\n      disable: true\n"),
        ("[1ms, ", "["),
        ("      - name: http.route\n", ""),
        ("metrics_expiration: 3m", "exclude_dimensions: [span.kind]"),
        (
            "enabled: true\n      dimensions",
            "enabled: false\n      dimensions",
        ),
        ("- name: default\n", "- name: exception.type\n"),
        (
            "{key: process.pid, action: delete}",
            "{key: host.name, action: delete}",
        ),
    ] {
        assert!(GUIDE.contains(from), "{from}");
        let expectation = read(&GUIDE.replacen(from, to, 1), "").expect(to);
        assert_ne!(expectation, Expectation::default(), "{to}");
    }
}

#[test]
fn port_tells_which_scrape_endpoint_is_meant() {
    let two = GUIDE
        .replace(
            "exporters:\n  debug:",
            "exporters:\n  prometheus/2:\n    endpoint: 0.0.0.0:1235\n  debug:",
        )
        .replace(
            "receivers: [spanmetrics]\n      exporters: [prometheus]",
            "receivers: [spanmetrics]\n      exporters: [prometheus/2, prometheus]",
        );
    assert_eq!(read(&two, ""), Ok(Expectation::default()));
    let neither = two.replace(":1234", ":1236");
    assert_eq!(read(&neither, ""), Err(ExpectationError::NoWay));
}

#[test]
fn what_cannot_be_worked_out_is_refused() {
    let resource = || "resource".to_owned();
    for (from, to, error) in [
        (
            "receivers: [spanmetrics]\n      exporters: [prometheus]",
            "receivers: [spanmetrics]\n      exporters: [debug]",
            ExpectationError::NoWay,
        ),
        (
            "{key: process.pid, action: delete}",
            "{pattern: ^process, action: delete}",
            ExpectationError::Action {
                processor: resource(),
            },
        ),
        (
            "{key: process.pid, action: delete}",
            "{key: tier, value: web, action: insert}",
            ExpectationError::Action {
                processor: resource(),
            },
        ),
        (
            "receivers: [spanmetrics]",
            "receivers: [spanmetrics]\n      processors: [resource]",
            ExpectationError::Behind {
                processor: resource(),
            },
        ),
        ("[1ms, ", "[-1ms, ", ExpectationError::Bound),
        (
            "    traces:\n",
            "    traces/2: {receivers: [otlp], exporters: [spanmetrics]}\n    traces:\n",
            ExpectationError::Ways { count: 2 },
        ),
    ] {
        assert!(GUIDE.contains(from), "{from}");
        assert_eq!(read(&GUIDE.replace(from, to), ""), Err(error), "{to}");
    }
}
