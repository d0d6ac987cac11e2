//! Windows in, cells under an identity out: the only writer of the store.
//!
//! A fold adds one window. Births come first, then the rows of the groups that were touched, then
//! the resources that were seen. Between folds the store is a cut: every run is in it wholly or not at
//! all. Times are arguments and only compared; each snapshot's is later than the one before.
//!
//! Runs on the folder thread. Known groups: no allocation, no look-up by hash.

use std::sync::Arc;

use super::births::{GroupMap, Table};
use super::cells::{BirthTime, Cells};
use super::counts::{self, StoreCounts};
use super::expiry::{OwnerSpec, Resources};
use super::snapshot::{CellId, Snapshot};
use super::window::{Layout, OwnerId, Window, WindowTable};

/// What the store is made for.
#[derive(Clone, Debug)]
pub struct StoreSpec {
    pub workers: usize,
    /// By `OwnerId`.
    pub owners: Vec<OwnerSpec>,
    /// By `TableId`.
    pub tables: Vec<TableSpec>,
    /// Cells of a table; what is born beyond goes to the table's overflow cell.
    pub series_max: usize,
    /// Bytes of all keys of a table, likewise. A view keeps about as many again for its labels.
    pub series_bytes_max: usize,
    /// Groups of a worker in one table, before the worker is asked to forget them all.
    pub groups_max: usize,
}

impl StoreSpec {
    /// A million cells of ten buckets are about 0.5 GiB: an operator's mistake, not a load.
    pub const SERIES_MAX: usize = 1_000_000;
    /// Twice what a million of the guide's have; `SERIES_MAX` of the longest would be 16 GiB.
    pub const SERIES_BYTES_MAX: usize = 256 << 20;
    pub const GROUPS_MAX: usize = 1_000_000;
}

/// One table of an owner.
#[derive(Clone, Debug)]
pub struct TableSpec {
    pub owner: OwnerId,
    pub layout: Layout,
    /// The key under which its connector describes the overflow cell.
    pub overflow_key: Box<[u8]>,
}

/// Fewer stale groups than this are no reason to forget all.
const STALE_GROUPS_MIN: usize = 1024;

struct Owner {
    resources: Resources,
    leaves_late: bool,
    /// Flush ticks so far.
    flush: u64,
    /// The state at the last tick; kept only where readers show it.
    last_flush: Option<Snapshot>,
}

/// The folder's view of one worker's group tables.
struct Worker {
    epoch: u32,
    /// By table.
    groups: Vec<GroupMap>,
    wants_epoch: bool,
    /// Asked already; the new epoch has not come yet.
    is_asked: bool,
}

/// The store and its only writer.
pub struct Folder {
    owners: Vec<Owner>,
    tables: Vec<Table>,
    /// By table.
    owner_of: Vec<OwnerId>,
    workers: Vec<Worker>,
    groups_max: usize,
    /// Cells of the window's slots, while one of its tables is folded.
    touched: Vec<CellId>,
    /// Of the last snapshot.
    time_ms: u64,
    /// No birth is before this: what expired may have been shown until 2 ms before.
    birth_ms_min: u64,
    /// The latest birth: no snapshot is before it.
    birth_ms_last: u64,
    counts: Arc<StoreCounts>,
}

impl Folder {
    #[must_use]
    pub fn new(spec: StoreSpec) -> Self {
        let table_count = spec.tables.len();
        let worker = || Worker {
            epoch: 0,
            groups: (0..table_count).map(|_| GroupMap::default()).collect(),
            wants_epoch: false,
            is_asked: false,
        };
        Self {
            owners: spec.owners.into_iter().map(Owner::new).collect(),
            owner_of: spec.tables.iter().map(|table| table.owner).collect(),
            tables: spec
                .tables
                .into_iter()
                .map(|table| {
                    let cells = Cells::new(table.layout);
                    let bounds = (spec.series_max, spec.series_bytes_max);
                    Table::new(cells, bounds, table.overflow_key)
                })
                .collect(),
            workers: (0..spec.workers).map(|_| worker()).collect(),
            groups_max: spec.groups_max,
            touched: Vec::new(),
            time_ms: 0,
            birth_ms_min: 0,
            birth_ms_last: 0,
            counts: Arc::default(),
        }
    }

    #[must_use]
    pub fn counts(&self) -> Arc<StoreCounts> {
        Arc::clone(&self.counts)
    }

    /// Tables that a window of this store has.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Adds a window of a worker. Windows of one worker come in the order in which it wrote them.
    ///
    /// # Hot path
    /// - runs: on the folder, per window; the loop per touched group
    /// - cost: no allocation for known groups whose chunks no reader holds (bench `store/fold`)
    /// - invariants: a group is born in the window that shows it first or in an earlier one of the
    ///   epoch
    /// - units: none
    pub fn fold(&mut self, worker: usize, window: &Window) {
        let known = &mut self.workers[worker];
        if known.epoch != window.epoch {
            known.forget(window.epoch);
        }
        for (index, touched) in window.tables.iter().enumerate() {
            self.fold_table(worker, index, touched, window);
        }
        for seen in &window.resources {
            self.owners[seen.owner.0 as usize]
                .resources
                .see(seen.resource, window.time_ms);
        }
        counts::add(&self.counts.folds, 1);
    }

