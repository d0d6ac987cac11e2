//! Latencies in, percentiles out, in fixed memory.
//!
//! Log-linear: 64 equal steps within each power of two of a microsecond, so a percentile is at most
//! 1.6 % above the true one. The maximum is exact.

use std::time::Duration;

/// Steps within a power of two; a power of two itself.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Powers of two above `STEPS` microseconds that are told apart: up to 2^32 us, over an hour.
const POWERS: usize = 27;
const SLOTS: usize = STEPS as usize * POWERS;

#[derive(Clone, Debug)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: vec![0; SLOTS],
            total: 0,
            max: Duration::ZERO,
        }
    }
}

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.counts[slot(micros)] += 1;
        self.total += 1;
        self.max = self.max.max(latency);
    }

    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The upper end of the step that holds the `share`-th latency; zero when there is none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Duration {
        debug_assert!((0.0..=1.0).contains(&share));
        // Request counts are far below 2^53; the product is not negative.
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper_end(slot)).min(self.max);
            }
        }
        self.max
    }
}

fn slot(micros: u64) -> usize {
    let power = (64 - micros.leading_zeros()).saturating_sub(STEP_BITS + 1);
    // Power 0 holds twice the steps: below 128 us each microsecond has its own slot.
    let slot = u64::from(power) * STEPS + (micros >> power);
    usize::try_from(slot).map_or(SLOTS - 1, |slot| slot.min(SLOTS - 1))
}

fn upper_end(slot: usize) -> u64 {
    let slot = slot as u64;
    let power = (slot / STEPS).saturating_sub(1);
    ((slot - power * STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_step_of_the_sorted_list() {
        let mut latencies = Latencies::default();
        let mut random = super::super::random::Random::new(11);
        let mut sorted: Vec<u64> = (0..10_000)
            .map(|_| (random.normal().mul_add(1.5, 7.0)).exp() as u64)
            .collect();
        for micros in &sorted {
            latencies.add(Duration::from_micros(*micros));
        }
        sorted.sort_unstable();
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = sorted[((share * 1e4) as usize).max(1) - 1] as f64;
            let got = latencies.percentile(share).as_micros() as f64;
            assert!(
                got >= exact && got <= exact * 1.016 + 1.0,
                "{share}: {got} for {exact}"
            );
        }
        assert_eq!(latencies.max(), Duration::from_micros(sorted[9_999]));
    }

    #[test]
    fn each_slot_holds_its_upper_end_and_the_next_value_does_not() {
        for micros in (0..200_000).chain([u64::from(u32::MAX) / 2]) {
            assert!(upper_end(slot(micros)) >= micros, "{micros}");
            assert_eq!(slot(upper_end(slot(micros))), slot(micros), "{micros}");
        }
    }

    #[test]
    fn merging_equals_adding_to_one() {
        let (mut one, mut two, mut both) = Default::default();
        for micros in 0..1_000 {
            let half: &mut Latencies = if micros % 3 == 0 { &mut one } else { &mut two };
            half.add(Duration::from_micros(micros * 37));
            Latencies::add(&mut both, Duration::from_micros(micros * 37));
        }
        one.merge(&two);
        assert_eq!(one.percentile(0.75), both.percentile(0.75));
        assert_eq!(one.count(), both.count());
    }

    #[test]
    fn beyond_the_last_step_the_maximum_stands() {
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_secs(1 << 40));
        assert_eq!(
            latencies.percentile(0.5).as_secs(),
            upper_end(SLOTS - 1) / 1_000_000
        );
        assert_eq!(latencies.max().as_secs(), 1 << 40);
    }
}
