//! 128-bit keyed hash of a row, column by column.
//!
//! Two 64-bit lanes of folded multiplies with secret keys, drawn once a process: whoever sends the
//! rows cannot look for rows that collide, and 128 bits make chance collisions as unlikely as broken
//! memory; so tables compare hashes and keep no key bytes. A view of up to 12 bytes is hashed as the
//! two words it is (length and bytes; Arrow wants unused bytes to be zero), a longer one by its bytes.
//! Null differs from everything else. Hashes mean nothing outside the process.
//!
//! Runs on a worker core, per row and column; no unsafe.
#![allow(
    clippy::cast_possible_truncation,
    reason = "halves and quarters of wide words are what is wanted"
)]

use std::hash::{BuildHasher, RandomState};

use arrow_array::{Array, BinaryViewArray};
use arrow_buffer::bit_iterator::BitIterator;
use arrow_buffer::{Buffer, NullBuffer};

/// Two lanes; equal rows have equal lanes.
pub type RowHash = [u64; 2];

/// Both lanes as one number.
#[must_use]
pub fn as_u128(hash: RowHash) -> u128 {
    u128::from(hash[0]) << 64 | u128::from(hash[1])
}

/// What is hashed for a null: a length that no view has.
const NULL: RowHash = [u64::MAX, 0];
/// A view of more bytes lies in a buffer (Arrow columnar format, variable-size binary view layout).
const INLINE_BYTES_MAX: u32 = 12;

/// The secret keys. Rows are comparable only under equal keys.
#[derive(Clone, Copy)]
pub struct RowHasher {
    seeds: [u64; 2],
    keys: [u64; 2],
}

/// A column of views, taken apart once a batch.
#[derive(Clone, Copy)]
pub struct ViewColumn<'a> {
    views: &'a [u128],
    buffers: &'a [Buffer],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> ViewColumn<'a> {
    #[must_use]
    pub fn new(array: &'a BinaryViewArray) -> Self {
        Self {
            views: array.views(),
            buffers: array.data_buffers(),
            nulls: array.nulls().filter(|nulls| nulls.null_count() > 0),
        }
    }

    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// The bytes of a row; `None` for null.
    #[must_use]
    pub fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        if self.is_null(row) {
            return None;
        }
        let view = &self.views[row];
        let bytes = view_bytes(*view);
        if bytes <= INLINE_BYTES_MAX {
            Some(inline_bytes(view, bytes as usize))
        } else {
            Some(buffer_bytes(*view, self.buffers))
        }
    }

    /// # Hot path
    /// - runs: on a worker, per row and column
    /// - cost: no allocation (bench `groups/hash`)
    /// - invariants: the row is in the column (checked)
    /// - units: none
    #[inline]
    fn mix(&self, hasher: &RowHasher, state: RowHash, row: usize) -> RowHash {
        if self.is_null(row) {
            hasher.words(state, NULL[0], NULL[1])
        } else {
            hasher.view(state, self.views[row], self.buffers)
        }
    }
}

impl Default for RowHasher {
    fn default() -> Self {
        Self::random()
    }
}

impl RowHasher {
    /// Draws keys that nobody outside the process can know.
    #[must_use]
    pub fn random() -> Self {
        // Each hasher of the standard library is a pseudo-random function under a key from the
        // system; what it makes of a number is as good as drawn.
        let source = RandomState::new();
        let draw = |number: u64| source.hash_one(number);
        Self {
            seeds: [draw(0), draw(1)],
            // A key of zero would send every row to one place.
            keys: [draw(2) | 1, draw(3) | 1],
        }
    }

