//! Which signal a request is of.

use super::random::Random;
use super::signal::Signal;

/// Keeps this stream apart from all others.
const ORDER_STREAM: u64 = 1 << 40;

/// Requests of a round, at most: weights are kept exactly within a round.
pub(super) const ROUND_MAX: u32 = 10_000;

/// Shares of the signals among the requests.
///
/// Requests come in rounds with exactly as many of each signal as its weight, in an order that the
/// seed shuffles and that is the same in each round. So the number of a request tells at once its
/// signal, and how many of that signal came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// One for each of `Signal::ALL`, without a common factor.
    weights: [u32; 3],
    /// Place in the round -> its signal, and how many of it the round has before.
    round: Vec<(Signal, u32)>,
}

impl Mix {
    /// Spans alone.
    #[must_use]
    pub fn traces() -> Self {
        Self::new([1, 0, 0], 0).expect("one signal has a weight")
    }

    /// Shares by `weights`, one for each of `Signal::ALL`. `None` when all are 0 or, without their
    /// common factor, together above `ROUND_MAX`.
    #[must_use]
    pub fn new(weights: [u32; 3], seed: u64) -> Option<Self> {
        let factor = weights.into_iter().fold(0, common_factor);
        let weights = weights.map(|weight| weight.checked_div(factor).unwrap_or(0));
        let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        if sum == 0 || sum > u64::from(ROUND_MAX) {
            return None;
        }
        let mut order: Vec<Signal> = Signal::ALL
            .into_iter()
            .flat_map(|signal| std::iter::repeat_n(signal, weights[signal.index()] as usize))
            .collect();
        let mut random = Random::stream(seed, ORDER_STREAM);
        for last in (1..order.len()).rev() {
            // A round is far shorter than u32.
            order.swap(last, random.below(last as u32 + 1) as usize);
        }
        let mut seen = [0; 3];
        let place = |signal: Signal| {
            let before = seen[signal.index()];
            seen[signal.index()] += 1;
            (signal, before)
        };
        let round = order.into_iter().map(place).collect();
        Some(Self { weights, round })
    }

    pub(super) fn has(&self, signal: Signal) -> bool {
        self.weights[signal.index()] > 0
    }

    /// The part of `whole` that the signal's weight gives it, rounded down.
    pub(super) fn part(&self, signal: Signal, whole: usize) -> usize {
        let weight = u128::from(self.weights[signal.index()]);
        // Not above `whole`.
        (whole as u128 * weight / self.round.len() as u128) as usize
    }

    /// The signal of request `number`, and how many of that signal came before it.
    pub(super) fn at(&self, number: u64) -> (Signal, u64) {
        let places = self.round.len() as u64;
        // The remainder is below a length.
        let (signal, before) = self.round[(number % places) as usize];
        let weight = u64::from(self.weights[signal.index()]);
        (signal, number / places * weight + u64::from(before))
    }
}

fn common_factor(one: u32, other: u32) -> u32 {
    if other == 0 {
        one
    } else {
        common_factor(other, one % other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_the_weights_exactly_and_numbers_have_no_gaps() {
        let mix = Mix::new([80, 0, 20], 5).expect("weights");
        let mut next = [0; 3];
        for number in 0..50 {
            let (signal, of_signal) = mix.at(number);
            assert_eq!(of_signal, next[signal.index()]);
            next[signal.index()] += 1;
        }
        assert_eq!(next, [40, 0, 10]);
        assert_eq!(mix.at(3), Mix::new([4, 0, 1], 5).expect("weights").at(3));
    }

    #[test]
    fn parts_are_those_of_the_weights() {
        let mix = Mix::new([99, 0, 1], 5).expect("weights");
        let parts = Signal::ALL.map(|signal| mix.part(signal, 1_000));
        assert_eq!(parts, [990, 0, 10]);
        assert_eq!(Mix::traces().part(Signal::Traces, usize::MAX), usize::MAX);
    }

    #[test]
    fn seed_shuffles_the_order() {
        let order = |seed| {
            let mix = Mix::new([20, 20, 20], seed).expect("weights");
            mix.round
        };
        assert_ne!(order(1), order(2));
        assert_eq!(order(1), order(1));
    }

    #[test]
    fn weights_that_make_no_round_are_none() {
        assert_eq!(Mix::new([0, 0, 0], 1), None);
        assert_eq!(Mix::new([10_000, 1, 0], 1), None);
        assert!(Mix::new([10_000, 1_000, 0], 1).is_some());
    }
}
