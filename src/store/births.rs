//! A group's identity becomes a cell, many to one.
//!
//! Each worker counts its own groups from 0, so the folder keeps one map from group to cell for each
//! worker and table: a vector of handles. A handle remembers the generation of its cell and the
//! identity; when the cell expired, the group is born again from it, and no increment is lost.

use std::sync::Arc;

use super::cells::{BirthTime, Cells};
use super::expiry::Resources;
use super::snapshot::{CellId, Identity};
use super::window::{Birth, Window};

/// A group's way to its cell.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) cell: CellId,
    pub(super) generation: u32,
    pub(super) identity: Arc<Identity>,
}

/// Group -> handle, for one worker and table.
#[derive(Default)]
pub(super) struct GroupMap {
    pub(super) handles: Vec<Handle>,
    /// Handles that lead to the overflow cell for want of room.
    pub(super) overflowed: usize,
}

/// One table of the store: its cells and the place for identities beyond its bound.
pub(super) struct Table {
    pub(super) cells: Cells,
    series_max: usize,
    series_bytes_max: usize,
    /// The key under which the connector knows what lies beyond these bounds or is too long.
    overflow_key: Box<[u8]>,
    pub(super) overflow: Option<Handle>,
    /// Cells born since the store began.
    pub(super) births: u64,
}

impl Table {
    pub(super) fn new(
        cells: Cells,
        (series_max, series_bytes_max): (usize, usize),
        overflow_key: Box<[u8]>,
    ) -> Self {
        Self {
            cells,
            series_max,
            series_bytes_max,
            overflow_key,
            overflow: None,
            births: 0,
        }
    }

    /// The handle of a group that its worker saw for the first time.
    pub(super) fn born(
        &mut self,
        birth: &Birth,
        window: &Window,
        resources: &mut Resources,
        time: BirthTime,
    ) -> Handle {
        if let Some(cell) = self.cells.find(birth.identity) {
            return self.handle(cell);
        }
        if self.is_full() || self.is_too_long(birth, window) {
            return self.overflow(time);
        }
        let bytes = &window.arena[as_usize(&birth.resource_bytes)];
        let resource = resources.intern(birth.resource, bytes, window.time_ms);
        let identity = Arc::new(Identity {
            hash: birth.identity,
            resource_hash: birth.resource,
            resource,
            key: window.arena[as_usize(&birth.key_bytes)].into(),
        });
        self.insert(identity, time)
    }

    /// The handle of a group whose cell expired: of a new cell of the same identity.
    #[cold]
    pub(super) fn born_again(
        &mut self,
        identity: &Arc<Identity>,
        window: &Window,
        resources: &mut Resources,
        time: BirthTime,
    ) -> Handle {
        if let Some(cell) = self.cells.find(identity.hash) {
            return self.handle(cell);
        }
        if self.is_full() {
            return self.overflow(time);
        }
        resources.restore(identity.resource_hash, &identity.resource, window.time_ms);
        self.insert(Arc::clone(identity), time)
    }

    /// Whether the worker gave the birth the overflow key, its own being too long.
    pub(super) fn is_too_long(&self, birth: &Birth, window: &Window) -> bool {
        window.arena[as_usize(&birth.key_bytes)] == *self.overflow_key
    }

    pub(super) fn is_overflow(&self, cell: CellId) -> bool {
        self.overflow
            .as_ref()
            .is_some_and(|handle| handle.cell == cell)
    }

    pub(super) fn is_full(&self) -> bool {
        self.cells.live() >= self.series_max || self.cells.key_bytes() >= self.series_bytes_max
    }

    /// One cell for all that is too much. It has an empty resource and never expires.
    #[cold]
    fn overflow(&mut self, time: BirthTime) -> Handle {
        if self.overflow.is_none() {
            // No hash of an identity leads here by chance: the overflow is found by its place.
            let identity = Arc::new(Identity {
                hash: 0,
                resource_hash: 0,
                resource: Arc::from([]),
                key: self.overflow_key.clone(),
            });
            self.overflow = Some(self.insert(identity, time));
        }
        self.overflow.clone().expect("made above")
    }

    fn insert(&mut self, identity: Arc<Identity>, time: BirthTime) -> Handle {
        self.births += 1;
        let cell = self.cells.insert(identity, time);
        self.handle(cell)
    }

    fn handle(&self, cell: CellId) -> Handle {
        Handle {
            cell,
            generation: self.cells.generation(cell),
            identity: Arc::clone(self.cells.identity(cell)),
        }
    }
}

fn as_usize(range: &std::ops::Range<u32>) -> std::ops::Range<usize> {
    range.start as usize..range.end as usize
}
