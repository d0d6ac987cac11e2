//! The span metrics that a target shows, by label set.
//!
//! An exposition's samples come here one by one, those of a Prometheus API after its own labels are
//! taken off.

use std::collections::{BTreeSet, HashMap};

use super::expectation::Expectation;
use super::exposition::read_value;
use super::labels::{LabelSet, Names, SCOPE_PREFIX, escaped, names, write_label_set};
use crate::generate::error::GenerateError;
use crate::telemetry::random::RandomState;

/// Names of other metrics that are kept, to help a person whose names are wrong.
const SIMILAR_MAX: usize = 5;

/// Which samples are read, and how.
#[derive(Debug)]
pub(super) struct Watch {
    /// Name -> index of its group, and what it tells.
    roles: HashMap<String, (usize, Role), RandomState>,
    /// Each for the ways that lead to the same metrics.
    pub(super) groups: Vec<Names>,
    ignored_labels: Vec<String>,
    /// Series with the same label set are added up, not refused.
    is_summing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Calls,
    Events,
    Bucket,
    Sum,
    Count,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    /// As the groups of the watch.
    pub(super) groups: Vec<Shown>,
    /// Other metrics that look like one of ours.
    pub(super) similar: BTreeSet<String>,
}

/// What is shown under the names of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) spans: HashMap<LabelSet, SpanSeries, RandomState>,
    pub(super) events: HashMap<LabelSet, f64, RandomState>,
}

/// What is shown under one label set. `None`: no such line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SpanSeries {
    pub(super) calls: Option<f64>,
    pub(super) count: Option<f64>,
    pub(super) sum: Option<f64>,
    /// Upper bound and cumulative count, in the order of the exposition.
    pub(super) buckets: Vec<(f64, f64)>,
}

impl Watch {
    /// # Errors
    /// When one metric is that of two groups.
    pub(super) fn new(ways: &[Expectation], is_summing: bool) -> Result<Self, GenerateError> {
        let mut watch = Self {
            roles: HashMap::default(),
            groups: Vec::new(),
            ignored_labels: Vec::new(),
            is_summing,
        };
        for way in ways {
            watch.ignored_labels.extend_from_slice(&way.ignored_labels);
            let of_way = names(way);
            if watch.groups.contains(&of_way) {
                continue;
            }
            let index = watch.groups.len();
            let mut add =
                |name: &str, role: Role| match watch.roles.insert(escaped(name), (index, role)) {
                    None => Ok(()),
                    Some(_) => Err(GenerateError::Ways {
                        name: name.to_owned(),
                    }),
                };
            add(&of_way.calls, Role::Calls)?;
            if way.events.is_some() {
                add(&of_way.events, Role::Events)?;
            }
            // Shown all the same they are surplus.
            add(&of_way.bucket, Role::Bucket)?;
            add(&of_way.sum, Role::Sum)?;
            add(&of_way.count, Role::Count)?;
            watch.groups.push(of_way);
        }
        Ok(watch)
    }

    /// Whether samples of this name are read.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.roles.contains_key(name)
    }

    /// A series of which there was one.
    fn add_again(&self, place: &mut f64, value: f64) -> Result<(), &'static str> {
        if self.is_summing {
            *place += value;
            return Ok(());
        }
        Err("a series stands twice, but for labels that are left out of account")
    }
}

impl Observed {
    pub(super) fn new(watch: &Watch) -> Self {
        Self {
            groups: vec![Shown::default(); watch.groups.len()],
            similar: BTreeSet::new(),
        }
    }

    /// Adds one sample. `labels` is left empty.
    ///
    /// `set` is a buffer: most samples belong to a label set that is there already.
    pub(super) fn add<'a>(
        &mut self,
        watch: &Watch,
        name: &str,
        labels: &mut Vec<(&'a str, &'a str)>,
        value: f64,
        set: &mut LabelSet,
    ) -> Result<(), &'static str> {
        let Some((group, role)) = watch.roles.get(name) else {
            let is_similar = name.ends_with("calls") || name.ends_with("calls_total");
            if is_similar && self.similar.len() < SIMILAR_MAX && !self.similar.contains(name) {
                self.similar.insert(name.to_owned());
            }
            return Ok(());
        };
        let mut le = None;
        labels.retain(|(name, value)| {
            if *role == Role::Bucket && *name == "le" {
                le = Some(*value);
                return false;
            }
            !(name.starts_with(SCOPE_PREFIX)
                || watch.ignored_labels.iter().any(|ignored| ignored == name))
        });
        if !labels.is_sorted() {
            labels.sort_unstable();
        }
        set.clear();
        write_label_set(set, labels.iter().copied());

        let shown = &mut self.groups[*group];
        if *role == Role::Events {
            if let Some(place) = shown.events.get_mut(set.as_str()) {
                return watch.add_again(place, value);
            }
            shown.events.insert(set.clone(), value);
            return Ok(());
        }
        if !shown.spans.contains_key(set.as_str()) {
            shown.spans.insert(set.clone(), SpanSeries::default());
        }
        let series = shown.spans.get_mut(set.as_str()).expect("it was put there");
        let place = match role {
            Role::Bucket => {
                let bound = read_value(le.ok_or("a bucket has no le")?)?;
                let is_same = |of: &&mut (f64, f64)| of.0.to_bits() == bound.to_bits();
                if let Some((_, place)) = series.buckets.iter_mut().find(is_same) {
                    return watch.add_again(place, value);
                }
                series.buckets.push((bound, value));
                return Ok(());
            }
            Role::Calls => &mut series.calls,
            Role::Sum => &mut series.sum,
            Role::Count | Role::Events => &mut series.count,
        };
        if let Some(place) = place {
            return watch.add_again(place, value);
        }
        *place = Some(value);
        Ok(())
    }

    /// Puts buckets in the order of their bounds, for answers that have no order.
    pub(super) fn sort_buckets(&mut self) {
        for series in self.groups.iter_mut().flat_map(|of| of.spans.values_mut()) {
            series
                .buckets
                .sort_by(|(one, _), (other, _)| one.total_cmp(other));
        }
    }

    /// Whether nothing at all is shown under the names of the watch.
    pub(super) fn is_empty(&self) -> bool {
        let is_empty = |of: &Shown| of.spans.is_empty() && of.events.is_empty();
        self.groups.iter().all(is_empty)
    }
}
