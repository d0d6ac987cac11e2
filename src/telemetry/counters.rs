//! Counters that workers add to without sharing a cache line, and the registry that scrapes read.
//!
//! Everything is registered while the pipeline is built; nothing is looked up by name later.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::padded::Padded;

/// A monotonic count. Each worker adds to its own shard.
#[derive(Clone, Debug)]
pub struct Counter(Arc<[Padded<AtomicU64>]>);

impl Counter {
    /// # Hot path
    /// - runs: on a worker, a few times per run
    /// - cost: one uncontended atomic add; no allocation
    /// - invariants: `shard` is below the registry's shard count (debug-asserted)
    /// - units: items, as the metric's name says
    pub fn add(&self, shard: usize, items: u64) {
        debug_assert!(shard < self.0.len());
        if let Some(cell) = self.0.get(shard) {
            cell.fetch_add(items, Ordering::Relaxed);
        }
    }

    /// Total of all shards.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

/// Reads the present value of a family member.
pub type Read = Box<dyn Fn() -> f64 + Send + Sync>;

/// One series of our own.
pub struct Series {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub labels: Vec<(&'static str, String)>,
    pub read: Read,
}

/// All series of our own, in order of registration.
#[derive(Default)]
pub struct Registry {
    shards: usize,
    series: Mutex<Vec<Series>>,
}

impl Registry {
    /// `workers` shards for the workers and one, the last, for every other thread.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            shards: workers + 1,
            series: Mutex::default(),
        }
    }

    /// The shard of threads that are no worker.
    #[must_use]
    pub fn service_shard(&self) -> usize {
        self.shards - 1
    }

    #[must_use]
    pub fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        labels: Vec<(&'static str, String)>,
    ) -> Counter {
        let counter = Counter((0..self.shards).map(|_| Padded::default()).collect());
        let read = counter.clone();
        self.add(Series {
            name,
            help,
            kind: Kind::Counter,
            labels,
            // Counts stay far below 2^53, where f64 loses whole numbers.
            read: Box::new(move || read.total() as f64),
        });
        counter
    }

    /// A value that is read when somebody scrapes.
    pub fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        labels: Vec<(&'static str, String)>,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.add(Series {
            name,
            help,
            kind: Kind::Gauge,
            labels,
            read: Box::new(read),
        });
    }

    /// Registers a series of any kind.
    pub fn add(&self, series: Series) {
        self.series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(series);
    }

    /// Calls `visit` with each series.
    pub fn for_each(&self, visit: impl FnMut(&Series)) {
        self.series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .for_each(visit);
    }
}
