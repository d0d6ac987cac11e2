//! Cells under OTLP identities in, series under Prometheus names out.
//!
//! A view is brought up to each snapshot before it is rendered: a new cell gets its labels once and
//! joins the series of that name, an expired one leaves it. Chunks whose cells did not change are
//! recognised by their address and cost nothing. Several cells may become one series: their values
//! are added, and one that is gone leaves its last seen value as long as the series lives, so that
//! the sum never goes back. Deaths come before births: what expired and came back between two
//! scrapes is a new series.
//!
//! Long updates are cut into steps; an update that is given up half way is taken up by the next.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::{HashMap, HashTable};

use super::counters::Counters;
use super::label_text::LabelText;
use super::labels::{Dropped, LabelRules, Labels};
use super::plan::{FamilyIndex, FamilyKind, Plan, SourcePlan};
use super::rows::{Member, Part, Row, RowId, Rows, compare};
use super::targets::{self, TargetId, Targets};
use crate::store::snapshot::{CHUNK_CELLS, CellState, Identity, Snapshot};
use crate::store::window::Layout;
use crate::telemetry::random::RandomState;

pub(super) struct View {
    plan: Arc<Plan>,
    rules: LabelRules,
    counters: Arc<Counters>,
    tables: Vec<TableView>,
    rows: Rows,
    /// Living rows by their labels.
    index: HashTable<RowId>,
    hash: RandomState,
    /// By family.
    orders: Vec<Arc<Vec<RowId>>>,
    /// Rows that are not in the orders yet.
    newborn: Vec<RowId>,
    /// Rows that are still in the orders.
    dead: Vec<RowId>,
    free: Vec<RowId>,
    /// Rows of several cells.
    merged: Vec<RowId>,
    targets: Targets,
    /// Of the last row born.
    sequence: u64,
    /// Of the last row that was in a picture.
    sequence_shown: u64,
    /// Chunks whose births are to be taken: source, chunk, and the first cell that was not looked at.
    todo: Vec<(usize, usize, usize)>,
    /// Label texts that others of the same resource are kept beside, by the resource's address: that
    /// address may be another's by now, which only makes patches longer.
    bases: HashMap<usize, Arc<[u8]>, RandomState>,
    no_labels: LabelText,
}

/// Resources whose text is remembered for their next series.
const BASES_MAX: usize = 4_096;

/// Births that are put into the orders at once: their texts are some hundred KiB, and it takes less than
/// a millisecond.
const NEWBORN_MAX: usize = 256;

/// Births of one step: a quarter of a millisecond.
const STEP_BIRTHS: usize = 32;

/// What the view knows of one source's cells.
struct TableView {
    layout: Layout,
    /// By chunk; `None`: not up to the snapshot.
    known: Vec<Option<Arc<[CellState]>>>,
    /// By cell.
    slots: Vec<Slot>,
}

