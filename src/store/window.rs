//! What one worker gathered since the last fold: only groups that were touched.
//!
//! A worker's group table maps a row's 128-bit hash to a [`GroupId`] and lives as long as its epoch.
//! The window has one slot for each group touched since the last fold; a slot's numbers stand in a
//! flat row of `u64` words. So folding costs what was touched, not what is known. Nothing here is
//! shared: who owns the window may write it, see `handover`.

use std::ops::Range;

/// Index of a table of the store: one for each metric family of a connector that shares a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId(pub u16);

/// Index of an owner of tables: a connector instance. Its resources expire by its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerId(pub u16);

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

    /// How often the row was observed: the total of its counts, which is `count` by construction.
    #[must_use]
    pub fn count(self, row: &[u64]) -> u64 {
        match self {
            Self::Counter => row[0],
            Self::Histogram { .. } => row[2..].iter().sum(),
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

impl WindowTable {
    /// A zeroed row for a group that has none in this window yet; answers its slot.
    pub fn push_row(&mut self, group: GroupId, words: usize) -> u32 {
        // Groups are counted in u32, and a group has one slot at most.
        let slot = self.groups.len() as u32;
        self.groups.push(group);
        self.rows.resize(self.rows.len() + words, 0);
        slot
    }

    fn bytes(&self) -> usize {
        size_of_val(self.groups.as_slice())
            + size_of_val(self.rows.as_slice())
            + size_of_val(self.births.as_slice())
    }
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
    pub resource_bytes: Range<u32>,
    pub key_bytes: Range<u32>,
    /// When the run began that saw it first, Unix milliseconds.
    pub time_ms: u64,
}

/// A resource that came by, with or without spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenResource {
    pub owner: OwnerId,
    /// Keyed hash of the resource bytes.
    pub resource: u128,
}

/// All tables of one worker since the last fold.
#[derive(Debug, Default)]
pub struct Window {
    /// Epoch of the worker's group tables; a new one means that all group ids started anew.
    pub epoch: u32,
    /// Tells this window from the worker's others of the epoch. 0: fresh from the folder, and empty;
    /// the worker numbers it when it takes it. Slots that groups remember are of one sequence.
    pub sequence: u32,
    pub tables: Vec<WindowTable>,
    pub arena: Vec<u8>,
    /// Resources seen, at least once a window each.
    pub resources: Vec<SeenResource>,
    /// Start of the last run in it, Unix milliseconds.
    pub time_ms: u64,
    #[cfg(spanmill_loom)]
    touched: super::sync::Touched,
}

impl Window {
    /// From here on the folder is woken; it folds at the next end of a run. A quarter of a
    /// second-level cache or so: the window has left the first one anyway.
    pub const BYTES_LARGE: usize = 4 << 20;
    /// From here on no run may start: the folder is far behind. Ranges in the arena stay within 32
    /// bits, because what one run adds is bounded by its requests.
    pub const BYTES_MAX: usize = 256 << 20;

    #[must_use]
    pub fn new(tables: usize) -> Self {
        Self {
            tables: (0..tables).map(|_| WindowTable::default()).collect(),
            ..Self::default()
        }
    }

    /// Bytes in use, not bytes allocated.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(WindowTable::bytes).sum();
        tables + self.arena.len() + size_of_val(self.resources.as_slice())
    }

    /// Whether a run may start. If not, refuse its requests retryably.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes() < Self::BYTES_MAX
    }

    /// Empty and unnumbered. Memory stays, for what the next window likely needs, but four times
    /// more than this one used is given back.
    pub fn reset(&mut self) {
        self.sequence = 0;
        for table in &mut self.tables {
            empty(&mut table.groups);
            empty(&mut table.rows);
            empty(&mut table.births);
        }
        empty(&mut self.arena);
        empty(&mut self.resources);
    }
}

/// Capacities below this are not worth giving back.
const SPARE_ITEMS: usize = 4096;

#[cfg(spanmill_loom)]
impl Window {
    /// An access that loom checks.
    pub fn touch(&self) {
        self.touched.touch();
    }
}

fn empty<T>(items: &mut Vec<T>) {
    let used = items.len();
    items.clear();
    if items.capacity() > SPARE_ITEMS && items.capacity() / 4 > used {
        items.shrink_to(used * 2);
    }
}
