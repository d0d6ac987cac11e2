//! What is known of the resources that came by: their hash says it all from the second time on.
//!
//! Remembers for each resource whether it has `service.name`, and for the present window whether it
//! was reported as seen and where its bytes were kept. Bounded: when full, all is forgotten and learnt
//! again.
#![allow(
    clippy::cast_possible_truncation,
    reason = "an arena stays below 4 GiB"
)]

use std::ops::Range;

use hashbrown::HashTable;

use super::plan::SERVICE_NAME;
use crate::batch::any_value::key_values;
use crate::batch::row_hash::{RowHash, as_u128};
use crate::store::window::{OwnerId, SeenResource};

/// A sidecar sees a handful, a gateway some thousands; an entry is 64 bytes.
const RESOURCES_MAX: usize = 8_192;

struct Known {
    hash: RowHash,
    has_service_name: bool,
    /// Of the window in which it was seen last; 0: none.
    sequence: u32,
    /// Its bytes in the arena of that window.
    kept: Option<Range<u32>>,
}

#[derive(Default)]
pub(super) struct KnownResources {
    known: HashTable<Known>,
}

/// One row of a batch's resources.
#[derive(Clone, Copy)]
pub(super) struct BatchResource {
    pub(super) hash: RowHash,
    pub(super) has_service_name: bool,
}

impl KnownResources {
    /// Looks a resource up, and reports it once a window if its spans count.
    pub(super) fn see(
        &mut self,
        hash: RowHash,
        bytes: &[u8],
        (owner, sequence): (OwnerId, u32),
        seen: &mut Vec<SeenResource>,
    ) -> BatchResource {
        let known = self.entry(hash, bytes);
        if known.sequence != sequence {
            known.sequence = sequence;
            known.kept = None;
            if known.has_service_name {
                let resource = as_u128(hash);
                seen.push(SeenResource { owner, resource });
            }
        }
        BatchResource {
            hash,
            has_service_name: known.has_service_name,
        }
    }

    /// Where the bytes of a resource are in the window's arena, which is `sequence`'s.
    pub(super) fn keep(
        &mut self,
        hash: RowHash,
        bytes: &[u8],
        sequence: u32,
        arena: &mut Vec<u8>,
    ) -> Range<u32> {
        let known = self.entry(hash, bytes);
        if known.sequence == sequence
            && let Some(range) = &known.kept
        {
            return range.clone();
        }
        let range = append(arena, |arena| arena.extend_from_slice(bytes));
        if known.sequence == sequence {
            known.kept = Some(range.clone());
        }
        range
    }

    pub(super) fn forget(&mut self) {
        self.known = HashTable::new();
    }

    fn entry(&mut self, hash: RowHash, bytes: &[u8]) -> &mut Known {
        if self.known.len() >= RESOURCES_MAX
            && self.known.find(hash[0], |it| it.hash == hash).is_none()
        {
            self.forget();
        }
        self.known
            .entry(hash[0], |known| known.hash == hash, |known| known.hash[0])
            .or_insert_with(|| Known {
                hash,
                has_service_name: key_values(bytes)
                    .any(|attribute| attribute.key == SERVICE_NAME.as_bytes()),
                sequence: 0,
                kept: None,
            })
            .into_mut()
    }
}

/// The range that `write` appends. An arena stays below 4 GiB, see `Window::BYTES_MAX`.
pub(super) fn append(arena: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Range<u32> {
    let start = arena.len() as u32;
    write(arena);
    start..arena.len() as u32
}
