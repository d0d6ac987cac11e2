//! A batch, seen as the columns of a plan's keys.
//!
//! Where the key columns stand is settled once, since a batch may carry columns for others too. What
//! the plan leaves out is not looked at, even if it is there.
//!
//! Runs on a worker core, per batch and block; borrows only, no allocation.

use std::sync::Arc;

use super::key::{self, SpanPart};
use super::plan::Plan;
use crate::batch::row_hash::{RowHash, RowHasher, ViewColumn};
use crate::batch::{TraceBatch, TraceLayout};

/// Where the key columns of a plan stand in the batches of one layout.
pub(super) struct KeyColumns {
    plan: Arc<Plan>,
    layout: Arc<TraceLayout>,
    /// Of each spans key column: index of the span attribute.
    span_key: Vec<usize>,
    /// Of each events key column: index of the span attribute and of the event attribute.
    event_key: Vec<(usize, usize)>,
}

impl KeyColumns {
    /// The layout must carry all that the plan asks for.
    pub(super) fn new(plan: Arc<Plan>, layout: Arc<TraceLayout>) -> Self {
        const CARRIED: &str = "the batch carries what the plan asks for";
        let in_spans = |name: &String| layout.span_attribute_index(name.as_bytes()).expect(CARRIED);
        let in_events = |name: &String| {
            layout
                .event_attribute_index(name.as_bytes())
                .expect(CARRIED)
        };
        let event_names = plan.event_names.iter().flatten();
        Self {
            span_key: plan.span_names.iter().map(in_spans).collect(),
            event_key: event_names
                .map(|name| (in_spans(name), in_events(name)))
                .collect(),
            plan,
            layout,
        }
    }

    pub(super) fn of<'a>(&'a self, batch: &'a TraceBatch) -> Columns<'a> {
        let built_ins = self.plan.built_ins;
        let layout = &self.layout;
        let kinds = layout.kinds(batch).filter(|_| built_ins.span_kind);
        let statuses = layout.statuses(batch).filter(|_| built_ins.status_code);
        let times = layout.times(batch).filter(|_| self.plan.buckets.is_some());
        Columns {
            places: self,
            batch,
            resources: ViewColumn::new(layout.resources(batch)),
            resource: layout.span_resources(batch).values(),
            names: layout
                .names(batch)
                .filter(|_| built_ins.span_name)
                .map(ViewColumn::new),
            kinds: kinds.map(|kinds| &**kinds.values()),
            statuses: statuses.map(|statuses| &**statuses.values()),
            times: times.map(|(start, end)| (&**start.values(), &**end.values())),
        }
    }
}

/// The columns of one batch.
pub(super) struct Columns<'a> {
    places: &'a KeyColumns,
    batch: &'a TraceBatch,
    resources: ViewColumn<'a>,
    /// Row of `resources`, by span.
    pub(super) resource: &'a [u32],
    names: Option<ViewColumn<'a>>,
    kinds: Option<&'a [i32]>,
    statuses: Option<&'a [i32]>,
    /// Unix nanoseconds; `None`: nobody asks for durations.
    pub(super) times: Option<(&'a [u64], &'a [u64])>,
}

impl<'a> Columns<'a> {
    pub(super) fn spans(&self) -> usize {
        self.resource.len()
    }

    pub(super) fn resource_count(&self) -> usize {
        self.batch.resources.num_rows()
    }

