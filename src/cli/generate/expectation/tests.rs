//! What configurations tell the verifier, and which it refuses.

use super::*;
use crate::config::Source;
use crate::pipeline::settings::load;

const GUIDE: &str = include_str!("../../../../config/guide-scrape.yaml");
/// With bare bounds, and one key deleted twice.
const GUIDE_AS_PRINTED: &str = include_str!("../../../../tests/golden/guide/scrape.yaml");

fn read_all(text: &str, gates: &str) -> Result<Vec<Expectation>, ExpectationError> {
    let settings = load(&Source::new("test", text), &|_| None, gates, false);
    of(&settings.expect("a good configuration"), 4317, 1234)
}

fn read(text: &str, gates: &str) -> Result<Expectation, ExpectationError> {
    read_all(text, gates).map(|mut ways| {
        assert_eq!(ways.len(), 1);
        ways.remove(0)
    })
}

#[test]
fn guides_files_say_what_the_flags_say_by_default() {
    assert_eq!(read(GUIDE, ""), Ok(Expectation::default()));
    let mut printed = read(GUIDE_AS_PRINTED, "").expect("one way");
    let mut seen = Vec::new();
    printed.resource.retain(|action| {
        let is_new = !seen.contains(action);
        seen.push(action.clone());
        is_new
    });
    assert_eq!(printed, Expectation::default());
}

#[test]
fn gates_change_what_a_file_says() {
    let compat = read(GUIDE_AS_PRINTED, "spanmill.collectorCompat").expect("one way");
    let histogram = compat.histogram.as_ref().expect("a histogram");
    assert_eq!(histogram.bounds_ns, [0, 0, 0, 0, 0, 0, 1, 5, 10]);
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
    let endpoint = ExpectationError::Endpoint { port: 1234 };
    assert_eq!(read(&neither, ""), Err(endpoint));
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
            "{key: tier, action: hash}",
            ExpectationError::Action {
                processor: resource(),
            },
        ),
        ("[1ms, ", "[-1ms, ", ExpectationError::Bound),
        (
            "    metrics/2:\n",
            "    metrics/3: {receivers: [spanmetrics], processors: [resource], exporters: \
             [prometheus]}\n    metrics/2:\n",
            ExpectationError::Ways,
        ),
        (
            "    metrics_expiration: 3m",
            "    calls_dimensions: [{name: x}]",
            ExpectationError::Dormant {
                key: "connectors.spanmetrics.calls_dimensions".to_owned(),
            },
        ),
        (
            "    metrics_expiration: 3m",
            "    aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA",
            ExpectationError::Dormant {
                key: "connectors.spanmetrics.aggregation_temporality".to_owned(),
            },
        ),
        (
            "    histogram:\n",
            "    histogram:\n      dimensions: [{name: x}]\n",
            ExpectationError::Dormant {
                key: "connectors.spanmetrics.histogram.dimensions".to_owned(),
            },
        ),
    ] {
        assert!(GUIDE.contains(from), "{from}");
        assert_eq!(read(&GUIDE.replace(from, to), ""), Err(error), "{to}");
    }
}

#[test]
fn actions_of_processors_are_taken_over_in_order() {
    let actions = concat!(
        "{key: tier, value: web, action: insert}\n      - {key: replicas, value: 3, action: upsert}\n",
        "      - {key: zone, from_attribute: host.name, action: update}\n",
        "      - {key: host.name, pattern: ^process, action: delete}",
    );
    let text = GUIDE.replace("{key: process.pid, action: delete}", actions);
    let resource = read(&text, "").expect("one way").resource;
    let at = resource
        .iter()
        .position(|action| matches!(action, ResourceAction::Insert { .. }))
        .expect("an insert");
    let key = |text: &str| text.to_owned();
    let pattern = Pattern::new("^process").expect("an expression");
    let wanted = [
        ResourceAction::Insert {
            key: key("tier"),
            value: ValueFrom::Value(Value::Text(key("web"))),
        },
        ResourceAction::Upsert {
            key: key("replicas"),
            value: ValueFrom::Value(Value::Int(3)),
        },
        ResourceAction::Update {
            key: key("zone"),
            value: ValueFrom::Attribute(key("host.name")),
        },
        ResourceAction::delete("host.name"),
        ResourceAction::DeleteMatching { pattern },
    ];
    assert_eq!(resource[at..at + wanted.len()], wanted);
}

#[test]
fn processors_behind_the_connector_are_told_apart() {
    let text = GUIDE.replace(
        "receivers: [spanmetrics]",
        "receivers: [spanmetrics]\n      processors: [resource]",
    );
    let way = read(&text, "").expect("one way");
    assert_eq!(way.resource, way.resource_behind);
}

#[test]
fn each_way_of_the_spans_is_an_expectation() {
    let twice = GUIDE.replace(
        "    traces:\n",
        "    traces/2: {receivers: [otlp], exporters: [spanmetrics]}\n    traces:\n",
    );
    let ways = read_all(&twice, "").expect("two ways");
    assert_eq!(ways.len(), 2);
    assert!(ways.iter().any(|way| way.resource.is_empty()));
    let connectors = GUIDE
        .replace(
            "  spanmetrics:\n",
            "  spanmetrics/2: {namespace: x}\n  spanmetrics:\n",
        )
        .replace("[spanmetrics]", "[spanmetrics, spanmetrics/2]");
    assert_eq!(read_all(&connectors, "").expect("two ways").len(), 2);
}

#[test]
fn port_tells_which_receiver_the_load_goes_to() {
    let two = GUIDE
        .replace(
            "receivers:\n  otlp:",
            "receivers:\n  otlp/2: {protocols: {grpc: {endpoint: 127.0.0.1:5317}}}\n  otlp:",
        )
        .replace(
            "    traces:\n",
            "    traces/2: {receivers: [otlp/2], exporters: [spanmetrics]}\n    traces:\n",
        );
    assert_eq!(read(&two, ""), Ok(Expectation::default()));
    let settings = load(&Source::new("test", &two), &|_| None, "", false).expect("good");
    let of_other = of(&settings, 5317, 1234).expect("one way");
    assert!(of_other[0].resource.is_empty());
    let error = of(&settings, 6317, 1234).expect_err("nobody listens");
    assert_eq!(error, ExpectationError::Receiver { port: 6317 });
}
