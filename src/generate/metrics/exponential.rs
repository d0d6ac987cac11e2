//! Buckets of exponential histograms: which one a value falls in, and how fine they may be.
//!
//! Bucket `i` of scale `s` holds what is above `b^i` and not above `b^(i+1)`, `b` being `2^(2^-s)`.

use super::plan::EXPONENTIAL_BUCKETS_MAX;

/// The scales of OTLP's SDKs.
pub const SCALE_MIN: i32 = -10;
pub const SCALE_MAX: i32 = 20;

/// Bits of an f64 that hold the fraction.
const FRACTION_BITS: u32 = 52;
const EXPONENT_BIAS: i64 = 1023;

/// The bucket of a normal number above zero.
pub(super) fn index(value: f64, scale: i32) -> i64 {
    debug_assert!(value.is_normal() && value > 0.0);
    let bits = value.to_bits();
    // The sign is 0, so what is left above the fraction are the eleven bits of the exponent.
    let exponent = (bits >> FRACTION_BITS).cast_signed() - EXPONENT_BIAS;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let is_power = fraction == 0;
    if scale <= 0 {
        return (exponent - i64::from(is_power)) >> -scale;
    }
    let first = exponent << scale;
    if is_power {
        return first - 1;
    }
    let mantissa = f64::from_bits(fraction | 1.0_f64.to_bits());
    let steps = (mantissa.log2() * f64::from(scale).exp2()).ceil() as i64;
    // Rounding may not carry it out of its octave.
    first + steps.clamp(1, 1 << scale) - 1
}

/// First bucket and number of buckets that hold these values; `None` when there are none.
pub(super) fn range(values: impl Iterator<Item = f64>, scale: i32) -> Option<(i64, usize)> {
    let indices = values.map(|value| index(value, scale));
    let (least, most) = indices.fold((i64::MAX, i64::MIN), |(least, most), index| {
        (least.min(index), most.max(index))
    });
    // At most 2048 octaves of 2^20 buckets.
    (least <= most).then(|| (least, (most - least + 1) as usize))
}

/// The finest scale, not above `scale`, whose buckets are few enough for each of the lists.
pub(super) fn fitting_scale(lists: [&[f64]; 2], scale: i32) -> i32 {
    let fits = |scale: &i32| {
        lists.iter().all(|values| {
            range(values.iter().copied(), *scale)
                .is_none_or(|(_, buckets)| buckets <= EXPONENTIAL_BUCKETS_MAX)
        })
    };
    // At the coarsest one all of f64 falls into four buckets.
    (SCALE_MIN..=scale).rev().find(fits).unwrap_or(SCALE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::random::Random;

    #[test]
    fn a_value_lies_within_the_bounds_of_its_bucket() {
        let mut random = Random::new(5);
        for scale in SCALE_MIN..=SCALE_MAX {
            for _ in 0..200 {
                let value = (random.unit() * 40.0 - 20.0).exp();
                let index = index(value, scale);
                let width = f64::from(-scale).exp2();
                let (lower, upper) = (index as f64 * width, (index + 1) as f64 * width);
                let at = value.log2();
                assert!(
                    lower - 1e-12 < at && at <= upper + 1e-12,
                    "{value} at {scale}: {lower} {at} {upper}"
                );
            }
        }
    }

    #[test]
    fn a_power_of_two_is_the_upper_bound_of_its_bucket() {
        for (value, scale, expected) in [
            (1.0, 0, -1),
            (2.0, 0, 0),
            (3.0, 0, 1),
            (4.0, 0, 1),
            (2.0, 1, 1),
            (4.0, -1, 0),
            (5.0, -1, 1),
            (0.25, 3, -17),
        ] {
            assert_eq!(index(value, scale), expected, "{value} at {scale}");
        }
    }

    #[test]
    fn the_scale_is_lowered_until_the_buckets_are_few_enough() {
        let near = [1.0, 1.01];
        assert_eq!(fitting_scale([&near, &[]], 5), 5);
        let wide = [1e-3, 1e9];
        let scale = fitting_scale([&near, &wide], 20);
        let (_, buckets) = range(wide.into_iter(), scale).unwrap();
        assert!(buckets <= EXPONENTIAL_BUCKETS_MAX);
        let (_, finer) = range(wide.into_iter(), scale + 1).unwrap();
        assert!(finer > EXPONENTIAL_BUCKETS_MAX);
    }
}
