//! What the cells of a connector's tables mean in OTLP words: metrics, and who a series is.
//!
//! Runs once a series and view, never per row. Names and units are those of the Collector v0.128.0.
#![allow(
    clippy::cast_precision_loss,
    reason = "bounds are rounded where the Collector rounds them"
)]

use std::sync::Arc;

use super::key::{self, Key, SpanPart};
use super::options::{Dimension, HistogramOptions, Unit};
use super::plan::{Plan, SERVICE_NAME, SPAN_KIND, SPAN_NAME, STATUS_CODE};
use crate::batch::any_value::{Value, key_values, read};
use crate::batch::value_text::text;
use crate::naming::stream::{Attribute, SeriesIdentity, Stream, StreamMetric, StreamValue};

const SCOPE_NAME: &str = "spanmetricsconnector";
/// The one attribute of what lies beyond a table's bound.
const OVERFLOW: (&str, &str) = ("otel.metric.overflow", "true");

/// One stream for each table, in the order of the tables.
pub(super) fn streams(plan: &Arc<Plan>) -> Vec<Stream> {
    let options = &plan.options;
    let mut metrics = vec![metric(plan, "calls", "", StreamValue::Count)];
    if let Some(histogram) = &options.histogram {
        let value = StreamValue::Histogram {
            bounds: bounds(histogram),
            nanos_per_unit: histogram.unit.nanos(),
        };
        metrics.push(metric(plan, "duration", unit(histogram.unit), value));
    }
    let spans = stream(plan, metrics, |plan, resource, key| {
        let Plan {
            span_names,
            options,
            ..
        } = plan;
        describe(plan, resource, key, span_names, &[&options.dimensions])
    });
    let events = plan.event_names.is_some().then(|| {
        let metrics = vec![metric(plan, "events", "", StreamValue::Count)];
        stream(plan, metrics, |plan, resource, key| {
            let names = plan.event_names.as_deref().unwrap_or_default();
            let of_events = plan.options.events.as_deref().unwrap_or_default();
            let lists = [plan.options.dimensions.as_slice(), of_events];
            describe(plan, resource, key, names, &lists)
        })
    });
    std::iter::once(spans).chain(events).collect()
}

fn stream(
    plan: &Arc<Plan>,
    metrics: Vec<StreamMetric>,
    describe: impl Fn(&Plan, &[u8], &[u8]) -> SeriesIdentity + Send + Sync + 'static,
) -> Stream {
    let plan = Arc::clone(plan);
    Stream {
        scope_name: SCOPE_NAME,
        metrics,
        describe: Arc::new(move |resource, key| describe(&plan, resource, key)),
    }
}

fn metric(plan: &Plan, name: &str, unit: &'static str, value: StreamValue) -> StreamMetric {
    let namespace = &plan.options.namespace;
    let dot = if namespace.is_empty() { "" } else { "." };
    StreamMetric {
        name: format!("{namespace}{dot}{name}"),
        unit,
        description: "",
        value,
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "ms",
        Unit::Seconds => "s",
    }
}

fn bounds(histogram: &HistogramOptions) -> Vec<f64> {
    let bounds_ns = histogram.bounds_ns.iter();
    bounds_ns
        .map(|bound_ns| *bound_ns as f64 / histogram.unit.nanos())
        .collect()
}

/// `names`: the key columns. `lists`: dimensions in the order in which they are set.
fn describe(
    plan: &Plan,
    resource: &[u8],
    key: &[u8],
    names: &[String],
    lists: &[&[Dimension]],
) -> SeriesIdentity {
    let resource: Vec<(Vec<u8>, Vec<u8>)> = key_values(resource)
        .map(|attribute| (attribute.key.to_vec(), attribute.value.into_owned()))
        .collect();
    let mut attributes = Vec::new();
    match key::read(key, plan.built_ins) {
        Key::Overflow => set(&mut attributes, OVERFLOW.0, OVERFLOW.1.into()),
        Key::Ordinary { span, cells } => {
            set_built_ins(&mut attributes, plan, &resource, span);
            for dimension in lists.iter().copied().flatten() {
                let column = names.iter().position(|name| *name == dimension.name);
                let cell = column.and_then(|at| cells.get(at).copied().flatten());
                let of_resource = || of(&resource, &dimension.name);
                if let Some(value) = cell.or_else(of_resource) {
                    set(&mut attributes, &dimension.name, text(read(value)));
                } else if let Some(default) = &dimension.default {
                    set(&mut attributes, &dimension.name, default.clone().into());
                }
            }
        }
    }
    SeriesIdentity {
        resource: resource
            .into_iter()
            .map(|(key, value)| Attribute {
                key,
                text: text(read(&value)),
            })
            .collect(),
        attributes,
    }
}

fn set_built_ins(
    attributes: &mut Vec<Attribute>,
    plan: &Plan,
    resource: &[(Vec<u8>, Vec<u8>)],
    span: SpanPart,
) {
    if plan.built_ins.service_name {
        // Values that are no strings count as empty here, unlike those of dimensions.
        let name = match of(resource, SERVICE_NAME).map(read) {
            Some(Value::Str(name)) => name.to_vec(),
            _ => Vec::new(),
        };
        set(attributes, SERVICE_NAME, name);
    }
    if let Some(name) = span.name {
        set(attributes, SPAN_NAME, name.to_vec());
    }
    if let Some(kind) = span.kind {
        set(attributes, SPAN_KIND, kind_text(kind).into());
    }
    if let Some(status) = span.status {
        set(attributes, STATUS_CODE, status_text(status).into());
    }
}

/// The first value under a key.
fn of<'a>(attributes: &'a [(Vec<u8>, Vec<u8>)], key: &str) -> Option<&'a [u8]> {
    let found = attributes.iter().find(|(found, _)| found == key.as_bytes());
    found.map(|(_, value)| value.as_slice())
}

/// Overwrites the text of a key in its place, or appends.
fn set(attributes: &mut Vec<Attribute>, key: &str, text: Vec<u8>) {
    let found = attributes
        .iter_mut()
        .find(|found| found.key == key.as_bytes());
    match found {
        Some(attribute) => attribute.text = text,
        None => attributes.push(Attribute {
            key: key.into(),
            text,
        }),
    }
}

/// `Span.SpanKind` of opentelemetry-proto; a number it does not know has no text.
fn kind_text(kind: i32) -> &'static str {
    match kind {
        0 => "SPAN_KIND_UNSPECIFIED",
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        _ => "",
    }
}

/// `Status.StatusCode` of opentelemetry-proto.
fn status_text(status: i32) -> &'static str {
    match status {
        0 => "STATUS_CODE_UNSET",
        1 => "STATUS_CODE_OK",
        2 => "STATUS_CODE_ERROR",
        _ => "",
    }
}
