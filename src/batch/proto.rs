//! Protobuf primitives: a reader over the bytes of a message, and the writing of fields.
//!
//! Bytes come in, fields go out; nothing is copied and nothing is known of any message. A reader of
//! a nested message remembers where the body began, so every position in an error or a column
//! counts from the start of the whole body. Text is bytes here; nobody checks UTF-8.
//!
//! Runs on a worker core, per field; no allocation, no panic, no unsafe.

use thiserror::Error;

#[cfg(test)]
mod tests;

/// Levels of messages and groups in each other, the request itself not counted. The limit of the
/// protobuf libraries for C++, Java and Rust; the Collector has none.
pub const NESTING_MAX: u32 = 100;

/// A varint of 64 bits takes no more.
const VARINT_BYTES_MAX: usize = 10;

/// Wire types (protobuf encoding guide, "Message Structure").
pub const VARINT: u32 = 0;
pub const FIXED64: u32 = 1;
pub const BYTES: u32 = 2;
const GROUP_START: u32 = 3;
const GROUP_END: u32 = 4;
pub const FIXED32: u32 = 5;

/// Bytes that are not a message. Positions count from the start of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("field at byte {at} goes on past the end of its message")]
    Truncated { at: u32 },
    #[error("varint at byte {at} does not fit 64 bits")]
    Varint { at: u32 },
    #[error("tag {tag} at byte {at} has a field number of 0 or above 536870911")]
    FieldNumber { tag: u64, at: u32 },
    #[error("field {field} before byte {at} has wire type {wire_type}")]
    WireType { field: u32, wire_type: u32, at: u32 },
    #[error("group of field {field} before byte {at} has no end of its own")]
    Group { field: u32, at: u32 },
    #[error("message at byte {at} is nested deeper than {NESTING_MAX} levels")]
    Nesting { at: u32 },
}

/// A field's number and wire type, as they stand before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(pub u32);

impl Tag {
    #[must_use]
    pub const fn new(field: u32, wire_type: u32) -> Self {
        Self(field << 3 | wire_type)
    }

    #[must_use]
    pub const fn field(self) -> u32 {
        self.0 >> 3
    }

    #[must_use]
    pub const fn wire_type(self) -> u32 {
        self.0 & 7
    }

    /// This tag is not what its message says about the field. `at` is where the field begins.
    #[cold]
    #[must_use]
    pub fn refuse(self, at: usize) -> Malformed {
        Malformed::WireType {
            field: self.field(),
            wire_type: self.wire_type(),
            at: position(at),
        }
    }
}

/// One level deeper, or an error at `at`.
#[inline]
pub fn nest(levels_left: u32, at: usize) -> Result<u32, Malformed> {
    levels_left
        .checked_sub(1)
        .ok_or(Malformed::Nesting { at: position(at) })
}

/// Positions are for people to read: one beyond 4 GiB need not be exact.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Reads a message: what is left of it, and where its body began.
///
/// # Hot path
/// - runs: on a worker, per field of every request
/// - cost: no allocation; 4 to 8 instructions a tag, varint or length of one byte
/// - invariants: none; any bytes are safe to read
/// - units: positions and lengths in bytes
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Address of the body's first byte; only told apart from others, never read through.
    body: usize,
}

