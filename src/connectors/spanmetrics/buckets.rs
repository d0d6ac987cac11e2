//! Durations and places of rows in, buckets and sums added: the histogram kernel.
//!
//! The Collector compares floats: a span is in the first bucket whose `f64(bound) / unit` is not below
//! `f64(duration) / unit`. Both sides never fall while their integers grow, so each bound has a
//! largest integer duration that still compares as not above it: its *threshold*. Comparing integers
//! with thresholds is the same decision. The simple form is a search over the thresholds as they stand
//! in the file ([`Buckets::index`] does it; for lists out of order it lands where the Collector's
//! binary search lands). For speed:
//!
//! 1. A list in order needs no search but a count of the thresholds below the duration. Those of lower
//!    octaves (powers of two) are counted beforehand, by octave of the duration; only the few of the
//!    same octave are compared.
//! 2. The compare's borrow goes straight into the index as a carry.
//! 3. Offsets are checked once a batch, not once a row.
//!
//! Runs on a worker core, per row; unsafe in `Octaves::observe`; instructions a row: bench
//! `instructions`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "octaves and offsets are far below their types' ends"
)]
#![allow(
    clippy::cast_precision_loss,
    reason = "durations and bounds are rounded where the Collector rounds them"
)]
#![allow(
    unsafe_code,
    reason = "rows are bounds-checked once a batch; the bench groups/buckets pays for it"
)]

use super::options::{HistogramOptions, Unit};

#[cfg(test)]
mod tests;

/// Words of a row before its buckets: the sum.
const SUM_WORDS: usize = 2;
const OCTAVES: usize = 64;

/// How durations fall into buckets.
pub struct Buckets {
    /// By bound, in the order of the file: the largest duration in nanoseconds that is not above it;
    /// `None` for a bound below zero.
    thresholds: Vec<Option<u64>>,
    kernel: Kernel,
}

/// The fast form with as many compares as some octave has thresholds; `Search` for all other lists.
enum Kernel {
    One(Box<Octaves<1>>),
    Two(Box<Octaves<2>>),
    Four(Box<Octaves<4>>),
    Search,
}

struct Octaves<const COMPARES: usize> {
    /// Octave of a duration -> word of the first bucket that it can be in.
    first: [u64; OCTAVES],
    /// Compare -> octave -> threshold; those missing are never exceeded.
    thresholds: [[u64; OCTAVES]; COMPARES],
    words: usize,
}

impl Buckets {
    #[must_use]
    pub fn new(options: &HistogramOptions) -> Self {
        let nanos_per_unit = options.unit.nanos();
        let thresholds: Vec<Option<u64>> = options
            .bounds_ns
            .iter()
            .map(|bound_ns| threshold(*bound_ns, nanos_per_unit))
            .collect();
        let kernel = Kernel::new(&thresholds);
        Self { thresholds, kernel }
    }

    /// Buckets with the one above all bounds.
    #[must_use]
    pub fn count(&self) -> u16 {
        let count = self.thresholds.len() + 1;
        u16::try_from(count).expect("a configuration file holds no 65,535 bounds")
    }

