//! What the store tells about itself, in plain numbers. Written by the folder alone, read by whoever
//! holds the `Arc`; the pipeline gives them their names as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts and levels of one store. Numbers of one moment need not fit each other.
#[derive(Debug, Default)]
pub struct StoreCounts {
    /// Level: cells that have an identity, all tables.
    pub cells: AtomicU64,
    /// Level: groups that the folder knows, all workers and tables.
    pub groups: AtomicU64,
    /// Level: resources that have cells.
    pub resources: AtomicU64,
    /// Cells born, also again.
    pub births: AtomicU64,
    /// Cells freed.
    pub expired: AtomicU64,
    /// Observations that went to an overflow cell for lack of room in their table.
    pub overflowed: AtomicU64,
    /// Windows folded.
    pub folds: AtomicU64,
    /// Times a fold went on without the window of a busy worker.
    pub windows_late: AtomicU64,
    /// Times a worker was asked to forget its groups.
    pub epochs: AtomicU64,
}

/// Adds to a count that has one writer.
pub(super) fn add(count: &AtomicU64, items: u64) {
    if items > 0 {
        count.fetch_add(items, Ordering::Relaxed);
    }
}

pub(super) fn set(level: &AtomicU64, items: usize) {
    level.store(items as u64, Ordering::Relaxed);
}
