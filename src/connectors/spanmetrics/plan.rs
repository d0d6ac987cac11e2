//! Options in; which columns are asked for, where they stand in a batch, and what a key is made of out.
//!
//! A key is the built-in columns that are not excluded, then one column for each dimension: for the
//! spans table those of `dimensions`, for the events table those of `dimensions` and of
//! `events.dimensions`, each name once. A dimension that the resource supplies needs no column: the
//! resource is part of every identity.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};

use super::buckets::Buckets;
use super::options::{Dimension, SpanMetricsOptions};
use crate::batch::row_hash::ViewColumn;
use crate::batch::{TraceBatch, TraceColumns};

/// Built-in dimensions, in the order of a data point's attributes.
pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SPAN_NAME: &str = "span.name";
pub(super) const SPAN_KIND: &str = "span.kind";
pub(super) const STATUS_CODE: &str = "status.code";

/// Which built-in dimensions a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BuiltIns {
    pub(super) service_name: bool,
    pub(super) span_name: bool,
    pub(super) span_kind: bool,
    pub(super) status_code: bool,
}

/// The options, compiled. Shared by all workers.
pub(super) struct Plan {
    pub(super) options: SpanMetricsOptions,
    pub(super) built_ins: BuiltIns,
    /// Columns of a spans key.
    pub(super) span_names: Vec<String>,
    /// Columns of an events key; `None`: no events table.
    pub(super) event_names: Option<Vec<String>>,
    /// `None`: no histogram.
    pub(super) buckets: Option<Buckets>,
}

impl Plan {
    pub(super) fn new(options: SpanMetricsOptions) -> Self {
        let has = |name: &str| !options.exclude_dimensions.iter().any(|out| out == name);
        let built_ins = BuiltIns {
            service_name: has(SERVICE_NAME),
            span_name: has(SPAN_NAME),
            span_kind: has(SPAN_KIND),
            status_code: has(STATUS_CODE),
        };
        let event_dimensions = options.events.as_deref();
        Self {
            built_ins,
            span_names: names(&options.dimensions, &[]),
            event_names: event_dimensions.map(|events| names(&options.dimensions, events)),
            buckets: options.histogram.as_ref().map(Buckets::new),
            options,
        }
    }

    /// What the decoder must bring.
    pub(super) fn columns(&self) -> TraceColumns {
        // A span's own attribute beats an event's: the events key looks at both.
        let wanted = self.event_names.as_ref().unwrap_or(&self.span_names);
        let keys = |names: &[String]| -> Vec<Vec<u8>> {
            names.iter().map(|name| name.clone().into_bytes()).collect()
        };
        TraceColumns {
            name: self.built_ins.span_name,
            kind: self.built_ins.span_kind,
            status: self.built_ins.status_code,
            times: self.buckets.is_some(),
            span_attributes: keys(wanted),
            event_attributes: self.event_names.as_deref().map(keys),
        }
    }
}

/// Each name once, in the order of its first mention.
fn names(first: &[Dimension], second: &[Dimension]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for dimension in first.iter().chain(second) {
        if !names.contains(&dimension.name) {
            names.push(dimension.name.clone());
        }
    }
    names
}

/// Where the columns of a plan stand in batches that may carry more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    name: Option<usize>,
    kind: Option<usize>,
    status: Option<usize>,
    /// `start`; `end` follows.
    times: Option<usize>,
    span_key: Vec<usize>,
    /// Of each events key column: in `spans`, in `events`.
    event_key: Vec<(usize, usize)>,
}

impl Places {
    /// `carried`: what the batches have. It must have all that the plan's `columns` asks for.
    pub(super) fn new(plan: &Plan, carried: &TraceColumns) -> Self {
        let mut next = 1;
        let mut place = |is_carried: bool, columns: usize| {
            let at = next;
            next += if is_carried { columns } else { 0 };
            is_carried.then_some(at)
        };
        let name = place(carried.name, 1);
        let kind = place(carried.kind, 1);
        let status = place(carried.status, 1);
        let times = place(carried.times, 2);
        let attributes = next;
        let in_spans = |name: &String| attributes + position(&carried.span_attributes, name);
        let in_events = |name: &String| {
            let keys = carried.event_attributes.as_ref();
            1 + position(keys.expect("the plan asks for events"), name)
        };
        let event_names = plan.event_names.iter().flatten();
        Self {
            name: name.filter(|_| plan.built_ins.span_name),
            kind: kind.filter(|_| plan.built_ins.span_kind),
            status: status.filter(|_| plan.built_ins.status_code),
            times: times.filter(|_| plan.buckets.is_some()),
            span_key: plan.span_names.iter().map(in_spans).collect(),
            event_key: event_names.map(|name| (in_spans(name), in_events(name))).collect(),
        }
    }
}

fn position(keys: &[Vec<u8>], name: &str) -> usize {
    keys.iter()
        .position(|key| key == name.as_bytes())
        .expect("the batch carries what the plan asks for")
}

/// A batch's columns, taken apart once.
pub(super) struct Columns<'a> {
    /// Row of `resources` of each span.
    pub(super) resource: &'a [u32],
    pub(super) resources: ViewColumn<'a>,
    pub(super) name: Option<ViewColumn<'a>>,
    pub(super) kind: Option<&'a [i32]>,
    pub(super) status: Option<&'a [i32]>,
    pub(super) times: Option<(&'a [u64], &'a [u64])>,
    pub(super) span_key: Vec<ViewColumn<'a>>,
}

/// The events of a batch, taken apart once.
pub(super) struct EventColumns<'a> {
    /// Row of `spans` of each event.
    pub(super) span: &'a [u32],
    /// Of each key column: the span's, the event's.
    pub(super) key: Vec<(ViewColumn<'a>, ViewColumn<'a>)>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(places: &Places, batch: &'a TraceBatch) -> Self {
        let spans = &batch.spans;
        let int32 = |at: usize| integers::<Int32Type>(spans, at);
        let time = |at: usize| integers::<UInt64Type>(spans, at);
        Self {
            resource: integers::<UInt32Type>(spans, 0),
            resources: views(&batch.resources, 0),
            name: places.name.map(|at| views(spans, at)),
            kind: places.kind.map(int32),
            status: places.status.map(int32),
            times: places.times.map(|at| (time(at), time(at + 1))),
            span_key: places.span_key.iter().map(|at| views(spans, *at)).collect(),
        }
    }
}

impl<'a> EventColumns<'a> {
    /// `None`: the batch has no events table.
    pub(super) fn new(places: &Places, batch: &'a TraceBatch) -> Option<Self> {
        let events = batch.events.as_ref()?;
        let key = places.event_key.iter();
        Some(Self {
            span: integers::<UInt32Type>(events, 0),
            key: key
                .map(|(span, event)| (views(&batch.spans, *span), views(events, *event)))
                .collect(),
        })
    }
}

fn views(batch: &RecordBatch, at: usize) -> ViewColumn<'_> {
    ViewColumn::new(batch.column(at).as_binary_view())
}

fn integers<T: arrow_array::ArrowPrimitiveType>(batch: &RecordBatch, at: usize) -> &[T::Native] {
    batch.column(at).as_primitive::<T>().values()
}
