//! The most bytes that a request of each signal may take, from the settled scenario alone.
//!
//! Upper bounds: the widest value of every attribute, all events and links that a span may have, the
//! longest text of every template, filled. They follow the messages of OTLP and not the encoders, and
//! may be some bytes an item too high, never too low: a gRPC message has a length of 32 bits, and a
//! machine has an end.

use super::attributes::Spec;
use super::model::{Event, Links, Operation, Scenario, Scope, Service};
use super::template::Widths;
use crate::generate::logs::{Body, Record};
use crate::generate::metrics::{EXPONENTIAL_BUCKETS_MAX, Kind, Metric, combinations};
use crate::generate::signal::Signal;
use crate::generate::value::{Attribute, Value};

/// Ids, times, kind, status and flags of a span, with all tags and lengths, and a little more.
const SPAN_BYTES: u64 = 160;
/// Time and counts of an event; ids and flags of a link.
const PART_BYTES: u64 = 64;
/// Tags and lengths of a resource's and a scope's messages, and their schema URLs.
const GROUP_BYTES: u64 = 160;
/// Times, numbers and one exemplar of a point.
const POINT_BYTES: u64 = 192;
/// A bound with its count; a quantile with its value.
const BUCKET_BYTES: u64 = 24;
/// A varint of 64 bits.
const VARINT_BYTES: u64 = 10;
/// Buckets of both signs of an exponential histogram.
const EXPONENTIAL_BUCKETS: u64 = 2 * EXPONENTIAL_BUCKETS_MAX as u64;
/// Ids, times, numbers, tags and lengths of a record.
const RECORD_BYTES: u64 = 128;

impl Scenario {
    /// Bytes of a request of the signal, as a protobuf message without compression, at most.
    #[must_use]
    pub fn request_bytes_max(&self, signal: Signal) -> u64 {
        let items = u64::from(self.spans_per_request);
        match signal {
            Signal::Traces => self.traces_bytes(items),
            Signal::Metrics => self.metrics_bytes(items),
            Signal::Logs => self.logs_bytes(items),
        }
    }

    fn traces_bytes(&self, spans: u64) -> u64 {
        let operations = self.services.iter().flat_map(|service| &service.operations);
        let span = operations.map(|operation| operation.span_bytes_max(self.span_bytes as u64));
        let groups = u64::from(self.resources_per_request).min(spans);
        let group = self.services.iter().map(|service| {
            let scopes = service.scopes.iter().map(Scope::bytes_max);
            service.resource_bytes_max() + scopes.sum::<u64>()
        });
        of_widest(span, spans).saturating_add(of_widest(group, groups))
    }

    fn metrics_bytes(&self, points: u64) -> u64 {
        // In the worst case each point stands in a metric of its own.
        let point = self.metrics.iter().map(Metric::point_bytes_max);
        let series_of = |service: &Service| {
            let Some(name) = service.told_name() else {
                return 1;
            };
            let has =
                |metric: &&Metric| metric.services.is_empty() || metric.services.contains(&name);
            let series = self.metrics.iter().filter(has);
            series
                .map(|metric| combinations(&metric.attributes))
                .fold(0, u64::saturating_add)
        };
        let series = self.services.iter().map(series_of);
        // All series of a resource stand side by side.
        let least = series.filter(|series| *series > 0).min().unwrap_or(1);
        let groups = (points / least).saturating_add(2).min(points);
        let group = self.services.iter().map(Service::resource_bytes_max);
        of_widest(point, points).saturating_add(of_widest(group, groups))
    }

    fn logs_bytes(&self, records: u64) -> u64 {
        let record = self.logs.iter().map(Record::bytes_max);
        let scopes = self.logs.iter().map(|record| {
            let name = record.scope.len() as u64;
            name + GROUP_BYTES
        });
        let resource = self.services.iter().map(Service::resource_bytes_max);
        of_widest(record, records)
            .saturating_add(scopes.sum())
            .saturating_add(of_widest(resource, 1))
    }
}

/// So many times the widest.
fn of_widest(bytes: impl Iterator<Item = u64>, count: u64) -> u64 {
    bytes.max().unwrap_or_default().saturating_mul(count)
}

fn value_bytes(value: &Value) -> u64 {
    value.bytes() as u64
}

fn specs_bytes_max(specs: &[Spec]) -> u64 {
    specs
        .iter()
        .map(|spec| spec.field_bytes_max(value_bytes))
        .fold(0, u64::saturating_add)
}

