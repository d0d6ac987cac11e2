//! The makers of all signals, and which signal a request is of.
//!
//! A maker appends request `number` of its signal to a message and says what stands in it: a function
//! of seed and number, but for the times.

use std::sync::Arc;

use super::encode::Encoder;
use super::load::{Load, Observation};
use super::random::Random;
use super::signal::Signal;
use super::source::Content;

/// Keeps the streams of requests apart from those of the load's services.
const REQUEST_STREAMS: u64 = 1 << 32;
/// And these from all others.
const SIGNAL_STREAMS: u64 = 1 << 40;

/// Shares of the signals among the requests, one weight for each of `Signal::ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    pub weights: [u32; 3],
}

impl Mix {
    pub const TRACES: Self = Self { weights: [1, 0, 0] };

    /// The signal of request `number`. Some weight is above 0.
    pub(super) fn signal(self, seed: u64, number: u64) -> Signal {
        let used = |signal: &Signal| self.weights[signal.index()] > 0;
        let mut signals = Signal::ALL.into_iter().filter(used);
        let (first, second) = (signals.next(), signals.next());
        if let (Some(only), None) = (first, second) {
            return only;
        }
        let sum: u32 = self.weights.iter().sum();
        let mut ticket = Random::stream(seed, SIGNAL_STREAMS + number).below(sum);
        for signal in Signal::ALL {
            let weight = self.weights[signal.index()];
            if ticket < weight {
                return signal;
            }
            ticket -= weight;
        }
        unreachable!("a ticket is below the sum of the weights")
    }
}

pub(super) struct Makers {
    traces: TraceMaker,
}

impl Makers {
    pub(super) fn new(load: &Arc<Load>) -> Self {
        Self {
            traces: TraceMaker {
                load: Arc::clone(load),
                encoder: Encoder::new(load),
            },
        }
    }

    /// Appends request `number`, with `items` items, to `out`.
    pub(super) fn make(
        &mut self,
        _signal: Signal,
        number: u64,
        items: u32,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Content {
        Content::Fresh(self.traces.make(number, items, now_ns, out))
    }
}

struct TraceMaker {
    load: Arc<Load>,
    encoder: Encoder,
}

impl TraceMaker {
    fn make(
        &mut self,
        number: u64,
        items: u32,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Vec<Observation> {
        let load = &self.load;
        let mut random = Random::stream(load.options.seed, REQUEST_STREAMS + number);
        let resource = random.below(load.resources.len() as u32);
        let mut observations = Vec::with_capacity(items as usize);
        for _ in 0..items {
            let observation = load.draw(resource, &mut random);
            let scope = load.operation(observation.shape).scope;
            self.encoder.add(scope, &observation, now_ns, &mut random);
            observations.push(observation);
        }
        self.encoder.finish(resource, out);
        observations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_shares_of_the_signals_and_the_draw_is_repeatable() {
        let mix = Mix { weights: [8, 0, 2] };
        let draw = || (0..10_000).map(|number| mix.signal(5, number).index());
        let mut counts = [0; 3];
        draw().for_each(|index| counts[index] += 1);
        assert!((7_800..8_200).contains(&counts[0]), "{counts:?}");
        assert_eq!((counts[1], counts[0] + counts[2]), (0, 10_000));
        assert!(draw().eq(draw()));
        let only = Mix { weights: [0, 3, 0] };
        assert_eq!(only.signal(5, 7), Signal::Metrics);
    }
}
