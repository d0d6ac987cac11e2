//! What a target shows wrongly, counted by kind, with what those of a kind have in common.
//!
//! A person acts on "12 label sets are missing, all of service.name=cart", not on 168 lines. Of each
//! kind the first are kept whole, the others only counted: a wrong configuration makes every line of
//! an exposition differ.

use std::collections::BTreeMap;
use std::fmt;

use super::labels::{LabelSet, pairs};

/// Of each kind.
const KEPT_MAX: usize = 300;

/// Something that the target shows wrongly.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// With ` le=BOUND` behind it for a bucket.
    pub metric: String,
    pub labels: LabelSet,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// Sent, and not shown.
    Missing {
        want: Interval,
    },
    /// Shown, and not sent; `got` is what the run has added.
    Surplus {
        got: f64,
    },
    Value {
        want: Interval,
        got: f64,
    },
    /// Not the buckets that were expected.
    Bounds {
        want: Vec<f64>,
        got: Vec<f64>,
    },
    /// Less than before the run: the target was started anew, or has forgotten.
    Fell {
        before: f64,
        now: f64,
    },
}

/// From what was acknowledged to that and what is uncertain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Fell,
    Missing,
    Surplus,
    Differs,
    Bounds,
}

/// All differences of one comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    groups: BTreeMap<Kind, Group>,
}

/// Those of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub count: u64,
    pub label_sets: u64,
    /// Metric -> its differences.
    pub metrics: BTreeMap<String, u64>,
    /// Labels that all of them have.
    pub common: Vec<(String, String)>,
    /// The first ones.
    pub kept: Vec<Difference>,
    last: LabelSet,
}

impl Differences {
    /// Those of one label set come one after the other.
    pub(super) fn push(&mut self, difference: Difference) {
        let group = self.groups.entry(difference.problem.kind()).or_default();
        if group.label_sets == 0 || group.last != difference.labels {
            group.meet(&difference.labels);
        }
        group.count += 1;
        let metric = difference.metric.split(' ').next().unwrap_or_default();
        *group.metrics.entry(metric.to_owned()).or_default() += 1;
        if group.kept.len() < KEPT_MAX {
            group.kept.push(difference);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    pub fn groups(&self) -> impl Iterator<Item = (Kind, &Group)> {
        self.groups.iter().map(|(kind, group)| (*kind, group))
    }

    /// The first of each kind.
    pub fn kept(&self) -> impl Iterator<Item = &Difference> {
        self.groups.values().flat_map(|group| &group.kept)
    }
}

impl Group {
    fn meet(&mut self, labels: &LabelSet) {
        let of_set = pairs(labels);
        if self.label_sets == 0 {
            self.common = of_set;
        } else {
            self.common.retain(|pair| of_set.contains(pair));
        }
        self.label_sets += 1;
        self.last.clone_from(labels);
    }
}

impl Problem {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } => Kind::Missing,
            Self::Surplus { .. } => Kind::Surplus,
            Self::Value { .. } => Kind::Differs,
            Self::Bounds { .. } => Kind::Bounds,
            Self::Fell { .. } => Kind::Fell,
        }
    }
}

impl Interval {
    /// Counts are below 2^53, where f64 loses whole numbers.
    pub(super) fn new(low: u64, high: u64) -> Self {
        Self {
            low: low as f64,
            high: high as f64,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Fell => "fell",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::Differs => "differs",
            Self::Bounds => "bounds",
        })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.low < self.high {
            write!(f, "{} to {}", self.low, self.high)
        } else {
            write!(f, "{}", self.low)
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            metric,
            labels,
            problem,
        } = self;
        match problem {
            Problem::Missing { want } => write!(f, "missing: {metric}{labels} must be {want}"),
            Problem::Surplus { got } => write!(f, "surplus: {metric}{labels} is {got}"),
            Problem::Value { want, got } => {
                write!(f, "differs: {metric}{labels} is {got}, must be {want}")
            }
            Problem::Bounds { want, got } => {
                write!(
                    f,
                    "bounds: {metric}{labels} has bounds {got:?}, must have {want:?}"
                )
            }
            Problem::Fell { before, now } => {
                write!(
                    f,
                    "fell: {metric}{labels} is {now}, was {before} before the run"
                )
            }
        }
    }
}
