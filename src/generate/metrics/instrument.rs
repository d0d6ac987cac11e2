//! One metric with everything drawn that its points are made of.

use super::dimension;
use super::exponential;
use super::plan::{EXPONENTIAL_BUCKETS_MAX, Kind, Metric, Number};
use super::round::{INTERVALS, Round, Span};
use crate::generate::random::Random;

/// No value is larger, and no increment: so totals stay far from the end of i128.
const VALUE_MAX: f64 = 1e12;
/// Doubles are counted in millionths, so that their totals are exact.
const UNITS_PER_DOUBLE: f64 = 1e6;

/// Columns of a [`Round`].
pub(super) const SUM: usize = 0;
pub(super) const COUNT: usize = 1;
pub(super) const ZERO: usize = 2;
const FIRST_BUCKET: usize = 2;

pub(super) struct Instrument {
    pub(super) metric: Metric,
    pub(super) counted: Counted,
    /// Intervals after which its series make room for new ones.
    pub(super) lifetime: Option<u64>,
}

/// What stands behind the points, by the type of the metric.
pub(super) enum Counted {
    /// A gauge or up-down counter: each interval has a level of its own, drawn when asked for.
    Level,
    /// A monotonic sum: [`SUM`].
    Increments(Round),
    /// [`SUM`], [`COUNT`] and the buckets of the bounds.
    Explicit(Measured),
    /// [`SUM`], [`COUNT`], [`ZERO`], positive and negative buckets.
    Exponential {
        measured: Measured,
        scale: i32,
        positive: Buckets,
        negative: Buckets,
    },
    /// [`SUM`], [`COUNT`], and the quantiles' values of each interval.
    Summary {
        measured: Measured,
        quantiles: Vec<Vec<f64>>,
    },
}

/// Neighbouring columns that are buckets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buckets {
    /// Column of the first.
    pub(super) first: usize,
    pub(super) count: usize,
    /// Exponential index of the first.
    pub(super) offset: i64,
}

pub(super) struct Measured {
    pub(super) round: Round,
    /// Least and greatest measurement of each interval.
    pub(super) extremes: Vec<[f64; 2]>,
    /// OTLP wants no sum where a measurement may be negative.
    pub(super) has_sum: bool,
}

impl Instrument {
    /// Draws what all series of the metric count in turn.
    pub(super) fn new(metric: Metric, random: &mut Random) -> Self {
        let counted = match &metric.kind {
            Kind::Gauge
            | Kind::Sum {
                is_monotonic: false,
                ..
            } => Counted::Level,
            Kind::Sum { .. } => {
                let rows: Vec<Vec<i128>> = (0..INTERVALS)
                    .map(|_| vec![i128::from(units(&metric, random).max(0))])
                    .collect();
                Counted::Increments(Round::new(1, &rows))
            }
            Kind::Histogram { bounds, .. } => {
                let drawn = measurements(&metric, random);
                Counted::Explicit(explicit(&metric, bounds, &drawn))
            }
            Kind::ExponentialHistogram {
                scale,
                zero_threshold,
                ..
            } => {
                let drawn = measurements(&metric, random);
                exponential(&metric, *scale, *zero_threshold, &drawn)
            }
            Kind::Summary { quantiles } => {
                let mut drawn = measurements(&metric, random);
                let measured = measured(&metric, FIRST_BUCKET, &drawn, |_| None);
                for row in &mut drawn {
                    row.sort_unstable();
                }
                let of_row = |row: &Vec<i64>| {
                    let of = |quantile: &f64| metric.value_of(i128::from(at_rank(row, *quantile)));
                    quantiles.iter().map(of).collect()
                };
                Counted::Summary {
                    quantiles: drawn.iter().map(of_row).collect(),
                    measured,
                }
            }
        };
        Self {
            lifetime: dimension::lifetime(&metric.attributes),
            metric,
            counted,
        }
    }

    /// A level in units.
    pub(super) fn level(&self, random: &mut Random) -> i64 {
        units(&self.metric, random)
    }

    /// The intervals that a point counts: all of its series so far, or the last alone.
    pub(super) fn counted_span(&self, span: Span) -> Span {
        if self.metric.kind.is_delta() {
            span.last()
        } else {
            span
        }
    }
}

impl Counted {
    pub(super) fn measured(&self) -> Option<&Measured> {
        match self {
            Self::Level | Self::Increments(_) => None,
            Self::Explicit(measured)
            | Self::Exponential { measured, .. }
            | Self::Summary { measured, .. } => Some(measured),
        }
    }
}

