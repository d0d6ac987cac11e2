//! Which resources go, and when. All cells of a resource go with it.
//!
//! A resource stays while its owner sees it: any `ResourceSpans` of it counts, also one without
//! spans. At each tick of the owner the resources go that were not seen for the expiration, and
//! beyond the owner's bound those that were not seen for longest. Where the Collector's way is asked
//! for, they first leave for one tick, during which they are shown and may come back.
#![allow(
    clippy::cast_possible_truncation,
    reason = "a table is indexed by half of a hash"
)]

use std::sync::Arc;

use hashbrown::HashTable;

/// Rules of one owner: a connector instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerSpec {
    /// Not seen for this long: gone. `None`: never.
    pub expiration_ms: Option<u64>,
    /// Resources with cells that survive a tick.
    pub resources_max: usize,
    /// What goes is shown by one more flush, as the Collector does; without, it goes at once.
    pub leaves_late: bool,
}

struct Resource {
    hash: u128,
    bytes: Arc<[u8]>,
    seen_ms: u64,
    /// Position in the order of use.
    used: u64,
    is_leaving: bool,
}

/// The resources of one owner that have cells.
pub(super) struct Resources {
    spec: OwnerSpec,
    known: HashTable<Resource>,
    uses: u64,
}

impl Resources {
    pub(super) fn new(spec: OwnerSpec) -> Self {
        Self {
            spec,
            known: HashTable::new(),
            uses: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// The shared bytes of a resource that gets a cell.
    pub(super) fn intern(&mut self, hash: u128, bytes: &[u8], now_ms: u64) -> Arc<[u8]> {
        if let Some(resource) = self.find(hash) {
            return Arc::clone(&resource.bytes);
        }
        let bytes: Arc<[u8]> = bytes.into();
        self.restore(hash, &bytes, now_ms);
        bytes
    }

    /// Makes sure that a resource is known whose bytes are shared already.
    pub(super) fn restore(&mut self, hash: u128, bytes: &Arc<[u8]>, now_ms: u64) {
        if self.find(hash).is_some() {
            return;
        }
        self.uses += 1;
        let resource = Resource {
            hash,
            bytes: Arc::clone(bytes),
            seen_ms: now_ms,
            used: self.uses,
            is_leaving: false,
        };
        let rehash = |resource: &Resource| resource.hash as u64;
        self.known.insert_unique(hash as u64, resource, rehash);
    }

    /// A resource came by. One without cells has nothing to lose and is not known.
    pub(super) fn see(&mut self, hash: u128, now_ms: u64) {
        self.uses += 1;
        let uses = self.uses;
        if let Some(resource) = self.find(hash) {
            resource.seen_ms = resource.seen_ms.max(now_ms);
            resource.used = uses;
            resource.is_leaving = false;
        }
    }

    /// Forgets what is to go; answers the hashes of its resources, sorted.
    pub(super) fn expire(&mut self, now_ms: u64) -> Vec<u128> {
        let spec = self.spec;
        let is_old = |resource: &Resource| {
            let unseen_ms = now_ms.saturating_sub(resource.seen_ms);
            spec.expiration_ms.is_some_and(|limit| unseen_ms >= limit)
        };
        let used_min = self.used_min(is_old);
        let mut gone = Vec::new();
        for resource in &mut self.known {
            if spec.leaves_late && resource.is_leaving {
                gone.push(resource.hash);
            } else if is_old(resource) || resource.used < used_min {
                if spec.leaves_late {
                    resource.is_leaving = true;
                } else {
                    gone.push(resource.hash);
                }
            }
        }
        gone.sort_unstable();
        self.known
            .retain(|resource| gone.binary_search(&resource.hash).is_err());
        gone
    }

    /// Resources used before this position are too many. 0: none is.
    fn used_min(&self, is_old: impl Fn(&Resource) -> bool) -> u64 {
        let stays = |resource: &&Resource| !resource.is_leaving && !is_old(resource);
        let mut used: Vec<u64> = self
            .known
            .iter()
            .filter(stays)
            .map(|resource| resource.used)
            .collect();
        if used.len() <= self.spec.resources_max {
            return 0;
        }
        let too_many = used.len() - self.spec.resources_max;
        // The youngest of those that go; all older ones go with it.
        let (_, last, _) = used.select_nth_unstable(too_many - 1);
        *last + 1
    }

    fn find(&mut self, hash: u128) -> Option<&mut Resource> {
        self.known
            .find_mut(hash as u64, |resource| resource.hash == hash)
    }
}
