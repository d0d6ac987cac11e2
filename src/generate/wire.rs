//! Protobuf primitives of the generator's own encoder.
//!
//! Shares no code with the decoder it tests: a mistake in one must not hide in the other.

use super::value::{Attribute, Value};

/// Wire types of the protobuf encoding that OTLP uses.
const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;
const FIXED32: u32 = 5;

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes of `value` as a varint.
pub(super) fn varint_bytes(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

fn put_tag(out: &mut Vec<u8>, field: u32, wire_type: u32) {
    put_varint(out, u64::from(field << 3 | wire_type));
}

/// The tag and length of a length-delimited field of `bytes` bytes.
pub(super) fn put_prefix(out: &mut Vec<u8>, field: u32, bytes: usize) {
    put_tag(out, field, LENGTH_DELIMITED);
    put_varint(out, bytes as u64);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_prefix(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

pub(super) fn put_int(out: &mut Vec<u8>, field: u32, value: i64) {
    put_tag(out, field, VARINT);
    // int64 and enums are written as their two's complement.
    put_varint(out, value.cast_unsigned());
}

pub(super) fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn put_fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    put_tag(out, field, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Bytes of a length-delimited field of `bytes` bytes.
pub(super) fn field_bytes(field: u32, bytes: usize) -> usize {
    varint_bytes((field << 3) as usize) + varint_bytes(bytes) + bytes
}

/// Begins a message of unknown length as the given field; returns where its content begins.
pub(super) fn open_message(out: &mut Vec<u8>, field: u32) -> usize {
    put_tag(out, field, LENGTH_DELIMITED);
    out.len()
}

/// Ends it: the content moves to make room for its length.
pub(super) fn close_message(out: &mut Vec<u8>, begin: usize) {
    let end = out.len();
    put_varint(out, (end - begin) as u64);
    let bytes = out.len() - end;
    out[begin..].rotate_right(bytes);
}

/// A `KeyValue` message as the given field.
pub(super) fn put_attribute(out: &mut Vec<u8>, field: u32, attribute: &Attribute) {
    let value_bytes = attribute.value.bytes();
    put_prefix(out, field, attribute.message_bytes());
    put_bytes(out, 1, attribute.key.as_bytes());
    put_prefix(out, 2, value_bytes);
    put_any_value(out, &attribute.value);
}

impl Attribute {
    /// Bytes of the `KeyValue` message.
    pub(in crate::generate) fn message_bytes(&self) -> usize {
        field_bytes(1, self.key.len()) + field_bytes(2, self.value.bytes())
    }
}

impl Value {
    /// Bytes of the `AnyValue` message. Recursion ends with the nesting of the scenario's file, which
    /// its parser bounds.
    pub(in crate::generate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => field_bytes(1, text.len()),
            Self::Bool(_) => 2,
            Self::Int(number) => 1 + varint_bytes(number.cast_unsigned() as usize),
            Self::Double(_) => 9,
            Self::List(_) => field_bytes(5, self.inner_bytes()),
            Self::Map(_) => field_bytes(6, self.inner_bytes()),
            Self::Bytes(bytes) => field_bytes(7, bytes.len()),
            Self::Empty => 0,
        }
    }

    /// Bytes of the message that holds the values of a list or map.
    fn inner_bytes(&self) -> usize {
        match self {
            Self::List(values) => values
                .iter()
                .map(|value| field_bytes(1, value.bytes()))
                .sum(),
            Self::Map(attributes) => {
                let messages = attributes.iter().map(Attribute::message_bytes);
                messages.map(|bytes| field_bytes(1, bytes)).sum()
            }
            _ => 0,
        }
    }
}

/// The content of an `AnyValue` message.
pub(super) fn put_any_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => put_bytes(out, 1, text.as_bytes()),
        Value::Bool(bool) => put_int(out, 2, i64::from(*bool)),
        Value::Int(number) => put_int(out, 3, *number),
        Value::Double(number) => put_fixed64(out, 4, number.to_bits()),
        Value::List(values) => {
            put_prefix(out, 5, value.inner_bytes());
            for value in values {
                put_prefix(out, 1, value.bytes());
                put_any_value(out, value);
            }
        }
        Value::Map(attributes) => {
            put_prefix(out, 6, value.inner_bytes());
            for attribute in attributes {
                put_attribute(out, 1, attribute);
            }
        }
        Value::Bytes(bytes) => put_bytes(out, 7, bytes),
        Value::Empty => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varint_length_is_what_is_written() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 35, usize::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value as u64);
            assert_eq!(out.len(), varint_bytes(value), "{value}");
        }
    }
}
