//! What was sent, added up: calls, buckets, sums and events of each shape.
//!
//! A request's spans count as acknowledged or, when it was refused or never answered, as uncertain:
//! the target may or may not have counted them. So what a target must show lies between the
//! acknowledged and the sum of both. Everything is integers; nothing depends on order.

use std::collections::HashMap;
use std::sync::Arc;

use super::load::{EVENT_KINDS, Observation, Shape};
use super::source::{Content, Deck};

/// Upper bounds of the buckets in nanoseconds, inclusive, strictly ascending.
pub type BoundsNs = Arc<[u64]>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShapeTotals {
    pub calls: u64,
    /// Not cumulative; the last one is +Inf.
    pub buckets: Vec<u64>,
    pub sum_ns: u128,
    pub events: [u64; EVENT_KINDS],
}

impl ShapeTotals {
    pub(super) fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.buckets
            .resize(self.buckets.len().max(other.buckets.len()), 0);
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.sum_ns += other.sum_ns;
        for (mine, theirs) in self.events.iter_mut().zip(&other.events) {
            *mine += theirs;
        }
    }
}

#[derive(Clone, Debug)]
pub struct Totals {
    bounds_ns: BoundsNs,
    shapes: HashMap<Shape, ShapeTotals, crate::telemetry::random::RandomState>,
}

impl Totals {
    #[must_use]
    pub fn new(bounds_ns: BoundsNs) -> Self {
        debug_assert!(bounds_ns.is_sorted_by(|one, next| one < next));
        Self {
            bounds_ns,
            shapes: HashMap::default(),
        }
    }

    /// Counts a span `times` times.
    pub fn add(&mut self, observation: &Observation, times: u64) {
        let duration = observation.duration_ns;
        let bucket = self.bounds_ns.partition_point(|bound| *bound < duration);
        let totals = self
            .shapes
            .entry(observation.shape)
            .or_insert_with(|| ShapeTotals {
                buckets: vec![0; self.bounds_ns.len() + 1],
                ..ShapeTotals::default()
            });
        totals.calls += times;
        totals.buckets[bucket] += times;
        totals.sum_ns += u128::from(duration) * u128::from(times);
        for (total, count) in totals.events.iter_mut().zip(observation.events) {
            *total += u64::from(count) * times;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (shape, totals) in &other.shapes {
            self.shapes.entry(*shape).or_default().merge(totals);
        }
    }

    pub fn shapes(&self) -> impl Iterator<Item = (&Shape, &ShapeTotals)> {
        self.shapes.iter()
    }

    /// Spans counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shapes.values().map(|totals| totals.calls).sum()
    }
}

/// All that a target may have counted.
#[derive(Clone, Debug)]
pub struct Sent {
    pub acknowledged: Totals,
    /// Of refused and unanswered requests.
    pub uncertain: Totals,
}

impl Sent {
    #[must_use]
    pub fn new(bounds_ns: &BoundsNs) -> Self {
        Self {
            acknowledged: Totals::new(Arc::clone(bounds_ns)),
            uncertain: Totals::new(Arc::clone(bounds_ns)),
        }
    }
}

/// One thread's book: how often each prepared request went out, and what stood in the others.
pub(super) struct Ledger {
    sent: Sent,
    /// Index into the deck -> times acknowledged, times uncertain.
    prepared: Vec<[u64; 2]>,
}

impl Ledger {
    pub(super) fn new(bounds_ns: &BoundsNs, prepared: usize) -> Self {
        Self {
            sent: Sent::new(bounds_ns),
            prepared: vec![[0; 2]; prepared],
        }
    }

    /// Books one request.
    pub(super) fn book(&mut self, content: &Content, acknowledged: bool) {
        match content {
            Content::Prepared(index) => self.prepared[*index][usize::from(!acknowledged)] += 1,
            Content::Metrics(_) | Content::Logs(_) | Content::Uncounted => {}
            Content::Fresh(observations) => {
                let totals = if acknowledged {
                    &mut self.sent.acknowledged
                } else {
                    &mut self.sent.uncertain
                };
                for observation in observations {
                    totals.add(observation, 1);
                }
            }
        }
    }

    /// Adds everything booked to `sent`.
    pub(super) fn close(self, deck: &Deck, sent: &mut Sent) {
        sent.acknowledged.merge(&self.sent.acknowledged);
        sent.uncertain.merge(&self.sent.uncertain);
        for (index, times) in self.prepared.iter().enumerate() {
            for (totals, times) in [&mut sent.acknowledged, &mut sent.uncertain]
                .into_iter()
                .zip(*times)
            {
                if times > 0 {
                    for observation in deck.observations(index) {
                        totals.add(observation, times);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
