//! What was sent against what is shown, label set by label set.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::expectation::Expectation;
use super::labels::{LabelSet, Names, label_set, names};
use super::observed::{Observed, SpanSeries};
use crate::generate::error::GenerateError;
use crate::generate::load::{EVENT_KINDS, Load};
use crate::generate::totals::{Sent, ShapeTotals, Totals};

/// Of a sum, relative to what is shown: targets add in floating point, in any order.
const SUM_TOLERANCE: f64 = 1e-9;

/// Something that the target shows wrongly.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
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
}

/// From what was acknowledged to that and what is uncertain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// What was sent, under the label sets of the target.
pub(super) struct Expected {
    names: Names,
    /// Of the buckets, in the target's unit, without +Inf; `None`: no histogram.
    bounds: Option<Vec<f64>>,
    nanos_per_unit: f64,
    spans: HashMap<LabelSet, Range, crate::telemetry::random::RandomState>,
    events: HashMap<LabelSet, [u64; 2], crate::telemetry::random::RandomState>,
}

/// Acknowledged, and acknowledged or uncertain.
#[derive(Clone, Debug, Default)]
struct Range {
    low: ShapeTotals,
    high: ShapeTotals,
}

impl Expected {
    pub(super) fn new(
        load: &Arc<Load>,
        sent: &Sent,
        expectation: &Expectation,
    ) -> Result<Self, GenerateError> {
        let histogram = expectation.histogram.as_ref();
        let nanos_per_unit = histogram.map_or(1.0, |histogram| histogram.unit.nanos());
        let mut expected = Self {
            names: names(expectation),
            bounds: histogram.map(|histogram| {
                // Below 2^53 nanoseconds: 104 days.
                let in_unit = |bound: &u64| *bound as f64 / nanos_per_unit;
                histogram.bounds_ns.iter().map(in_unit).collect()
            }),
            nanos_per_unit,
            spans: HashMap::default(),
            events: HashMap::default(),
        };
        expected.add(load, &sent.acknowledged, expectation, true)?;
        expected.add(load, &sent.uncertain, expectation, false)?;
        Ok(expected)
    }

    fn add(
        &mut self,
        load: &Arc<Load>,
        totals: &Totals,
        expectation: &Expectation,
        is_acknowledged: bool,
    ) -> Result<(), GenerateError> {
        for (shape, of_shape) in totals.shapes() {
            let Some(set) = label_set(expectation, load, *shape, None)? else {
                continue;
            };
            let range = self.spans.entry(set).or_default();
            range.high.merge(of_shape);
            if is_acknowledged {
                range.low.merge(of_shape);
            }
            if expectation.events.is_none() {
                continue;
            }
            for kind in (0..EVENT_KINDS).filter(|kind| of_shape.events[*kind] > 0) {
                let set = label_set(expectation, load, *shape, Some(kind))?;
                // A shape that has a label set for its spans has one for its events.
                let [low, high] = self.events.entry(set.unwrap_or_default()).or_default();
                *high += of_shape.events[kind];
                *low += u64::from(is_acknowledged) * of_shape.events[kind];
            }
        }
        Ok(())
    }

    pub(super) fn label_sets(&self) -> usize {
        self.spans.len()
    }

