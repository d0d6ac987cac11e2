//! When the n-th interval of the series ended: one time for all its points, whoever sends them.
//!
//! A point of a delta series begins where the one before ended, and a later interval has a later
//! time, even when requests are made by several threads and not in their order. The times of the
//! last intervals are kept; the first who asks for one fixes it. Two intervals never share a
//! millisecond, since many targets keep no more than that.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Intervals whose time is remembered; far more than requests are in flight.
const KEPT_MAX: usize = 1_024;
const MILLISECOND_NS: u64 = 1_000_000;
/// The first interval, which nobody has seen begin, is as long as SDKs of a quick service have it.
const FIRST_NS: u64 = 10_000_000_000;

/// Of one interval, in Unix nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// When the process, so all of its counting, began.
    pub(super) process_begin: u64,
    pub(super) begin: u64,
    pub(super) end: u64,
}

#[derive(Debug, Default)]
pub(super) struct Intervals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// 0: nobody has asked yet.
    process_begin: u64,
    /// Number of the oldest interval in `ends`.
    first: u64,
    ends: VecDeque<u64>,
}

impl Intervals {
    pub(super) fn times(&self, interval: u64, now_ns: u64) -> Times {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.extend(interval, now_ns);
        Times {
            process_begin: state.process_begin,
            begin: interval
                .checked_sub(1)
                .map_or(state.process_begin, |before| state.end(before)),
            end: state.end(interval),
        }
    }
}

impl State {
    /// Fixes the times up to and with this interval.
    fn extend(&mut self, interval: u64, now_ns: u64) {
        if self.process_begin == 0 {
            self.process_begin = now_ns.saturating_sub(FIRST_NS).max(1);
        }
        let next = self.first + self.ends.len() as u64;
        let Some(gap) = interval.checked_sub(next) else {
            return;
        };
        let steps = gap + 1;
        let last = self.ends.back().copied().unwrap_or(self.process_begin);
        let end = now_ns.max(last.saturating_add(steps.saturating_mul(MILLISECOND_NS)));
        // Those between, whose turn is yet to come, divide the time evenly.
        let width = (end - last) / steps;
        for step in steps.saturating_sub(KEPT_MAX as u64)..steps {
            self.ends.push_back(end - (steps - 1 - step) * width);
        }
        self.ends.drain(..self.ends.len().saturating_sub(KEPT_MAX));
        self.first = interval + 1 - self.ends.len() as u64;
    }

    /// Of an interval that was fixed; one long past gets a time before those remembered.
    fn end(&self, interval: u64) -> u64 {
        let oldest = self.ends[0];
        match interval.checked_sub(self.first) {
            // At most `KEPT_MAX`: later ones are fixed before they are asked for.
            Some(index) => self.ends[index as usize],
            None => oldest
                .saturating_sub((self.first - interval).saturating_mul(MILLISECOND_NS))
                .max(self.process_begin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn an_interval_begins_where_the_one_before_ended() {
        let intervals = Intervals::default();
        let first = intervals.times(0, NOW_NS);
        let second = intervals.times(1, NOW_NS + 5_000_000_000);
        assert_eq!(first.begin, first.process_begin);
        assert_eq!(first.end, NOW_NS);
        assert_eq!(second.begin, first.end);
        assert_eq!(second.end, NOW_NS + 5_000_000_000);
        assert_eq!(second.process_begin, first.process_begin);
    }

    #[test]
    fn whoever_asks_later_gets_the_same_time() {
        let intervals = Intervals::default();
        let one = intervals.times(3, NOW_NS);
        assert_eq!(intervals.times(3, NOW_NS + 1), one);
    }

    #[test]
    fn times_rise_by_a_millisecond_in_whatever_order_they_are_asked_for() {
        let intervals = Intervals::default();
        for interval in [4, 1, 2, 0, 3, 9, 7, 5_000, 4_999, 4_500] {
            intervals.times(interval, NOW_NS);
        }
        let ends: Vec<u64> = (4_000..=5_000)
            .map(|interval| intervals.times(interval, NOW_NS).end)
            .collect();
        assert!(
            ends.windows(2)
                .all(|pair| pair[0] + MILLISECOND_NS <= pair[1])
        );
    }

    #[test]
    fn long_past_intervals_end_before_those_that_are_remembered() {
        let intervals = Intervals::default();
        intervals.times(100_000, NOW_NS);
        let times = intervals.times(7, NOW_NS);
        assert!(times.begin <= times.end);
        assert!(times.end < intervals.times(99_999, NOW_NS).end);
    }
}