    fn fold_table(&mut self, worker: usize, index: usize, touched: &WindowTable, window: &Window) {
        let known = &mut self.workers[worker];
        let groups = &mut known.groups[index];
        let table = &mut self.tables[index];
        let owner = &mut self.owners[self.owner_of[index].0 as usize];
        let time = |time_ms: u64, flush| BirthTime {
            time_ms: time_ms.max(self.birth_ms_min),
            flush,
        };
        let births_before = table.births;
        for birth in &touched.births {
            debug_assert_eq!(birth.group.0 as usize, groups.handles.len());
            let time = time(birth.time_ms, owner.flush);
            let handle = table.born(birth, window, &mut owner.resources, time);
            self.birth_ms_last = self.birth_ms_last.max(time.time_ms);
            let wants_room = table.is_overflow(handle.cell) && !table.is_too_long(birth, window);
            groups.overflowed += usize::from(wants_room);
            groups.handles.push(handle);
        }
        let layout = table.cells.layout();
        let mut overflowed = 0;
        self.touched.clear();
        for (slot, group) in touched.groups.iter().enumerate() {
            let handle = &mut groups.handles[group.0 as usize];
            if table.cells.generation(handle.cell) != handle.generation {
                let time = time(window.time_ms, owner.flush);
                let resources = &mut owner.resources;
                *handle = table.born_again(&handle.identity, window, resources, time);
                self.birth_ms_last = self.birth_ms_last.max(time.time_ms);
                groups.overflowed += usize::from(table.is_overflow(handle.cell));
            }
            if table.is_overflow(handle.cell) {
                let words = layout.words();
                overflowed += layout.count(&touched.rows[slot * words..][..words]);
            }
            self.touched.push(handle.cell);
        }
        table.cells.add(&self.touched, &touched.rows);
        known.wants_epoch |= groups.handles.len() > self.groups_max;
        counts::add(&self.counts.overflowed, overflowed);
        counts::add(&self.counts.births, table.births - births_before);
        if table.births != births_before || !touched.births.is_empty() {
            self.measure();
        }
    }

    /// The flush interval of an owner went by: counts it, and lets go what is to go.
    pub fn tick(&mut self, owner: OwnerId, now_ms: u64) {
        let ticking = &mut self.owners[owner.0 as usize];
        ticking.flush += 1;
        if ticking.leaves_late {
            let flush = ticking.flush;
            // Let go of the last one first: chunks that only it holds need no copy.
            ticking.last_flush = None;
            let snapshot = self.cut(now_ms, flush);
            self.owners[owner.0 as usize].last_flush = Some(snapshot);
        }
        let gone = self.owners[owner.0 as usize].resources.expire(now_ms);
        if gone.is_empty() {
            return;
        }
        let mut freed = 0;
        for (table, of) in self.tables.iter_mut().zip(&self.owner_of) {
            if *of == owner {
                freed += table
                    .cells
                    .free_where(|identity| gone.binary_search(&identity.resource_hash).is_ok());
            }
        }
        self.birth_ms_min = self.time_ms + 2;
        counts::add(&self.counts.expired, freed as u64);
        self.review_groups();
        self.measure();
    }

    /// All cells as of the last fold.
    pub fn snapshot(&mut self, now_ms: u64) -> Snapshot {
        let flush = self.owners.iter().map(|owner| owner.flush).sum();
        self.cut(now_ms, flush)
    }

    /// All cells as of the owner's last tick; `None` before the first one, and for an owner whose
    /// readers are live.
    #[must_use]
    pub fn last_flush(&self, owner: OwnerId) -> Option<&Snapshot> {
        self.owners[owner.0 as usize].last_flush.as_ref()
    }

    /// Whether the worker shall start a new epoch; says so once until it did.
    #[must_use]
    pub fn asks_for_epoch(&mut self, worker: usize) -> bool {
        let worker = &mut self.workers[worker];
        let asks = worker.wants_epoch && !worker.is_asked;
        worker.is_asked |= asks;
        counts::add(&self.counts.epochs, u64::from(asks));
        asks
    }

    fn cut(&mut self, now_ms: u64, flush: u64) -> Snapshot {
        self.time_ms = now_ms.max(self.time_ms + 1).max(self.birth_ms_last);
        Snapshot {
            time_ms: self.time_ms,
            flush,
            tables: self
                .tables
                .iter()
                .map(|table| table.cells.snapshot())
                .collect(),
        }
    }

    /// After an expiry: which workers remember much that is gone, or send to the overflow what has
    /// room again?
    fn review_groups(&mut self) {
        for worker in &mut self.workers {
            for (groups, table) in worker.groups.iter().zip(&self.tables) {
                let stale = groups
                    .handles
                    .iter()
                    .filter(|handle| table.cells.generation(handle.cell) != handle.generation)
                    .count();
                worker.wants_epoch |= stale >= STALE_GROUPS_MIN && stale * 2 > groups.handles.len();
                worker.wants_epoch |= groups.overflowed > 0 && !table.is_full();
            }
        }
    }

    fn measure(&self) {
        let cells = self.tables.iter().map(|table| table.cells.live()).sum();
        let groups = self.workers.iter().map(Worker::groups).sum();
        let resources = self.owners.iter().map(|owner| owner.resources.count());
        counts::set(&self.counts.cells, cells);
        counts::set(&self.counts.groups, groups);
        counts::set(&self.counts.resources, resources.sum());
    }
}

impl Owner {
    fn new(spec: OwnerSpec) -> Self {
        Self {
            resources: Resources::new(spec),
            leaves_late: spec.leaves_late,
            flush: 0,
            last_flush: None,
        }
    }
}

impl Worker {
    /// All group ids start anew.
    fn forget(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.wants_epoch = false;
        self.is_asked = false;
        for groups in &mut self.groups {
            *groups = GroupMap::default();
        }
    }

    fn groups(&self) -> usize {
        self.groups.iter().map(|groups| groups.handles.len()).sum()
    }
}