impl Metric {
    fn units_per_one(&self) -> f64 {
        match self.number {
            Number::Int => 1.0,
            Number::Double => UNITS_PER_DOUBLE,
        }
    }

    /// What stands in a point for so many units.
    pub(super) fn value_of(&self, units: i128) -> f64 {
        units as f64 / self.units_per_one()
    }
}

impl Measured {
    /// Least and greatest measurement of all these intervals.
    pub(super) fn extremes(&self, span: Span) -> [f64; 2] {
        span.indices().fold(
            [f64::INFINITY, f64::NEG_INFINITY],
            |[least, most], index| {
                let [low, high] = self.extremes[index];
                [least.min(low), most.max(high)]
            },
        )
    }
}

/// A drawn value, in units.
fn units(metric: &Metric, random: &mut Random) -> i64 {
    let value = metric.value.draw(random).clamp(-VALUE_MAX, VALUE_MAX);
    // At most 10^18; a NaN would become 0.
    (value * metric.units_per_one()).round() as i64
}

/// The measurements of each interval, in units: at least one, and twice the mean less one at most.
fn measurements(metric: &Metric, random: &mut Random) -> Vec<Vec<i64>> {
    let most = 2 * metric.measurements.max(1) - 1;
    (0..INTERVALS)
        .map(|_| {
            let count = 1 + random.below(most);
            (0..count).map(|_| units(metric, random)).collect()
        })
        .collect()
}

/// Adds up measurements in `width` columns; `bucket` tells the column of one, from its value.
fn measured(
    metric: &Metric,
    width: usize,
    drawn: &[Vec<i64>],
    bucket: impl Fn(f64) -> Option<usize>,
) -> Measured {
    let mut rows = Vec::with_capacity(INTERVALS);
    let mut extremes = Vec::with_capacity(INTERVALS);
    for interval in drawn {
        let mut row = vec![0; width];
        for units in interval {
            row[SUM] += i128::from(*units);
            row[COUNT] += 1;
            if let Some(column) = bucket(metric.value_of(i128::from(*units))) {
                row[column] += 1;
            }
        }
        rows.push(row);
        let least = interval.iter().min().expect("an interval has measurements");
        let most = interval.iter().max().expect("an interval has measurements");
        extremes.push([least, most].map(|units| metric.value_of(i128::from(*units))));
    }
    Measured {
        round: Round::new(width, &rows),
        extremes,
        has_sum: drawn.iter().flatten().all(|units| *units >= 0),
    }
}

fn explicit(metric: &Metric, bounds: &[f64], drawn: &[Vec<i64>]) -> Measured {
    let width = FIRST_BUCKET + bounds.len() + 1;
    measured(metric, width, drawn, |value| {
        // An upper bound belongs to its bucket.
        Some(FIRST_BUCKET + bounds.partition_point(|bound| *bound < value))
    })
}

/// The buckets of an explicit histogram with this many bounds.
pub(super) fn explicit_buckets(bounds: usize) -> Buckets {
    Buckets {
        first: FIRST_BUCKET,
        count: bounds + 1,
        offset: 0,
    }
}

fn exponential(metric: &Metric, scale: i32, zero_threshold: f64, drawn: &[Vec<i64>]) -> Counted {
    let sign = |sign: f64| -> Vec<f64> {
        let values = drawn.iter().flatten();
        let signed = values.map(|units| sign * metric.value_of(i128::from(*units)));
        signed.filter(|value| *value > zero_threshold).collect()
    };
    let (above, below) = (sign(1.0), sign(-1.0));
    let scale = exponential::fitting_scale([&above, &below], scale);
    let buckets = |values: &[f64], first| {
        let (offset, count) = exponential::range(values.iter().copied(), scale).unwrap_or_default();
        debug_assert!(count <= EXPONENTIAL_BUCKETS_MAX);
        Buckets {
            first,
            count,
            offset,
        }
    };
    let positive = buckets(&above, ZERO + 1);
    let negative = buckets(&below, ZERO + 1 + positive.count);
    let width = negative.first + negative.count;
    let column = |buckets: Buckets, value: f64| {
        // The bucket is one of those that were counted.
        buckets.first + (exponential::index(value, scale) - buckets.offset) as usize
    };
    let measured = measured(metric, width, drawn, |value| {
        Some(if value.abs() <= zero_threshold {
            ZERO
        } else if value > 0.0 {
            column(positive, value)
        } else {
            column(negative, -value)
        })
    });
    Counted::Exponential {
        measured,
        scale,
        positive,
        negative,
    }
}

/// The value at a quantile of a sorted list, by nearest rank.
fn at_rank(sorted: &[i64], quantile: f64) -> i64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}
