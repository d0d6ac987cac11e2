//! What a series counts in each interval, drawn once, and the running total of any of them at once.
//!
//! The counts of [`INTERVALS`] intervals are drawn per metric and repeat, each series beginning at
//! its own place. So the total after n intervals is a difference of prefix sums: nobody has to have
//! seen the intervals before, several threads agree without talking, and it is exact, since all is
//! integers.

/// Distinct intervals of a metric.
pub(super) const INTERVALS: usize = 64;

/// Which intervals of the endless sequence are meant: `count` of them from `phase` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Below [`INTERVALS`].
    pub(super) phase: usize,
    pub(super) count: u64,
}

/// Columns that are counted together: sums and buckets of one metric.
#[derive(Clone, Debug)]
pub(super) struct Round {
    width: usize,
    /// Row i: the sum of the first i intervals.
    prefixes: Vec<i128>,
}

impl Span {
    /// The last interval of it alone.
    pub(super) fn last(self) -> Self {
        Self {
            phase: self.index_of_last(),
            count: 1,
        }
    }

    /// Index of its last interval into the round.
    pub(super) fn index_of_last(self) -> usize {
        debug_assert!(self.count > 0);
        // The remainder is below `INTERVALS`.
        let before = ((self.count - 1) % INTERVALS as u64) as usize;
        (self.phase + before) % INTERVALS
    }

    /// Indices of all its intervals, each once.
    pub(super) fn indices(self) -> impl Iterator<Item = usize> {
        let distinct = self.count.min(INTERVALS as u64) as usize;
        (self.phase..self.phase + distinct).map(|index| index % INTERVALS)
    }
}

impl Round {
    /// From the columns of each interval.
    pub(super) fn new(width: usize, rows: &[Vec<i128>]) -> Self {
        debug_assert_eq!(rows.len(), INTERVALS);
        let mut prefixes = vec![0; width];
        for row in rows {
            let begin = prefixes.len() - width;
            for column in 0..width {
                prefixes.push(prefixes[begin + column] + row[column]);
            }
        }
        Self { width, prefixes }
    }

    /// The sum of one column over these intervals.
    pub(super) fn total(&self, span: Span, column: usize) -> i128 {
        let at = |row: usize| self.prefixes[row * self.width + column];
        let rounds = i128::from(span.count / INTERVALS as u64);
        // The remainder is below `INTERVALS`.
        let end = span.phase + (span.count % INTERVALS as u64) as usize;
        let rest = match end.checked_sub(INTERVALS) {
            None => at(end) - at(span.phase),
            Some(wrapped) => at(INTERVALS) - at(span.phase) + at(wrapped),
        };
        rounds * at(INTERVALS) + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_what_adding_one_by_one_gives() {
        let rows: Vec<Vec<i128>> = (0..INTERVALS as i128)
            .map(|row| vec![row * row % 17 - 3, row % 5])
            .collect();
        let round = Round::new(2, &rows);
        for phase in [0, 1, 40, INTERVALS - 1] {
            let mut sums = [0; 2];
            for count in 1..300 {
                let span = Span { phase, count };
                let row = &rows[(phase + count as usize - 1) % INTERVALS];
                assert_eq!(rows[span.index_of_last()], *row);
                for column in 0..2 {
                    sums[column] += row[column];
                    assert_eq!(round.total(span, column), sums[column]);
                    assert_eq!(round.total(span.last(), column), row[column]);
                }
            }
        }
    }
}
