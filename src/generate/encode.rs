//! Drawn spans in, the bytes of `ResourceSpans` out.
//!
//! The spans of one resource stand in one `ScopeSpans` for each scope, as SDKs send them. Independent
//! of `decode`: hand-written, on primitives of its own.
//!
//! Runs on a sending thread, per span, when requests are not prepared; allocates for a drawn attribute
//! that is a list or a map only.

use super::load::{EVENT_KINDS, Load, Observation, Operation, Status};
use super::random::Random;
use super::scenario::attributes::Pool;
use super::template::{Template, field};
use super::wire::{
    field_bytes, put_any_value, put_attribute, put_bytes, put_fixed64, put_int, put_prefix,
    varint_bytes,
};

const SCHEMA_URL: &[u8] = b"https://opentelemetry.io/schemas/1.34.0";

pub(super) struct Encoder {
    operations: Vec<OfOperation>,
    /// Resource -> its field of `ResourceSpans`.
    resources: Vec<Vec<u8>>,
    /// Service -> scope -> its field of `ScopeSpans`.
    scopes: Vec<Vec<Vec<u8>>>,
    /// Scope -> the spans of the present resource, each as a field of `ScopeSpans`.
    spans: Vec<Vec<u8>>,
    /// The drawn attributes of the present span.
    drawn: Vec<u8>,
    /// The value of the present one of them.
    text: String,
}

struct OfOperation {
    /// Status -> template, if there are spans of it.
    templates: [Option<Template>; 3],
    /// Kind -> name and attributes of the event.
    events: [Vec<u8>; EVENT_KINDS],
    /// Attributes and flags of each link.
    link: Vec<u8>,
    scope: usize,
}

impl OfOperation {
    fn new(operation: &Operation) -> Self {
        let mut events: [Vec<u8>; EVENT_KINDS] = Default::default();
        for (out, event) in events.iter_mut().zip(&operation.events) {
            put_bytes(out, 2, event.name.as_bytes());
            for attribute in &event.attributes {
                put_attribute(out, 3, attribute);
            }
        }
        let mut link = Vec::new();
        for attribute in &operation.links.attributes {
            put_attribute(&mut link, 4, attribute);
        }
        Self {
            templates: Status::ALL.map(|status| {
                let has = operation.status.has(status);
                has.then(|| Template::new(operation, status))
            }),
            events,
            link,
            scope: operation.scope,
        }
    }
}

impl Encoder {
    pub(super) fn new(load: &Load) -> Self {
        let scopes: Vec<Vec<Vec<u8>>> = load
            .scenario
            .services
            .iter()
            .map(|service| service.scopes.iter().map(scope_field).collect())
            .collect();
        let scopes_most = scopes.iter().map(Vec::len).max().unwrap_or_default();
        Self {
            operations: load.operations.iter().map(OfOperation::new).collect(),
            resources: load
                .resources
                .iter()
                .map(|resource| {
                    let mut message = Vec::new();
                    for attribute in &resource.attributes {
                        put_attribute(&mut message, 1, attribute);
                    }
                    let mut out = Vec::new();
                    put_bytes(&mut out, 1, &message);
                    out
                })
                .collect(),
            scopes,
            spans: vec![Vec::new(); scopes_most],
            drawn: Vec::new(),
            text: String::new(),
        }
    }

    /// Adds a span that ended at `end_ns` (Unix nanoseconds) to the present resource.
    pub(super) fn add(
        &mut self,
        load: &Load,
        observation: &Observation,
        end_ns: u64,
        random: &mut Random,
    ) {
        let shape = observation.shape;
        let of = &self.operations[shape.operation as usize];
        let template = of.templates[shape.status as usize]
            .as_ref()
            .expect("a status that is drawn has a template");
        self.drawn.clear();
        for (drawn, index) in load.operation(shape).indexes(shape.variant) {
            put_drawn(
                &mut self.drawn,
                &mut self.text,
                &drawn.key,
                &drawn.pool,
                index,
            );
        }
        let mut bytes = template.span_bytes() + self.drawn.len();
        for (kind, count) in observation.events.iter().enumerate() {
            bytes += usize::from(*count) * field_bytes(1, 9 + of.events[kind].len());
        }
        let link_bytes = LINK_ID_BYTES + of.link.len();
        bytes += usize::from(observation.links) * field_bytes(1, link_bytes);

        let out = &mut self.spans[of.scope];
        put_prefix(out, 2, bytes);
        let begin = out.len();
        put_ids(out, random);
        put_prefix(out, field::PARENT_SPAN_ID, 8);
        out.extend_from_slice(&(random.word() | 1).to_le_bytes());
        out.extend_from_slice(&template.head);
        let start_ns = end_ns - observation.duration_ns;
        put_fixed64(out, field::START_TIME, start_ns);
        put_fixed64(out, field::END_TIME, end_ns);
        let tail = out.len();
        out.extend_from_slice(&template.tail);
        for (hole, digits) in &template.holes {
            fill_hole(&mut out[tail + hole..tail + hole + digits], random);
        }
        out.extend_from_slice(&self.drawn);
        for (kind, count) in observation.events.iter().enumerate() {
            for _ in 0..*count {
                put_prefix(out, field::EVENTS, 9 + of.events[kind].len());
                put_fixed64(out, 1, start_ns);
                out.extend_from_slice(&of.events[kind]);
            }
        }
        for _ in 0..observation.links {
            put_prefix(out, field::LINKS, link_bytes);
            put_ids(out, random);
            out.extend_from_slice(&of.link);
        }
        debug_assert_eq!(out.len() - begin, bytes);
    }