    /// Everything that `after` shows wrongly, given what the target showed before the run. In the
    /// order of label sets.
    pub(super) fn compare(&self, before: &Observed, after: &Observed) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (set, range) in &self.spans {
            match after.spans.get(set) {
                None if range.low.calls == 0 => {}
                None => differences.push(Difference {
                    metric: self.names.calls.clone(),
                    labels: set.clone(),
                    problem: Problem::Missing {
                        want: Interval::new(range.low.calls, range.high.calls),
                    },
                }),
                Some(shown) => {
                    let report = Report {
                        labels: set,
                        differences: &mut differences,
                    };
                    self.compare_series(range, before.spans.get(set), shown, report);
                }
            }
        }
        for (set, shown) in after
            .spans
            .iter()
            .filter(|(set, _)| !self.spans.contains_key(*set))
        {
            let earlier = before.spans.get(set);
            if earlier != Some(shown) {
                let calls = |series: &SpanSeries| series.calls.or(series.count).unwrap_or(0.0);
                differences.push(Difference {
                    metric: self.names.calls.clone(),
                    labels: set.clone(),
                    problem: Problem::Surplus {
                        got: calls(shown) - earlier.map_or(0.0, calls),
                    },
                });
            }
        }
        self.compare_events(before, after, &mut differences);
        differences
            .sort_by(|one, other| (&one.labels, &one.metric).cmp(&(&other.labels, &other.metric)));
        differences
    }

    fn compare_series(
        &self,
        range: &Range,
        before: Option<&SpanSeries>,
        shown: &SpanSeries,
        mut report: Report,
    ) {
        let nothing = SpanSeries::default();
        let before = before.unwrap_or(&nothing);
        let calls = Interval::new(range.low.calls, range.high.calls);
        report.check(&self.names.calls, calls, before.calls, shown.calls, 0.0);
        let Some(bounds) = &self.bounds else {
            if let Some(got) = shown.count {
                report.push(&self.names.count, Problem::Surplus { got });
            }
            return;
        };
        report.check(&self.names.count, calls, before.count, shown.count, 0.0);
        let sum = Interval {
            low: range.low.sum_ns as f64 / self.nanos_per_unit,
            high: range.high.sum_ns as f64 / self.nanos_per_unit,
        };
        report.check(&self.names.sum, sum, before.sum, shown.sum, SUM_TOLERANCE);

        let got: Vec<f64> = shown.buckets.iter().map(|(bound, _)| *bound).collect();
        let want: Vec<f64> = bounds.iter().copied().chain([f64::INFINITY]).collect();
        if got != want {
            report.push(&self.names.bucket, Problem::Bounds { want, got });
            return;
        }
        let (mut low, mut high) = (0, 0);
        for (index, (bound, count)) in shown.buckets.iter().enumerate() {
            low += range.low.buckets.get(index).copied().unwrap_or(0);
            high += range.high.buckets.get(index).copied().unwrap_or(0);
            let metric = format!("{} le={bound}", self.names.bucket);
            let earlier = before.buckets.get(index).map(|(_, count)| *count);
            report.check(
                &metric,
                Interval::new(low, high),
                earlier,
                Some(*count),
                0.0,
            );
        }
    }

    fn compare_events(&self, before: &Observed, after: &Observed, out: &mut Vec<Difference>) {
        for (set, [low, high]) in &self.events {
            let mut report = Report {
                labels: set,
                differences: out,
            };
            let (before, shown) = (before.events.get(set), after.events.get(set));
            if *low > 0 || shown.is_some() {
                let want = Interval::new(*low, *high);
                report.check(
                    &self.names.events,
                    want,
                    before.copied(),
                    shown.copied(),
                    0.0,
                );
            }
        }
        for (set, shown) in after
            .events
            .iter()
            .filter(|(set, _)| !self.events.contains_key(*set))
        {
            let got = shown - before.events.get(set).unwrap_or(&0.0);
            if got != 0.0 {
                out.push(Difference {
                    metric: self.names.events.clone(),
                    labels: set.clone(),
                    problem: Problem::Surplus { got },
                });
            }
        }
    }
}

/// Where the differences of one label set go.
struct Report<'a> {
    labels: &'a LabelSet,
    differences: &'a mut Vec<Difference>,
}

impl Report<'_> {
    fn push(&mut self, metric: &str, problem: Problem) {
        self.differences.push(Difference {
            metric: metric.to_owned(),
            labels: self.labels.clone(),
            problem,
        });
    }

    /// `tolerance` is relative to what is shown.
    fn check(
        &mut self,
        metric: &str,
        want: Interval,
        before: Option<f64>,
        shown: Option<f64>,
        tolerance: f64,
    ) {
        let Some(shown) = shown else {
            self.push(metric, Problem::Missing { want });
            return;
        };
        let got = shown - before.unwrap_or(0.0);
        let slack = tolerance * shown.abs();
        // Written so that a NaN is a difference.
        if !(got >= want.low - slack && got <= want.high + slack) {
            self.push(metric, Problem::Value { want, got });
        }
    }
}

impl Interval {
    /// Counts are below 2^53, where f64 loses whole numbers.
    fn new(low: u64, high: u64) -> Self {
        Self {
            low: low as f64,
            high: high as f64,
        }
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
                    "differs: {metric}{labels} has bounds {got:?}, must have {want:?}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
