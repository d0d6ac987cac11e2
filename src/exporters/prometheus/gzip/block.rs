//! Tokens in, a deflate block under a code made for them out (RFC 1951, section 3.2.7).
#![allow(
    clippy::cast_possible_truncation,
    reason = "symbols and extra bits are bounded by the format"
)]

use super::bits::Bits;
use super::code::{Code, LENGTH_MAX, codes, lengths};
use super::matches::{Meaning, Token};

/// Literals, the end of the block, lengths of matches.
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
const END_OF_BLOCK: usize = 256;

/// The longest match that one symbol says; a longer one is several.
const MATCH_BYTES_MAX: usize = 258;
const MATCH_BYTES_MIN: usize = 3;

/// How much more the symbols of the sample count than those that may come: these get long codes.
const SAMPLE_WEIGHT: u32 = 16;

/// Lengths of code lengths, in the order in which they are sent.
const HEAD_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
const HEAD_LENGTH_MAX: usize = 7;

/// A symbol and the bits that follow it.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    symbol: usize,
    extra: u32,
    extra_bits: u32,
}

/// Bits as they are sent.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    bits: u32,
    count: u32,
}

/// A block that is being written.
pub(super) struct Block {
    literals: [Code; LITERALS],
    distances: [Code; DISTANCES],
    /// By bytes of a match: symbol and extra bits in one.
    matches: Box<[Sent; MATCH_BYTES_MAX + 1]>,
}

impl Block {
    /// Writes the head of a block whose code fits the tokens. Unless it is the last one, any token may
    /// follow, so every symbol has a code.
    pub(super) fn begin(
        tokens: &[Token],
        is_last: bool,
        bits: &mut Bits,
        out: &mut Vec<u8>,
    ) -> Self {
        let may_come = u32::from(!is_last);
        let mut of_literals = [may_come; LITERALS];
        let mut of_distances = [may_come; DISTANCES];
        of_literals[END_OF_BLOCK] = 1;
        for token in tokens {
            match token.meaning() {
                Meaning::Literal(byte) => of_literals[usize::from(byte)] += SAMPLE_WEIGHT,
                Meaning::Match { bytes, distance } => {
                    let distance = distance_word(distance).symbol;
                    for_each_part(bytes, |bytes| {
                        of_literals[length_word(bytes).symbol] += SAMPLE_WEIGHT;
                        of_distances[distance] += SAMPLE_WEIGHT;
                    });
                }
            }
        }
        let of_literals = lengths(of_literals, LENGTH_MAX);
        let of_distances = lengths(of_distances, LENGTH_MAX);
        // "Dynamic" is 2.
        bits.push(out, u32::from(is_last) | 2 << 1, 3);
        write_lengths(&of_literals, &of_distances, bits, out);
        Self::new(&of_literals, &of_distances)
    }

    fn new(of_literals: &[u8; LITERALS], of_distances: &[u8; DISTANCES]) -> Self {
        let literals = codes(of_literals);
        let mut matches = Box::new([Sent::default(); MATCH_BYTES_MAX + 1]);
        for (bytes, sent) in matches.iter_mut().enumerate().skip(MATCH_BYTES_MIN) {
            let word = length_word(bytes);
            *sent = literals[word.symbol].followed_by(word);
        }
        Self {
            literals,
            distances: codes(of_distances),
            matches,
        }
    }

    /// # Hot path
    /// - runs: on the service thread, per piece of a scrape
    /// - cost: no allocation but the growth of `out`
    /// - invariants: the block is not the last one, or began with these tokens
    /// - units: none
    pub(super) fn write(&self, tokens: &[Token], bits: &mut Bits, out: &mut Vec<u8>) {
        for token in tokens {
            match token.meaning() {
                Meaning::Literal(byte) => {
                    let code = self.literals[usize::from(byte)];
                    bits.push(out, u32::from(code.bits), u32::from(code.length));
                }
                Meaning::Match { bytes, distance } => {
                    let word = distance_word(distance);
                    let distance = self.distances[word.symbol].followed_by(word);
                    for_each_part(bytes, |bytes| {
                        let length = self.matches[bytes];
                        bits.push(out, length.bits, length.count);
                        bits.push(out, distance.bits, distance.count);
                    });
                }
            }
        }
    }