    /// The bucket of a duration: the simple form.
    #[must_use]
    pub fn index(&self, duration_ns: u64) -> usize {
        // The Collector's own search, step by step: where the list is out of order, the result
        // depends on which places are looked at.
        let (mut low, mut high) = (0, self.thresholds.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.thresholds[middle].is_none_or(|threshold| threshold < duration_ns) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Adds each duration to the row that starts at its offset.
    ///
    /// # Hot path
    /// - runs: on a worker, once a batch
    /// - cost: no allocation; at most 12 instructions a row (bench `instructions`)
    /// - invariants: as many offsets as durations; a row of all buckets at each offset (checked)
    /// - units: durations in nanoseconds, offsets in words of `rows`
    pub fn observe(&self, durations_ns: &[u64], offsets: &[u32], rows: &mut [u64]) {
        match &self.kernel {
            Kernel::One(octaves) => observe_octaves(octaves, durations_ns, offsets, rows),
            Kernel::Two(octaves) => observe_octaves(octaves, durations_ns, offsets, rows),
            Kernel::Four(octaves) => observe_octaves(octaves, durations_ns, offsets, rows),
            Kernel::Search => self.observe_searching(durations_ns, offsets, rows),
        }
    }

    fn observe_searching(&self, durations_ns: &[u64], offsets: &[u32], rows: &mut [u64]) {
        for (duration_ns, offset) in durations_ns.iter().zip(offsets) {
            let row = &mut rows[*offset as usize..];
            let (low, carry) = row[0].overflowing_add(*duration_ns);
            row[0] = low;
            row[1] += u64::from(carry);
            row[SUM_WORDS + self.index(*duration_ns)] += 1;
        }
    }
}

impl Unit {
    /// Nanoseconds of one.
    #[must_use]
    pub fn nanos(self) -> f64 {
        match self {
            Self::Milliseconds => 1e6,
            Self::Seconds => 1e9,
        }
    }
}

impl Kernel {
    fn new(thresholds: &[Option<u64>]) -> Self {
        if !thresholds.is_sorted() {
            return Self::Search;
        }
        let in_octave = |wanted: usize| {
            let there = thresholds.iter().flatten();
            there
                .filter(|threshold| octave(**threshold) == wanted)
                .count()
        };
        match (0..OCTAVES).map(in_octave).max() {
            None | Some(0 | 1) => Self::One(Octaves::new(thresholds)),
            Some(2) => Self::Two(Octaves::new(thresholds)),
            Some(3 | 4) => Self::Four(Octaves::new(thresholds)),
            Some(_) => Self::Search,
        }
    }
}

impl<const COMPARES: usize> Octaves<COMPARES> {
    /// The thresholds are in order, and no octave has more of them than `COMPARES`.
    fn new(thresholds: &[Option<u64>]) -> Box<Self> {
        let mut octaves = Box::new(Self {
            first: [0; OCTAVES],
            thresholds: [[u64::MAX; OCTAVES]; COMPARES],
            words: SUM_WORDS + thresholds.len() + 1,
        });
        for index in 0..OCTAVES {
            let is_below = |threshold: &&Option<u64>| threshold.is_none_or(|t| octave(t) < index);
            octaves.first[index] = (SUM_WORDS + thresholds.iter().filter(is_below).count()) as u64;
            let here = thresholds.iter().flatten().filter(|t| octave(**t) == index);
            for (compare, threshold) in here.enumerate() {
                octaves.thresholds[compare][index] = *threshold;
            }
        }
        octaves
    }
}

/// 0 and 1 share the lowest.
#[inline]
fn octave(duration_ns: u64) -> usize {
    (duration_ns | 1).ilog2() as usize
}

/// Rows handled in a turn of the loop.
const TURN_ROWS: usize = 4;

/// The kernel. Not inlined, so that `instructions` can count it by name.
#[inline(never)]
fn observe_octaves<const COMPARES: usize>(
    octaves: &Octaves<COMPARES>,
    durations_ns: &[u64],
    offsets: &[u32],
    rows: &mut [u64],
) {
    assert_eq!(durations_ns.len(), offsets.len());
    assert!(
        has_rows(offsets, octaves.words, rows.len()),
        "a row at each offset"
    );
    // PERF: four rows a turn save two instructions a row; bench instructions.
    let (durations_ns, last_durations_ns) = durations_ns.as_chunks::<TURN_ROWS>();
    let (offsets, last_offsets) = offsets.as_chunks::<TURN_ROWS>();
    for (durations_ns, offsets) in durations_ns.iter().zip(offsets) {
        for at in 0..TURN_ROWS {
            // SAFETY: `has_rows` looked at this offset.
            unsafe { octaves.observe(durations_ns[at], offsets[at], rows) };
        }
    }
    for (duration_ns, offset) in last_durations_ns.iter().zip(last_offsets) {
        // SAFETY: as above.
        unsafe { octaves.observe(*duration_ns, *offset, rows) };
    }
}

/// Whether `offset + words <= len` for each offset.
fn has_rows(offsets: &[u32], words: usize, len: usize) -> bool {
    let Some(last) = len.checked_sub(words) else {
        return offsets.is_empty();
    };
    // Offsets stay below 2^31, see `Window::BYTES_MAX`.
    let beyond = last.min(i32::MAX as usize - 1) as i32 + 1;
    // PERF: signs say it all: an offset is below `beyond` if it is not negative and what is left of
    // it without `beyond` is. Vectors of baseline x86-64 subtract, or and and, but have no unsigned
    // maximum; bench instructions.
    let (turns, rest) = offsets.as_chunks::<CHECKED_ROWS>();
    let mut any = [0; CHECKED_ROWS];
    let mut every = [-1; CHECKED_ROWS];
    for turn in turns {
        for (lane, offset) in turn.iter().enumerate() {
            let offset = offset.cast_signed();
            any[lane] |= offset;
            every[lane] &= offset.wrapping_sub(beyond);
        }
    }
    let is_below = |offset: &u32| i64::from(*offset) < i64::from(beyond);
    let any = any.iter().fold(0, |signs, lane| signs | lane);
    let every = every.iter().fold(-1, |signs, lane| signs & lane);
    any >= 0 && every < 0 && rest.iter().all(is_below)
}

/// Offsets looked at in a turn.
const CHECKED_ROWS: usize = 16;

impl<const COMPARES: usize> Octaves<COMPARES> {
    /// Adds one duration to the row at `offset`.
    ///
    /// # Safety
    /// `offset + self.words <= rows.len()`.
    #[inline]
    unsafe fn observe(&self, duration_ns: u64, offset: u32, rows: &mut [u64]) {
        let start = offset as usize;
        // SAFETY: the caller's promise; `words` is at least 3.
        let low = unsafe { rows.get_unchecked_mut(start) };
        let (sum, carry) = low.overflowing_add(duration_ns);
        *low = sum;
        // SAFETY: as above.
        let high = unsafe { rows.get_unchecked_mut(start + 1) };
        *high = high.wrapping_add(u64::from(carry));
        let octave = octave(duration_ns);
        let mut word = u64::from(offset);
        let mut add = self.first[octave];
        for thresholds in &self.thresholds {
            word = add_carrying(word, add, thresholds[octave] < duration_ns);
            add = 0;
        }
        // SAFETY: `word - offset` is `first` (2 + thresholds of lower octaves) and one more for some
        // thresholds of this octave: at most 2 + all thresholds, which is `words - 1`.
        let bucket = unsafe { rows.get_unchecked_mut(word as usize) };
        *bucket += 1;
    }
}

/// `a + b + carry`.
#[inline]
fn add_carrying(a: u64, b: u64, carry: bool) -> u64 {
    // PERF: written plainly, the compare's flag goes through two registers; bench instructions.
    #[cfg(target_arch = "x86_64")]
    {
        let mut sum = 0;
        core::arch::x86_64::_addcarry_u64(u8::from(carry), a, b, &mut sum);
        sum
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        a.wrapping_add(b).wrapping_add(u64::from(carry))
    }
}

/// The largest duration that the Collector's comparison of floats puts at or below the bound.
fn threshold(bound_ns: i64, nanos_per_unit: f64) -> Option<u64> {
    let bound = bound_ns as f64 / nanos_per_unit;
    let is_within = |duration_ns: u64| duration_ns as f64 / nanos_per_unit <= bound;
    if !is_within(0) {
        return None;
    }
    // The predicate is true up to the threshold and false after it: both the conversion and the
    // division round monotonically.
    let (mut within, mut above) = (0, u64::MAX);
    if is_within(above) {
        return Some(above);
    }
    while above - within > 1 {
        let middle = within.midpoint(above);
        if is_within(middle) {
            within = middle;
        } else {
            above = middle;
        }
    }
    Some(within)
}