impl TableView {
    fn new() -> Self {
        Self {
            layout: Layout::Counter,
            known: Vec::new(),
            slots: Vec::new(),
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    generation: u32,
    occupied: bool,
    /// Two when counters and histograms differ in their labels; `NONE`: dropped.
    rows: [RowId; 2],
    target: TargetId,
}

const NONE: RowId = RowId::MAX;

const FREE: Slot = Slot {
    generation: 0,
    occupied: false,
    rows: [NONE; 2],
    target: targets::NONE,
};

/// All series as of one snapshot. Cheap to keep; births and deaths do not touch it.
#[derive(Clone)]
pub(super) struct Picture {
    pub(super) plan: Arc<Plan>,
    pub(super) rows: Rows,
    pub(super) orders: Vec<Arc<Vec<RowId>>>,
    pub(super) targets: Arc<Vec<Arc<[u8]>>>,
    /// Of the youngest row in it.
    pub(super) sequence: u64,
}

impl View {
    pub(super) fn new(plan: Arc<Plan>, rules: LabelRules, counters: Arc<Counters>) -> Self {
        let no_order = Arc::default();
        Self {
            tables: plan.sources.iter().map(|_| TableView::new()).collect(),
            orders: plan
                .families
                .iter()
                .map(|_| Arc::clone(&no_order))
                .collect(),
            plan,
            rules,
            counters,
            rows: Rows::default(),
            index: HashTable::new(),
            hash: RandomState::new(),
            newborn: Vec::new(),
            dead: Vec::new(),
            free: Vec::new(),
            merged: Vec::new(),
            targets: Targets::default(),
            sequence: 0,
            sequence_shown: 0,
            todo: Vec::new(),
            bases: HashMap::default(),
            no_labels: LabelText::new(&[], &Arc::default()),
        }
    }

    /// First step: lets go of what expired. Snapshots must come in the order they were taken.
    pub(super) fn begin(&mut self, snapshot: &Snapshot) {
        self.todo.clear();
        for source in 0..self.tables.len() {
            let now = snapshot.tables.get(self.plan.sources[source].table);
            let chunks = now.map_or(&[][..], |table| &table.chunks);
            let table = &mut self.tables[source];
            table.layout = now.map_or(table.layout, |table| table.layout);
            let chunk_count = table.known.len().max(chunks.len());
            table.known.resize_with(chunk_count, || None);
            table.slots.resize(chunk_count * CHUNK_CELLS, FREE);
            for index in 0..chunk_count {
                let cells = chunks.get(index).map(|chunk| &chunk.cells);
                let known = self.tables[source].known[index].as_ref();
                if let (Some(known), Some(cells)) = (known, cells)
                    && Arc::ptr_eq(known, cells)
                {
                    continue;
                }
                self.tables[source].known[index] = None;
                self.let_go(source, index, cells.map_or(&[][..], |cells| cells));
                self.todo.push((source, index, 0));
            }
        }
        self.bury();
        // Taken from the end: births happen in the order of the cells.
        self.todo.reverse();
    }

    /// Next step: takes some births of a chunk. False: there are none left.
    pub(super) fn advance(&mut self, snapshot: &Snapshot) -> bool {
        let Some((source, index, first)) = self.todo.pop() else {
            return false;
        };
        let chunk = snapshot
            .tables
            .get(self.plan.sources[source].table)
            .and_then(|table| table.chunks.get(index));
        if let Some(chunk) = chunk {
            let mut births = 0;
            for (offset, cell) in chunk.cells.iter().enumerate().take(CHUNK_CELLS).skip(first) {
                let at = index * CHUNK_CELLS + offset;
                if let Some(identity) = &cell.identity
                    && !self.tables[source].slots[at].occupied
                {
                    if births == STEP_BIRTHS {
                        self.todo.push((source, index, offset));
                        return true;
                    }
                    births += 1;
                    self.tables[source].slots[at] = self.born(source, at, cell, identity);
                }
            }
            self.tables[source].known[index] = Some(Arc::clone(&chunk.cells));
        }
        if self.newborn.len() >= NEWBORN_MAX {
            self.line_up();
        }
        true
    }

    /// Last step: the picture to render.
    pub(super) fn finish(&mut self, snapshot: &Snapshot) -> Picture {
        self.line_up();
        self.look_at_merged(snapshot);
        self.sequence_shown = self.sequence;
        self.counters
            .series(self.orders.iter().map(|order| order.len()).sum());
        Picture {
            plan: Arc::clone(&self.plan),
            rows: self.rows.clone(),
            orders: self.orders.clone(),
            targets: self.targets.lines(),
            sequence: self.sequence,
        }
    }

    fn let_go(&mut self, source: usize, chunk: usize, cells: &[CellState]) {
        for offset in 0..CHUNK_CELLS {
            let at = chunk * CHUNK_CELLS + offset;
            let slot = self.tables[source].slots[at];
            let stays = cells
                .get(offset)
                .is_some_and(|cell| cell.identity.is_some() && cell.generation == slot.generation);
            if !slot.occupied || stays {
                continue;
            }
            self.targets.leave(slot.target);
            let member = member(source, at);
            for row in slot.rows.into_iter().filter(|row| *row != NONE) {
                self.leave(row, member);
            }
            self.tables[source].slots[at] = FREE;
        }
    }

    fn born(&mut self, source: usize, at: usize, cell: &CellState, identity: &Identity) -> Slot {
        let plan = Arc::clone(&self.plan);
        let origin = &plan.sources[source];
        let words = (origin.stream.describe)(&identity.resource, &identity.key);
        let birth = Birth {
            source,
            member: member(source, at),
            time_ms: cell.birth_ms,
            resource: Arc::as_ptr(&identity.resource).addr(),
        };
        let histogram = has_histogram(origin, &plan);
        let mut rows = [NONE; 2];
        let scope = origin.stream.scope_name;
        match self.rules.series(&words, scope, histogram) {
            Ok(labels) if histogram && labels.has_le => {
                rows[0] = self.place(&birth, &labels, Part::Histograms);
                match self.rules.series(&words, scope, false) {
                    Ok(labels) => rows[1] = self.place(&birth, &labels, Part::Counts),
                    Err(reason) => self.drop_series(origin, reason),
                }
            }
            Ok(labels) => rows[0] = self.place(&birth, &labels, Part::All),
            Err(reason) => self.drop_series(origin, reason),
        }
        Slot {
            generation: cell.generation,
            occupied: true,
            rows,
            target: self.targets.join(&words, cell.birth_ms, &self.rules),
        }
    }

    /// Joins the series of these labels or makes it.
    fn place(&mut self, birth: &Birth, labels: &Labels, part: Part) -> RowId {
        let origin = &self.plan.sources[birth.source];
        self.counters.changed(labels.changes, metric_name(origin));
        let hash = self.hash.hash_one(labels.text.as_slice());
        for id in self.index.iter_hash(hash).copied() {
            let row = self.rows.get(id);
            if !row.labels.is(&labels.text) {
                continue;
            }
            let other = row
                .member
                .expect("only living rows are in the index")
                .source as usize;
            let alike = self.plan.sources[other].shape == origin.shape
                && self.tables[other].layout == self.tables[birth.source].layout;
            if alike && row.part == part {
                if origin.is_shared && self.reads(row, birth.member) {
                    return NONE;
                }
                self.join(id, birth);
                return id;
            }
            let clash = families(&self.plan, other, row.part)
                .any(|family| families(&self.plan, birth.source, part).any(|own| own == family));
            if clash {
                self.counters
                    .dropped(Dropped::OtherBounds, metric_name(origin));
                return NONE;
            }
        }
        self.insert(birth, labels, part, hash)
    }

    /// Whether a row has this cell already, by way of another source: added to itself it would show
    /// twice its value. The two come and go together.
    fn reads(&self, row: &Row, member: Member) -> bool {
        let table = |source: u16| self.plan.sources[source as usize].table;
        row.members()
            .any(|known| known.cell == member.cell && table(known.source) == table(member.source))
    }

    fn insert(&mut self, birth: &Birth, labels: &Labels, part: Part, hash: u64) -> RowId {
        self.sequence += 1;
        let row = Row {
            labels: LabelText::new(&labels.text, &self.base(birth, &labels.text)),
            labels_hash: hash,
            labels_count: labels.count,
            part,
            member: Some(birth.member),
            merged: None,
            sequence: self.sequence,
            birth_ms: birth.time_ms,
        };
        let id = if let Some(id) = self.free.pop() {
            *self.rows.get_mut(id) = row;
            id
        } else {
            self.rows.push(row)
        };
        self.newborn.push(id);
        let rows = &self.rows;
        self.index
            .insert_unique(hash, id, |id| rows.get(*id).labels_hash);
        id
    }

    /// The text that a text is kept beside: that of the resource's first series.
    fn base(&mut self, birth: &Birth, text: &[u8]) -> Arc<[u8]> {
        if self.bases.len() >= BASES_MAX && !self.bases.contains_key(&birth.resource) {
            self.bases.clear();
        }
        let base = self.bases.entry(birth.resource);
        Arc::clone(base.or_insert_with(|| text.into()))
    }

    fn join(&mut self, id: RowId, birth: &Birth) {
        let shown = self.sequence_shown;
        let row = self.rows.get_mut(id);
        if row.sequence > shown {
            row.birth_ms = row.birth_ms.min(birth.time_ms);
        }
        if row.merged.is_none() {
            self.merged.push(id);
        }
        let merged = Arc::make_mut(row.merged.get_or_insert_default());
        merged.others.push(birth.member);
    }

    fn leave(&mut self, id: RowId, gone: Member) {
        let row = self.rows.get_mut(id);
        if let Some(merged) = &mut row.merged {
            let merged = Arc::make_mut(merged);
            let at = if row.member == Some(gone) {
                0
            } else {
                1 + merged
                    .others
                    .iter()
                    .position(|other| *other == gone)
                    .expect("a cell's row has it as a member")
            };
            if at < merged.seen.len() {
                let words = merged.seen.remove(at);
                let layout = self.tables[gone.source as usize].layout;
                add_words(&mut merged.base, &words, layout);
            }
            if at > 0 {
                merged.others.remove(at - 1);
                return;
            }
            if !merged.others.is_empty() {
                row.member = Some(merged.others.remove(0));
                return;
            }
        }
        let hash = row.labels_hash;
        row.member = None;
        row.merged = None;
        row.labels = self.no_labels.clone();
        if let Ok(entry) = self.index.find_entry(hash, |known| *known == id) {
            entry.remove();
        }
        self.dead.push(id);
    }

    /// Takes dead rows out of the orders; only then may their ids be used again, and the orders be
    /// searched.
    fn bury(&mut self) {
        if self.dead.is_empty() {
            return;
        }
        let rows = &self.rows;
        let alive = |id: &RowId| rows.get(*id).member.is_some();
        each_order(&mut self.orders, |_, order| {
            (!order.iter().all(alive)).then(|| order.iter().copied().filter(alive).collect())
        });
        self.merged.retain(alive);
        self.newborn.retain(alive);
        self.free.append(&mut self.dead);
        self.bases.retain(|_, base| Arc::strong_count(base) > 1);
    }

    /// Puts newborn rows into the orders of their families.
    fn line_up(&mut self) {
        if self.newborn.is_empty() {
            return;
        }
        let rows = &self.rows;
        let bytes = self.newborn.iter().map(|id| rows.get(*id).labels.bytes());
        let mut texts = Vec::with_capacity(bytes.sum());
        let mut born: Vec<(RowId, Range<usize>)> = Vec::with_capacity(self.newborn.len());
        for id in self.newborn.drain(..) {
            let start = texts.len();
            rows.get(id).labels.write(&mut texts);
            born.push((id, start..texts.len()));
        }
        let key =
            |(id, text): &(RowId, Range<usize>)| (rows.get(*id).labels_count, &texts[text.clone()]);
        born.sort_unstable_by(|a, b| by_labels(key(a), key(b)));
        let plan = &*self.plan;
        let mut old_text = Vec::new();
        each_order(&mut self.orders, |family, order| {
            let mut lined_up = Vec::with_capacity(order.len() + born.len());
            let mut rest = order;
            for one in &born {
                let row = rows.get(one.0);
                let source = row.member.expect("the dead are buried").source as usize;
                if !families(plan, source, row.part).any(|own| own == family) {
                    continue;
                }
                let before = rest.partition_point(|old| {
                    let old = rows.get(*old);
                    old_text.clear();
                    old.labels.write(&mut old_text);
                    by_labels((old.labels_count, &old_text), key(one)).is_lt()
                });
                lined_up.extend_from_slice(&rest[..before]);
                lined_up.push(one.0);
                rest = &rest[before..];
            }
            if lined_up.is_empty() {
                return None;
            }
            lined_up.extend_from_slice(rest);
            lined_up.shrink_to_fit();
            Some(lined_up)
        });
    }

    /// Remembers what each cell of a merged row showed, in case it is gone by the next time.
    fn look_at_merged(&mut self, snapshot: &Snapshot) {
        for id in &self.merged {
            let members: Vec<Member> = self.rows.get(*id).members().collect();
            let seen = members
                .into_iter()
                .map(|member| {
                    let table = self.plan.sources[member.source as usize].table;
                    words(snapshot, table, member.cell).to_vec()
                })
                .collect();
            let row = self.rows.get_mut(*id);
            Arc::make_mut(row.merged.get_or_insert_default()).seen = seen;
        }
    }

    fn drop_series(&self, source: &SourcePlan, reason: Dropped) {
        self.counters.dropped(reason, metric_name(source));
    }
}

/// Changes orders; `None`: it stays.
fn each_order(
    orders: &mut [Arc<Vec<RowId>>],
    mut change: impl FnMut(FamilyIndex, &[RowId]) -> Option<Vec<RowId>>,
) {
    for (family, order) in orders.iter_mut().enumerate() {
        if let Some(changed) = change(family, order) {
            *order = Arc::new(changed);
        }
    }
}

fn by_labels(a: (u16, &[u8]), b: (u16, &[u8])) -> Ordering {
    compare(a.0, a.1, b.0, b.1).then_with(|| a.1.cmp(b.1))
}

struct Birth {
    source: usize,
    member: Member,
    time_ms: u64,
    /// Address of the resource's bytes.
    resource: usize,
}

fn member(source: usize, cell: usize) -> Member {
    Member {
        source: u16::try_from(source).expect("no more sources than tables"),
        cell: u32::try_from(cell).expect("cells have 32-bit ids"),
    }
}

fn metric_name(source: &SourcePlan) -> &str {
    source
        .stream
        .metrics
        .first()
        .map_or("", |metric| metric.name.as_str())
}

fn has_histogram(source: &SourcePlan, plan: &Plan) -> bool {
    source
        .metrics
        .iter()
        .flatten()
        .any(|metric| plan.families[metric.family].kind == FamilyKind::Histogram)
}

/// The families that rows of a part stand in.
fn families(plan: &Plan, source: usize, part: Part) -> impl Iterator<Item = FamilyIndex> {
    plan.sources[source]
        .metrics
        .iter()
        .flatten()
        .map(|metric| metric.family)
        .filter(move |family| match part {
            Part::All => true,
            Part::Counts => plan.families[*family].kind == FamilyKind::Counter,
            Part::Histograms => plan.families[*family].kind == FamilyKind::Histogram,
        })
}

/// The words of a cell's row; empty when the snapshot does not have it.
pub(super) fn words(snapshot: &Snapshot, table: usize, cell: u32) -> &[u64] {
    let cell = cell as usize;
    let Some(table) = snapshot.tables.get(table) else {
        return &[];
    };
    let words = table.layout.words();
    table
        .chunks
        .get(cell / CHUNK_CELLS)
        .and_then(|chunk| {
            let start = (cell % CHUNK_CELLS) * words;
            chunk.rows.get(start..start + words)
        })
        .unwrap_or_default()
}

/// Adds a row to another of the same layout: the first two words of a histogram are one number.
pub(super) fn add_words(into: &mut Vec<u64>, words: &[u64], layout: Layout) {
    if into.is_empty() {
        into.extend_from_slice(words);
        return;
    }
    let mut from = 0;
    if matches!(layout, Layout::Histogram { .. }) && into.len() >= 2 && words.len() >= 2 {
        let sum = sum_ns(into).wrapping_add(sum_ns(words));
        #[allow(clippy::cast_possible_truncation, reason = "the halves of a number")]
        {
            into[0] = sum as u64;
            into[1] = (sum >> 64) as u64;
        }
        from = 2;
    }
    for (total, word) in into.iter_mut().zip(words).skip(from) {
        *total = total.wrapping_add(*word);
    }
}

/// The sum of a histogram's row, nanoseconds.
pub(super) fn sum_ns(words: &[u64]) -> u128 {
    u128::from(words[0]) | u128::from(words[1]) << 64
}
