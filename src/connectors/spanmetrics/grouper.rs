//! A trace batch in, groups in a window touched.
//!
//! A row's key is hashed column by column over blocks that stay in the first-level cache, then looked
//! up once; what it counts goes to its group's flat row. Spans of a resource without `service.name`
//! are skipped and counted. Keys are written out only for groups that are new.
//!
//! Runs on a worker core, per row; no unsafe.

use std::sync::Arc;

use super::columns::{Columns, KeyColumns};
use super::group_table::GroupTable;
use super::key;
use super::plan::Plan;
use super::resources::{BatchResource, KnownResources, append};
use crate::batch::row_hash::{RowHash, RowHasher, as_u128};
use crate::batch::{TraceBatch, TraceLayout};
use crate::store::window::{Birth, GroupId, OwnerId, TableId, Window};

/// Rows hashed together: their states take 4 KiB.
const BLOCK_ROWS: usize = 256;

/// Of a resource and a key together; what is longer is counted in the overflow series. One request can
/// have many thousand groups that share a long value, and each keeps it: in the window, the store and
/// the labels of its series. A series of the guide's has about 1 KiB.
const IDENTITY_BYTES_MAX: usize = 16 << 10;

/// What became of a batch's spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Observed {
    /// Counted, each in one group.
    pub spans: u64,
    /// Counted, each in one group; 0 without events.
    pub events: u64,
    /// Spans skipped for their resource has no `service.name`.
    pub no_service_name: u64,
}

/// One connector instance on one worker.
pub struct Grouper {
    setup: Setup,
    known: Known,
    scratch: Scratch,
}

/// Settled at the start.
struct Setup {
    plan: Arc<Plan>,
    hasher: RowHasher,
    columns: KeyColumns,
    owner: OwnerId,
    /// Of the spans table; that of events follows.
    table: usize,
}

/// Learnt in an epoch.
#[derive(Default)]
struct Known {
    epoch: u32,
    spans: GroupTable,
    events: GroupTable,
    resources: KnownResources,
}

/// Buffers of one batch, reused.
#[derive(Default)]
struct Scratch {
    resources: Vec<BatchResource>,
    /// Rows whose resource has `service.name`: of spans, then of events.
    rows: Vec<u32>,
    /// By row of spans, skipped ones too.
    hashes: Vec<RowHash>,
    /// By row of events, skipped ones too.
    event_hashes: Vec<RowHash>,
    /// By entry of `rows`: where the accumulator starts.
    offsets: Vec<u32>,
    /// By entry of `rows`.
    durations_ns: Vec<u64>,
}

/// Of which table of the connector.
#[derive(Clone, Copy)]
enum Rows {
    Spans,
    Events,
}

/// One batch on its way into a window.
struct Pass<'a> {
    setup: &'a Setup,
    columns: Columns<'a>,
    known: &'a mut Known,
    scratch: &'a mut Scratch,
    window: &'a mut Window,
    now_ms: u64,
}

impl Grouper {
    pub(super) fn new(
        plan: Arc<Plan>,
        hasher: RowHasher,
        layout: Arc<TraceLayout>,
        (owner, table): (OwnerId, TableId),
    ) -> Self {
        Self {
            setup: Setup {
                columns: KeyColumns::new(Arc::clone(&plan), layout),
                plan,
                hasher,
                owner,
                table: usize::from(table.0),
            },
            known: Known::default(),
            scratch: Scratch::default(),
        }
    }

    /// Counts a batch. `now_ms`: when the run began, Unix milliseconds.
    ///
    /// # Hot path
    /// - runs: on a worker, once a batch
    /// - cost: no allocation for known groups (test `store_allocations`); ns a row: bench `groups`
    /// - invariants: the window was taken for this run; the batch is of the layout given at the start
    /// - units: as named
    pub fn observe(&mut self, batch: &TraceBatch, window: &mut Window, now_ms: u64) -> Observed {
        if self.known.epoch != window.epoch {
            self.known = Known {
                epoch: window.epoch,
                ..Known::default()
            };
        }
        window.time_ms = window.time_ms.max(now_ms);
        let mut pass = Pass {
            setup: &self.setup,
            columns: self.setup.columns.of(batch),
            known: &mut self.known,
            scratch: &mut self.scratch,
            window,
            now_ms,
        };
        pass.see_resources();
        pass.hash_spans();
        let spans = pass.count_spans();
        let events = if self.setup.plan.event_names.is_some() {
            pass.count_events()
        } else {
            0
        };
        Observed {
            spans,
            events,
            no_service_name: pass.columns.spans() as u64 - spans,
        }
    }
}

