//! The bytes that all spans of one operation and ending share, made once.
//!
//! A span is written as ids, `head`, times, `tail` with fresh digits in its hole, then what only this
//! span has. So encoding a span is a few copies, and its length is known before it is written.

use super::load::{Ending, Operation, user_text};
use super::value::Attribute;
use super::vocabulary::{REQUEST_ID_BYTES, REQUEST_ID_KEY, USER_KEY};
use super::wire::{put_attribute, put_bytes, put_fixed32, put_int};

/// Field numbers of `opentelemetry.proto.trace.v1.Span`.
pub(super) mod field {
    pub(crate) const TRACE_ID: u32 = 1;
    pub(crate) const SPAN_ID: u32 = 2;
    pub(crate) const PARENT_SPAN_ID: u32 = 4;
    pub(crate) const NAME: u32 = 5;
    pub(crate) const KIND: u32 = 6;
    pub(crate) const START_TIME: u32 = 7;
    pub(crate) const END_TIME: u32 = 8;
    pub(crate) const ATTRIBUTES: u32 = 9;
    pub(crate) const EVENTS: u32 = 11;
    pub(crate) const STATUS: u32 = 15;
    pub(crate) const FLAGS: u32 = 16;
}

/// Ids and times of a span with their tags: 18 + 10 + 10 + 9 + 9.
pub(super) const FIXED_BYTES: usize = 56;
/// Sampled, and the parent is known to be local (the `SpanFlags` of OTLP).
const FLAGS: u32 = 0x101;

pub(super) struct Template {
    /// Name and kind.
    pub(super) head: Vec<u8>,
    /// Attributes, status and flags.
    pub(super) tail: Vec<u8>,
    /// Where the digits of the request id stand in `tail`.
    pub(super) hole: usize,
}

impl Template {
    pub(super) fn new(operation: &Operation, ending: Ending) -> Self {
        let mut head = Vec::new();
        put_bytes(&mut head, field::NAME, operation.name.as_bytes());
        put_int(&mut head, field::KIND, operation.kind as i64);

        let mut tail = Vec::new();
        let placeholder = "0".repeat(REQUEST_ID_BYTES);
        let request_id = Attribute::text(REQUEST_ID_KEY, placeholder);
        put_attribute(&mut tail, field::ATTRIBUTES, &request_id);
        let hole = tail.len() - REQUEST_ID_BYTES;
        let rest = operation.ending_attributes(ending);
        for attribute in operation.attributes.iter().chain(&rest) {
            put_attribute(&mut tail, field::ATTRIBUTES, attribute);
        }
        let mut status = Vec::new();
        if ending == Ending::Failure {
            put_bytes(&mut status, 2, b"upstream did not answer in time");
        }
        match operation.status(ending) as i64 {
            // proto3 leaves out what is zero.
            0 => {}
            code => put_int(&mut status, 3, code),
        }
        put_bytes(&mut tail, field::STATUS, &status);
        put_fixed32(&mut tail, field::FLAGS, FLAGS);
        Self { head, tail, hole }
    }

    /// Of a span without user and events.
    pub(super) fn span_bytes(&self) -> usize {
        FIXED_BYTES + self.head.len() + self.tail.len()
    }
}

/// Bytes of a successful span of this operation, its user included.
pub(super) fn mean_span_bytes(operation: &Operation) -> usize {
    let mut user = Vec::new();
    if operation.has_user {
        put_user(&mut user, 0);
    }
    Template::new(operation, Ending::Success).span_bytes() + user.len()
}

pub(super) fn put_user(out: &mut Vec<u8>, user: u32) {
    let attribute = Attribute::text(USER_KEY, user_text(user));
    put_attribute(out, field::ATTRIBUTES, &attribute);
}
