//! Options in; which columns are asked for and what a key is made of out.
//!
//! A key is the built-in columns that are not excluded, then one column for each dimension: for the
//! spans table those of `dimensions`, for the events table those of `dimensions` and of
//! `events.dimensions`, each name once. A dimension that the resource supplies needs no column: the
//! resource is part of every identity.

use super::buckets::Buckets;
use super::options::{Dimension, SpanMetricsOptions};
use crate::batch::TraceColumns;
use crate::store::window::Layout;

/// Built-in dimensions, in the order of a data point's attributes.
pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SPAN_NAME: &str = "span.name";
pub(super) const SPAN_KIND: &str = "span.kind";
pub(super) const STATUS_CODE: &str = "status.code";

/// Which built-in dimensions a key has.
#[allow(
    clippy::struct_excessive_bools,
    reason = "one for each built-in dimension"
)]
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

    /// Of the table that gives calls and durations.
    pub(super) fn spans_layout(&self) -> Layout {
        self.buckets
            .as_ref()
            .map_or(Layout::Counter, |buckets| Layout::Histogram {
                buckets: buckets.count(),
            })
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
