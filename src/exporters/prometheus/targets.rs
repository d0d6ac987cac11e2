//! `target_info`: one for each (job, instance) that has series, with its newest attributes.

use std::sync::Arc;

use hashbrown::HashMap;

use super::labels::LabelRules;
use super::rows::compare;
use crate::naming::stream::SeriesIdentity;
use crate::naming::target;
use crate::telemetry::random::RandomState;

/// Index of a target; `NONE` for a series without job or instance. Reused.
pub(super) type TargetId = u32;

pub(super) const NONE: TargetId = TargetId::MAX;

/// Counted by the cells that belong to them.
#[derive(Default)]
pub(super) struct Targets {
    ids: HashMap<Arc<Key>, TargetId, RandomState>,
    places: Vec<Option<Target>>,
    free: Vec<TargetId>,
    /// The lines in the order of the output; rebuilt when something changed.
    lines: Arc<Vec<Arc<[u8]>>>,
    changed: bool,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    job: Vec<u8>,
    instance: Vec<u8>,
}

struct Target {
    key: Arc<Key>,
    cells: u32,
    /// `None`: a label is invalid and the reference has no line then.
    labels: Option<(u16, Arc<[u8]>)>,
    /// Of the cell that the attributes are from.
    birth_ms: u64,
}

impl Targets {
    /// A cell was born. Both job and instance must be there and not empty.
    pub(super) fn join(
        &mut self,
        identity: &SeriesIdentity,
        birth_ms: u64,
        rules: &LabelRules,
    ) -> TargetId {
        let (Some(job), Some(instance)) = (
            target::job(&identity.resource),
            target::instance(&identity.resource),
        ) else {
            return NONE;
        };
        if job.is_empty() || instance.is_empty() {
            return NONE;
        }
        let key = Key { job, instance };
        let known = self.ids.get(&key).copied();
        let newest = known.is_none_or(|id| self.target(id).birth_ms <= birth_ms);
        let labels = newest.then(|| {
            rules
                .target(identity, &key.job, &key.instance)
                .ok()
                .map(|labels| (labels.count, Arc::from(labels.text)))
        });
        let id = known.unwrap_or_else(|| self.insert(key));
        let target = self.target(id);
        target.cells += 1;
        if let Some(labels) = labels {
            target.birth_ms = birth_ms;
            if target.labels != labels {
                target.labels = labels;
                self.changed = true;
            }
        }
        id
    }

    /// A cell is gone.
    pub(super) fn leave(&mut self, id: TargetId) {
        if id == NONE {
            return;
        }
        let target = self.target(id);
        target.cells -= 1;
        if target.cells == 0 {
            let key = Arc::clone(&target.key);
            self.ids.remove(&key);
            self.places[id as usize] = None;
            self.free.push(id);
            self.changed = true;
        }
    }

    /// The label texts, in order.
    pub(super) fn lines(&mut self) -> Arc<Vec<Arc<[u8]>>> {
        if self.changed {
            let mut sorted: Vec<_> = self
                .places
                .iter()
                .flatten()
                .filter_map(|target| target.labels.as_ref())
                .collect();
            sorted.sort_by(|(a_count, a), (b_count, b)| {
                compare(*a_count, a, *b_count, b).then_with(|| a.cmp(b))
            });
            // Values that were not UTF-8 may have become equal.
            sorted.dedup_by(|(_, a), (_, b)| a == b);
            self.lines = Arc::new(
                sorted
                    .into_iter()
                    .map(|(_, text)| Arc::clone(text))
                    .collect(),
            );
            self.changed = false;
        }
        Arc::clone(&self.lines)
    }

    fn insert(&mut self, key: Key) -> TargetId {
        let key = Arc::new(key);
        let target = Some(Target {
            key: Arc::clone(&key),
            cells: 0,
            labels: None,
            birth_ms: 0,
        });
        let id = if let Some(id) = self.free.pop() {
            self.places[id as usize] = target;
            id
        } else {
            self.places.push(target);
            u32::try_from(self.places.len() - 1).expect("no more targets than cells")
        };
        self.ids.insert(key, id);
        id
    }

    fn target(&mut self, id: TargetId) -> &mut Target {
        self.places[id as usize]
            .as_mut()
            .expect("a cell's target lives as long as the cell")
    }
}
