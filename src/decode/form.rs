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
pub(super) struct Message {
    fields: &'static [Field],
    /// Tag of the field that is an attribute, if there is one.
    attribute: Option<u8>,
}

impl Message {
    const fn new(fields: &'static [Field]) -> Self {
        let mut attribute = None;
        let mut index = 0;
        while index < fields.len() {
            if matches!(fields[index], Field::Attribute) {
                // Attributes are among the first fields of every message: one byte.
                attribute = Some(Tag::new(index as u32 + 1, BYTES).0 as u8);
            }
            index += 1;
        }
        Self { fields, attribute }
    }
}

pub(super) static RESOURCE: Message =
    Message::new(&[Field::Attribute, Field::Varint, Field::Message(&ENTITY_REF)]);
static ENTITY_REF: Message =
    Message::new(&[Field::Bytes, Field::Bytes, Field::Bytes, Field::Bytes]);
pub(super) static REQUEST: Message = Message::new(&[Field::Walked]);
pub(super) static RESOURCE_SPANS: Message =
    Message::new(&[Field::Walked, Field::Walked, Field::Bytes]);
pub(super) static SCOPE_SPANS: Message =
    Message::new(&[Field::Message(&SCOPE), Field::Walked, Field::Bytes]);
static SCOPE: Message =
    Message::new(&[Field::Bytes, Field::Bytes, Field::Attribute, Field::Varint]);
pub(super) static SPAN: Message = Message::new(&[
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
pub(super) static EVENT: Message = Message::new(&[
    Field::Fixed64,
    Field::Bytes,
    Field::Attribute,
    Field::Varint,
]);
static LINK: Message = Message::new(&[
    Field::TraceId,
    Field::SpanId,
    Field::Bytes,
    Field::Attribute,
    Field::Varint,
    Field::Fixed32,
]);
pub(super) static STATUS: Message = Message::new(&[Field::Unknown, Field::Bytes, Field::Varint]);
static KEY_VALUE: Message = Message::new(&[Field::Bytes, Field::Message(&ANY_VALUE)]);
static ANY_VALUE: Message = Message::new(&[
    Field::Bytes,
    Field::Varint,
    Field::Varint,
    Field::Fixed64,
    Field::Message(&ARRAY_VALUE),
    Field::Message(&KEY_VALUE_LIST),
    Field::Bytes,
]);
static ARRAY_VALUE: Message = Message::new(&[Field::Message(&ANY_VALUE)]);
static KEY_VALUE_LIST: Message = Message::new(&[Field::Attribute]);

const KEY: Tag = Tag::new(1, BYTES);
const VALUE: Tag = Tag::new(2, BYTES);

/// Checks a message that lies `levels_left` above the nesting limit.
pub(super) fn check(
    mut reader: Reader<'_>,
    message: &'static Message,
    levels_left: u32,
) -> Result<(), DecodeError> {
    while !reader.is_done() {
        if let Some(tag) = message.attribute
            && levels_left > 1
        {
            let mut rest = reader.rest();
            while take_usual_attribute(&mut rest, tag).is_some() {}
            reader = reader.of_part(rest);
            if reader.is_done() {
                break;
            }
        }
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
    let field = message.fields.get(index).unwrap_or(&Field::Unknown);
    match (field, tag.wire_type()) {
        (Field::Unknown, _) => reader.skip(tag, levels_left)?,
        (Field::Varint, VARINT) => drop(reader.varint()?),
        (Field::Fixed32, FIXED32) => drop(reader.fixed32()?),
        (Field::Fixed64, FIXED64) => drop(reader.fixed64()?),
        (Field::Bytes, BYTES) => drop(reader.bytes()?),
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
        // A body is below `BATCH_BYTES_MAX`.
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
        // A body is below `BATCH_BYTES_MAX`.
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
    /// Nothing where the attribute has no value.
    Whole(&'a [u8]),
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
    match usual_key_value(message.rest()) {
        // The value is one level more.
        Some((key, value)) if levels_left > 0 => Ok(Attribute {
            key,
            value: AttributeValue::Whole(value),
        }),
        _ => unusual_key_value(message, levels_left),
    }
}

/// Takes the attribute that `rest` begins with off it, if it has the form that every SDK writes:
/// its key and its value. `tag` is the attribute's number and wire type, a single byte.
///
/// # Hot path
/// - runs: on a worker, per attribute of every span
/// - cost: no allocation; about 30 instructions, see the bench `decode/form_only`
/// - invariants: the message around the attribute may nest two levels more
/// - units: none
#[inline]
pub(super) fn take_usual_attribute<'a>(
    rest: &mut &'a [u8],
    tag: u8,
) -> Option<(&'a [u8], &'a [u8])> {
    // PERF: four bytes at once: tag, length, tag of the key, length of the key; bits 7 of the
    // lengths are 0. Bench `decode/form_only`.
    let head = u32::from_le_bytes(*rest.first_chunk()?);
    if head & 0x80ff_80ff != 0x000a_0000 | u32::from(tag) {
        return None;
    }
    let (message, behind) = rest[2..].split_at_checked((head >> 8 & 0x7f) as usize)?;
    let (key, value) = message.get(2..)?.split_at_checked((head >> 24) as usize)?;
    let value = usual_value_field(value)?;
    *rest = behind;
    Some((key, value))
}

/// Key and value, each once, no length above 127, the value a plain one or none.
#[inline]
fn usual_key_value(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key_bytes @ 0..0x80, rest @ ..] = message else {
        return None;
    };
    let (key, rest) = rest.split_at_checked(usize::from(*key_bytes))?;
    if rest.len() > 0x7f {
        return None;
    }
    Some((key, usual_value_field(rest)?))
}

/// The value of a `KeyValue` whose value field is all of `field`, which has less than 128 bytes:
/// one plain value or none.
#[inline]
fn usual_value_field(field: &[u8]) -> Option<&[u8]> {
    debug_assert!(field.len() < 0x80);
    // PERF: a text value, as most are, shows in four bytes at once: tag and length of the value,
    // tag and length of the text. Bench `decode/form_only`.
    if let Some(head) = field.first_chunk() {
        // Below 128.
        let bytes = field.len() as u32;
        let text = 0x000a_0012 | (bytes - 2) << 8 | (bytes - 4) << 24;
        if u32::from_le_bytes(*head) == text {
            return Some(&field[2..]);
        }
    }
    usual_number_field(field)
}

#[inline(never)]
fn usual_number_field(field: &[u8]) -> Option<&[u8]> {
    let [0x12, value_bytes, value @ ..] = field else {
        return None;
    };
    let usual = match value {
        // Bool, int.
        [0x10 | 0x18, varint @ ..] => is_one_varint(varint),
        // Double.
        [0x21, double @ ..] => double.len() == 8,
        _ => value.is_empty(),
    };
    (usual && value.len() == usize::from(*value_bytes)).then_some(value)
}

#[inline]
fn is_one_varint(bytes: &[u8]) -> bool {
    match bytes {
        [0..0x80] | [0x80..=0xff, 0..0x80] => true,
        // The tenth byte has limits of its own: left to the general way.
        [more @ .., 0..0x80] => more.len() < 9 && more.iter().all(|byte| *byte >= 0x80),
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
                    None => Some(AttributeValue::Whole(part.rest())),
                    Some(_) => Some(AttributeValue::InParts(message)),
                };
            }
            tag => check_field(&mut reader, tag, &KEY_VALUE, levels_left)?,
        }
    }
    Ok(Attribute {
        key,
        value: value.unwrap_or(AttributeValue::Whole(reader.rest())),
    })
}
