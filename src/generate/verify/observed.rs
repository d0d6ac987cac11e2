//! The span metrics of one exposition, by label set.

use std::collections::HashMap;

use super::expectation::Expectation;
use super::exposition::{self, Sample, read_bound};
use super::labels::{LabelSet, Names, names, write_label_set};
use crate::generate::error::GenerateError;

/// Labels that tell the scope of a series: there or not, by version of the target.
const SCOPE_PREFIX: &str = "otel_scope_";

#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    pub(super) spans: HashMap<LabelSet, SpanSeries, crate::telemetry::random::RandomState>,
    pub(super) events: HashMap<LabelSet, f64, crate::telemetry::random::RandomState>,
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

impl Observed {
    /// Reads a whole exposition; lines of other metrics are only checked for form.
    pub(super) fn read(text: &str, expectation: &Expectation) -> Result<Self, GenerateError> {
        let names = names(expectation);
        let mut observed = Self::default();
        let mut set = LabelSet::new();
        exposition::read(text, |sample| {
            observed.add(sample, &names, expectation, &mut set)
        })?;
        Ok(observed)
    }

    /// `set` is a buffer: most lines belong to a label set that is there already.
    fn add(
        &mut self,
        sample: &Sample,
        names: &Names,
        expectation: &Expectation,
        set: &mut LabelSet,
    ) -> Result<(), &'static str> {
        let name = sample.name;
        let is_bucket = name == names.bucket;
        let is_event = name == names.events;
        if ![&names.calls, &names.sum, &names.count]
            .into_iter()
            .any(|wanted| wanted == name)
            && !is_bucket
            && !is_event
        {
            return Ok(());
        }
        let mut labels: Vec<(&str, &str)> = sample
            .labels
            .iter()
            .map(|(name, value)| (*name, &**value))
            .filter(|(name, _)| {
                !(name.starts_with(SCOPE_PREFIX)
                    || is_bucket && *name == "le"
                    || expectation
                        .ignored_labels
                        .iter()
                        .any(|ignored| ignored == name))
            })
            .collect();
        labels.sort_unstable();
        set.clear();
        write_label_set(set, labels.into_iter());

        if is_event {
            return match self.events.insert(set.clone(), sample.value) {
                None => Ok(()),
                Some(_) => Err(TWICE),
            };
        }
        if !self.spans.contains_key(set.as_str()) {
            self.spans.insert(set.clone(), SpanSeries::default());
        }
        let series = self.spans.get_mut(set.as_str()).expect("it was put there");
        if is_bucket {
            let le = sample.labels.iter().find(|(name, _)| *name == "le");
            let bound = read_bound(&le.ok_or("a bucket has no le")?.1)?;
            if series
                .buckets
                .iter()
                .any(|(seen, _)| seen.to_bits() == bound.to_bits())
            {
                return Err(TWICE);
            }
            series.buckets.push((bound, sample.value));
            return Ok(());
        }
        let place = if name == names.calls {
            &mut series.calls
        } else if name == names.sum {
            &mut series.sum
        } else {
            &mut series.count
        };
        match place.replace(sample.value) {
            None => Ok(()),
            Some(_) => Err(TWICE),
        }
    }
}

const TWICE: &str = "a series stands twice";