impl Pass<'_> {
    fn see_resources(&mut self) {
        let seen = &mut self.window.resources;
        let found = &mut self.scratch.resources;
        found.clear();
        for row in 0..self.columns.resource_count() {
            let bytes = self.columns.resource_bytes(row);
            let hash = self.setup.hasher.bytes(bytes);
            let place = (self.setup.owner, self.window.sequence);
            found.push(self.known.resources.see(hash, bytes, place, seen));
        }
    }

    fn hash_spans(&mut self) {
        let resources = &self.scratch.resources;
        let hashes = &mut self.scratch.hashes;
        hashes.clear();
        let starts = self.columns.resource.iter();
        hashes.extend(starts.map(|resource| resources[*resource as usize].hash));
        for (index, block) in hashes.chunks_mut(BLOCK_ROWS).enumerate() {
            self.columns
                .mix(&self.setup.hasher, block, index * BLOCK_ROWS);
        }
    }

    /// Answers how many.
    fn count_spans(&mut self) -> u64 {
        self.keep(self.columns.spans(), |_, span| span);
        self.place(Rows::Spans);
        let rows = &mut self.window.tables[self.setup.table].rows;
        if let (Some(buckets), Some((starts, ends))) =
            (&self.setup.plan.buckets, self.columns.times)
        {
            let durations_ns = &mut self.scratch.durations_ns;
            durations_ns.clear();
            let spans = self.scratch.rows.iter().map(|span| *span as usize);
            durations_ns.extend(spans.map(|span| ends[span].saturating_sub(starts[span])));
            buckets.observe(durations_ns, &self.scratch.offsets, rows);
        } else {
            count(&self.scratch.offsets, rows);
        }
        self.scratch.rows.len() as u64
    }

    /// After `count_spans`. Answers how many.
    fn count_events(&mut self) -> u64 {
        let spans = self.columns.event_spans();
        self.keep(spans.len(), |columns, event| {
            columns.event_spans()[event] as usize
        });
        let hashes = &mut self.scratch.event_hashes;
        hashes.clear();
        let mut known = None;
        hashes.extend(spans.iter().enumerate().map(|(event, span)| {
            let (span, hasher) = (*span as usize, &self.setup.hasher);
            let of_span = match known {
                Some((known, hash)) if known == span => hash,
                _ => (self.columns).mix_for_events(hasher, self.scratch.hashes[span], span),
            };
            known = Some((span, of_span));
            self.columns.mix_event(hasher, of_span, span, event)
        }));
        self.place(Rows::Events);
        let rows = &mut self.window.tables[self.setup.table + 1].rows;
        count(&self.scratch.offsets, rows);
        self.scratch.rows.len() as u64
    }

    /// Finds the accumulator of each kept row, by the hashes of its key; the key itself is written for
    /// groups that are new only.
    fn place(&mut self, rows: Rows) {
        let Setup { plan, table, .. } = self.setup;
        let Known {
            spans,
            events,
            resources,
            ..
        } = &mut *self.known;
        let (groups, hashes, table, words) = match rows {
            Rows::Spans => (
                spans,
                &self.scratch.hashes,
                *table,
                plan.spans_layout().words(),
            ),
            Rows::Events => (events, &self.scratch.event_hashes, *table + 1, 1),
        };
        let mut births = Births {
            columns: &self.columns,
            found: &self.scratch.resources,
            known: resources,
            arena: &mut self.window.arena,
            sequence: self.window.sequence,
            now_ms: self.now_ms,
        };
        groups.places(
            &self.scratch.rows,
            hashes,
            (&mut self.window.tables[table], words, self.window.sequence),
            |row, group| {
                let (columns, hash) = (births.columns, hashes[row]);
                match rows {
                    Rows::Spans => births.birth(row, hash, group, columns.key_bytes(row), |key| {
                        columns.write_key(key, row);
                    }),
                    Rows::Events => {
                        let span = columns.event_spans()[row] as usize;
                        let key_bytes = columns.event_key_bytes(span, row);
                        births.birth(span, hash, group, key_bytes, |key| {
                            columns.write_event_key(key, span, row);
                        })
                    }
                }
            },
            &mut self.scratch.offsets,
        );
    }

    /// Lists the rows whose span's resource has `service.name`.
    fn keep(&mut self, rows: usize, span: impl Fn(&Columns, usize) -> usize) {
        let found = &self.scratch.resources;
        let kept = &mut self.scratch.rows;
        kept.clear();
        let rows = 0..u32::try_from(rows).expect("rows of a batch are counted in u32");
        if found.iter().all(|resource| resource.has_service_name) {
            kept.extend(rows);
        } else {
            let counts = |row: &u32| {
                let resource = self.columns.resource[span(&self.columns, *row as usize)];
                found[resource as usize].has_service_name
            };
            kept.extend(rows.filter(counts));
        }
    }
}

/// Adds one to each counter.
fn count(offsets: &[u32], rows: &mut [u64]) {
    for offset in offsets {
        rows[*offset as usize] += 1;
    }
}

/// Copies what must outlive the run when a group is new.
struct Births<'a> {
    columns: &'a Columns<'a>,
    found: &'a [BatchResource],
    known: &'a mut KnownResources,
    arena: &'a mut Vec<u8>,
    sequence: u32,
    now_ms: u64,
}

impl Births<'_> {
    #[cold]
    fn birth(
        &mut self,
        span: usize,
        hash: RowHash,
        group: GroupId,
        key_bytes: usize,
        write_key: impl FnOnce(&mut Vec<u8>),
    ) -> Birth {
        let row = self.columns.resource[span] as usize;
        let resource = self.found[row].hash;
        let bytes = self.columns.resource_bytes(row);
        let mut birth = Birth {
            group,
            identity: as_u128(hash),
            resource: as_u128(resource),
            resource_bytes: 0..0,
            key_bytes: 0..0,
            time_ms: self.now_ms,
        };
        if bytes.len() + key_bytes > IDENTITY_BYTES_MAX {
            birth.key_bytes = append(self.arena, |arena| {
                arena.extend_from_slice(&key::overflow());
            });
        } else {
            birth.resource_bytes = self.known.keep(resource, bytes, self.sequence, self.arena);
            birth.key_bytes = append(self.arena, write_key);
        }
        birth
    }
}
