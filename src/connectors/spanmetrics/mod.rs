//! `connectors.spanmetrics`: a trace batch in, groups in a window out.
//!
//! | file | purpose |
//! |---|---|
//! | `options` | what the user wrote, settled |
//! | `plan` | the options, compiled: wanted columns, key columns |
//! | `columns` | a batch, seen as the columns of a plan's keys |
//! | `grouper` | counts a batch into a window, on one worker |
//! | `group_table` | hash of a row -> place of its accumulator |
//! | `resources` | what is known of the resources that came by |
//! | `buckets` | the histogram kernel |
//! | `key` | the key of a group as bytes |
//! | `streams` | what the cells mean in OTLP words |

use std::sync::Arc;
use std::time::Duration;

use options::SpanMetricsOptions;
use plan::Plan;

use crate::batch::row_hash::RowHasher;
use crate::batch::{TraceColumns, TraceLayout};
use crate::naming::stream::Stream;
use crate::store::expiry::OwnerSpec;
use crate::store::folder::TableSpec;
use crate::store::window::{Layout, OwnerId, TableId};

pub mod buckets;
mod columns;
mod group_table;
mod grouper;
mod key;
pub mod options;
mod plan;
mod resources;
mod streams;

pub use grouper::{Grouper, Observed};

/// One configured instance: what all its workers and readers share.
pub struct SpanMetrics {
    plan: Arc<Plan>,
    /// One for all workers: equal rows are one identity.
    hasher: RowHasher,
}

impl SpanMetrics {
    #[must_use]
    pub fn new(options: SpanMetricsOptions) -> Self {
        Self {
            plan: Arc::new(Plan::new(options)),
            hasher: RowHasher::random(),
        }
    }

    /// What the decoder must bring.
    #[must_use]
    pub fn columns(&self) -> TraceColumns {
        self.plan.columns()
    }

    /// The expiry rules of this instance. `leaves_late`: as the Collector shows what expires.
    #[must_use]
    pub fn owner(&self, leaves_late: bool) -> OwnerSpec {
        let whole_ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        OwnerSpec {
            expiration_ms: self.plan.options.metrics_expiration.map(whole_ms),
            resources_max: self.plan.options.resources_max,
            leaves_late,
        }
    }

    /// The tables of this instance, next to each other in the store: spans, then events if on.
    #[must_use]
    pub fn tables(&self, owner: OwnerId) -> Vec<TableSpec> {
        let events = self.plan.event_names.iter().map(|_| Layout::Counter);
        std::iter::once(self.plan.spans_layout())
            .chain(events)
            .map(|layout| TableSpec {
                owner,
                layout,
                overflow_key: key::overflow(),
            })
            .collect()
    }

    /// One stream for each table, in their order.
    #[must_use]
    pub fn streams(&self) -> Vec<Stream> {
        streams::streams(&self.plan)
    }

    /// The part of one worker. `layout`: of the batches it will get, with at least [`Self::columns`];
    /// `table`: where the store put the first of [`Self::tables`].
    #[must_use]
    pub fn grouper(&self, layout: Arc<TraceLayout>, owner: OwnerId, table: TableId) -> Grouper {
        Grouper::new(Arc::clone(&self.plan), self.hasher, layout, (owner, table))
    }
}