fn attributes_bytes(attributes: &[Attribute]) -> u64 {
    let bytes = attributes
        .iter()
        .map(|attribute| attribute.message_bytes() as u64 + VARINT_BYTES);
    bytes.sum()
}

impl Service {
    /// Bytes of the attributes of one pod in memory, at most.
    pub(super) fn pod_bytes(&self) -> u64 {
        let attributes = self.attributes.len() * size_of::<Attribute>();
        self.resource_bytes_max() + attributes as u64
    }

    /// Bytes of the message of one of its resources, with those around it, at most.
    fn resource_bytes_max(&self) -> u64 {
        let mut widths = Widths {
            service: self.name.len(),
            pod: 0,
            number: self.pods.to_string().len(),
        };
        widths.pod = usize::try_from(widths.text(&self.pod_name)).unwrap_or(usize::MAX);
        let attributes = self.attributes.iter();
        let bytes = attributes.map(|spec| spec.field_bytes_max(|value| widths.value(value)));
        bytes.fold(GROUP_BYTES, u64::saturating_add)
    }
}

impl Scope {
    fn bytes_max(&self) -> u64 {
        let texts = self.name.len() + self.version.len();
        texts as u64 + attributes_bytes(&self.attributes) + GROUP_BYTES
    }
}

impl Operation {
    /// `filled_bytes` is what a span is filled up to when it has less of its own, without what only
    /// some spans have.
    fn span_bytes_max(&self, filled_bytes: u64) -> u64 {
        let spans = &self.spans;
        let (fixed, drawn): (Vec<&Spec>, Vec<&Spec>) = spans
            .attributes
            .iter()
            .partition(|spec| spec.values.is_fixed());
        let sum = |specs: Vec<&Spec>| {
            let bytes = specs.iter().map(|spec| spec.field_bytes_max(value_bytes));
            bytes.fold(0, u64::saturating_add)
        };
        let texts = self.name.len() + spans.trace_state.len();
        let always = sum(fixed).saturating_add(texts as u64 + SPAN_BYTES);
        let events = spans.events.iter().map(Event::bytes_max);
        always
            .max(filled_bytes.saturating_add(SPAN_BYTES))
            .saturating_add(sum(drawn))
            .saturating_add(spans.status.message.len() as u64)
            .saturating_add(events.sum())
            .saturating_add(spans.links.bytes_max())
    }
}

impl Event {
    fn bytes_max(&self) -> u64 {
        let one = self.name.len() as u64 + attributes_bytes(&self.attributes) + PART_BYTES;
        one * u64::from(self.count)
    }
}

impl Links {
    fn bytes_max(&self) -> u64 {
        let count = if self.share > 0.0 { self.count } else { 0 };
        (attributes_bytes(&self.attributes) + PART_BYTES) * u64::from(count)
    }
}

impl Metric {
    /// Of one point and all that stands around it but the resource.
    fn point_bytes_max(&self) -> u64 {
        let texts = [&self.name, &self.unit, &self.description, &self.scope];
        let texts: usize = texts.into_iter().map(String::len).sum();
        let numbers = match &self.kind {
            Kind::Gauge | Kind::Sum { .. } => 0,
            Kind::Histogram { bounds, .. } => BUCKET_BYTES * (bounds.len() as u64 + 1),
            Kind::ExponentialHistogram { .. } => VARINT_BYTES * EXPONENTIAL_BUCKETS,
            Kind::Summary { quantiles } => BUCKET_BYTES * quantiles.len() as u64,
        };
        let around = texts as u64 + GROUP_BYTES + POINT_BYTES + numbers;
        specs_bytes_max(&self.attributes).saturating_add(around)
    }
}

impl Record {
    fn bytes_max(&self) -> u64 {
        // A value that is no text may be longer as one.
        let label = |value: &Value| value.label_text().len() as u64;
        let of_key = |key: &str| {
            let spec = self.attributes.iter().find(|spec| spec.key == key);
            spec.map_or(0, |spec| spec.values.most(label))
        };
        let body = match &self.body {
            Body::Text(template) => template.bytes_max(of_key),
            Body::Map(specs) => specs_bytes_max(specs),
        };
        let texts = self.severity_text.len() + self.event_name.len();
        specs_bytes_max(&self.attributes)
            .saturating_add(body)
            .saturating_add(texts as u64 + RECORD_BYTES)
    }
}

#[cfg(test)]
mod tests;
