//! Checks messages that nobody looks at: known fields have their wire type, lengths fit, ids have
//! their lengths, nested messages are messages. Nothing is built.
//!
//! The messages of OTLP traces (opentelemetry-proto 1.7, as the Collector v0.128.0 knows them) stand
//! here as tables; a field that no table names is skipped. Attributes are most of a request, so the
//! usual form of one - key, then value, each once, lengths below 128 - is recognised without a table.
//!
//! Runs on a worker core, per field; no allocation, no unsafe; see the bench `decode`.

use super::error::DecodeError;
use crate::batch::proto::{BYTES, FIXED32, FIXED64, Reader, Tag, VARINT, nest};

/// What is known of a field.
#[derive(Debug)]
enum Field {
    Unknown,
    /// The walker takes it where its wire type is right.
    Walked,
    Varint,
    Fixed32,
    Fixed64,
    /// Text or bytes.
    Bytes,
    TraceId,
    SpanId,
    Attribute,
    Message(&'static Message),
}

/// A message by its fields: field 1 stands at index 0.
#[derive(Debug)]
pub(super) struct Message(&'static [Field]);

pub(super) static RESOURCE: Message =
    Message(&[Field::Attribute, Field::Varint, Field::Message(&ENTITY_REF)]);
static ENTITY_REF: Message = Message(&[Field::Bytes, Field::Bytes, Field::Bytes, Field::Bytes]);
pub(super) static REQUEST: Message = Message(&[Field::Walked]);
pub(super) static RESOURCE_SPANS: Message = Message(&[Field::Walked, Field::Walked, Field::Bytes]);
pub(super) static SCOPE_SPANS: Message =
    Message(&[Field::Message(&SCOPE), Field::Walked, Field::Bytes]);
static SCOPE: Message = Message(&[Field::Bytes, Field::Bytes, Field::Attribute, Field::Varint]);
pub(super) static SPAN: Message = Message(&[
    Field::TraceId,
    Field::SpanId,
    Field::Bytes,
    Field::SpanId,
    Field::Bytes,
    Field::Varint,
    Field::Fixed64,
    Field::Fixed64,
    Field::Attribute,
    Field::Varint,
    Field::Message(&EVENT),
    Field::Varint,
    Field::Message(&LINK),
    Field::Varint,
    Field::Message(&STATUS),
    Field::Fixed32,
]);
pub(super) static EVENT: Message = Message(&[
    Field::Fixed64,
    Field::Bytes,
    Field::Attribute,
    Field::Varint,
]);
static LINK: Message = Message(&[
    Field::TraceId,
    Field::SpanId,
    Field::Bytes,
    Field::Attribute,
    Field::Varint,
    Field::Fixed32,
]);
pub(super) static STATUS: Message = Message(&[Field::Unknown, Field::Bytes, Field::Varint]);
static KEY_VALUE: Message = Message(&[Field::Bytes, Field::Message(&ANY_VALUE)]);
static ANY_VALUE: Message = Message(&[
    Field::Bytes,
    Field::Varint,
    Field::Varint,
    Field::Fixed64,
    Field::Message(&ARRAY_VALUE),
    Field::Message(&KEY_VALUE_LIST),
    Field::Bytes,
]);
static ARRAY_VALUE: Message = Message(&[Field::Message(&ANY_VALUE)]);
static KEY_VALUE_LIST: Message = Message(&[Field::Attribute]);

const KEY: Tag = Tag::new(1, BYTES);
const VALUE: Tag = Tag::new(2, BYTES);

/// Checks a message that lies `levels_left` above the nesting limit.
pub(super) fn check(
    mut reader: Reader<'_>,
    message: &'static Message,
    levels_left: u32,
) -> Result<(), DecodeError> {
    while !reader.is_done() {
        let tag = reader.tag()?;
        check_field(&mut reader, tag, message, levels_left)?;
    }
    Ok(())
}

/// Checks one field of `message` and goes on behind it.
pub(super) fn check_field(
    reader: &mut Reader<'_>,
    tag: Tag,
    message: &'static Message,
    levels_left: u32,
) -> Result<(), DecodeError> {
    let index = tag.field() as usize - 1;
    let field = message.0.get(index).unwrap_or(&Field::Unknown);
    match (field, tag.wire_type()) {
        (Field::Unknown, _) => reader.skip(tag, levels_left)?,
        (Field::Varint, VARINT) => drop(reader.varint()?),
        (Field::Fixed32, FIXED32) => drop(reader.fixed32()?),
        (Field::Fixed64, FIXED64) => drop(reader.fixed64()?),
        (Field::Bytes, BYTES) => drop(reader.message()?),
        (Field::TraceId, BYTES) => trace_id(reader)?,
        (Field::SpanId, BYTES) => span_id(reader)?,
        (Field::Attribute, BYTES) => {
            let levels_left = nest(levels_left, reader.at())?;
            key_value(reader.message()?, levels_left)?;
        }
        (Field::Message(inner), BYTES) => {
            let levels_left = nest(levels_left, reader.at())?;
            check(reader.message()?, inner, levels_left)?;
        }
        _ => return Err(tag.refuse(reader.at()).into()),
    }
    Ok(())
}

/// Reads over a trace id.
#[inline]
pub(super) fn trace_id(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let id = reader.message()?;
    match id.rest().len() {
        0 | 16 => Ok(()),
        bytes => Err(DecodeError::TraceId {
            bytes: bytes as u32,
            at: id.at() as u32,
        }),
    }
}

/// Reads over a span id.
#[inline]
pub(super) fn span_id(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let id = reader.message()?;
    match id.rest().len() {
        0 | 8 => Ok(()),
        bytes => Err(DecodeError::SpanId {
            bytes: bytes as u32,
            at: id.at() as u32,
        }),
    }
}

/// An attribute that was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: AttributeValue<'a>,
}

/// Where the bytes of an attribute's `AnyValue` stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum AttributeValue<'a> {
    /// Up to the reader's end. Without a value: nothing, at the attribute's end.
    Whole(Reader<'a>),
    /// The value comes in several parts; this is the attribute's message.
    InParts(Reader<'a>),
}

/// Checks an attribute and says where its key and value are.
///
/// # Hot path
/// - runs: on a worker, per attribute of every span, event, link, scope and resource
/// - cost: no allocation; about 40 instructions in the usual form
/// - invariants: none
/// - units: none
#[inline]
pub(super) fn key_value(
    message: Reader<'_>,
    levels_left: u32,
) -> Result<Attribute<'_>, DecodeError> {
    match usual_key_value(message) {
        // The value is one level more.
        Some(attribute) if levels_left > 0 => Ok(attribute),
        _ => unusual_key_value(message, levels_left),
    }
}

/// The form that every SDK writes: key and value, each once, no length above 127, a plain value.
#[inline]
fn usual_key_value(message: Reader<'_>) -> Option<Attribute<'_>> {
    let [0x0a, key_bytes @ 0..0x80, rest @ ..] = message.rest() else {
        return None;
    };
    let (key, rest) = rest.split_at_checked(usize::from(*key_bytes))?;
    let [0x12, value_bytes @ 0..0x80, value @ ..] = rest else {
        return None;
    };
    if value.len() != usize::from(*value_bytes) || !is_usual_value(value) {
        return None;
    }
    let value = message.tail(value.len());
    Some(Attribute {
        key,
        value: AttributeValue::Whole(value),
    })
}

/// `AnyValue` with one field that is no list or map, or with none. Below 128 bytes.
#[inline]
fn is_usual_value(value: &[u8]) -> bool {
    match *value {
        // String.
        [0x0a, bytes, ref text @ ..] => text.len() == usize::from(bytes),
        // Bool, int.
        [0x10 | 0x18, ref varint @ ..] => is_one_varint(varint),
        // Double.
        [0x21, ref double @ ..] => double.len() == 8,
        [] => true,
        _ => false,
    }
}

#[inline]
fn is_one_varint(bytes: &[u8]) -> bool {
    match *bytes {
        [last] => last < 0x80,
        [first, last] => first >= 0x80 && last < 0x80,
        // The tenth byte has limits of its own: left to the general way.
        [ref more @ .., last] if more.len() < 9 => {
            last < 0x80 && more.iter().all(|byte| *byte >= 0x80)
        }
        _ => false,
    }
}

#[inline(never)]
fn unusual_key_value(message: Reader<'_>, levels_left: u32) -> Result<Attribute<'_>, DecodeError> {
    let mut key: &[u8] = b"";
    let mut value = None;
    let mut reader = message;
    while !reader.is_done() {
        match reader.tag()? {
            KEY => key = reader.bytes()?,
            VALUE => {
                let levels_left = nest(levels_left, reader.at())?;
                let part = reader.message()?;
                check(part, &ANY_VALUE, levels_left)?;
                value = match value {
                    None => Some(AttributeValue::Whole(part)),
                    Some(_) => Some(AttributeValue::InParts(message)),
                };
            }
            tag => check_field(&mut reader, tag, &KEY_VALUE, levels_left)?,
        }
    }
    Ok(Attribute {
        key,
        value: value.unwrap_or(AttributeValue::Whole(reader)),
    })
}