    pub(super) fn end(&self, bits: &mut Bits, out: &mut Vec<u8>) {
        let code = self.literals[END_OF_BLOCK];
        bits.push(out, u32::from(code.bits), u32::from(code.length));
    }
}

impl Code {
    fn followed_by(self, word: Word) -> Sent {
        Sent {
            bits: u32::from(self.bits) | word.extra << self.length,
            count: u32::from(self.length) + word.extra_bits,
        }
    }
}

/// A match as those that symbols can say: none has less than `MATCH_BYTES_MIN`.
fn for_each_part(bytes: usize, mut say: impl FnMut(usize)) {
    let mut left = bytes;
    while left >= MATCH_BYTES_MAX + MATCH_BYTES_MIN {
        say(MATCH_BYTES_MAX);
        left -= MATCH_BYTES_MAX;
    }
    if left > MATCH_BYTES_MAX {
        say(left - MATCH_BYTES_MIN);
        left = MATCH_BYTES_MIN;
    }
    say(left);
}

/// Section 3.2.5: four symbols for each number of extra bits, but for the first eight and the last.
fn length_word(bytes: usize) -> Word {
    if bytes == MATCH_BYTES_MAX {
        return Word {
            symbol: 285,
            ..Word::default()
        };
    }
    let over = bytes - MATCH_BYTES_MIN;
    let extra_bits = (over / 4).max(1).ilog2();
    word(257 + extra_bits as usize * 4, over, extra_bits)
}

/// Section 3.2.5: two symbols for each number of extra bits, but for the first four.
fn distance_word(distance: usize) -> Word {
    let over = distance - 1;
    let extra_bits = (over / 2).max(1).ilog2();
    word(extra_bits as usize * 2, over, extra_bits)
}

fn word(first: usize, over: usize, extra_bits: u32) -> Word {
    Word {
        symbol: first + (over >> extra_bits),
        extra: (over & ((1 << extra_bits) - 1)) as u32,
        extra_bits,
    }
}

/// Both codes as one list of lengths, runs shortened, under a code of its own.
fn write_lengths(
    of_literals: &[u8; LITERALS],
    of_distances: &[u8; DISTANCES],
    bits: &mut Bits,
    out: &mut Vec<u8>,
) {
    let list = [of_literals.as_slice(), of_distances].concat();
    let words = run_words(&list);
    let mut counts = [0; HEAD_ORDER.len()];
    for word in &words {
        counts[word.symbol] += 1;
    }
    let of_head = lengths(counts, HEAD_LENGTH_MAX);
    let sent = HEAD_ORDER.iter().rposition(|symbol| of_head[*symbol] > 0);
    let sent = sent.map_or(4, |last| (last + 1).max(4));
    bits.push(out, LITERALS as u32 - 257, 5);
    bits.push(out, DISTANCES as u32 - 1, 5);
    bits.push(out, sent as u32 - 4, 4);
    for symbol in &HEAD_ORDER[..sent] {
        bits.push(out, u32::from(of_head[*symbol]), 3);
    }
    let codes = codes(&of_head);
    for word in words {
        let sent = codes[word.symbol].followed_by(word);
        bits.push(out, sent.bits, sent.count);
    }
}

/// Lengths, and runs of them: 16 is the one before 3 to 6 times, 17 and 18 are 3 to 138 zeros.
fn run_words(lengths: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    for run in lengths.chunk_by(|a, b| a == b) {
        let plain = Word {
            symbol: usize::from(run[0]),
            ..Word::default()
        };
        let mut left = run.len();
        if run[0] > 0 {
            words.push(plain);
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most, extra_bits) = match (run[0], left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, _) => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let count = left.min(most);
            words.push(Word {
                symbol,
                extra: (count - least) as u32,
                extra_bits,
            });
            left -= count;
        }
        words.extend(std::iter::repeat_n(plain, left));
    }
    words
}
