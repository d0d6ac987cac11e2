//! The bytes that all spans of one operation and status share, made once.
//!
//! A span is written as ids, `head`, times, `tail` with fresh digits in its holes, then what only this
//! span has. So encoding a span is a few copies, and its length is known before it is written.

use super::load::{Kind, Operation, Status};
use super::value::Attribute;
use super::wire::{put_attribute, put_bytes, put_fixed32, put_int};

/// Field numbers of `opentelemetry.proto.trace.v1.Span`.
pub(super) mod field {
    pub(crate) const TRACE_ID: u32 = 1;
    pub(crate) const SPAN_ID: u32 = 2;
    pub(crate) const TRACE_STATE: u32 = 3;
    pub(crate) const PARENT_SPAN_ID: u32 = 4;
    pub(crate) const NAME: u32 = 5;
    pub(crate) const KIND: u32 = 6;
    pub(crate) const START_TIME: u32 = 7;
    pub(crate) const END_TIME: u32 = 8;
    pub(crate) const ATTRIBUTES: u32 = 9;
    pub(crate) const EVENTS: u32 = 11;
    pub(crate) const LINKS: u32 = 13;
    pub(crate) const STATUS: u32 = 15;
    pub(crate) const FLAGS: u32 = 16;
}

/// Ids and times of a span with their tags: 18 + 10 + 10 + 9 + 9.
pub(super) const FIXED_BYTES: usize = 56;

pub(super) struct Template {
    /// Trace state, name and kind.
    pub(super) head: Vec<u8>,
    /// Attributes, status and flags.
    pub(super) tail: Vec<u8>,
    /// Where random digits stand in `tail`, and how many.
    pub(super) holes: Vec<(usize, usize)>,
}

impl Template {
    pub(super) fn new(operation: &Operation, status: Status) -> Self {
        let mut head = Vec::new();
        // proto3 leaves out what is empty or zero.
        if !operation.trace_state.is_empty() {
            put_bytes(
                &mut head,
                field::TRACE_STATE,
                operation.trace_state.as_bytes(),
            );
        }
        put_bytes(&mut head, field::NAME, operation.name.as_bytes());
        if operation.kind != Kind::Unspecified {
            put_int(&mut head, field::KIND, operation.kind as i64);
        }

        let mut tail = Vec::new();
        let mut holes = Vec::new();
        for (key, digits) in &operation.random {
            let digits = *digits;
            let placeholder = Attribute::text(key, "0".repeat(digits));
            put_attribute(&mut tail, field::ATTRIBUTES, &placeholder);
            holes.push((tail.len() - digits, digits));
        }
        for attribute in &operation.attributes {
            put_attribute(&mut tail, field::ATTRIBUTES, attribute);
        }
        for attribute in operation.status_attributes(status) {
            put_attribute(&mut tail, field::ATTRIBUTES, &attribute);
        }
        let mut message = Vec::new();
        if status == Status::Error && !operation.status.message.is_empty() {
            put_bytes(&mut message, 2, operation.status.message.as_bytes());
        }
        if status != Status::Unset {
            put_int(&mut message, 3, status as i64);
        }
        put_bytes(&mut tail, field::STATUS, &message);
        if operation.flags != 0 {
            put_fixed32(&mut tail, field::FLAGS, operation.flags);
        }
        Self { head, tail, holes }
    }

    /// Of a span without drawn attributes, events and links.
    pub(super) fn span_bytes(&self) -> usize {
        FIXED_BYTES + self.head.len() + self.tail.len()
    }
}

/// Bytes of a successful span of this operation with the first value of each drawn attribute.
pub(super) fn mean_span_bytes(operation: &Operation) -> usize {
    let mut drawn = Vec::new();
    for (attribute, index) in operation.indexes(0) {
        let attribute = Attribute::new(attribute.key.clone(), attribute.pool.value(index));
        put_attribute(&mut drawn, field::ATTRIBUTES, &attribute);
    }
    Template::new(operation, Status::Unset).span_bytes() + drawn.len()
}
