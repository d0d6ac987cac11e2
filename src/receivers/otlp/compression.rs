//! Compressed bodies in, inflated bodies out, within their limit and the byte budget.
//!
//! The gzip frame is read here and the deflate stream inside by zlib: one state per worker is used
//! again and again (a state that knows gzip would be allocated anew for each body). The length that
//! a gzip trailer announces is taken like a declared length: refused if too large, reserved and
//! paid for at once if not. A trailer that lies costs growth in steps, never more than the permit.
//!
//! Runs on a worker core, per body; no unsafe.

use std::cell::RefCell;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::admission::Room;
use super::body::Held;
use super::buffers::Buffers;
use super::error::ReceiveError;
use crate::workers::budget::Permit;

/// Compressed bytes per step; between steps the worker's other tasks get their turn. At the usual
/// ratio of 8 a step inflates 512 KiB, about 0.4 ms.
const STEP_BYTES: usize = 64 << 10;

/// Deflate cannot do better than 1032 to 1 (two bits for 258 bytes).
const RATIO_MAX: u64 = 1032;

/// Inflate states kept per worker, about 48 KiB each: more are in use only while bodies of several
/// steps are interleaved.
const STATES_MAX: usize = 4;

const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;
/// Names and comments in a header; the reference allows as much.
const HEADER_TEXT_BYTES_MAX: usize = 512;

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

/// In the words of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InflateError {
    #[error("EOF")]
    Empty,
    #[error("unexpected EOF")]
    HeaderCutShort,
    #[error("gzip: invalid header")]
    Header,
    #[error("unexpected EOF")]
    CutShort,
    #[error("flate: corrupt input before offset {offset}")]
    Corrupt { offset: u64 },
    #[error("gzip: invalid checksum")]
    Checksum,
    /// A wrong header, or one cut short, of a further gzip member.
    #[error("{}", if *.cut_short { "unexpected EOF" } else { "gzip: invalid header" })]
    NextMember { cut_short: bool },
}

impl InflateError {
    /// Whether not even the first header could be read.
    pub(super) fn is_first_header(self) -> bool {
        matches!(self, Self::Empty | Self::HeaderCutShort | Self::Header)
    }
}

/// The inflate states of one worker.
#[derive(Default)]
pub(super) struct Inflaters {
    free: RefCell<Vec<Decompress>>,
}

impl Inflaters {
    /// Inflates a gzip body; its compressed bytes are paid for until the end.
    pub(super) async fn gunzip(
        &self,
        compressed: Held,
        room: Room<'_>,
        buffers: &Buffers,
    ) -> Result<Held, ReceiveError> {
        let state = self.free.borrow_mut().pop();
        let mut state = state.unwrap_or_else(|| Decompress::new(false));
        let inflated = gunzip(&mut state, compressed, room, buffers).await;
        let mut free = self.free.borrow_mut();
        if free.len() < STATES_MAX {
            free.push(state);
        }
        inflated
    }
}

async fn gunzip(
    state: &mut Decompress,
    compressed: Held,
    room: Room<'_>,
    buffers: &Buffers,
) -> Result<Held, ReceiveError> {
    let Held { bytes, mut permit } = compressed;
    let input_bytes = bytes.len() as u64;
    let mut input = bytes.as_ref();
    let mut header = header(input)?;
    let announced = announced_bytes(input);
    if announced > room.bytes_max {
        let bytes_max = room.bytes_max;
        return Err(ReceiveError::TooLargeInflated { bytes_max });
    }
    let mut output = Output {
        permit: &mut permit,
        compressed_bytes: input_bytes,
        room,
        buffer: Vec::new(),
    };
    // One byte more shows a lie without growing for it.
    output.reserve(announced + 1, buffers)?;
    loop {
        input = &input[header..];
        input = member(state, input, &mut output).await?;
        if input.is_empty() {
            break;
        }
        header = self::header(input).map_err(|error| InflateError::NextMember {
            cut_short: error == InflateError::HeaderCutShort,
        })?;
    }
    let inflated = output.buffer;
    let inflated_bytes = inflated.len() as u64;
    // A buffer that is used again may hold more than was announced and paid for.
    if !permit.try_grow(inflated_bytes.saturating_sub(permit.bytes())) {
        return Err(room.refused(inflated_bytes));
    }
    permit.shrink_to(inflated_bytes);
    let bytes = buffers.seal(inflated);
    Ok(Held { bytes, permit })
}

