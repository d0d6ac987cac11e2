//! Reads and writes an attribute value as it stands on the wire.
//!
//! A cell holds the bytes of an OTLP `AnyValue` message, a resource those of a `Resource` message.
//! They become borrowed values here, and values become bytes again. A cell whose field is there
//! several times says what the last one says, a list or map too: the Collector replaces, where
//! protobuf libraries would join. Text is not checked for UTF-8. The bytes were checked for form
//! when they were decoded; what is no message all the same reads as far as it is good.
//!
//! Runs where a series, a resource or a label is born, not per row.

use std::borrow::Cow;

use super::proto::{
    BYTES, FIXED64, Field, Tag, VARINT, fields, put_bytes, put_tag, put_varint, varint_bytes,
};

#[cfg(test)]
mod tests;

/// Fields of `AnyValue` (opentelemetry-proto 1.7, `common.proto`).
const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
const KVLIST: u32 = 6;
const BYTES_VALUE: u32 = 7;

/// Fields of `KeyValue`.
const KEY: u32 = 1;
const VALUE: u32 = 2;

/// `Resource.attributes`, `KeyValueList.values` and `ArrayValue.values` have one number.
const ELEMENTS: u32 = 1;

/// What an attribute cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value, or one of a kind that traces do not have.
    Empty,
    Str(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    /// Bytes of an `ArrayValue` message; see [`array_values`].
    Array(&'a [u8]),
    /// Bytes of a `KeyValueList` message; see [`key_values`].
    KvList(&'a [u8]),
}

/// An attribute: its key and the bytes of its `AnyValue`, empty if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue<'a> {
    pub key: &'a [u8],
    /// Owned only where the wire has the value in several parts.
    pub value: Cow<'a, [u8]>,
}

/// Reads a cell.
#[must_use]
pub fn read(cell: &[u8]) -> Value<'_> {
    let mut value = Value::Empty;
    for (number, field) in fields(cell) {
        value = match (number, field) {
            (STRING, Field::Bytes(text)) => Value::Str(text),
            (BOOL, Field::Varint(bits)) => Value::Bool(bits != 0),
            (INT, Field::Varint(bits)) => Value::Int(bits.cast_signed()),
            (DOUBLE, Field::Fixed64(bits)) => Value::Double(f64::from_bits(bits)),
            (ARRAY, Field::Bytes(list)) => Value::Array(list),
            (KVLIST, Field::Bytes(list)) => Value::KvList(list),
            (BYTES_VALUE, Field::Bytes(bytes)) => Value::Bytes(bytes),
            _ => continue,
        };
    }
    value
}

/// Cells of the elements of an `ArrayValue` message.
pub fn array_values(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    elements(list)
}

/// Attributes of a `Resource` or `KeyValueList` message, in order, repeated keys too.
pub fn key_values(message: &[u8]) -> impl Iterator<Item = KeyValue<'_>> {
    elements(message).map(key_value)
}

fn elements(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(|field| match field {
        (ELEMENTS, Field::Bytes(element)) => Some(element),
        _ => None,
    })
}

/// Reads a `KeyValue` message.
#[must_use]
pub fn key_value(message: &[u8]) -> KeyValue<'_> {
    let mut key: &[u8] = b"";
    let mut value = Cow::Borrowed(&b""[..]);
    for (number, field) in fields(message) {
        match (number, field) {
            (KEY, Field::Bytes(text)) => key = text,
            (VALUE, Field::Bytes(part)) if value.is_empty() => value = Cow::Borrowed(part),
            (VALUE, Field::Bytes(part)) => value.to_mut().extend_from_slice(part),
            _ => {}
        }
    }
    KeyValue { key, value }
}

/// Appends the cell of `value`.
pub fn put(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Empty => {}
        Value::Str(text) => put_bytes(out, STRING, text),
        Value::Bool(bool) => {
            put_tag(out, Tag::new(BOOL, VARINT));
            put_varint(out, bool.into());
        }
        Value::Int(int) => {
            put_tag(out, Tag::new(INT, VARINT));
            put_varint(out, int.cast_unsigned());
        }
        Value::Double(double) => {
            put_tag(out, Tag::new(DOUBLE, FIXED64));
            out.extend_from_slice(&double.to_bits().to_le_bytes());
        }
        Value::Bytes(bytes) => put_bytes(out, BYTES_VALUE, bytes),
        Value::Array(list) => put_bytes(out, ARRAY, list),
        Value::KvList(list) => put_bytes(out, KVLIST, list),
    }
}

/// The cell of `value`.
#[must_use]
pub fn encode(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value);
    out
}

/// Appends one element to an `ArrayValue` message.
pub fn put_array_value(list: &mut Vec<u8>, cell: &[u8]) {
    put_bytes(list, ELEMENTS, cell);
}

/// Appends one attribute to a `Resource` or `KeyValueList` message.
pub fn put_key_value(message: &mut Vec<u8>, key: &[u8], cell: &[u8]) {
    let part_bytes = |part: &[u8]| 1 + varint_bytes(part.len() as u64) + part.len();
    put_tag(message, Tag::new(ELEMENTS, BYTES));
    put_varint(message, (part_bytes(key) + part_bytes(cell)) as u64);
    put_bytes(message, KEY, key);
    put_bytes(message, VALUE, cell);
}