    /// Ends the present resource: its `ResourceSpans` are appended to `out` as a field of the request.
    pub(super) fn finish(&mut self, load: &Load, resource: u32, out: &mut Vec<u8>) {
        let service = load.resources[resource as usize].service as usize;
        let resource = &self.resources[resource as usize];
        let schema_bytes = field_bytes(3, SCHEMA_URL.len());
        let used = || {
            let scopes = self.scopes[service].iter().zip(&self.spans);
            scopes.filter(|(_, spans)| !spans.is_empty())
        };
        let scope_bytes = |scope: &[u8], spans: &[u8]| scope.len() + spans.len() + schema_bytes;
        let mut bytes = resource.len() + schema_bytes;
        for (scope, spans) in used() {
            bytes += field_bytes(2, scope_bytes(scope, spans));
        }

        out.reserve(field_bytes(1, bytes));
        put_prefix(out, 1, bytes);
        let begin = out.len();
        out.extend_from_slice(resource);
        for (scope, spans) in used() {
            put_prefix(out, 2, scope_bytes(scope, spans));
            out.extend_from_slice(scope);
            out.extend_from_slice(spans);
            put_bytes(out, 3, SCHEMA_URL);
        }
        put_bytes(out, 3, SCHEMA_URL);
        debug_assert_eq!(out.len() - begin, bytes);
        for spans in &mut self.spans {
            spans.clear();
        }
    }
}

/// Trace id and span id with their tags: 18 + 10. Spans and links have them under the same numbers.
const LINK_ID_BYTES: usize = 28;

fn put_ids(out: &mut Vec<u8>, random: &mut Random) {
    put_prefix(out, field::TRACE_ID, 16);
    out.extend_from_slice(&random.word().to_le_bytes());
    out.extend_from_slice(&(random.word() | 1).to_le_bytes());
    put_prefix(out, field::SPAN_ID, 8);
    out.extend_from_slice(&(random.word() | 1).to_le_bytes());
}

fn scope_field(scope: &super::load::Scope) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(&mut message, 1, scope.name.as_bytes());
    if !scope.version.is_empty() {
        put_bytes(&mut message, 2, scope.version.as_bytes());
    }
    for attribute in &scope.attributes {
        put_attribute(&mut message, 3, attribute);
    }
    let mut out = Vec::new();
    put_bytes(&mut out, 1, &message);
    out
}

/// A drawn attribute as a field of the span; `text` is room for its value.
fn put_drawn(out: &mut Vec<u8>, text: &mut String, key: &str, pool: &Pool, index: u32) {
    let put_key = |out: &mut Vec<u8>, value_bytes: usize| {
        let bytes = field_bytes(1, key.len()) + field_bytes(2, value_bytes);
        put_prefix(out, field::ATTRIBUTES, bytes);
        put_bytes(out, 1, key.as_bytes());
        put_prefix(out, 2, value_bytes);
    };
    match pool {
        Pool::Text(format) => {
            text.clear();
            format.write(u64::from(index), text);
            put_key(out, field_bytes(1, text.len()));
            put_bytes(out, 1, text.as_bytes());
        }
        Pool::Integer => {
            put_key(out, 1 + varint_bytes(index as usize));
            put_int(out, 3, i64::from(index));
        }
        Pool::Listed(values) => {
            let value = &values[index as usize];
            put_key(out, value.bytes());
            put_any_value(out, value);
        }
    }
}

fn fill_hole(hole: &mut [u8], random: &mut Random) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for part in hole.chunks_mut(16) {
        let mut bits = random.word();
        for digit in part {
            *digit = DIGITS[(bits & 15) as usize];
            bits >>= 4;
        }
    }
}

#[cfg(test)]
mod tests;
