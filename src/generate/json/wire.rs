//! Protobuf bytes in, their fields one by one out.
//!
//! Reads what the generator's own encoder wrote; groups, which OTLP does not have, are refused.

/// A field's value before anybody knows its type.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

#[derive(Clone, Copy)]
pub(super) struct Occurrence<'a> {
    pub(super) number: u32,
    pub(super) raw: Raw<'a>,
}

/// Appends the fields of a message, in their order on the wire. `None`: the bytes are no message.
pub(super) fn read<'a>(mut bytes: &'a [u8], into: &mut Vec<Occurrence<'a>>) -> Option<()> {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let raw = match tag & 7 {
            0 => Raw::Varint(varint(&mut bytes)?),
            1 => Raw::Fixed64(array(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Raw::Bytes(value)
            }
            5 => Raw::Fixed32(array(&mut bytes)?),
            _ => return None,
        };
        let number = u32::try_from(tag >> 3).ok()?;
        into.push(Occurrence { number, raw });
    }
    Some(())
}

pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn array<const BYTES: usize>(bytes: &mut &[u8]) -> Option<[u8; BYTES]> {
    let (value, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*value)
}
