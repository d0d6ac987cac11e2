//! What is asked for: instruments, as a scenario describes them.

use crate::generate::scenario::attributes::Spec;
use crate::generate::scenario::distribution::Distribution;

/// Upper bounds of an explicit histogram, at most.
pub const BOUNDS_MAX: usize = 256;
/// Buckets of one sign of an exponential histogram, at most: what SDKs keep.
pub const EXPONENTIAL_BUCKETS_MAX: usize = 160;
/// Measurements between two points of a histogram, in the mean, at most.
pub const MEASUREMENTS_MAX: u32 = 1_000;

/// `AggregationTemporality` of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporality {
    Delta = 1,
    Cumulative = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Int,
    Double,
}

/// The type of a metric with what only this type has.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Points are drawn from the value's distribution.
    Gauge,
    /// Monotonic: increments are drawn; else the level is.
    Sum {
        temporality: Temporality,
        is_monotonic: bool,
    },
    Histogram {
        temporality: Temporality,
        bounds: Vec<f64>,
        has_min_max: bool,
    },
    ExponentialHistogram {
        temporality: Temporality,
        /// The finest; a coarser one is taken when `EXPONENTIAL_BUCKETS_MAX` do not hold the values.
        scale: i32,
        zero_threshold: f64,
        has_min_max: bool,
    },
    /// Cumulative, as OTLP has it.
    Summary { quantiles: Vec<f64> },
}

/// One instrument of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: String,
    pub unit: String,
    pub description: String,
    /// Name of the instrumentation scope.
    pub scope: String,
    pub kind: Kind,
    pub number: Number,
    pub value: Distribution,
    /// Measurements between two points of a histogram or summary, in the mean.
    pub measurements: u32,
    /// Each combination of their values is a series.
    pub attributes: Vec<Spec>,
    /// Names of the services that have it; empty: all.
    pub services: Vec<String>,
    pub has_start_time: bool,
    /// Share of points with an exemplar.
    pub exemplar_share: f64,
    /// Share of points that say that there is no value (`NoRecordedValue`).
    pub no_value_share: f64,
}

impl Kind {
    /// What a report calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Sum { .. } => "sum",
            Self::Histogram { .. } => "histogram",
            Self::ExponentialHistogram { .. } => "exponential_histogram",
            Self::Summary { .. } => "summary",
        }
    }

    /// `None`: the type has none.
    #[must_use]
    pub fn temporality(&self) -> Option<Temporality> {
        match self {
            Self::Gauge => None,
            Self::Sum { temporality, .. }
            | Self::Histogram { temporality, .. }
            | Self::ExponentialHistogram { temporality, .. } => Some(*temporality),
            Self::Summary { .. } => Some(Temporality::Cumulative),
        }
    }

    pub(super) fn is_delta(&self) -> bool {
        self.temporality() == Some(Temporality::Delta)
    }
}

impl Temporality {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Cumulative => "cumulative",
        }
    }
}
