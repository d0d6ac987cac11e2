//! `connectors.spanmetrics`: what the user wrote, settled.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanMetricsOptions {
    /// `traces.span.metrics` by default; empty: no prefix.
    pub namespace: String,
    pub dimensions: Vec<Dimension>,
    /// Built-in dimensions left out: of `service.name`, `span.name`, `span.kind`, `status.code`.
    /// Other names may stand here and do nothing.
    pub exclude_dimensions: Vec<String>,
    /// `None`: `histogram.disable`.
    pub histogram: Option<HistogramOptions>,
    /// `None`: `events.enabled` is false.
    pub events: Option<Vec<Dimension>>,
    pub flush_interval: Duration,
    /// Per resource. `None`: never.
    pub metrics_expiration: Option<Duration>,
    /// Resources kept, least recently used go first.
    pub resources_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub name: String,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramOptions {
    pub unit: Unit,
    /// Upper bounds as the user meant them, in nanoseconds, in the order of the file: neither
    /// sorted nor free of repeats. The defaults of the unit when the file has none.
    pub bounds_ns: Vec<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    #[default]
    Milliseconds,
    Seconds,
}
