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
    let mut message = Vec::new();
    put_bytes(&mut message, 1, attribute.key.as_bytes());
    put_bytes(&mut message, 2, &any_value(&attribute.value));
    put_bytes(out, field, &message);
}

/// The bytes of an `AnyValue` message.
pub(super) fn any_value(value: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    match value {
        Value::Text(text) => put_bytes(&mut message, 1, text.as_bytes()),
        Value::Bool(bool) => put_int(&mut message, 2, i64::from(*bool)),
        Value::Int(number) => put_int(&mut message, 3, *number),
        Value::Double(number) => put_fixed64(&mut message, 4, number.to_bits()),
        Value::List(values) => {
            let mut list = Vec::new();
            for value in values {
                put_bytes(&mut list, 1, &any_value(value));
            }
            put_bytes(&mut message, 5, &list);
        }
        Value::Map(attributes) => {
            let mut list = Vec::new();
            for attribute in attributes {
                put_attribute(&mut list, 1, attribute);
            }
            put_bytes(&mut message, 6, &list);
        }
        Value::Bytes(bytes) => put_bytes(&mut message, 7, bytes),
        Value::Empty => {}
    }
    message
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