impl<'a> Reader<'a> {
    /// Reads a body.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            body: body.as_ptr().addr(),
        }
    }

    /// Reads `part`, which is a part of the same body.
    #[inline]
    #[must_use]
    pub const fn of_part(&self, part: &'a [u8]) -> Self {
        Self {
            rest: part,
            body: self.body,
        }
    }

    /// Where the next byte stands in the body.
    #[inline]
    #[must_use]
    pub fn at(&self) -> usize {
        self.rest.as_ptr().addr().wrapping_sub(self.body)
    }

    /// What is left of this message.
    #[inline]
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [first @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*first))
            }
            [first, second @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(first & 0x7f) | u64::from(*second) << 7)
            }
            _ => self.apart(Self::long_varint),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, &byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                // The tenth byte has room for bit 63 only.
                if index == VARINT_BYTES_MAX - 1 && byte > 1 {
                    break;
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < VARINT_BYTES_MAX {
            self.truncated()
        } else {
            let at = position(self.at());
            Malformed::Varint { at }
        })
    }

    #[inline]
    pub fn tag(&mut self) -> Result<Tag, Malformed> {
        match self.rest {
            [tag @ 8..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(Tag(u32::from(*tag)))
            }
            [low @ 0x80..=0xff, high @ 1..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(Tag(u32::from(low & 0x7f) | u32::from(*high) << 7))
            }
            _ => self.apart(Self::long_tag),
        }
    }

    #[inline(never)]
    fn long_tag(&mut self) -> Result<Tag, Malformed> {
        let at = position(self.at());
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(tag) if tag >= 8 => Ok(Tag(tag)),
            _ => Err(Malformed::FieldNumber { tag, at }),
        }
    }

    /// The length-delimited field here; goes on behind it.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        if let [bytes @ 0..0x80, rest @ ..] = self.rest
            && let Some((field, rest)) = rest.split_at_checked(usize::from(*bytes))
        {
            self.rest = rest;
            return Ok(field);
        }
        self.apart(Self::long_bytes)
    }

    #[inline(never)]
    fn long_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let start = *self;
        let bytes = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let Some((field, rest)) = self.rest.split_at_checked(bytes) else {
            return Err(start.truncated());
        };
        self.rest = rest;
        Ok(field)
    }

    /// The length-delimited field here, as a message to read; goes on behind it.
    #[inline]
    pub fn message(&mut self) -> Result<Self, Malformed> {
        let field = self.bytes()?;
        Ok(self.of_part(field))
    }

    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, Malformed> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, Malformed> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Reads the long way, on a copy: a reader whose address is never taken stays in registers.
    // PERF: bench `decode/form_only`, a tenth of its instructions.
    #[inline]
    pub fn apart<T, E>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let mut copy = *self;
        let result = read(&mut copy);
        *self = copy;
        result
    }

    #[cold]
    fn truncated(&self) -> Malformed {
        let at = position(self.at());
        Malformed::Truncated { at }
    }

    /// Goes on behind a field that nobody knows; checks its form.
    pub fn skip(&mut self, tag: Tag, levels_left: u32) -> Result<(), Malformed> {
        let levels_left = nest(levels_left, self.at())?;
        match tag.wire_type() {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed64().map(drop),
            BYTES => self.bytes().map(drop),
            FIXED32 => self.fixed32().map(drop),
            GROUP_START => self.skip_group(tag, levels_left),
            _ => Err(tag.refuse(self.at())),
        }
    }

    fn skip_group(&mut self, start: Tag, levels_left: u32) -> Result<(), Malformed> {
        while !self.is_done() {
            let tag = self.tag()?;
            if tag == Tag::new(start.field(), GROUP_END) {
                return Ok(());
            }
            if tag.wire_type() == GROUP_END {
                break;
            }
            self.skip(tag, levels_left)?;
        }
        Err(Malformed::Group {
            field: start.field(),
            at: position(self.at()),
        })
    }
}

/// A field of a message whose form was checked before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message: number and value. Groups and 32-bit numbers, which no message read this
/// way has, are left out. Stops at the first malformed field.
pub fn fields(message: &[u8]) -> impl Iterator<Item = (u32, Field<'_>)> {
    let mut reader = Reader::new(message);
    std::iter::from_fn(move || {
        while !reader.is_done() {
            let tag = reader.tag().ok()?;
            let field = match tag.wire_type() {
                VARINT => Field::Varint(reader.varint().ok()?),
                FIXED64 => Field::Fixed64(reader.fixed64().ok()?),
                BYTES => Field::Bytes(reader.bytes().ok()?),
                _ => {
                    reader.skip(tag, NESTING_MAX).ok()?;
                    continue;
                }
            };
            return Some((tag.field(), field));
        }
        None
    })
}

/// Bytes of a varint.
#[must_use]
pub fn varint_bytes(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // Truncation is meant: seven bits go out.
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_tag(out: &mut Vec<u8>, tag: Tag) {
    put_varint(out, u64::from(tag.0));
}

/// A length-delimited field.
pub fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_tag(out, Tag::new(field, BYTES));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
