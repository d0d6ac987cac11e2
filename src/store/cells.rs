//! The cells of one table: chunks of rows that readers may hold, and the index from identity to cell.
//!
//! A place is reused after expiry. Its generation grows when it is freed, so that whoever remembers
//! cell and generation finds out. A freed place keeps its numbers until its next birth: readers look
//! at the identity first.
//!
//! Runs on the folder thread; `add` once for each group touched since the last fold.
#![allow(
    clippy::cast_possible_truncation,
    reason = "a table is indexed by half of a hash; cells are counted in u32"
)]

use std::sync::Arc;

use hashbrown::HashTable;

use super::snapshot::{CHUNK_CELLS, CellId, CellState, Chunk, Identity, TableSnapshot};
use super::window::Layout;

/// Where a cell comes from, kept by the cell and by every group that leads to it, so that a group
/// whose cell expired can be born again.
#[derive(Debug)]
pub(super) struct Origin {
    /// Keyed hash of the identity.
    pub(super) hash: u128,
    /// Keyed hash of the resource bytes.
    pub(super) resource: u128,
    pub(super) identity: Arc<Identity>,
}

/// When a cell is born.
#[derive(Clone, Copy)]
pub(super) struct BirthTime {
    pub(super) time_ms: u64,
    pub(super) flush: u64,
}

pub(super) struct Cells {
    layout: Layout,
    chunks: Vec<Chunk>,
    /// Cell -> generation. Wraps after 2^32 expiries in one place, which are at most one a tick.
    generations: Vec<u32>,
    /// Cell -> origin; `None`: free.
    origins: Vec<Option<Arc<Origin>>>,
    free: Vec<CellId>,
    /// Identity hash -> cell.
    index: HashTable<CellId>,
}

impl Cells {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            chunks: Vec::new(),
            generations: Vec::new(),
            origins: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Cells with an identity.
    pub(super) fn live(&self) -> usize {
        self.origins.len() - self.free.len()
    }

    pub(super) fn generation(&self, cell: CellId) -> u32 {
        self.generations[cell.0 as usize]
    }

    pub(super) fn origin(&self, cell: CellId) -> &Arc<Origin> {
        self.origins[cell.0 as usize]
            .as_ref()
            .expect("an indexed cell is live")
    }

    pub(super) fn find(&self, hash: u128) -> Option<CellId> {
        let is_it = |cell: &CellId| self.origin(*cell).hash == hash;
        self.index.find(hash as u64, is_it).copied()
    }

    /// Adds a window's row.
    ///
    /// # Hot path
    /// - runs: on the folder, per touched group
    /// - cost: no allocation unless a reader holds the chunk (bench `store/fold`)
    /// - invariants: `row` has the layout's words (debug-asserted)
    /// - units: as the layout says
    pub(super) fn add(&mut self, cell: CellId, row: &[u64]) {
        let words = self.layout.words();
        debug_assert_eq!(row.len(), words);
        let (chunk, at) = place(cell);
        let rows = Arc::make_mut(&mut self.chunks[chunk].rows);
        let target = &mut rows[at * words..][..words];
        match self.layout {
            Layout::Counter => target[0] += row[0],
            Layout::Histogram { .. } => {
                let (low, carry) = target[0].overflowing_add(row[0]);
                target[0] = low;
                target[1] = target[1]
                    .wrapping_add(row[1])
                    .wrapping_add(u64::from(carry));
                for (bucket, more) in target[2..].iter_mut().zip(&row[2..]) {
                    *bucket += more;
                }
            }
        }
    }

    /// A cell for an identity that has none.
    pub(super) fn insert(&mut self, origin: Arc<Origin>, birth: BirthTime) -> CellId {
        let cell = self.free.pop().unwrap_or_else(|| self.grow());
        let (chunk, at) = place(cell);
        let words = self.layout.words();
        Arc::make_mut(&mut self.chunks[chunk].rows)[at * words..][..words].fill(0);
        Arc::make_mut(&mut self.chunks[chunk].cells)[at] = CellState {
            identity: Some(Arc::clone(&origin.identity)),
            generation: self.generations[cell.0 as usize],
            birth_ms: birth.time_ms,
            birth_flush: birth.flush,
        };
        let hash = origin.hash;
        self.origins[cell.0 as usize] = Some(origin);
        let origins = &self.origins;
        self.index.insert_unique(hash as u64, cell, |cell| {
            let origin = origins[cell.0 as usize].as_ref();
            origin.expect("an indexed cell is live").hash as u64
        });
        cell
    }

    /// Frees each live cell whose origin `is_gone`; answers how many.
    pub(super) fn free_where(&mut self, is_gone: impl Fn(&Origin) -> bool) -> usize {
        let mut freed = 0;
        for index in 0..self.origins.len() {
            if !self.origins[index].as_deref().is_some_and(&is_gone) {
                continue;
            }
            let cell = CellId(index as u32);
            self.unindex(cell);
            self.origins[index] = None;
            self.generations[index] = self.generations[index].wrapping_add(1);
            let (chunk, at) = place(cell);
            Arc::make_mut(&mut self.chunks[chunk].cells)[at] = CellState {
                generation: self.generations[index],
                ..CellState::default()
            };
            self.free.push(cell);
            freed += 1;
        }
        freed
    }

    pub(super) fn snapshot(&self) -> TableSnapshot {
        TableSnapshot {
            layout: self.layout,
            chunks: self.chunks.clone(),
        }
    }

    fn unindex(&mut self, cell: CellId) {
        let hash = self.origin(cell).hash;
        if let Ok(entry) = self.index.find_entry(hash as u64, |found| *found == cell) {
            entry.remove();
        }
    }

    fn grow(&mut self) -> CellId {
        let cell = CellId(self.origins.len() as u32);
        if place(cell).1 == 0 {
            self.chunks.push(Chunk {
                rows: std::iter::repeat_n(0, CHUNK_CELLS * self.layout.words()).collect(),
                cells: std::iter::repeat_n(CellState::default(), CHUNK_CELLS).collect(),
            });
        }
        self.origins.push(None);
        self.generations.push(0);
        cell
    }
}

/// Chunk of a cell, and its index therein.
fn place(cell: CellId) -> (usize, usize) {
    let index = cell.0 as usize;
    (index / CHUNK_CELLS, index % CHUNK_CELLS)
}
