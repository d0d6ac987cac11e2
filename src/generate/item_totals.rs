//! What the acknowledged points and records add up to, kept only when somebody asks.
//!
//! A request that was refused or never answered is in no total: whoever compares must have a run
//! without any.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::makers::Worlds;
use super::source::{Content, Deck};
use super::{logs, metrics};

/// One thread's, and in the end that of all.
pub(super) struct ItemTotals {
    metrics: Option<metrics::Totals>,
    logs: logs::Totals,
    /// Index into the deck -> times acknowledged.
    prepared: BTreeMap<usize, u64>,
}

impl ItemTotals {
    pub(super) fn new(worlds: &Worlds) -> Self {
        Self {
            metrics: worlds.metrics.as_ref().map(metrics::Totals::new),
            logs: logs::Totals::default(),
            prepared: BTreeMap::new(),
        }
    }

    /// Books a request that was acknowledged.
    pub(super) fn book(&mut self, content: &Content) {
        match content {
            Content::Prepared(index) => *self.prepared.entry(*index).or_default() += 1,
            content => self.add(content, 1),
        }
    }

    /// Adds everything booked by a thread.
    pub(super) fn close(&mut self, of_thread: &Self, deck: &Deck) {
        if let (Some(mine), Some(theirs)) = (&mut self.metrics, &of_thread.metrics) {
            mine.merge(theirs);
        }
        self.logs.merge(&of_thread.logs);
        for (index, times) in &of_thread.prepared {
            self.add(deck.content(*index), *times);
        }
    }

    fn add(&mut self, content: &Content, times: u64) {
        match content {
            Content::Metrics(content) => {
                if let Some(metrics) = &mut self.metrics {
                    metrics.add(*content, times);
                }
            }
            Content::Logs(content) => self.logs.add(*content, times),
            Content::Fresh(_) | Content::Prepared(_) | Content::Uncounted => {}
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "metrics": self.metrics.as_ref().map(metrics::Totals::json),
            "logs": self.logs.json(),
        })
    }
}
