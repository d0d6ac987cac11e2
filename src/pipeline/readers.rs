//! What others learn of the graph's store: its own counts, and the snapshots of readers.
//!
//! Readers come in two kinds: `live` folds for each reading, `flushed` shows the state of the owner's
//! last flush, as the Collector does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exporters::prometheus::Snapshots;
use crate::store::counts::StoreCounts;
use crate::store::folder_thread::FolderClient;
use crate::store::snapshot::Snapshot;
use crate::store::window::OwnerId;
use crate::telemetry::counters::{Kind, Registry, Series};
use crate::workers::clock;

/// How long a reading waits before it asks a folder again that has too much to do.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// What the store tells of itself.
pub(super) fn register_store(registry: &Registry, counts: &Arc<StoreCounts>) {
    type Field = fn(&StoreCounts) -> &AtomicU64;
    let families: [(&str, &str, Kind, Field); 9] = [
        (
            "spanmill_store_cells",
            "Cells that have an identity.",
            Kind::Gauge,
            |c| &c.cells,
        ),
        (
            "spanmill_store_groups",
            "Groups of all workers.",
            Kind::Gauge,
            |c| &c.groups,
        ),
        (
            "spanmill_store_resources",
            "Resources that have cells.",
            Kind::Gauge,
            |c| &c.resources,
        ),
        (
            "spanmill_store_births_total",
            "Cells born.",
            Kind::Counter,
            |c| &c.births,
        ),
        (
            "spanmill_store_expired_total",
            "Cells that expired.",
            Kind::Counter,
            |c| &c.expired,
        ),
        (
            "spanmill_store_overflowed_total",
            "Observations counted in the overflow series: table full or identity too long.",
            Kind::Counter,
            |c| &c.overflowed,
        ),
        (
            "spanmill_store_folds_total",
            "Windows folded.",
            Kind::Counter,
            |c| &c.folds,
        ),
        (
            "spanmill_store_windows_late_total",
            "Folds that went on without the window of a busy worker.",
            Kind::Counter,
            |c| &c.windows_late,
        ),
        (
            "spanmill_store_epochs_total",
            "Times that a worker was told to forget its groups.",
            Kind::Counter,
            |c| &c.epochs,
        ),
    ];
    for (name, help, kind, field) in families {
        let counts = Arc::clone(counts);
        // Far below 2^53, where f64 loses whole numbers.
        let read = Box::new(move || field(&counts).load(Ordering::Relaxed) as f64);
        registry.add(Series {
            name,
            help,
            kind,
            labels: Vec::new(),
            read,
        });
    }
}

/// A fold made now. A folder that has too much to do is asked again.
pub(super) async fn fold_now(folder: &FolderClient) -> Snapshot {
    loop {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let asked = folder.snapshot(move |snapshot| drop(sender.send(snapshot)));
        if let (true, Ok(snapshot)) = (asked, receiver.await) {
            return snapshot;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Each reading is a fold made for it.
pub(super) fn live(folder: FolderClient) -> Snapshots {
    Arc::new(move || {
        let folder = folder.clone();
        Box::pin(async move { fold_now(&folder).await })
    })
}

/// The state at the owner's last flush; before the first there is nothing to show.
pub(super) fn flushed(folder: FolderClient, owner: OwnerId) -> Snapshots {
    Arc::new(move || {
        let folder = folder.clone();
        Box::pin(async move {
            // Asked before: a flush that comes meanwhile lies above it.
            let time_ms = clock::wall_ms().saturating_sub(1);
            last_flush(&folder, owner).await.unwrap_or(Snapshot {
                time_ms,
                flush: 0,
                tables: Vec::new(),
            })
        })
    })
}

/// The state at the owner's last flush, where readers show flushes.
pub(super) async fn last_flush(folder: &FolderClient, owner: OwnerId) -> Option<Snapshot> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let asked = folder.last_flush(owner, move |snapshot| drop(sender.send(snapshot)));
    if asked {
        receiver.await.ok().flatten()
    } else {
        None
    }
}
