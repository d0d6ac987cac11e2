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
        let slot = u32::try_from(self.groups.len()).expect("slots are no more than groups");
        self.groups.push(group);
        let end = self.rows.len() + words;
        if end > self.rows.capacity() {
            self.grow(end);
        }
        self.rows.resize(end, 0);
        slot
    }

    /// By a quarter, not twofold: rows are most of a window, and their memory stays.
    #[cold]
    fn grow(&mut self, words: usize) {
        let more = (self.rows.len() / 4).max(Self::GROWTH_WORDS_MIN);
        self.rows.reserve_exact(words - self.rows.len() + more);
    }

    const GROWTH_WORDS_MIN: usize = 1_024;

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
    /// How often in a row it was reset with most of its memory unused.
    sparse_resets: u8,
    #[cfg(spanmill_loom)]
    touched: super::sync::Touched,
}

impl Window {
    /// From here on the folder is woken. Some ten thousand touched groups: folding them less often
    /// would save little, and each worker has two windows of this size.
    pub const BYTES_LARGE: usize = 3 << 19;
    /// From here on no run may start: the folder is far behind. Ranges in the arena stay within 32
    /// bits, because what one run adds is bounded by its requests.
    pub const BYTES_MAX: usize = 256 << 20;
    /// Memory that is not worth giving back.
    const BYTES_SPARE: usize = 64 << 10;
    /// Two windows take turns, a fold a second: two minutes.
    const SPARSE_RESETS_MAX: u8 = 60;

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

    /// Empty and unnumbered. Memory stays for what the next window needs, unless it was mostly unused
    /// many times in a row: a burst is forgotten, a scrape right after a fold forgets nothing.
    pub fn reset(&mut self) {
        let is_sparse = self.bytes_allocated() / 4 > self.bytes().max(Self::BYTES_SPARE);
        self.sparse_resets = if is_sparse { self.sparse_resets + 1 } else { 0 };
        self.sequence = 0;
        for table in &mut self.tables {
            table.groups.clear();
            table.rows.clear();
            table.births.clear();
        }
        self.arena.clear();
        self.resources.clear();
        if self.sparse_resets >= Self::SPARSE_RESETS_MAX {
            self.sparse_resets = 0;
            for table in &mut self.tables {
                *table = WindowTable::default();
            }
            self.arena = Vec::new();
            self.resources = Vec::new();
        }
    }

    fn bytes_allocated(&self) -> usize {
        let tables = self.tables.iter().map(|table| {
            table.groups.capacity() * size_of::<GroupId>()
                + table.rows.capacity() * size_of::<u64>()
                + table.births.capacity() * size_of::<Birth>()
        });
        tables.sum::<usize>()
            + self.arena.capacity()
            + self.resources.capacity() * size_of::<SeenResource>()
    }
}

#[cfg(spanmill_loom)]
impl Window {
    /// An access that loom checks.
    pub fn touch(&self) {
        self.touched.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_rows(window: &mut Window, groups: u32) {
        for group in 0..groups {
            window.tables[0].push_row(GroupId(group), 12);
        }
    }

    /// Two windows take turns: one fold may be right after another.
    #[test]
    fn memory_of_a_burst_goes_after_many_small_windows_only() {
        let mut window = Window::new(1);
        use_rows(&mut window, 10_000);
        window.reset();
        let burst = window.bytes_allocated();
        for _ in 1..Window::SPARSE_RESETS_MAX {
            use_rows(&mut window, 1);
            window.reset();
        }
        assert_eq!(window.bytes_allocated(), burst);
        use_rows(&mut window, 1);
        window.reset();
        assert!(window.bytes_allocated() < burst / 4);
    }

    #[test]
    fn memory_that_is_used_now_and_then_stays() {
        let mut window = Window::new(1);
        for round in 0..300 {
            use_rows(&mut window, if round % 10 == 0 { 10_000 } else { 1 });
            window.reset();
        }
        assert!(window.bytes_allocated() > 10_000 * 12 * 8);
    }
}
