//! The key of a group as bytes: what a series is described from later, besides its resource.
//!
//! `kind of key (1 byte), then the span's name, kind and status if the plan has them, then one cell
//! for each key column`. A cell is its count of bytes plus one as a varint (0: null), then the bytes.
//! Integers are four bytes, little-endian. Written once a birth, read once a series; only this file
//! knows the form.
#![allow(
    clippy::cast_possible_truncation,
    reason = "a varint takes the low seven bits"
)]

use super::plan::BuiltIns;

const ORDINARY: u8 = 0;
const OVERFLOW: u8 = 1;

/// The key of what lies beyond a table's bound.
pub(super) fn overflow() -> Box<[u8]> {
    [OVERFLOW].into()
}

/// The built-in part of an ordinary key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpanPart<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) kind: Option<i32>,
    pub(super) status: Option<i32>,
}

/// What a key says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Ordinary {
        span: SpanPart<'a>,
        /// By key column; `None`: neither span nor event has the attribute.
        cells: Vec<Option<&'a [u8]>>,
    },
    Overflow,
}

pub(super) fn write<'a>(
    out: &mut Vec<u8>,
    span: SpanPart,
    cells: impl Iterator<Item = Option<&'a [u8]>>,
) {
    out.push(ORDINARY);
    if let Some(name) = span.name {
        write_cell(out, Some(name));
    }
    for integer in [span.kind, span.status].into_iter().flatten() {
        out.extend_from_slice(&integer.to_le_bytes());
    }
    for cell in cells {
        write_cell(out, cell);
    }
}

/// Reads what `write` wrote under the same built-ins. Of other bytes it makes something, or the
/// overflow key if there is nothing.
pub(super) fn read(key: &[u8], built_ins: BuiltIns) -> Key<'_> {
    let Some((ORDINARY, mut rest)) = key.split_first().map(|(kind, rest)| (*kind, rest)) else {
        return Key::Overflow;
    };
    let span = SpanPart {
        name: built_ins
            .span_name
            .then(|| read_cell(&mut rest).unwrap_or_default()),
        kind: built_ins.span_kind.then(|| read_integer(&mut rest)),
        status: built_ins.status_code.then(|| read_integer(&mut rest)),
    };
    let mut cells = Vec::new();
    while !rest.is_empty() {
        cells.push(read_cell(&mut rest));
    }
    Key::Ordinary { span, cells }
}

fn write_cell(out: &mut Vec<u8>, cell: Option<&[u8]>) {
    let mut left = cell.map_or(0, |bytes| bytes.len() + 1);
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(cell.unwrap_or_default());
}

fn read_cell<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut number = 0_usize;
    let mut shift = 0;
    while let Some((byte, after)) = rest.split_first() {
        *rest = after;
        number |= usize::from(byte & 0x7f) << shift;
        shift = (shift + 7).min(usize::BITS - 1);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let bytes = number.checked_sub(1)?.min(rest.len());
    let (cell, after) = rest.split_at(bytes);
    *rest = after;
    Some(cell)
}

fn read_integer(rest: &mut &[u8]) -> i32 {
    match rest.split_first_chunk() {
        Some((bytes, after)) => {
            *rest = after;
            i32::from_le_bytes(*bytes)
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_was_written() {
        let long = vec![7; 300];
        let cells = [None, Some(&b""[..]), Some(&long), None];
        for bits in 0..8 {
            let built_ins = BuiltIns {
                service_name: true,
                span_name: bits & 1 != 0,
                span_kind: bits & 2 != 0,
                status_code: bits & 4 != 0,
            };
            let span = SpanPart {
                name: built_ins.span_name.then_some(&b"GET /"[..]),
                kind: built_ins.span_kind.then_some(-3),
                status: built_ins.status_code.then_some(2),
            };
            let mut key = Vec::new();
            write(&mut key, span, cells.into_iter());
            let cells = cells.to_vec();
            assert_eq!(read(&key, built_ins), Key::Ordinary { span, cells });
        }
    }

    #[test]
    fn the_overflow_key_is_no_ordinary_one() {
        let none = BuiltIns {
            service_name: false,
            span_name: false,
            span_kind: false,
            status_code: false,
        };
        let mut key = Vec::new();
        write(&mut key, SpanPart::default(), [].into_iter());
        assert_ne!(read(&key, none), Key::Overflow);
        assert_eq!(read(&overflow(), none), Key::Overflow);
    }
}
