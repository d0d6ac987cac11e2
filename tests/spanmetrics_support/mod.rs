//! Trace batches from plain rows, for the tests and benches of the connector and the store.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test uses its part; a test binary has no outside"
)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of rows and groups are small"
)]

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, BinaryViewArray, Int32Array, RecordBatch, UInt32Array, UInt64Array};
use spanmill::batch::any_value::{Value, encode, put_key_value};
use spanmill::batch::{TraceBatch, TraceLayout};
use spanmill::connectors::spanmetrics::options::{
    Dimension, HistogramOptions, SpanMetricsOptions, Unit,
};

/// Key and `AnyValue` bytes.
pub type Attributes = Vec<(String, Vec<u8>)>;

#[derive(Clone, Debug, Default)]
pub struct SpanRow {
    /// Index of a resource of the batch.
    pub resource: usize,
    pub name: Vec<u8>,
    pub kind: i32,
    pub status: i32,
    pub start: u64,
    pub end: u64,
    pub attributes: Attributes,
    pub events: Vec<Attributes>,
}

pub fn text(text: &str) -> Vec<u8> {
    encode(Value::Str(text.as_bytes()))
}

pub fn resource(attributes: &Attributes) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in attributes {
        put_key_value(&mut bytes, key.as_bytes(), value);
    }
    bytes
}

pub fn service(name: &str) -> Vec<u8> {
    resource(&vec![("service.name".to_owned(), text(name))])
}

pub fn find<'a>(attributes: &'a Attributes, key: &[u8]) -> Option<&'a [u8]> {
    let found = attributes.iter().find(|(found, _)| found.as_bytes() == key);
    found.map(|(_, value)| value.as_slice())
}

/// The batch that a decoder would make of the rows.
pub fn batch(layout: &TraceLayout, resources: &[Vec<u8>], spans: &[SpanRow]) -> TraceBatch {
    let columns = layout.columns();
    let bytes = |cells: Vec<Option<&[u8]>>| -> ArrayRef {
        Arc::new(cells.into_iter().collect::<BinaryViewArray>())
    };
    let resource_rows = spans.iter().map(|span| span.resource as u32);
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(resource_rows))];
    if columns.name {
        arrays.push(bytes(spans.iter().map(|span| Some(&*span.name)).collect()));
    }
    if columns.kind {
        let kinds = spans.iter().map(|span| span.kind);
        arrays.push(Arc::new(Int32Array::from_iter_values(kinds)));
    }
    if columns.status {
        let statuses = spans.iter().map(|span| span.status);
        arrays.push(Arc::new(Int32Array::from_iter_values(statuses)));
    }
    if columns.times {
        let starts = spans.iter().map(|span| span.start);
        let ends = spans.iter().map(|span| span.end);
        arrays.push(Arc::new(UInt64Array::from_iter_values(starts)));
        arrays.push(Arc::new(UInt64Array::from_iter_values(ends)));
    }
    for key in &columns.span_attributes {
        arrays.push(bytes(
            spans
                .iter()
                .map(|span| find(&span.attributes, key))
                .collect(),
        ));
    }
    let events = columns.event_attributes.as_ref().map(|keys| {
        let rows: Vec<(u32, &Attributes)> = spans
            .iter()
            .enumerate()
            .flat_map(|(at, span)| span.events.iter().map(move |event| (at as u32, event)))
            .collect();
        let spans = rows.iter().map(|row| row.0);
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(spans))];
        for key in keys {
            arrays.push(bytes(rows.iter().map(|row| find(row.1, key)).collect()));
        }
        let schema = layout.events_schema().expect("events are asked for");
        RecordBatch::try_new(Arc::clone(schema), arrays).expect("columns fit their schema")
    });
    let resources = bytes(resources.iter().map(|bytes| Some(&**bytes)).collect());
    TraceBatch {
        resources: RecordBatch::try_new(Arc::clone(layout.resources_schema()), vec![resources])
            .expect("columns fit their schema"),
        spans: RecordBatch::try_new(Arc::clone(layout.spans_schema()), arrays)
            .expect("columns fit their schema"),
        events,
    }
}

pub fn dimension(name: &str, default: Option<&str>) -> Dimension {
    Dimension {
        name: name.to_owned(),
        default: default.map(str::to_owned),
    }
}

/// The guide's configuration.
pub fn guide_options() -> SpanMetricsOptions {
    let bounds_ms = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];
    SpanMetricsOptions {
        namespace: "traces.span.metrics".to_owned(),
        dimensions: vec![
            dimension("http.method", Some("GET")),
            dimension("http.response.status_code", None),
            dimension("http.route", None),
            dimension("user.id", None),
        ],
        exclude_dimensions: Vec::new(),
        histogram: Some(HistogramOptions {
            unit: Unit::Milliseconds,
            bounds_ns: bounds_ms.iter().map(|ms| ms * 1_000_000).collect(),
        }),
        events: None,
        flush_interval: Duration::from_secs(15),
        metrics_expiration: None,
        resources_max: 1_000,
    }
}

/// `spans` rows over `groups` label sets of the guide's configuration, drawn by a fixed generator.
pub fn guide_rows(spans: usize, groups: u64, seed: u64) -> Vec<SpanRow> {
    let mut state = seed;
    let mut draw = move || {
        // The constants of Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..spans)
        .map(|_| {
            let group = draw() % groups;
            let route = format!("/api/v1/shop/{}/items", group / 4);
            SpanRow {
                resource: 0,
                name: format!("GET {route}").into_bytes(),
                kind: 2,
                status: if group % 4 == 3 { 2 } else { 0 },
                start: 1_700_000_000_000_000_000,
                end: 1_700_000_000_000_000_000 + (draw() << (draw() % 5)),
                attributes: vec![
                    (
                        "http.method".to_owned(),
                        text(["GET", "POST"][group as usize % 2]),
                    ),
                    (
                        "http.response.status_code".to_owned(),
                        encode(Value::Int([200, 404][group as usize / 2 % 2])),
                    ),
                    ("http.route".to_owned(), text(&route)),
                ],
                events: Vec::new(),
            }
        })
        .collect()
}

pub mod rig;
