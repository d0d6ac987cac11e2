//! Text in, literals and matches out: what stands in the last 32 KiB is named, not repeated.
//!
//! Only the starts of literals and matches are remembered: where one line stops repeating another,
//! the next one stops too. So the cost is by token and not by byte, and a line is one long match,
//! its `le` and its number. A place that is remembered wrongly costs a comparison, never a wrong
//! byte.
#![allow(
    clippy::cast_possible_truncation,
    reason = "places are counted modulo 2^32; a token's parts are bounded"
)]

/// How far back a match may reach.
pub(super) const WINDOW_BYTES: usize = 32 * 1024;

/// Of 4 to 8, 5 and 6 gave the fewest bytes.
const MATCH_BYTES_MIN: usize = 5;

/// What a token can say.
const MATCH_BYTES_MAX: usize = 0xffff;

/// 32 KiB, as much as the window; half of it cost 2 % more bytes.
const TABLE_BITS: u32 = 13;

/// A literal, or a match: bit 31, then 16 bits of length and 15 of distance less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u32);

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Literal(u8),
    Match { bytes: usize, distance: usize },
}

impl Token {
    const IS_MATCH: u32 = 1 << 31;

    fn literal(byte: u8) -> Self {
        Self(u32::from(byte))
    }

    fn of_match(bytes: usize, distance: usize) -> Self {
        debug_assert!(bytes <= MATCH_BYTES_MAX && (1..=WINDOW_BYTES).contains(&distance));
        Self(Self::IS_MATCH | (bytes as u32) << 15 | (distance - 1) as u32)
    }

    pub(super) fn meaning(self) -> Meaning {
        if self.0 & Self::IS_MATCH == 0 {
            Meaning::Literal(self.0 as u8)
        } else {
            Meaning::Match {
                bytes: (self.0 >> 15 & 0xffff) as usize,
                distance: (self.0 & 0x7fff) as usize + 1,
            }
        }
    }
}

/// Where four bytes were seen last at the start of a token.
pub(super) struct Matcher {
    /// By hash: a place, counted modulo 2^32 from the start of the stream.
    places: Box<[u32]>,
    /// Place of the first byte of the text.
    first: u32,
}

impl Matcher {
    pub(super) fn new() -> Self {
        Self {
            places: vec![0; 1 << TABLE_BITS].into(),
            // Unused entries are out of reach.
            first: WINDOW_BYTES as u32 + 1,
        }
    }

    /// The first bytes of the text are no longer there.
    pub(super) fn forget(&mut self, bytes: usize) {
        self.first = self.first.wrapping_add(bytes as u32);
    }

    /// Appends what `text[start..]` is made of.
    pub(super) fn find(&mut self, text: &[u8], start: usize, tokens: &mut Vec<Token>) {
        let mut at = start;
        while let Some(four) = text[at..].first_chunk::<4>() {
            let hash = u32::from_le_bytes(*four).wrapping_mul(0x9e37_79b1);
            let known = &mut self.places[(hash >> (u32::BITS - TABLE_BITS)) as usize];
            let place = self.first.wrapping_add(at as u32);
            let distance = place.wrapping_sub(*known) as usize;
            *known = place;
            // The text is the judge: an entry may be of another hash or 4 GiB old.
            if (1..=at.min(WINDOW_BYTES)).contains(&distance) {
                let bytes = common(&text[at - distance..], &text[at..]);
                if bytes >= MATCH_BYTES_MIN {
                    tokens.push(Token::of_match(bytes, distance));
                    at += bytes;
                    continue;
                }
            }
            tokens.push(Token::literal(four[0]));
            at += 1;
        }
        tokens.extend(text[at..].iter().map(|byte| Token::literal(*byte)));
    }
}

/// How many first bytes are the same, as far as a token can say.
///
/// PERF: a line's match has hundreds of bytes; `scrape/text_gzip` pays for comparing 16 at once.
fn common(earlier: &[u8], later: &[u8]) -> usize {
    let later = &later[..later.len().min(MATCH_BYTES_MAX)];
    let mut bytes = 0;
    let (chunks, _) = later.as_chunks::<16>();
    for (a, b) in earlier.as_chunks::<16>().0.iter().zip(chunks) {
        let differs = u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        if differs != 0 {
            return bytes + (differs.trailing_zeros() / 8) as usize;
        }
        bytes += 16;
    }
    let rest = earlier[bytes..].iter().zip(&later[bytes..]);
    bytes + rest.take_while(|(a, b)| a == b).count()
}
