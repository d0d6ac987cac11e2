//! The user's file, checked and settled: what the graph is built from.

use std::fmt;

use crate::connectors::spanmetrics::options::SpanMetricsOptions;
use crate::exporters::debug::DebugOptions;
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::exporters::prometheusremotewrite::RemoteWriteOptions;
use crate::extensions::zpages::ZpagesOptions;
use crate::processors::batch::BatchOptions;
use crate::processors::memory_limiter::MemoryLimiterOptions;
use crate::processors::resource::options::ResourceOptions;
use crate::receivers::otlp::options::OtlpOptions;
use crate::telemetry::log::{Encoding, Level};
use crate::workers::Signal;

/// `type` or `type/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId {
    pub kind: String,
    pub name: String,
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.name.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.name)
        }
    }
}

/// Everything the file says, in its order, with every reference known to resolve.
#[derive(Clone, Debug)]
pub struct Settings {
    pub receivers: Vec<(ComponentId, OtlpOptions)>,
    pub processors: Vec<(ComponentId, ProcessorOptions)>,
    pub exporters: Vec<(ComponentId, ExporterOptions)>,
    pub connectors: Vec<(ComponentId, SpanMetricsOptions)>,
    pub extensions: Vec<(ComponentId, ZpagesOptions)>,
    pub service: Service,
    /// What the start says once, each: parts that do not act yet, differences that apply.
    pub notices: Vec<Notice>,
    pub gates: Gates,
}

#[derive(Clone, Debug)]
pub enum ProcessorOptions {
    Batch(BatchOptions),
    MemoryLimiter(MemoryLimiterOptions),
    Resource(ResourceOptions),
}

#[derive(Clone, Debug)]
pub enum ExporterOptions {
    Debug(DebugOptions),
    Nop,
    Prometheus(PrometheusOptions),
    PrometheusRemoteWrite(RemoteWriteOptions),
}

#[derive(Clone, Debug)]
pub struct Service {
    /// Extensions to start, in order.
    pub extensions: Vec<ComponentId>,
    pub pipelines: Vec<Pipeline>,
    pub telemetry: Telemetry,
    /// Our own key `drain_scrape_wait`.
    pub drain_scrape_wait: std::time::Duration,
    /// Our own key `pin_workers`.
    pub pin_workers: bool,
}

/// One entry of `service.pipelines`.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub signal: Signal,
    /// The part after the slash, or empty.
    pub name: String,
    /// Receivers and connectors.
    pub receivers: Vec<ComponentId>,
    pub processors: Vec<ComponentId>,
    /// Exporters and connectors.
    pub exporters: Vec<ComponentId>,
}

#[derive(Clone, Debug)]
pub struct Telemetry {
    pub log_level: Level,
    pub log_encoding: Encoding,
    /// `None`: `metrics.level` is none.
    pub metrics_endpoint: Option<String>,
    /// Attributes of our own resource; `None` removes one.
    pub resource: Vec<(String, Option<String>)>,
}

/// Feature gates that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// `spanmill.collectorCompat`
    pub collector_compat: bool,
}

/// One line the start says, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub warning: bool,
    pub message: String,
    /// `file:line:column`
    pub place: String,
}
