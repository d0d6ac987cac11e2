//! Text in, a gzip stream (RFC 1952) out, made for expositions.
//!
//! Lines of an exposition repeat the line before up to `le`, so a compressor that looks only where
//! a repetition stopped needs a fraction of the time of a general one and finds the same matches;
//! decision 0005 has the figures. Any text is compressed correctly, only not as well.
//!
//! | file | purpose |
//! |---|---|
//! | `matches` | text becomes literals and matches |
//! | `code` | counts of symbols become a prefix code |
//! | `block` | literals and matches become a deflate block under a code made for them |
//! | `bits` | bits become bytes |
//!
//! A code serves [`BLOCK_PIECES`] pieces: it is made from the first of them, with room for symbols that
//! come later. The last piece has a block of its own.
//!
//! Runs on the service thread, per piece of a scrape; no unsafe; `benches/scrape.rs`.

mod bits;
mod block;
mod code;
mod matches;
#[cfg(test)]
mod tests;

use crc32fast::Hasher;

use self::bits::Bits;
use self::block::Block;
use self::matches::{Matcher, Token, WINDOW_BYTES};

/// Magic, deflate, no flags, no time, no hint, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Pieces of 64 KiB: a new code costs some 10 us and 150 bytes, an old one fits less and less.
const BLOCK_PIECES: usize = 8;

/// A gzip stream on its way.
pub(super) struct Gzip {
    /// What matches may reach back to, and the text of the piece to come behind it.
    text: Vec<u8>,
    /// Bytes of `text` that are compressed.
    done: usize,
    /// Bytes compressed, modulo 2^32 as the trailer has them.
    total: u32,
    crc: Hasher,
    matcher: Matcher,
    /// Of one piece.
    tokens: Vec<Token>,
    bits: Bits,
    block: Option<Block>,
    /// In the present block.
    pieces: usize,
}

impl Gzip {
    /// Starts a stream in `out`.
    pub(super) fn new(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(&HEADER);
        Self {
            text: Vec::new(),
            done: 0,
            total: 0,
            crc: Hasher::new(),
            matcher: Matcher::new(),
            tokens: Vec::new(),
            bits: Bits::default(),
            block: None,
            pieces: 0,
        }
    }

    /// Where the text of the next piece is to be appended; what is in there already must stay.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        if self.done == self.text.len() && self.done > WINDOW_BYTES {
            let gone = self.done - WINDOW_BYTES;
            self.text.copy_within(gone.., 0);
            self.text.truncate(WINDOW_BYTES);
            self.done = WINDOW_BYTES;
            self.matcher.forget(gone);
        }
        &mut self.text
    }

    /// Compresses what was appended since the last time. With `is_last` the stream ends.
    ///
    /// # Hot path
    /// - runs: on the service thread, per piece
    /// - cost: no allocation but the growth of buffers and a new code every [`BLOCK_PIECES`] pieces
    /// - invariants: nothing comes after the last piece
    /// - units: bytes
    pub(super) fn encode(&mut self, out: &mut Vec<u8>, is_last: bool) {
        let piece = &self.text[self.done..];
        #[allow(clippy::cast_possible_truncation, reason = "the trailer has 32 bits")]
        {
            self.total = self.total.wrapping_add(piece.len() as u32);
        }
        self.crc.update(piece);
        self.tokens.clear();
        self.matcher.find(&self.text, self.done, &mut self.tokens);
        self.done = self.text.len();
        if is_last || self.pieces == BLOCK_PIECES {
            self.end_block(out);
        }
        let block = self
            .block
            .get_or_insert_with(|| Block::begin(&self.tokens, is_last, &mut self.bits, out));
        block.write(&self.tokens, &mut self.bits, out);
        self.pieces += 1;
        if is_last {
            self.end_block(out);
            self.bits.finish(out);
            out.extend_from_slice(&self.crc.clone().finalize().to_le_bytes());
            out.extend_from_slice(&self.total.to_le_bytes());
        }
    }

    fn end_block(&mut self, out: &mut Vec<u8>) {
        if let Some(block) = self.block.take() {
            block.end(&mut self.bits, out);
        }
        self.pieces = 0;
    }
}
