//! A cut through all cells that readers keep as long as they like.
//!
//! Cells stand in chunks behind `Arc`. The folder writes to a chunk in place when no reader holds it
//! and copies it otherwise, so a reader costs the folder at most the chunks touched meanwhile, and
//! never sees half a fold.

use std::sync::Arc;

use super::window::Layout;

/// Cells of a chunk.
pub const CHUNK_CELLS: usize = 256;

/// Index of a cell in its table. Reused after expiry, with a higher generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellId(pub u32);

/// All cells as of one fold.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Time of the fold, Unix milliseconds; later than that of any snapshot before, also when the clock
    /// stands or goes back: two readings of one time would be one sample to a scraper.
    pub time_ms: u64,
    /// Flush ticks so far, the one that took it included: of its owner for a flush's snapshot, of all
    /// owners for a live one. A cell's first flush has `flush == birth_flush + 1`.
    pub flush: u64,
    pub tables: Vec<TableSnapshot>,
}

#[derive(Clone, Debug)]
pub struct TableSnapshot {
    pub layout: Layout,
    pub chunks: Vec<Chunk>,
}

#[derive(Clone, Debug)]
pub struct Chunk {
    /// `CHUNK_CELLS` rows of `Layout::words` words.
    pub rows: Arc<[u64]>,
    pub cells: Arc<[CellState]>,
}

/// What a reader must know of a cell besides its numbers. Changes at birth and expiry only.
#[derive(Clone, Debug, Default)]
pub struct CellState {
    /// `None`: the cell is free.
    pub identity: Option<Arc<Identity>>,
    /// Grows at each birth in this place.
    pub generation: u32,
    /// Unix milliseconds of the run that saw it first; after an expiry at least 2 ms above any
    /// snapshot that could have shown an earlier series of the same name.
    pub birth_ms: u64,
    /// Flush ticks of its owner before its birth.
    pub birth_flush: u64,
}

/// The OTLP identity of a cell, as bytes. Kept by the cell and by every group that leads to it, so that a
/// group whose cell expired can be born again.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// Keyed hash of the whole.
    pub hash: u128,
    /// Keyed hash of the resource bytes.
    pub resource_hash: u128,
    /// Bytes of the OTLP `Resource` message, shared by all cells of the resource.
    pub resource: Arc<[u8]>,
    /// The key as its connector wrote it.
    pub key: Box<[u8]>,
}
