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
    free: Vec<CellId>,
    /// Of the living.
    key_bytes: usize,
    /// Identity hash -> cell.
    index: HashTable<CellId>,
}

impl Cells {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            chunks: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            key_bytes: 0,
            index: HashTable::new(),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Cells with an identity.
    pub(super) fn live(&self) -> usize {
        self.generations.len() - self.free.len()
    }

    /// Of all cells with an identity.
    pub(super) fn key_bytes(&self) -> usize {
        self.key_bytes
    }

    pub(super) fn generation(&self, cell: CellId) -> u32 {
        self.generations[cell.0 as usize]
    }

    pub(super) fn identity(&self, cell: CellId) -> &Arc<Identity> {
        identity(&self.chunks, cell)
    }

    pub(super) fn find(&self, hash: u128) -> Option<CellId> {
        let is_it = |cell: &CellId| self.identity(*cell).hash == hash;
        self.index.find(hash as u64, is_it).copied()
    }

    /// Adds a window's rows to the cells they belong to.
    ///
    /// # Hot path
    /// - runs: on the folder, per touched group
    /// - cost: no allocation unless a reader holds a chunk (bench `store/fold`)
    /// - invariants: `rows` has the layout's words for each cell (debug-asserted)
    /// - units: as the layout says
    pub(super) fn add(&mut self, cells: &[CellId], rows: &[u64]) {
        let layout = self.layout;
        let words = layout.words();
        debug_assert_eq!(rows.len(), cells.len() * words);
        // PERF: whether a reader holds a chunk is asked once for each chunk and not for each row: the
        // answer costs a locked instruction, behind which the next row's memory is not fetched yet.
        for (index, chunks) in self.chunks.chunks_mut(OPEN_CHUNKS).enumerate() {
            let first = index * OPEN_CHUNKS;
            let mut places = [const { Place::None }; OPEN_CHUNKS];
            for (place, chunk) in places.iter_mut().zip(chunks) {
                *place = Place::Shut(&mut chunk.rows);
            }
            for (cell, row) in cells.iter().zip(rows.chunks_exact(words)) {
                let (chunk, at) = place(*cell);
                if let Some(place) = places.get_mut(chunk.wrapping_sub(first)) {
                    add(layout, &mut place.open()[at * words..][..words], row);
                }
            }
        }
    }

    /// A cell for an identity that has none.
    pub(super) fn insert(&mut self, of: Arc<Identity>, birth: BirthTime) -> CellId {
        let cell = self.free.pop().unwrap_or_else(|| self.grow());
        let (chunk, at) = place(cell);
        let words = self.layout.words();
        Arc::make_mut(&mut self.chunks[chunk].rows)[at * words..][..words].fill(0);
        let hash = of.hash;
        self.key_bytes += of.key.len();
        Arc::make_mut(&mut self.chunks[chunk].cells)[at] = CellState {
            identity: Some(of),
            generation: self.generations[cell.0 as usize],
            birth_ms: birth.time_ms,
            birth_flush: birth.flush,
        };
        let chunks = &self.chunks;
        self.index.insert_unique(hash as u64, cell, |cell| {
            identity(chunks, *cell).hash as u64
        });
        cell
    }

    /// Frees each live cell whose identity `is_gone`; answers how many.
    pub(super) fn free_where(&mut self, is_gone: impl Fn(&Identity) -> bool) -> usize {
        let mut freed = 0;
        for index in 0..self.generations.len() {
            let cell = CellId(index as u32);
            let (chunk, at) = place(cell);
            let of = self.chunks[chunk].cells[at].identity.as_deref();
            if !of.is_some_and(&is_gone) {
                continue;
            }
            self.unindex(cell);
            self.generations[index] = self.generations[index].wrapping_add(1);
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
        let identity = self.identity(cell);
        let (hash, key_bytes) = (identity.hash, identity.key.len());
        self.key_bytes -= key_bytes;
        if let Ok(entry) = self.index.find_entry(hash as u64, |found| *found == cell) {
            entry.remove();
        }
    }

    fn grow(&mut self) -> CellId {
        let cell = CellId(self.generations.len() as u32);
        if place(cell).1 == 0 {
            self.chunks.push(Chunk {
                rows: std::iter::repeat_n(0, CHUNK_CELLS * self.layout.words()).collect(),
                cells: std::iter::repeat_n(CellState::default(), CHUNK_CELLS).collect(),
            });
        }
        self.generations.push(0);
        cell
    }
}

/// Chunks that are open at once, on the stack; a window is passed over once for so many.
const OPEN_CHUNKS: usize = 64;

/// A chunk's rows in a fold.
enum Place<'a> {
    None,
    /// A reader may hold them.
    Shut(&'a mut Arc<[u64]>),
    Open(&'a mut [u64]),
}

impl Place<'_> {
    fn open(&mut self) -> &mut [u64] {
        if let Self::Shut(_) = self
            && let Self::Shut(rows) = std::mem::replace(self, Self::None)
        {
            *self = Self::Open(Arc::make_mut(rows));
        }
        match self {
            Self::Open(rows) => rows,
            Self::None | Self::Shut(_) => &mut [],
        }
    }
}

fn add(layout: Layout, target: &mut [u64], row: &[u64]) {
    match layout {
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

fn identity(chunks: &[Chunk], cell: CellId) -> &Arc<Identity> {
    let (chunk, at) = place(cell);
    let identity = chunks[chunk].cells[at].identity.as_ref();
    identity.expect("an indexed cell is live")
}

/// Chunk of a cell, and its index therein.
fn place(cell: CellId) -> (usize, usize) {
    let index = cell.0 as usize;
    (index / CHUNK_CELLS, index % CHUNK_CELLS)
}
