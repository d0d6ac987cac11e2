//! Ranks whose frequency falls as a power: the k-th is drawn in proportion to 1 / (k + 1)^exponent.
//!
//! Rejection-inversion (Hormann and Derflinger 1996): no table, so a billion ranks cost no memory, and
//! fewer than 1.2 draws on average whatever their number.

use crate::generate::random::Random;

#[derive(Clone, Debug, PartialEq)]
pub struct Zipf {
    count: u32,
    exponent: f64,
    /// Integral of the density up to the middle of the first rank, and beyond the last.
    low: f64,
    high: f64,
    /// Ranks so near to their point are taken without a look at the density.
    near: f64,
}

impl Zipf {
    /// What an exponent may be, for a message.
    pub const EXPONENTS: &str = "above 0, at most 10; 1 is common";

    /// `None`: the exponent is not between 0 and 10, or nothing is to be drawn.
    #[must_use]
    pub fn new(count: u32, exponent: f64) -> Option<Self> {
        let is_fit = count > 0 && exponent > 0.0 && exponent <= 10.0;
        is_fit.then(|| {
            let mut zipf = Self {
                count,
                exponent,
                low: 0.0,
                high: 0.0,
                near: 0.0,
            };
            zipf.low = zipf.integral(1.5) - 1.0;
            zipf.high = zipf.integral(f64::from(count) + 0.5);
            zipf.near = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.density(2.0));
            zipf
        })
    }

    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// A rank below the count; 0 is the most frequent.
    pub fn draw(&self, random: &mut Random) -> u32 {
        loop {
            let area = (self.low - self.high).mul_add(random.unit(), self.high);
            let point = self.inverse(area);
            let rank = point.round().clamp(1.0, f64::from(self.count));
            let is_taken =
                rank - point <= self.near || area >= self.integral(rank + 0.5) - self.density(rank);
            if is_taken {
                // From 1 to the count.
                return rank as u32 - 1;
            }
        }
    }

    fn density(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// (x^(1 - exponent) - 1) / (1 - exponent), or its limit, the logarithm.
    fn integral(&self, x: f64) -> f64 {
        let ln = x.ln();
        let power = 1.0 - self.exponent;
        if power.abs() < 1e-9 {
            ln
        } else {
            (power * ln).exp_m1() / power
        }
    }

    fn inverse(&self, area: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power.abs() < 1e-9 {
            area.exp()
        } else {
            // A rounding may reach below what has a logarithm.
            ((power * area).max(-1.0).ln_1p() / power).exp()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_fall_as_the_power_says() {
        for exponent in [0.5, 1.0, 1.1, 2.0] {
            let zipf = Zipf::new(50, exponent).expect("fit");
            let mut random = Random::new(9);
            let mut counts = [0_u32; 50];
            let draws = 400_000;
            for _ in 0..draws {
                counts[zipf.draw(&mut random) as usize] += 1;
            }
            let weight = |rank: usize| (rank as f64 + 1.0).powf(-exponent);
            let total: f64 = (0..50).map(weight).sum();
            for rank in [0, 1, 2, 5, 20, 49] {
                let wanted = f64::from(draws) * weight(rank) / total;
                let got = f64::from(counts[rank]);
                // Five standard deviations.
                assert!(
                    (got - wanted).abs() < 5.0 * wanted.sqrt() + 1.0,
                    "exponent {exponent}, rank {rank}: {got} for {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_billion_ranks_stay_below_their_number() {
        let zipf = Zipf::new(1_000_000_000, 1.1).expect("fit");
        let mut random = Random::new(2);
        let ranks: Vec<u32> = (0..10_000).map(|_| zipf.draw(&mut random)).collect();
        assert!(ranks.iter().all(|rank| *rank < 1_000_000_000));
        assert!(
            ranks.iter().any(|rank| *rank > 1_000_000),
            "the tail is there"
        );
        let single = Zipf::new(1, 1.0).expect("fit");
        assert_eq!(single.draw(&mut random), 0);
    }

    #[test]
    fn exponents_that_are_none_are_refused() {
        for exponent in [0.0, -1.0, 10.5, f64::NAN, f64::INFINITY] {
            assert_eq!(Zipf::new(5, exponent), None, "{exponent}");
        }
        assert_eq!(Zipf::new(0, 1.0), None);
    }
}
