//! The protobuf bytes of a request in, the same request as OTLP/JSON out.
//!
//! So one encoder serves both forms, and a signal speaks JSON as soon as it speaks protobuf. The
//! order of keys is that of the schema; a repeated field becomes one array wherever its parts stood.
//! What the wire leaves out stays out: defaults are not made up.
//!
//! | file | purpose |
//! |---|---|
//! | `schema` | names and kinds of all fields |
//! | `wire` | bytes into fields |

mod schema;
mod wire;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::schema::{Field, Kind, Message};
use self::wire::{Occurrence, Raw};
use super::signal::Signal;

/// An export request of `signal` as JSON.
///
/// # Panics
/// When the bytes are not such a request: they are those of the generator's own encoder.
#[must_use]
pub fn transcode(signal: Signal, request: &[u8]) -> Vec<u8> {
    let message = match signal {
        Signal::Traces => &schema::EXPORT_TRACES,
        Signal::Metrics => &schema::EXPORT_METRICS,
        Signal::Logs => &schema::EXPORT_LOGS,
    };
    let mut transcoder = Transcoder {
        // Hexadecimal ids and names make JSON about twice as long.
        out: Vec::with_capacity(2 * request.len()),
        occurrences: Vec::new(),
    };
    transcoder
        .message(message, request)
        .expect("the generator's own encoder wrote it");
    transcoder.out
}

struct Transcoder<'a> {
    out: Vec<u8>,
    /// Fields of the messages that are open, the innermost last.
    occurrences: Vec<Occurrence<'a>>,
}

impl<'a> Transcoder<'a> {
    fn message(&mut self, message: &Message, bytes: &'a [u8]) -> Option<()> {
        let begin = self.occurrences.len();
        wire::read(bytes, &mut self.occurrences)?;
        let end = self.occurrences.len();
        self.out.push(b'{');
        let mut separator = Separator::default();
        for field in message.fields {
            self.field(field, begin..end, &mut separator)?;
        }
        self.out.push(b'}');
        self.occurrences.truncate(begin);
        Some(())
    }

    /// All occurrences of one field; of one that is not repeated the last counts.
    fn field(
        &mut self,
        field: &Field,
        among: std::ops::Range<usize>,
        separator: &mut Separator,
    ) -> Option<()> {
        let is_it = |occurrence: &Occurrence| occurrence.number == field.number;
        let Some(last) = self.occurrences[among.clone()].iter().rposition(is_it) else {
            return Some(());
        };
        let last = among.start + last;
        separator.put(&mut self.out);
        self.out.push(b'"');
        self.out.extend_from_slice(field.name.as_bytes());
        self.out.extend_from_slice(b"\":");
        if !field.is_repeated {
            return self.value(field.kind, self.occurrences[last].raw);
        }
        self.out.push(b'[');
        let mut separator = Separator::default();
        for index in among.start..=last {
            let occurrence = self.occurrences[index];
            if is_it(&occurrence) {
                separator.put(&mut self.out);
                self.value(field.kind, occurrence.raw)?;
            }
        }
        self.out.push(b']');
        Some(())
    }

    fn value(&mut self, kind: Kind, raw: Raw<'a>) -> Option<()> {
        match (kind, raw) {
            (Kind::Message(message), Raw::Bytes(bytes)) => self.message(message, bytes)?,
            (Kind::Text, Raw::Bytes(bytes)) => self.text(str::from_utf8(bytes).ok()?),
            (Kind::Bytes, Raw::Bytes(bytes)) => self.text(&STANDARD.encode(bytes)),
            (Kind::Id, Raw::Bytes(bytes)) => self.hex(bytes),
            (Kind::Bool, Raw::Varint(value)) => {
                self.out
                    .extend_from_slice(if value == 0 { b"false" } else { b"true" })
            }
            // An int32 or enum is written as the 64 bits of its two's complement.
            (Kind::Int, Raw::Varint(value)) => self.number(value.cast_signed()),
            (Kind::ZigZag, Raw::Varint(value)) => {
                self.number((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
            (Kind::Long, Raw::Varint(value)) => self.quoted(value.cast_signed()),
            (Kind::Fixed32, Raw::Fixed32(bytes)) => self.number(u32::from_le_bytes(bytes)),
            (Kind::Fixed64, Raw::Fixed64(bytes)) => self.quoted(u64::from_le_bytes(bytes)),
            (Kind::Signed64, Raw::Fixed64(bytes)) => self.quoted(i64::from_le_bytes(bytes)),
            (Kind::Double, Raw::Fixed64(bytes)) => self.double(f64::from_le_bytes(bytes)),
            (Kind::PackedFixed64, Raw::Bytes(bytes)) => {
                self.list(bytes, |this, bytes| {
                    this.quoted(u64::from_le_bytes(take8(bytes)?));
                    Some(())
                })?;
            }
            (Kind::PackedDouble, Raw::Bytes(bytes)) => {
                self.list(bytes, |this, bytes| {
                    this.double(f64::from_le_bytes(take8(bytes)?));
                    Some(())
                })?;
            }
            (Kind::PackedLong, Raw::Bytes(bytes)) => {
                self.list(bytes, |this, bytes| {
                    this.quoted(wire::varint(bytes)?);
                    Some(())
                })?;
            }
            _ => return None,
        }
        Some(())
    }

    fn list(
        &mut self,
        mut bytes: &'a [u8],
        mut item: impl FnMut(&mut Self, &mut &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        self.out.push(b'[');
        let mut separator = Separator::default();
        while !bytes.is_empty() {
            separator.put(&mut self.out);
            item(self, &mut bytes)?;
        }
        self.out.push(b']');
        Some(())
    }

    fn text(&mut self, text: &str) {
        serde_json::to_writer(&mut self.out, text).expect("writing to memory does not fail");
    }

    fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.push(b'"');
        for byte in bytes {
            self.out.push(DIGITS[usize::from(byte >> 4)]);
            self.out.push(DIGITS[usize::from(byte & 15)]);
        }
        self.out.push(b'"');
    }

    /// JSON has no word for what is not finite; protobuf's mapping writes it as text.
    fn double(&mut self, value: f64) {
        if value.is_finite() {
            serde_json::to_writer(&mut self.out, &value).expect("writing to memory does not fail");
        } else if value.is_nan() {
            self.text("NaN");
        } else {
            self.text(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
    }

    fn quoted(&mut self, number: impl itoa::Integer) {
        self.out.push(b'"');
        self.number(number);
        self.out.push(b'"');
    }

    fn number(&mut self, number: impl itoa::Integer) {
        let mut buffer = itoa::Buffer::new();
        self.out.extend_from_slice(buffer.format(number).as_bytes());
    }
}

/// A comma before all but the first.
#[derive(Default)]
struct Separator {
    is_later: bool,
}

impl Separator {
    fn put(&mut self, out: &mut Vec<u8>) {
        if self.is_later {
            out.push(b',');
        }
        self.is_later = true;
    }
}

fn take8(bytes: &mut &[u8]) -> Option<[u8; 8]> {
    let (value, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*value)
}

#[cfg(test)]
mod tests;
