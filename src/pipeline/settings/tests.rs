//! What the guide's files and a few others settle to.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Oneof;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use prost::Message;

use super::{ComponentId, ExporterOptions, Notice, Settings, load};
use crate::config::Source;
use crate::connectors::spanmetrics::options::{SpanMetricsOptions, Unit};
use crate::processors::resource::options::{Action, ResourceOptions, ValueSource};
use crate::receivers::otlp::options::{GrpcOptions, HttpOptions, Keepalive};
use crate::telemetry::log::{Encoding, Level};
use crate::workers::Signal;

use super::ProcessorOptions;

const COMPAT: &str = "spanmill.collectorCompat";

fn settings_with(text: &str, gates: &str) -> Settings {
    load(&Source::new("t.yaml", text), &|_| None, gates, false)
        .unwrap_or_else(|report| panic!("{}", report.render()))
}

fn settings(text: &str) -> Settings {
    settings_with(text, "")
}

fn golden(case: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/config");
    std::fs::read_to_string(format!("{folder}/{case}.yaml")).expect("a case")
}

/// A configuration whose connector has the given block, indented by four.
fn connector(block: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\nconnectors:\n  spanmetrics:\n{block}\n\
         exporters:\n  prometheus:\n    endpoint: localhost:1234\nservice:\n  pipelines:\n    \
         traces: {{receivers: [otlp], exporters: [spanmetrics]}}\n    metrics: {{receivers: \
         [spanmetrics], exporters: [prometheus]}}\n"
    )
}

fn spanmetrics(settings: &Settings) -> &SpanMetricsOptions {
    &settings.connectors[0].1
}

fn bounds(block: &str, gates: &str) -> Vec<i64> {
    let settings = settings_with(&connector(block), gates);
    let histogram = spanmetrics(&settings).histogram.clone();
    histogram.expect("a histogram").bounds_ns
}