/// Inflates one gzip member behind its header and returns what follows it.
async fn member<'a>(
    state: &mut Decompress,
    mut input: &'a [u8],
    output: &mut Output<'_>,
) -> Result<&'a [u8], ReceiveError> {
    state.reset(false);
    let start = output.buffer.len();
    let mut checked = start;
    let mut crc = Crc::new();
    loop {
        let (read_before, bytes_before) = (state.total_in(), output.buffer.len());
        let step = &input[..input.len().min(STEP_BYTES)];
        let status = state
            .decompress_vec(step, &mut output.buffer, FlushDecompress::None)
            .map_err(|_| InflateError::Corrupt {
                offset: state.total_in(),
            })?;
        let read = usize::try_from(state.total_in() - read_before).unwrap_or(usize::MAX);
        input = input.get(read..).unwrap_or_default();
        // While it is in the cache.
        crc.update(&output.buffer[checked..]);
        checked = output.buffer.len();
        let bytes_max = output.room.bytes_max;
        if checked as u64 > bytes_max {
            return Err(ReceiveError::TooLargeInflated { bytes_max });
        }
        if status == Status::StreamEnd {
            break;
        }
        if output.buffer.len() == output.buffer.capacity() {
            output.grow()?;
        } else if read == 0 && output.buffer.len() == bytes_before {
            return Err(InflateError::CutShort.into());
        }
        tokio::task::yield_now().await;
    }
    let (trailer, rest) = input
        .split_first_chunk::<TRAILER_BYTES>()
        .ok_or(InflateError::CutShort)?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    // Modulo 2^32, as the trailer has it.
    #[allow(clippy::cast_possible_truncation, reason = "the truncation is wanted")]
    let length = (output.buffer.len() - start) as u32;
    if u32::from_le_bytes([c0, c1, c2, c3]) != crc.sum()
        || u32::from_le_bytes([l0, l1, l2, l3]) != length
    {
        return Err(InflateError::Checksum.into());
    }
    Ok(rest)
}

/// The inflated bytes so far. What is reserved is paid for.
struct Output<'a> {
    permit: &'a mut Permit,
    /// What the permit pays for besides: the compressed bytes.
    compressed_bytes: u64,
    room: Room<'a>,
    buffer: Vec<u8>,
}

impl Output<'_> {
    fn reserve(&mut self, bytes: u64, buffers: &Buffers) -> Result<(), ReceiveError> {
        self.pay(bytes)?;
        self.buffer = buffers.take(whole(bytes));
        Ok(())
    }

    /// Doubles the room, as far as the limit allows. One byte beyond it shows the excess.
    fn grow(&mut self) -> Result<(), ReceiveError> {
        let bytes = self.buffer.len() as u64;
        let wanted = (bytes + bytes.max(STEP_BYTES as u64)).min(self.room.bytes_max + 1);
        self.pay(wanted)?;
        self.buffer.reserve_exact(whole(wanted - bytes));
        Ok(())
    }

    fn pay(&mut self, bytes: u64) -> Result<(), ReceiveError> {
        let total = self.compressed_bytes + bytes;
        if self
            .permit
            .try_grow(total.saturating_sub(self.permit.bytes()))
        {
            Ok(())
        } else {
            Err(self.room.refused(total))
        }
    }
}

/// Below the limit on a body, which fits.
fn whole(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The length that the last trailer announces, as far as the ratio allows it to be true.
fn announced_bytes(input: &[u8]) -> u64 {
    let announced = input
        .last_chunk::<4>()
        .copied()
        .map_or(0, u32::from_le_bytes);
    u64::from(announced).min(RATIO_MAX * input.len() as u64)
}

/// The length of the gzip header that `input` starts with (RFC 1952, section 2.3).
fn header(input: &[u8]) -> Result<usize, InflateError> {
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const CRC: u8 = 1 << 1;
    if input.is_empty() {
        return Err(InflateError::Empty);
    }
    let fixed = input
        .first_chunk::<HEADER_BYTES>()
        .ok_or(InflateError::HeaderCutShort)?;
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else {
        return Err(InflateError::Header);
    };
    let mut end = HEADER_BYTES;
    if flags & EXTRA != 0 {
        let length = input[end..]
            .first_chunk::<2>()
            .ok_or(InflateError::HeaderCutShort)?;
        end += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let text = input.get(end..).ok_or(InflateError::HeaderCutShort)?;
            let text = &text[..text.len().min(HEADER_TEXT_BYTES_MAX)];
            let length = memchr::memchr(0, text).ok_or(if text.len() < HEADER_TEXT_BYTES_MAX {
                InflateError::HeaderCutShort
            } else {
                InflateError::Header
            })?;
            end += length + 1;
        }
    }
    if flags & CRC != 0 {
        let crc = input
            .get(end..)
            .and_then(<[u8]>::first_chunk::<2>)
            .ok_or(InflateError::HeaderCutShort)?;
        let mut sum = Crc::new();
        sum.update(&input[..end]);
        let [low @ .., _, _] = sum.sum().to_le_bytes();
        if *crc != low {
            return Err(InflateError::Header);
        }
        end += 2;
    }
    if input.len() < end {
        return Err(InflateError::HeaderCutShort);
    }
    Ok(end)
}

#[cfg(test)]
mod tests;