    /// Bytes of the `Resource` message at a row of `resources`.
    pub(super) fn resource_bytes(&self, row: usize) -> &'a [u8] {
        self.resources.bytes(row).unwrap_or_default()
    }

    /// Row of `spans`, by event.
    pub(super) fn event_spans(&self) -> &'a [u32] {
        let spans = self.places.layout.event_spans(self.batch);
        spans.map_or(&[], |spans| spans.values())
    }

    /// Mixes the span part and the spans key columns of rows `from..` into their states.
    pub(super) fn mix(&self, hasher: &RowHasher, states: &mut [RowHash], from: usize) {
        let rows = from..from + states.len();
        match (self.kinds, self.statuses) {
            (Some(kinds), Some(statuses)) => {
                hasher.integer_pairs(states, &kinds[rows.clone()], &statuses[rows]);
            }
            (Some(only), None) | (None, Some(only)) => hasher.integers(states, &only[rows]),
            (None, None) => {}
        }
        for column in self.names.into_iter().chain(self.span_key()) {
            hasher.views(states, &column, from);
        }
    }

    /// Mixes the events key cells that a span has itself into its hash: once for all its events, since
    /// a client may send long values and many events.
    pub(super) fn mix_for_events(
        &self,
        hasher: &RowHasher,
        span_hash: RowHash,
        span: usize,
    ) -> RowHash {
        self.event_key().fold(span_hash, |state, (of_span, _)| {
            hasher.cell(state, &of_span, span)
        })
    }

    /// Mixes the other events key cells, those of the event, into what `mix_for_events` gave.
    pub(super) fn mix_event(
        &self,
        hasher: &RowHasher,
        state: RowHash,
        span: usize,
        event: usize,
    ) -> RowHash {
        let of_event = self
            .event_key()
            .filter(|(of_span, _)| of_span.is_null(span));
        of_event.fold(state, |state, (_, of_event)| {
            hasher.cell(state, &of_event, event)
        })
    }

    /// Bytes of what [`Self::write_key`] writes, but for a few.
    pub(super) fn key_bytes(&self, span: usize) -> usize {
        let cells = self.span_key().filter_map(|column| column.bytes(span));
        self.name_bytes(span) + cells.map(<[u8]>::len).sum::<usize>()
    }

    /// Bytes of what [`Self::write_event_key`] writes, but for a few.
    pub(super) fn event_key_bytes(&self, span: usize, event: usize) -> usize {
        let cells = self.event_key().filter_map(|(of_span, of_event)| {
            of_span.bytes(span).or_else(|| of_event.bytes(event))
        });
        self.name_bytes(span) + cells.map(<[u8]>::len).sum::<usize>()
    }

    fn name_bytes(&self, span: usize) -> usize {
        self.names
            .and_then(|names| names.bytes(span))
            .map_or(0, <[u8]>::len)
    }

    pub(super) fn write_key(&self, out: &mut Vec<u8>, span: usize) {
        let cells = self.span_key().map(|column| column.bytes(span));
        key::write(out, self.span_part(span), cells);
    }

    /// A span's own attribute beats that of its event.
    pub(super) fn write_event_key(&self, out: &mut Vec<u8>, span: usize, event: usize) {
        let cells = self
            .event_key()
            .map(|(of_span, of_event)| of_span.bytes(span).or_else(|| of_event.bytes(event)));
        key::write(out, self.span_part(span), cells);
    }

    fn span_part(&self, span: usize) -> SpanPart<'a> {
        SpanPart {
            name: self
                .names
                .map(|names| names.bytes(span).unwrap_or_default()),
            kind: self.kinds.map(|kinds| kinds[span]),
            status: self.statuses.map(|statuses| statuses[span]),
        }
    }

    fn span_key(&self) -> impl Iterator<Item = ViewColumn<'a>> {
        let (layout, batch) = (&self.places.layout, self.batch);
        let places = self.places.span_key.iter();
        places.map(|at| ViewColumn::new(layout.span_attribute(batch, *at)))
    }

    /// Pairs of the span's and the event's column.
    fn event_key(&self) -> impl Iterator<Item = (ViewColumn<'a>, ViewColumn<'a>)> {
        let (layout, batch) = (&self.places.layout, self.batch);
        self.places
            .event_key
            .iter()
            .filter_map(|(in_spans, in_events)| {
                let of_span = ViewColumn::new(layout.span_attribute(batch, *in_spans));
                let of_event = layout.event_attribute(batch, *in_events)?;
                Some((of_span, ViewColumn::new(of_event)))
            })
    }
}
