//! What the connector's tables are in OTLP words.

mod spanmetrics_support;

use spanmetrics_support::rig::{Bounds, Rig, cells};
use spanmetrics_support::{SpanRow, batch, dimension, guide_options, resource, text};
use spanmill::batch::any_value::{Value, encode};
use spanmill::connectors::spanmetrics::SpanMetrics;
use spanmill::connectors::spanmetrics::options::{SpanMetricsOptions, Unit};
use spanmill::naming::stream::{Attribute, SeriesIdentity, StreamMetric, StreamValue};

fn metrics(options: SpanMetricsOptions) -> Vec<Vec<StreamMetric>> {
    let streams = SpanMetrics::new(options).streams();
    streams.into_iter().map(|stream| stream.metrics).collect()
}

fn metric(name: &str, unit: &'static str, value: StreamValue) -> StreamMetric {
    StreamMetric {
        name: name.to_owned(),
        unit,
        description: "",
        value,
    }
}

#[test]
fn a_table_of_spans_is_calls_and_duration() {
    let bounds = vec![
        1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0,
    ];
    let nanos_per_unit = 1e6;
    let duration = StreamValue::Histogram {
        bounds,
        nanos_per_unit,
    };
    let wanted = vec![vec![
        metric("traces.span.metrics.calls", "", StreamValue::Count),
        metric("traces.span.metrics.duration", "ms", duration),
    ]];
    assert_eq!(metrics(guide_options()), wanted);
}

#[test]
fn without_a_namespace_there_is_no_prefix_and_seconds_divide_by_a_billion() {
    let mut options = guide_options();
    options.namespace = String::new();
    let histogram = options.histogram.as_mut().expect("the guide has one");
    histogram.unit = Unit::Seconds;
    histogram.bounds_ns = vec![2_000_000, 1_400_000_000];
    let duration = StreamValue::Histogram {
        bounds: vec![0.002, 1.4],
        nanos_per_unit: 1e9,
    };
    let wanted = vec![vec![
        metric("calls", "", StreamValue::Count),
        metric("duration", "s", duration),
    ]];
    assert_eq!(metrics(options), wanted);
}

#[test]
fn events_are_a_table_of_their_own_and_a_histogram_can_be_left_out() {
    let mut options = guide_options();
    options.histogram = None;
    options.events = Some(vec![dimension("exception.type", None)]);
    let wanted = vec![
        vec![metric("traces.span.metrics.calls", "", StreamValue::Count)],
        vec![metric("traces.span.metrics.events", "", StreamValue::Count)],
    ];
    assert_eq!(metrics(options), wanted);
}

fn attribute(key: &str, text: &str) -> Attribute {
    Attribute {
        key: key.into(),
        text: text.into(),
    }
}

/// The identity of the one series that a span of a resource makes.
fn identity(
    options: SpanMetricsOptions,
    resource_attributes: &[(&str, Vec<u8>)],
    attributes: &[(&str, Vec<u8>)],
) -> SeriesIdentity {
    let own = |attributes: &[(&str, Vec<u8>)]| {
        let pairs = attributes.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    };
    let mut rig = Rig::new(options, &Bounds::default());
    let span = SpanRow {
        name: b"GET /".to_vec(),
        kind: 3,
        status: 1,
        attributes: own(attributes),
        ..SpanRow::default()
    };
    let resources = [resource(&own(resource_attributes))];
    let batch = batch(&rig.layout, &resources, &[span]);
    let worker = &mut rig.workers[0];
    let _ = worker
        .grouper
        .observe(&batch, &mut worker.side.take(), 1_000);
    rig.fold(0);
    let snapshot = rig.snapshot(1_000);
    let (cell, _) = cells(&snapshot).next().expect("one series");
    let identity = cell.identity.as_ref().expect("a live cell");
    (rig.connector.streams()[0].describe)(&identity.resource, &identity.key)
}

#[test]
fn attributes_stand_in_the_collectors_order() {
    let seen = identity(
        guide_options(),
        &[
            ("service.name", text("shop")),
            ("http.route", text("of the resource")),
            ("host.name", text("h")),
        ],
        &[
            ("user.id", text("")),
            ("http.response.status_code", encode(Value::Int(404))),
        ],
    );
    let resource =
        ["service.name", "http.route", "host.name"]
            .iter()
            .zip(["shop", "of the resource", "h"]);
    let attributes = [
        ("service.name", "shop"),
        ("span.name", "GET /"),
        ("span.kind", "SPAN_KIND_CLIENT"),
        ("status.code", "STATUS_CODE_OK"),
        ("http.method", "GET"),
        ("http.response.status_code", "404"),
        ("http.route", "of the resource"),
        ("user.id", ""),
    ];
    let wanted = SeriesIdentity {
        resource: resource.map(|(key, text)| attribute(key, text)).collect(),
        attributes: attributes
            .iter()
            .map(|(key, text)| attribute(key, text))
            .collect(),
    };
    assert_eq!(seen, wanted);
}

#[test]
fn a_service_name_that_is_no_string_is_empty_and_excluded_ones_are_gone() {
    let mut options = guide_options();
    options.dimensions = Vec::new();
    options.exclude_dimensions = vec!["span.kind".to_owned(), "status.code".to_owned()];
    let seen = identity(options, &[("service.name", encode(Value::Int(7)))], &[]);
    let wanted = SeriesIdentity {
        resource: vec![attribute("service.name", "7")],
        attributes: vec![
            attribute("service.name", ""),
            attribute("span.name", "GET /"),
        ],
    };
    assert_eq!(seen, wanted);
}
