//! Hashes of rows in, places of their rows in the window out.
//!
//! Equal hashes are one group; groups are numbered without gaps and never removed: the owner of the
//! window replaces the whole table with a new epoch instead. Beside the number stands where the
//! group's row is in the window it was last in, so that a known group costs one probe.
//!
//! Runs on a worker core, per row; no unsafe.
#![allow(
    clippy::cast_possible_truncation,
    reason = "groups and the words of a window are counted in u32"
)]

use hashbrown::HashTable;

use crate::batch::row_hash::RowHash;
use crate::store::window::{Birth, GroupId, WindowTable};

/// One probe touches half a cache line.
struct Group {
    hash: RowHash,
    id: GroupId,
    /// Of the window in which `slot` is; 0: none.
    sequence: u32,
    slot: u32,
}

/// The groups of one worker and table.
#[derive(Default)]
pub(super) struct GroupTable {
    groups: HashTable<Group>,
}

impl GroupTable {
    /// The place of each row's accumulator, made if the group has none in this window. `born`
    /// describes a row whose group is new.
    ///
    /// # Hot path
    /// - runs: on a worker, once a batch and table
    /// - cost: one probe a row; no allocation for groups known in this window (bench `groups`)
    /// - invariants: `sequence` is the window's and not 0 (debug-asserted)
    /// - units: offsets in words of the window's rows
    pub(super) fn places(
        &mut self,
        rows: &[u32],
        hashes: &[RowHash],
        (window, words, sequence): (&mut WindowTable, usize, u32),
        mut born: impl FnMut(usize, GroupId) -> Birth,
        offsets: &mut Vec<u32>,
    ) {
        debug_assert_ne!(sequence, 0);
        offsets.clear();
        offsets.extend(rows.iter().map(|row| {
            let row = *row as usize;
            let hash = hashes[row];
            let slot = match self.groups.find_mut(hash[0], |group| group.hash == hash) {
                Some(group) if group.sequence == sequence => group.slot,
                Some(group) => {
                    group.sequence = sequence;
                    group.slot = window.push_row(group.id, words);
                    group.slot
                }
                None => self.insert(hash, sequence, window, words, |id| born(row, id)),
            };
            slot * words as u32
        }));
    }

    #[cold]
    fn insert(
        &mut self,
        hash: RowHash,
        sequence: u32,
        window: &mut WindowTable,
        words: usize,
        born: impl FnOnce(GroupId) -> Birth,
    ) -> u32 {
        let id = GroupId(self.groups.len() as u32);
        window.births.push(born(id));
        let slot = window.push_row(id, words);
        let group = Group {
            hash,
            id,
            sequence,
            slot,
        };
        self.groups
            .insert_unique(hash[0], group, |group| group.hash[0]);
        slot
    }
}
