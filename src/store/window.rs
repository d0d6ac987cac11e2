//! What one worker gathered since the last fold: only groups that were touched.
//!
//! A worker's group table maps a row's 128-bit hash to a [`GroupId`] and lives as long as its epoch.
//! The window has one slot for each group touched since the last fold; a slot's numbers stand in a
//! flat row of `u64` words. So folding costs what was touched, not what is known.

/// Index of a table of the store: one for each metric family of a connector that shares a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId(pub u16);

/// A group of one worker and one table. Dense, no gaps; dies with the epoch of the worker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId(pub u32);

/// How the words of a cell's row are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One word: a monotonic count.
    Counter,
    /// `[sum low, sum high, bucket 0, ..., bucket n]`: the sum is nanoseconds in 128 bits; buckets
    /// are not cumulative, the last one is +Inf; their total is the count.
    Histogram { buckets: u16 },
}

impl Layout {
    /// Words of a row.
    #[must_use]
    pub const fn words(self) -> usize {
        match self {
            Self::Counter => 1,
            Self::Histogram { buckets } => 2 + buckets as usize,
        }
    }
}

/// One table's part of a window.
#[derive(Debug, Default)]
pub struct WindowTable {
    /// Slot -> group.
    pub groups: Vec<GroupId>,
    /// Slot -> row of `Layout::words` words, flat.
    pub rows: Vec<u64>,
    /// Groups that this worker's table did not know before, in order of their ids.
    pub births: Vec<Birth>,
}

/// A group seen for the first time in this epoch of the worker's table.
#[derive(Clone, Debug)]
pub struct Birth {
    pub group: GroupId,
    /// Keyed hash of resource and key: the identity.
    pub identity: u128,
    /// Keyed hash of the resource bytes alone.
    pub resource: u128,
    /// Ranges in [`Window::arena`]: bytes of the OTLP `Resource` message, and the key as its
    /// connector wrote it (only the connector can read it).
    pub resource_bytes: std::ops::Range<u32>,
    pub key_bytes: std::ops::Range<u32>,
    /// When the run began that saw it first, Unix milliseconds.
    pub time_ms: u64,
}

/// All tables of one worker since the last fold.
#[derive(Debug, Default)]
pub struct Window {
    /// Epoch of the worker's group tables; a new one means that all group ids started anew.
    pub epoch: u32,
    pub tables: Vec<WindowTable>,
    pub arena: Vec<u8>,
    /// Resources seen, with or without spans, each once a window: their hash.
    pub resources: Vec<u128>,
    /// Start of the last run in it, Unix milliseconds.
    pub time_ms: u64,
}