    /// Hash of bytes by themselves: a row's hash starts from that of its resource.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> RowHash {
        let count = bytes.len();
        let mut state = [self.seeds[0] ^ count as u64, self.seeds[1]];
        if count < 8 {
            let mut padded = [0; 8];
            padded[..count].copy_from_slice(bytes);
            return self.words(state, u64::from_le_bytes(padded), 0);
        }
        if count <= 16 {
            return self.words(state, word(bytes, 0), word(bytes, count - 8));
        }
        let mut at = 0;
        while count - at > 16 {
            state = self.words(state, word(bytes, at), word(bytes, at + 8));
            at += 16;
        }
        // The last sixteen overlap those before: no tail of odd length.
        self.words(state, word(bytes, count - 16), word(bytes, count - 8))
    }

    /// Mixes a column of integers into the states of its rows.
    pub fn integers(&self, states: &mut [RowHash], column: &[i32]) {
        debug_assert_eq!(states.len(), column.len());
        for (state, value) in states.iter_mut().zip(column) {
            *state = self.words(*state, u64::from(value.cast_unsigned()), 0);
        }
    }

    /// Mixes two columns of integers in one step.
    pub fn integer_pairs(&self, states: &mut [RowHash], first: &[i32], second: &[i32]) {
        debug_assert_eq!(states.len(), first.len());
        debug_assert_eq!(states.len(), second.len());
        for ((state, first), second) in states.iter_mut().zip(first).zip(second) {
            let low = u64::from(first.cast_unsigned()) | u64::from(second.cast_unsigned()) << 32;
            *state = self.words(*state, low, 0);
        }
    }

    /// Mixes rows `from..` of a column into the states.
    ///
    /// # Hot path
    /// - runs: on a worker, per block of rows and column
    /// - cost: no allocation; about two multiplies a row for short views (bench `groups/hash`)
    /// - invariants: the column has the rows (debug-asserted)
    /// - units: none
    pub fn views(&self, states: &mut [RowHash], column: &ViewColumn, from: usize) {
        debug_assert!(from + states.len() <= column.views.len());
        let views = &column.views[from..from + states.len()];
        let Some(nulls) = column.nulls else {
            for (state, view) in states.iter_mut().zip(views) {
                *state = self.view(*state, *view, column.buffers);
            }
            return;
        };
        if nulls.null_count() == nulls.len() {
            for state in states {
                *state = self.words(*state, NULL[0], NULL[1]);
            }
            return;
        }
        let valid = BitIterator::new(nulls.validity(), nulls.offset() + from, states.len());
        for ((state, view), is_valid) in states.iter_mut().zip(views).zip(valid) {
            *state = if is_valid {
                self.view(*state, *view, column.buffers)
            } else {
                self.words(*state, NULL[0], NULL[1])
            };
        }
    }

    /// Mixes one row of a column into a state.
    #[must_use]
    pub fn cell(&self, state: RowHash, column: &ViewColumn, row: usize) -> RowHash {
        column.mix(self, state, row)
    }

    /// Mixes a value. A short one is its view.
    // PERF: always inlined, with the long case apart: a call for each short value costs more than
    // its two multiplies; bench groups/hash.
    #[allow(clippy::inline_always, reason = "measured, see above")]
    #[inline(always)]
    fn view(&self, state: RowHash, view: u128, buffers: &[Buffer]) -> RowHash {
        if view_bytes(view) <= INLINE_BYTES_MAX {
            self.words(state, view as u64, (view >> 64) as u64)
        } else {
            self.long(state, view as u64, buffer_bytes(view, buffers))
        }
    }

    /// Mixes a long value: the first half of its view (count of bytes and the first four) with the
    /// last eight bytes, then what lies between, sixteen at a time; where the sixteens do not fit,
    /// they overlap, which the count makes unambiguous.
    #[inline(never)]
    fn long(&self, state: RowHash, first: u64, bytes: &[u8]) -> RowHash {
        let count = bytes.len();
        let mut state = self.words(state, first, word(bytes, count - 8));
        if count <= 20 {
            return self.words(state, word(bytes, 4), 0);
        }
        let mut at = 4;
        while at < count - 8 {
            let sixteen = at.min(count - 16);
            state = self.words(state, word(bytes, sixteen), word(bytes, sixteen + 8));
            at += 16;
        }
        state
    }

    /// One step: both lanes see both words.
    #[inline]
    fn words(&self, state: RowHash, low: u64, high: u64) -> RowHash {
        [
            fold(state[0] ^ low, high ^ self.keys[0]),
            fold(state[1] ^ high, low ^ self.keys[1]),
        ]
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let word: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(word)
}

