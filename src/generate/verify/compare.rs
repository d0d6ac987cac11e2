//! What was sent against what is shown, label set by label set.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::difference::{Difference, Differences, Interval, Problem};
use super::expectation::Expectation;
use super::labels::{LabelSet, Names, label_set, names, pairs};
use super::observed::{Observed, Shown, SpanSeries};
use crate::generate::error::GenerateError;
use crate::generate::load::{EVENT_KINDS, Load};
use crate::generate::totals::{Sent, ShapeTotals, Totals};
use crate::telemetry::random::RandomState;

/// Of a sum, relative to what is shown: targets add in floating point, in any order.
const SUM_TOLERANCE: f64 = 1e-9;

/// What was sent, under the label sets of the target.
pub(super) struct Expected {
    /// As the groups of the watch.
    groups: Vec<Group>,
}

/// Of the ways that lead to the same metrics: what goes both ways counts twice.
struct Group {
    names: Names,
    histogram: Option<Buckets>,
    has_events: bool,
    spans: HashMap<LabelSet, Range, RandomState>,
    events: HashMap<LabelSet, [u64; 2], RandomState>,
}

struct Buckets {
    nanos_per_unit: f64,
    /// In the target's unit, without +Inf, and how many of the buckets of the totals are below it.
    bounds: Vec<(f64, usize)>,
}

/// Acknowledged, and acknowledged or uncertain.
#[derive(Clone, Debug, Default)]
struct Range {
    low: ShapeTotals,
    high: ShapeTotals,
}

impl Expected {
    /// `bounds_ns` are those of the totals. `keeps_empty`: see [`label_set`].
    pub(super) fn new(
        load: &Arc<Load>,
        sent: &Sent,
        ways: &[Expectation],
        bounds_ns: &[u64],
        keeps_empty: bool,
    ) -> Result<Self, GenerateError> {
        let mut groups: Vec<Group> = Vec::new();
        for way in ways {
            let names = names(way);
            let known = groups.iter().position(|group| group.names == names);
            let index = known.unwrap_or(groups.len());
            if known.is_none() {
                groups.push(Group::new(way, names, bounds_ns));
            }
            groups[index].add(load, &sent.acknowledged, way, keeps_empty, true)?;
            groups[index].add(load, &sent.uncertain, way, keeps_empty, false)?;
        }
        Ok(Self { groups })
    }

    pub(super) fn label_sets(&self) -> usize {
        self.groups.iter().map(|group| group.spans.len()).sum()
    }

    /// Labels that all expected label sets have, and the names of all that any has.
    pub(super) fn labels(&self) -> (Vec<(String, String)>, BTreeSet<String>) {
        let mut common: Option<Vec<(String, String)>> = None;
        let mut all = BTreeSet::new();
        for set in self.groups.iter().flat_map(|group| group.spans.keys()) {
            let of_set = pairs(set);
            for (name, _) in &of_set {
                if !all.contains(name) {
                    all.insert(name.clone());
                }
            }
            match &mut common {
                None => common = Some(of_set),
                Some(common) => common.retain(|pair| of_set.contains(pair)),
            }
        }
        (common.unwrap_or_default(), all)
    }

    /// Everything that `after` shows wrongly, given what the target showed before the run. Of each
    /// group in the order of label sets.
    pub(super) fn compare(&self, before: &Observed, after: &Observed) -> Differences {
        let mut differences = Differences::default();
        for (index, group) in self.groups.iter().enumerate() {
            let (before, after) = (&before.groups[index], &after.groups[index]);
            group.compare_spans(before, after, &mut differences);
            group.compare_events(before, after, &mut differences);
        }
        differences
    }
}

impl Group {
    fn new(way: &Expectation, names: Names, bounds_ns: &[u64]) -> Self {
        let histogram = way.histogram.as_ref().map(|histogram| {
            let nanos_per_unit = histogram.unit.nanos();
            let bounds = histogram.bounds_ns.iter().map(|bound| {
                let below = bounds_ns.partition_point(|other| other <= bound);
                // Below 2^53 nanoseconds: 104 days.
                (*bound as f64 / nanos_per_unit, below)
            });
            Buckets {
                nanos_per_unit,
                bounds: bounds.collect(),
            }
        });
        Self {
            names,
            histogram,
            has_events: way.events.is_some(),
            spans: HashMap::default(),
            events: HashMap::default(),
        }
    }

    fn add(
        &mut self,
        load: &Arc<Load>,
        totals: &Totals,
        way: &Expectation,
        keeps_empty: bool,
        is_acknowledged: bool,
    ) -> Result<(), GenerateError> {
        for (shape, of_shape) in totals.shapes() {
            let Some(set) = label_set(way, load, *shape, None, keeps_empty)? else {
                continue;
            };
            let range = self.spans.entry(set).or_default();
            range.high.merge(of_shape);
            if is_acknowledged {
                range.low.merge(of_shape);
            }
            if !self.has_events {
                continue;
            }
            for kind in (0..EVENT_KINDS).filter(|kind| of_shape.events[*kind] > 0) {
                let set = label_set(way, load, *shape, Some(kind), keeps_empty)?;
                // A shape that has a label set for its spans has one for its events.
                let [low, high] = self.events.entry(set.unwrap_or_default()).or_default();
                *high += of_shape.events[kind];
                *low += u64::from(is_acknowledged) * of_shape.events[kind];
            }
        }
        Ok(())
    }

