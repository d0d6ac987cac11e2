//! A connector, one or more workers and a store, without threads: the test says who does what when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use spanmill::batch::TraceLayout;
use spanmill::connectors::spanmetrics::options::SpanMetricsOptions;
use spanmill::connectors::spanmetrics::{Grouper, SpanMetrics};
use spanmill::store::folder::{Folder, StoreSpec};
use spanmill::store::handover::{FolderSide, WorkerSide, handover};
use spanmill::store::snapshot::{CellState, Snapshot};
use spanmill::store::window::{OwnerId, TableId};

use super::{SpanRow, batch, service};

pub const OWNER: OwnerId = OwnerId(0);

pub struct Rig {
    pub connector: SpanMetrics,
    pub layout: Arc<TraceLayout>,
    pub folder: Folder,
    pub workers: Vec<Worker>,
}

pub struct Worker {
    pub side: WorkerSide,
    pub grouper: Grouper,
    pub folder_side: FolderSide,
}

/// What a test says besides the connector's options.
pub struct Bounds {
    pub workers: usize,
    pub leaves_late: bool,
    pub series_max: usize,
    pub series_bytes_max: usize,
    pub groups_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            workers: 1,
            leaves_late: false,
            series_max: StoreSpec::SERIES_MAX,
            series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
            groups_max: StoreSpec::GROUPS_MAX,
        }
    }
}

impl Rig {
    pub fn new(options: SpanMetricsOptions, bounds: &Bounds) -> Self {
        let connector = SpanMetrics::new(options);
        let layout = Arc::new(TraceLayout::new(connector.columns()));
        let tables = connector.tables(OWNER);
        let workers = (0..bounds.workers).map(|_| {
            let (side, folder_side) = handover(tables.len());
            Worker {
                side,
                grouper: connector.grouper(Arc::clone(&layout), OWNER, TableId(0)),
                folder_side,
            }
        });
        Self {
            workers: workers.collect(),
            folder: Folder::new(StoreSpec {
                workers: bounds.workers,
                owners: vec![connector.owner(bounds.leaves_late)],
                tables,
                series_max: bounds.series_max,
                series_bytes_max: bounds.series_bytes_max,
                groups_max: bounds.groups_max,
            }),
            connector,
            layout,
        }
    }

    /// One run of a worker: a span of each name, of one service.
    pub fn run(&mut self, worker: usize, service_name: &str, names: &[&str], now_ms: u64) {
        let spans: Vec<SpanRow> = names
            .iter()
            .map(|name| SpanRow {
                name: name.as_bytes().to_vec(),
                end: 3,
                ..SpanRow::default()
            })
            .collect();
        let batch = batch(&self.layout, &[service(service_name)], &spans);
        let Worker { side, grouper, .. } = &mut self.workers[worker];
        let observed = grouper.observe(&batch, &mut side.take(), now_ms);
        assert_eq!(observed.spans, names.len() as u64);
    }

    /// Folds what a worker has, and passes on what the folder asks of it.
    pub fn fold(&mut self, worker: usize) {
        let side = &mut self.workers[worker].folder_side;
        let window = side.collect().expect("an idle worker");
        self.folder.fold(worker, &window);
        side.give_back(window);
        self.pass_on();
    }

    pub fn tick(&mut self, now_ms: u64) {
        self.folder.tick(OWNER, now_ms);
        self.pass_on();
    }

    fn pass_on(&mut self) {
        for (worker, ends) in self.workers.iter().enumerate() {
            if self.folder.asks_for_epoch(worker) {
                ends.folder_side.want_epoch();
            }
        }
    }

    pub fn snapshot(&mut self, now_ms: u64) -> Snapshot {
        self.folder.snapshot(now_ms)
    }

    /// Service and span name (or the overflow attribute) of each cell, and its count; in order.
    pub fn seen(&self, snapshot: &Snapshot) -> Vec<(String, u64)> {
        let describe = &self.connector.streams()[0].describe;
        let mut seen: Vec<(String, u64)> = cells(snapshot)
            .map(|(cell, count)| {
                let identity = cell.identity.as_ref().expect("a live cell");
                let series = describe(&identity.resource, &identity.key);
                let texts = series.attributes.iter().take(2);
                let texts: Vec<_> = texts.map(|it| String::from_utf8_lossy(&it.text)).collect();
                (texts.join(" "), count)
            })
            .collect();
        seen.sort();
        seen
    }

    pub fn count(&self, of: impl Fn(&spanmill::store::counts::StoreCounts) -> &AtomicU64) -> u64 {
        of(&self.folder.counts()).load(Ordering::Relaxed)
    }
}

/// Live cells of the spans table with their counts.
pub fn cells(snapshot: &Snapshot) -> impl Iterator<Item = (&CellState, u64)> {
    let table = &snapshot.tables[0];
    let words = table.layout.words();
    table.chunks.iter().flat_map(move |chunk| {
        let rows = chunk.cells.iter().zip(chunk.rows.chunks_exact(words));
        rows.filter(|(cell, _)| cell.identity.is_some())
            .map(|(cell, row)| (cell, table.layout.count(row)))
    })
}

pub fn total(snapshot: &Snapshot) -> u64 {
    cells(snapshot).map(|(_, count)| count).sum()
}