fn id(text: &str) -> ComponentId {
    let (kind, name) = text.split_once('/').unwrap_or((text, ""));
    ComponentId {
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn the_guides_scrape_file_settles() {
    let settings = settings(&golden("guide-scrape"));
    let otlp = &settings.receivers[0].1;
    assert_eq!(
        otlp.grpc,
        Some(GrpcOptions {
            endpoint: "0.0.0.0:4317".to_owned(),
            ..GrpcOptions::default()
        })
    );
    assert_eq!(
        otlp.http,
        Some(HttpOptions {
            endpoint: "0.0.0.0:4318".to_owned(),
            ..HttpOptions::default()
        })
    );
    let connector = spanmetrics(&settings);
    assert_eq!(connector.namespace, "traces.span.metrics");
    let names: Vec<&str> = connector
        .dimensions
        .iter()
        .map(|dimension| dimension.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "http.method",
            "http.response.status_code",
            "http.route",
            "user.id"
        ]
    );
    assert_eq!(connector.dimensions[0].default.as_deref(), Some("GET"));
    assert_eq!(connector.flush_interval, Duration::from_secs(15));
    assert_eq!(connector.metrics_expiration, Some(Duration::from_mins(3)));
    assert_eq!(connector.events.as_ref().map(Vec::len), Some(1));
    let histogram = connector.histogram.as_ref().expect("a histogram");
    assert_eq!(histogram.unit, Unit::Milliseconds);
    assert_eq!(
        histogram.bounds_ns,
        [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000].map(|bound_ms| bound_ms * 1_000_000)
    );
    let (prometheus_id, ExporterOptions::Prometheus(prometheus)) = &settings.exporters[1] else {
        panic!("the second exporter is prometheus");
    };
    assert_eq!(*prometheus_id, id("prometheus"));
    assert_eq!(prometheus.namespace, "acs");
    assert_eq!(
        prometheus.const_labels,
        [("label1".to_owned(), "value1".to_owned())]
    );
    assert!(prometheus.send_timestamps && prometheus.enable_open_metrics);
    assert!(!prometheus.add_metric_suffixes && prometheus.resource_to_telemetry_conversion);
    assert!(prometheus.start_at_zero);
    assert_eq!(prometheus.metric_expiration, Duration::from_mins(5));
    assert_eq!(settings.service.extensions, [id("zpages")]);
    let pipelines: Vec<(Signal, &str)> = settings
        .service
        .pipelines
        .iter()
        .map(|pipeline| (pipeline.signal, pipeline.name.as_str()))
        .collect();
    assert_eq!(
        pipelines,
        [
            (Signal::Logs, ""),
            (Signal::Traces, ""),
            (Signal::Metrics, ""),
            (Signal::Metrics, "2")
        ]
    );
    assert_eq!(
        settings.service.telemetry.metrics_endpoint.as_deref(),
        Some("localhost:8888")
    );
}

#[test]
fn the_guides_mis_indented_zpages_is_taken_for_an_extension() {
    let settings = settings(&golden("guide-remote-write"));
    assert_eq!(settings.extensions[0].0, id("zpages"));
    assert_eq!(settings.extensions[0].1.endpoint, "localhost:55679");
    assert_eq!(
        settings.notices[0],
        Notice {
            warning: true,
            message:
                "`zpages` stands at the top level and belongs under `extensions`; indent this \
                      line and its block by two spaces"
                    .to_owned(),
            place: "t.yaml:2:1".to_owned(),
        }
    );
}

#[test]
fn a_strict_check_refuses_what_lost_its_indentation() {
    let source = Source::new("t.yaml", golden("guide-remote-write"));
    assert!(load(&source, &|_| None, "", true).is_err());
}

#[test]
fn bare_bounds_are_seconds_with_a_fraction_below_one_else_in_the_unit() {
    let list = |list: &str| format!("    histogram: {{explicit: {{buckets: {list}}}}}");
    assert_eq!(bounds(&list("[0.5, 1]"), ""), [500_000_000, 1_000_000_000]);
    assert_eq!(bounds(&list("[2.5, 10]"), ""), [2_500_000, 10_000_000]);
    assert_eq!(
        bounds(&list("[5, 250ms, 1s]"), ""),
        [5_000_000, 250_000_000, 1_000_000_000]
    );
    assert_eq!(
        bounds(&list("[-0.5, 1]"), ""),
        [-500_000_000, 1_000_000_000]
    );
    assert_eq!(
        bounds(&list("[10ms, 1ms, 1ms]"), ""),
        [10_000_000, 1_000_000, 1_000_000]
    );
    let seconds = "    histogram: {unit: S, explicit: {buckets: [1, 10]}}";
    assert_eq!(bounds(seconds, ""), [1_000_000_000, 10_000_000_000]);
}

#[test]
fn bare_bounds_are_cut_nanoseconds_with_the_compatibility_gate() {
    let block = "    histogram: {explicit: {buckets: [0.001, 0.5, 1, 10.9, 1e3, 2ms]}}";
    assert_eq!(bounds(block, COMPAT), [0, 0, 1, 10, 1000, 2_000_000]);
    assert!(
        settings_with(&connector(block), COMPAT)
            .gates
            .collector_compat
    );
    assert!(!settings(&connector(block)).gates.collector_compat);
}

#[test]
fn an_empty_list_of_bounds_differs_from_none() {
    assert!(bounds("    histogram: {explicit: {buckets: []}}", "").is_empty());
    for block in [
        "",
        "    histogram:",
        "    histogram: {explicit: }",
        "    histogram: {explicit: {}}",
        "    histogram: {explicit: {buckets: }}",
    ] {
        assert_eq!(bounds(block, "").len(), 16, "{block}");
    }
}

#[test]
fn a_disabled_histogram_and_disabled_events_are_absent() {
    let block = "    histogram: {disable: true}\n    events: {dimensions: [{name: a}]}";
    let settings = settings(&connector(block));
    assert_eq!(spanmetrics(&settings).histogram, None);
    assert_eq!(spanmetrics(&settings).events, None);
}

#[test]
fn the_legacy_names_gate_drops_the_default_namespace_only() {
    let gate = "connector.spanmetrics.legacyMetricNames";
    let default = settings_with(&connector("    metrics_flush_interval: 1s"), gate);
    assert_eq!(spanmetrics(&default).namespace, "");
    let own = settings_with(&connector("    namespace: red"), gate);
    assert_eq!(spanmetrics(&own).namespace, "red");
}

#[test]
fn nulls_everywhere_leave_the_collectors_values() {
    let ports = |name: &str| Some(if name == "RW_URL" { "http://a/" } else { "1" }.to_owned());
    let text = golden("nulls-everywhere")
        .replace("HTTP_PORT", "RW_URL:-2")
        .replace("${env:RW_URL:-2}", "2")
        .replace("${env:PROM_PORT}", "3");
    let settings = load(&Source::new("t", text), &ports, "", false)
        .unwrap_or_else(|report| panic!("{}", report.render()));
    let connector = spanmetrics(&settings);
    assert_eq!(connector.namespace, "");
    assert!(connector.dimensions.is_empty() && connector.exclude_dimensions.is_empty());
    assert_eq!(connector.metrics_expiration, None);
    assert_eq!(connector.resources_max, 1000);
    assert_eq!(
        connector
            .histogram
            .as_ref()
            .map(|histogram| histogram.bounds_ns.len()),
        Some(16)
    );
}

#[test]
fn the_receivers_keys_settle() {
    let settings = settings(&golden("receiver-every-key"));
    let otlp = &settings.receivers[0].1;
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let grpc = otlp.grpc.as_ref().expect("gRPC is on");
    assert_eq!(
        (grpc.message_bytes_max, grpc.streams_max),
        (8 << 20, Some(100))
    );
    assert_eq!(
        grpc.keepalive,
        Keepalive {
            connection_idle_max: seconds(11),
            connection_age_max: seconds(12),
            connection_age_grace: seconds(13),
            time: seconds(30),
            timeout: seconds(5),
        }
    );
    let http = otlp.http.as_ref().expect("HTTP is on");
    assert_eq!(http.body_bytes_max, 100_000);
    assert_eq!(http.traces_url_path, "/t");
    assert_eq!(http.response_headers, [("X-A".to_owned(), "b".to_owned())]);
    assert_eq!(http.read_timeout, seconds(1));
}

#[test]
fn actions_settle_with_their_values_in_wire_form() {
    let text = golden("resource-actions");
    let cut = text.find("  resource/bad").expect("the wrong half");
    let service = text.find("service:").expect("the service");
    let text = format!("{}{}", &text[..cut], &text[service..]).replace(", resource/bad", "");
    let settings = settings(&text);
    let ProcessorOptions::Resource(ResourceOptions { actions }) = &settings.processors[0].1 else {
        panic!("a resource processor");
    };
    assert_eq!(actions.len(), 8);
    let Action::Insert {
        key,
        value: ValueSource::Value(bytes),
    } = &actions[0]
    else {
        panic!("the first action inserts");
    };
    // 0123 is octal: int_value 83.
    assert_eq!(
        (key.as_str(), bytes.as_slice()),
        ("a", [0x18, 83].as_slice())
    );
    let Action::Upsert {
        value: ValueSource::Value(bytes),
        ..
    } = &actions[2]
    else {
        panic!("the third action upserts");
    };
    let any = |value| AnyValue { value: Some(value) };
    let list = ArrayValue {
        values: vec![
            any(Oneof::IntValue(1)),
            any(Oneof::DoubleValue(2.5)),
            any(Oneof::StringValue("yes".to_owned())),
            any(Oneof::BoolValue(true)),
            any(Oneof::StringValue("x".to_owned())),
        ],
    };
    let pair = KeyValue {
        key: "k".to_owned(),
        value: Some(any(Oneof::ArrayValue(list))),
        ..KeyValue::default()
    };
    let map = KeyValueList { values: vec![pair] };
    let decoded = AnyValue::decode(bytes.as_slice()).expect("an AnyValue");
    assert_eq!(decoded, any(Oneof::KvlistValue(map)));
}

#[test]
fn telemetry_settles() {
    let settings = settings(&golden("telemetry"));
    let telemetry = &settings.service.telemetry;
    assert_eq!(telemetry.log_level, Level::Debug);
    assert_eq!(telemetry.log_encoding, Encoding::Json);
    assert_eq!(telemetry.metrics_endpoint.as_deref(), Some("[::1]:9"));
    assert_eq!(
        telemetry.resource,
        [
            ("service.name".to_owned(), Some("x".to_owned())),
            ("service.instance.id".to_owned(), None)
        ]
    );
}

#[test]
fn our_own_keys_settle() {
    let text = connector("    metrics_flush_interval: 1s")
        .replace(
            "localhost:1234\n",
            "localhost:1234\n    start_at_zero: false\n",
        )
        .replace(
            "service:\n",
            "service:\n  drain_scrape_wait: 3s\n  pin_workers: true\n",
        );
    let settings = settings(&text);
    assert_eq!(settings.service.drain_scrape_wait, Duration::from_secs(3));
    assert!(settings.service.pin_workers);
    assert!(matches!(
        &settings.exporters[0].1,
        ExporterOptions::Prometheus(options) if !options.start_at_zero
    ));
}

#[test]
fn yaml_forms_settle_to_the_same_options() {
    let settings = settings(&golden("yaml-forms"));
    let batches: Vec<(u64, u32, u32)> = settings
        .processors
        .iter()
        .map(|(_, options)| match options {
            ProcessorOptions::Batch(batch) => (
                batch.timeout.as_secs(),
                batch.send_batch_size,
                batch.send_batch_max_size,
            ),
            _ => panic!("only batches"),
        })
        .collect();
    assert_eq!(
        batches,
        [
            (2, 1000, 2000),
            (3, 1000, 2000),
            (0, 1000, 2000),
            (0, 16, 2000),
            (1, 8192, 0)
        ]
    );
}

#[test]
fn every_component_has_a_line_and_reads_an_unknown_key_as_a_mistake() {
    use crate::config::{Reading, Section, parse};
    use crate::pipeline::components::COMPONENTS;

    for component in COMPONENTS {
        let reading = Reading::default();
        let root = parse(&Source::new("t", "no_such_key: 1\n"), &reading.log).expect("a map");
        let path = component.name.to_owned();
        Section::read(&reading, path, root.span, &root, component.read);
        let (diagnostics, _) = reading.log.into_sorted();
        let message = format!("`{}` has no key `no_such_key`", component.name);
        assert!(
            diagnostics
                .iter()
                .any(|diagnostic| diagnostic.message == message),
            "{}",
            component.name
        );
        assert!(!component.purpose.is_empty());
    }
}