    fn compare_spans(&self, before: &Shown, after: &Shown, differences: &mut Differences) {
        for (set, range) in sorted(&self.spans) {
            let mut report = Report {
                labels: set,
                differences,
            };
            match after.spans.get(set) {
                None if range.low.calls == 0 => {}
                None => {
                    let want = Interval::new(range.low.calls, range.high.calls);
                    report.push(&self.names.calls, Problem::Missing { want });
                }
                Some(shown) => self.compare_series(range, before.spans.get(set), shown, report),
            }
        }
        for (set, shown) in sorted(&after.spans) {
            let earlier = before.spans.get(set);
            if self.spans.contains_key(set) || earlier == Some(shown) {
                continue;
            }
            let calls = |series: &SpanSeries| series.calls.or(series.count).unwrap_or(0.0);
            let mut report = Report {
                labels: set,
                differences,
            };
            report.surplus(&self.names.calls, earlier.map(calls), calls(shown));
        }
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
        let counted = report.check(&self.names.calls, calls, before.calls, shown.calls, 0.0);
        let Some(histogram) = &self.histogram else {
            if let Some(got) = shown.count {
                report.push(&self.names.count, Problem::Surplus { got });
            }
            return;
        };
        // Whatever became of what is uncertain, it is in all metrics or in none.
        let count = counted.map_or(calls, |low| Interval { low, high: low });
        report.check(&self.names.count, count, before.count, shown.count, 0.0);
        let sum = Interval {
            low: range.low.sum_ns as f64 / histogram.nanos_per_unit,
            high: range.high.sum_ns as f64 / histogram.nanos_per_unit,
        };
        let tolerance = SUM_TOLERANCE;
        report.check(&self.names.sum, sum, before.sum, shown.sum, tolerance);

        let got: Vec<f64> = shown.buckets.iter().map(|(bound, _)| *bound).collect();
        let finite = histogram.bounds.iter().map(|(bound, _)| *bound);
        let want: Vec<f64> = finite.chain([f64::INFINITY]).collect();
        if got != want {
            report.push(&self.names.bucket, Problem::Bounds { want, got });
            return;
        }
        for (index, (bound, shown)) in shown.buckets.iter().enumerate() {
            let want = match histogram.bounds.get(index) {
                Some((_, below)) => Interval::new(
                    range.low.buckets.iter().take(*below).sum(),
                    range.high.buckets.iter().take(*below).sum(),
                ),
                None => count,
            };
            let metric = format!("{} le={bound}", self.names.bucket);
            let earlier = before.buckets.get(index).map(|(_, count)| *count);
            report.check(&metric, want, earlier, Some(*shown), 0.0);
        }
    }

    fn compare_events(&self, before: &Shown, after: &Shown, differences: &mut Differences) {
        for (set, [low, high]) in sorted(&self.events) {
            let mut report = Report {
                labels: set,
                differences,
            };
            let (before, shown) = (before.events.get(set), after.events.get(set));
            if *low > 0 || shown.is_some() {
                let want = Interval::new(*low, *high);
                let (before, shown) = (before.copied(), shown.copied());
                report.check(&self.names.events, want, before, shown, 0.0);
            }
        }
        for (set, shown) in sorted(&after.events) {
            let earlier = before.events.get(set);
            if !self.events.contains_key(set) && earlier != Some(shown) {
                let mut report = Report {
                    labels: set,
                    differences,
                };
                report.surplus(&self.names.events, earlier.copied(), *shown);
            }
        }
    }
}

fn sorted<T>(sets: &HashMap<LabelSet, T, RandomState>) -> Vec<(&LabelSet, &T)> {
    let mut sorted: Vec<_> = sets.iter().collect();
    sorted.sort_unstable_by_key(|(set, _)| *set);
    sorted
}

/// Where the differences of one label set go.
struct Report<'a> {
    labels: &'a LabelSet,
    differences: &'a mut Differences,
}

impl Report<'_> {
    fn push(&mut self, metric: &str, problem: Problem) {
        self.differences.push(Difference {
            metric: metric.to_owned(),
            labels: self.labels.clone(),
            problem,
        });
    }

    fn surplus(&mut self, metric: &str, before: Option<f64>, now: f64) {
        let problem = match before {
            Some(before) if now < before => Problem::Fell { before, now },
            _ => Problem::Surplus {
                got: now - before.unwrap_or(0.0),
            },
        };
        self.push(metric, problem);
    }

    /// `tolerance` is relative to what is shown. Answers what the run has added, if that is right.
    fn check(
        &mut self,
        metric: &str,
        want: Interval,
        before: Option<f64>,
        shown: Option<f64>,
        tolerance: f64,
    ) -> Option<f64> {
        let Some(now) = shown else {
            self.push(metric, Problem::Missing { want });
            return None;
        };
        let got = now - before.unwrap_or(0.0);
        let slack = tolerance * now.abs();
        if let Some(before) = before.filter(|before| now < *before - slack) {
            self.push(metric, Problem::Fell { before, now });
            return None;
        }
        // Written so that a NaN is a difference.
        if !(got >= want.low - slack && got <= want.high + slack) {
            self.push(metric, Problem::Value { want, got });
            return None;
        }
        Some(got)
    }
}

#[cfg(test)]
mod tests;