#[inline]
fn view_bytes(view: u128) -> u32 {
    view as u32
}

#[inline]
fn buffer_bytes(view: u128, buffers: &[Buffer]) -> &[u8] {
    let bytes = view_bytes(view) as usize;
    let buffer = (view >> 64) as u32 as usize;
    let offset = (view >> 96) as usize;
    &buffers[buffer][offset..offset + bytes]
}

/// Bytes inside a view follow its length, on a little-endian machine as in memory.
#[inline]
fn inline_bytes(view: &u128, bytes: usize) -> &[u8] {
    let words: &[u8] = arrow_buffer::ToByteSlice::to_byte_slice(view);
    &words[4..4 + bytes]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hasher: &RowHasher, columns: &[BinaryViewArray], row: usize) -> RowHash {
        columns
            .iter()
            .fold(hasher.bytes(b"resource"), |state, column| {
                hasher.cell(state, &ViewColumn::new(column), row)
            })
    }

    /// Every pair of cells that differ, also by null and by where one ends and the next begins.
    #[test]
    fn rows_hash_equal_exactly_when_their_cells_are_equal() {
        let long = "x".repeat(13);
        let longer = "x".repeat(40);
        let mut values: Vec<Option<&[u8]>> = vec![None];
        values.extend((0..=longer.len()).map(|bytes| Some(&longer.as_bytes()[..bytes])));
        values.extend([Some(&b"\0"[..]), Some(b"\0\0"), Some(b"ab"), Some(b"abc")]);
        values.push(Some(&long.as_bytes()[..12]));
        let mut rows = Vec::new();
        for first in &values {
            for second in &values {
                rows.push((*first, *second));
            }
        }
        let columns = [
            rows.iter().map(|row| row.0).collect::<BinaryViewArray>(),
            rows.iter().map(|row| row.1).collect::<BinaryViewArray>(),
        ];
        let hasher = RowHasher::random();
        let mut seen = std::collections::HashMap::new();
        for (at, cells) in rows.iter().enumerate() {
            let first = seen.entry(row(&hasher, &columns, at)).or_insert(*cells);
            assert_eq!(first, cells);
        }
        let distinct: std::collections::HashSet<_> = rows.iter().collect();
        assert_eq!(seen.len(), distinct.len());
    }

    #[test]
    fn columns_hash_like_their_cells() {
        let hasher = RowHasher::random();
        let values = [
            Some("a"),
            None,
            Some("a value of more than twelve bytes"),
            Some(""),
        ];
        let without_null = values.map(|value| value.or(Some("b")));
        for cells in [values, without_null, [None; 4]] {
            let column: BinaryViewArray = cells.iter().map(|v| v.map(str::as_bytes)).collect();
            let column = ViewColumn::new(&column);
            let start = hasher.bytes(b"r");
            let mut states = vec![start; column.views.len() - 1];
            hasher.views(&mut states, &column, 1);
            for (at, state) in states.iter().enumerate() {
                assert_eq!(*state, hasher.cell(start, &column, at + 1));
            }
        }
    }

    #[test]
    fn bytes_come_back_as_they_were() {
        let values = ["", "a", "twelve bytes", "thirteen byte"];
        let array: BinaryViewArray = values.iter().map(|value| Some(value.as_bytes())).collect();
        let column = ViewColumn::new(&array);
        for (row, value) in values.iter().enumerate() {
            assert_eq!(column.bytes(row), Some(value.as_bytes()));
        }
    }

    #[test]
    fn keys_differ_from_hasher_to_hasher() {
        assert_ne!(
            RowHasher::random().bytes(b"a"),
            RowHasher::random().bytes(b"a")
        );
    }
}
