//! A seed in, the same numbers out on every machine and in every version.
//!
//! `SplitMix64` (Steele, Lea, Flood 2014): ten lines, one word of state, passes `BigCrush`. A crate was
//! not taken because its stream may change with a version, and a load must not.

use std::f64::consts::TAU;

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator of its own for the `stream`-th user of one seed.
    #[must_use]
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut whole = Self::new(seed ^ stream.wrapping_mul(GOLDEN_GAMMA).rotate_left(32));
        Self::new(whole.word())
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform below `limit`, which is not 0. The bias of the multiplication is below 2^-32.
    pub fn below(&mut self, limit: u32) -> u32 {
        debug_assert!(limit > 0);
        // The product of two 32-bit numbers, shifted by 32, fits 32 bits.
        (((self.word() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// The same below a limit of 64 bits; the bias is below `limit` / 2^64.
    pub fn below_u64(&mut self, limit: u64) -> u64 {
        debug_assert!(limit > 0);
        // The product of two 64-bit numbers, shifted by 64, fits 64 bits.
        ((u128::from(self.word()) * u128::from(limit)) >> 64) as u64
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits are exact in f64.
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// So many random hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let words = std::iter::repeat_with(|| format!("{:016x}", self.word()));
        let mut text: String = words.take(digits.div_ceil(16)).collect();
        text.truncate(digits);
        text
    }

    /// True for `share` of the calls.
    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.unit() < share
    }

    /// Standard normal (Box and Muller 1958; the second value is not kept).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.word(), 6_457_827_717_110_365_317);
        assert_eq!(random.word(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(Random::stream(1, 0).word(), Random::stream(1, 1).word());
        assert_eq!(Random::stream(1, 1).word(), Random::stream(1, 1).word());
    }

    #[test]
    fn numbers_stay_below_their_limit_and_reach_it() {
        let mut random = Random::new(7);
        let seen: std::collections::BTreeSet<u32> = (0..1_000).map(|_| random.below(5)).collect();
        assert_eq!(seen, (0..5).collect());
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut random = Random::new(3);
        let draws: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }
}
