//! Drawn spans in, the bytes of an `ExportTraceServiceRequest` out.
//!
//! One resource a request, as SDKs send them, with its spans in one `ScopeSpans` for each scope.
//! Independent of `decode`: hand-written, on primitives of its own.

use std::sync::Arc;

use super::load::{EVENT_KINDS, Ending, Load, Observation, SCOPES, event};
use super::random::Random;
use super::template::{Template, field, put_user};
use super::vocabulary::{self, REQUEST_ID_BYTES};
use super::wire::{put_attribute, put_bytes, put_fixed64, put_prefix, varint_bytes};

const SCHEMA_URL: &[u8] = b"https://opentelemetry.io/schemas/1.34.0";

pub(super) struct Encoder {
    /// Operation -> ending -> template.
    templates: Vec<[Template; 2]>,
    /// Resource -> its field of `ResourceSpans`.
    resources: Vec<Vec<u8>>,
    /// Scope -> its field of `ScopeSpans`.
    scopes: [Vec<u8>; SCOPES],
    /// Kind -> name and attributes of the event.
    events: [Vec<u8>; EVENT_KINDS],
    /// Scope -> the spans of the present request, each as a field of `ScopeSpans`.
    spans: [Vec<u8>; SCOPES],
    user: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(load: &Arc<Load>) -> Self {
        Self {
            templates: load
                .operations
                .iter()
                .map(|operation| Ending::ALL.map(|ending| Template::new(operation, ending)))
                .collect(),
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
            scopes: vocabulary::SCOPES.map(|(name, version)| {
                let mut message = Vec::new();
                put_bytes(&mut message, 1, name.as_bytes());
                put_bytes(&mut message, 2, version.as_bytes());
                let mut out = Vec::new();
                put_bytes(&mut out, 1, &message);
                out
            }),
            events: std::array::from_fn(|kind| {
                let (name, attributes) = event(kind);
                let mut out = Vec::new();
                put_bytes(&mut out, 2, name.as_bytes());
                for attribute in &attributes {
                    put_attribute(&mut out, 3, attribute);
                }
                out
            }),
            spans: Default::default(),
            user: Vec::new(),
        }
    }

    /// Appends a span that ended at `end_ns` (Unix nanoseconds) to the present request.
    pub(super) fn add(
        &mut self,
        scope: usize,
        observation: &Observation,
        end_ns: u64,
        random: &mut Random,
    ) {
        let shape = observation.shape;
        let template = &self.templates[shape.operation as usize][shape.ending as usize];
        self.user.clear();
        if let Some(user) = shape.user {
            put_user(&mut self.user, user);
        }
        let mut bytes = template.span_bytes() + self.user.len();
        for (kind, count) in observation.events.iter().enumerate() {
            bytes += usize::from(*count) * event_field_bytes(self.events[kind].len());
        }

        let out = &mut self.spans[scope];
        put_prefix(out, 2, bytes);
        let begin = out.len();
        put_prefix(out, field::TRACE_ID, 16);
        out.extend_from_slice(&random.word().to_le_bytes());
        out.extend_from_slice(&(random.word() | 1).to_le_bytes());
        put_prefix(out, field::SPAN_ID, 8);
        out.extend_from_slice(&(random.word() | 1).to_le_bytes());
        put_prefix(out, field::PARENT_SPAN_ID, 8);
        out.extend_from_slice(&(random.word() | 1).to_le_bytes());
        out.extend_from_slice(&template.head);
        let start_ns = end_ns - observation.duration_ns;
        put_fixed64(out, field::START_TIME, start_ns);
        put_fixed64(out, field::END_TIME, end_ns);
        let hole = out.len() + template.hole;
        out.extend_from_slice(&template.tail);
        fill_hole(&mut out[hole..hole + REQUEST_ID_BYTES], random);
        out.extend_from_slice(&self.user);
        for (kind, count) in observation.events.iter().enumerate() {
            for _ in 0..*count {
                put_prefix(out, field::EVENTS, 9 + self.events[kind].len());
                put_fixed64(out, 1, start_ns);
                out.extend_from_slice(&self.events[kind]);
            }
        }
        debug_assert_eq!(out.len() - begin, bytes);
    }

    /// Ends the present request: its message is appended to `out`.
    pub(super) fn finish(&mut self, resource: u32, out: &mut Vec<u8>) {
        let resource = &self.resources[resource as usize];
        let schema_bytes = 1 + varint_bytes(SCHEMA_URL.len()) + SCHEMA_URL.len();
        let scope_bytes: [usize; SCOPES] = std::array::from_fn(|scope| {
            self.scopes[scope].len() + self.spans[scope].len() + schema_bytes
        });
        let is_used = |spans: &Vec<u8>| !spans.is_empty();
        let mut bytes = resource.len() + schema_bytes;
        for (scope, spans) in self.spans.iter().enumerate() {
            if is_used(spans) {
                bytes += 1 + varint_bytes(scope_bytes[scope]) + scope_bytes[scope];
            }
        }

        out.reserve(bytes + 1 + varint_bytes(bytes));
        put_prefix(out, 1, bytes);
        let begin = out.len();
        out.extend_from_slice(resource);
        for (scope, spans) in self.spans.iter().enumerate() {
            if is_used(spans) {
                put_prefix(out, 2, scope_bytes[scope]);
                out.extend_from_slice(&self.scopes[scope]);
                out.extend_from_slice(spans);
                put_bytes(out, 3, SCHEMA_URL);
            }
        }
        put_bytes(out, 3, SCHEMA_URL);
        debug_assert_eq!(out.len() - begin, bytes);
        for spans in &mut self.spans {
            spans.clear();
        }
    }
}

/// Bytes of an event's field, `rest_bytes` being its name and attributes.
fn event_field_bytes(rest_bytes: usize) -> usize {
    let bytes = 9 + rest_bytes;
    1 + varint_bytes(bytes) + bytes
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
