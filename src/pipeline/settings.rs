//! The user's file, checked and settled: what the graph is built from.
//!
//! [`check`] reads a whole configuration and reports everything that is wrong with it; what is left
//! is a [`Settings`] in which every reference resolves and every unit is known.
//!
//! | file | purpose |
//! |---|---|
//! | `sections` | the top level of the file: each component read by its line of the table |
//! | `service` | `service`: pipelines, extensions |
//! | `telemetry` | `service.telemetry`: our own logs, metrics, resource |
//! | `references` | whether what is named exists and fits |
//! | `listeners` | two components on one port |
//! | `remarks` | what runs without acting yet |
//! | `ids` | `type/name` |
//! | `gates` | `--feature-gates` |

use std::fmt;

use crate::config::{
    Code, Diagnostic, Environment, Log, Node, Reading, Report, Severity, Source, Value, expand,
    parse,
};

use crate::connectors::spanmetrics::options::SpanMetricsOptions;
use crate::exporters::debug::DebugOptions;
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::exporters::prometheusremotewrite::RemoteWriteOptions;
use crate::extensions::zpages::options::ZpagesOptions;
use crate::processors::batch::BatchOptions;
use crate::processors::memory_limiter::MemoryLimiterOptions;
use crate::processors::resource::options::ResourceOptions;
use crate::receivers::otlp::options::OtlpOptions;
use crate::telemetry::log::{Encoding, Level};
use crate::workers::Signal;

use super::components::Options;

mod gates;
mod ids;
mod listeners;
mod references;
mod remarks;
mod sections;
mod service;
mod telemetry;

use sections::Declared;
use service::{Reference, Written};

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

/// A configuration that was looked at whole.
pub struct Checked {
    /// `None`: the report holds errors.
    pub settings: Option<Settings>,
    /// Errors, warnings and notes, in the order of the file.
    pub report: Report,
}

/// Reads, checks and settles a configuration. Nothing is bound, nothing printed.
///
/// `gates` is the list of `--feature-gates`. With `is_strict` what is only accepted because its
/// meaning is plain, such as a component that lost its indentation, is an error.
pub fn check(source: &Source, env: Environment, gates: &str, is_strict: bool) -> Checked {
    let gates_log = Log::default();
    let reading = Reading {
        log: Log::default(),
        gates: gates::parse(gates, &gates_log),
    };
    let settings = parse(source, &reading.log).map(|mut root| {
        expand(&mut root, source, env, &reading.log);
        settle(&root, is_strict, &reading)
    });
    let mut report = Report::default();
    report.add(Source::new("--feature-gates", gates), gates_log);
    report.add(source.clone(), reading.log);
    let settings = settings.flatten().filter(|_| !report.has_errors());
    let settings = settings.map(|settings| Settings {
        notices: report.iter().map(Notice::new).collect(),
        ..settings
    });
    Checked { settings, report }
}

/// [`check`] for one who only goes on without errors.
pub fn load(
    source: &Source,
    env: Environment,
    gates: &str,
    is_strict: bool,
) -> Result<Settings, Report> {
    let checked = check(source, env, gates, is_strict);
    checked.settings.ok_or(checked.report)
}

/// `None`: the file is empty or no map; the log says so.
fn settle(root: &Node, is_strict: bool, reading: &Reading) -> Option<Settings> {
    let log = &reading.log;
    match &root.value {
        Value::Map(_) => {}
        Value::Null => {
            log.push(
                Diagnostic::error(Code::Missing, root.span, "the configuration is empty")
                    .label("`receivers:`, `exporters:` and `service:` at least"),
            );
            return None;
        }
        Value::Seq(_) | Value::Scalar { .. } | Value::Refused => {
            log.push(
                Diagnostic::error(Code::WrongType, root.span, "the configuration is no map")
                    .label("sections such as `receivers:` belong here"),
            );
            return None;
        }
    }
    let written = sections::service(root, reading);
    let declared = sections::components(root, &written, is_strict, reading);
    references::check(&written, &declared, log);
    listeners::check(&written, &declared, log);
    remarks::add(&written, &declared, log);
    Some(Settings::gather(written, declared, &reading.gates))
}

impl Settings {
    fn gather(written: Written, declared: Vec<Declared>, gates_on: &[&str]) -> Self {
        let mut settings = Self {
            receivers: Vec::new(),
            processors: Vec::new(),
            exporters: Vec::new(),
            connectors: Vec::new(),
            extensions: Vec::new(),
            service: written.into(),
            notices: Vec::new(),
            gates: gates::settle(gates_on),
        };
        for Declared { id, component, .. } in declared {
            match component.map(|(_, options)| options) {
                Some(Options::Receiver(options)) => settings.receivers.push((id, options)),
                Some(Options::Processor(options)) => settings.processors.push((id, options)),
                Some(Options::Exporter(options)) => settings.exporters.push((id, options)),
                Some(Options::Connector(options)) => settings.connectors.push((id, options)),
                Some(Options::Extension(options)) => settings.extensions.push((id, options)),
                None => {}
            }
        }
        settings
    }
}

impl From<Written> for Service {
    fn from(written: Written) -> Self {
        let pipelines = written.pipelines.into_iter().filter_map(|pipeline| {
            Some(Pipeline {
                signal: pipeline.signal?,
                name: pipeline.name,
                receivers: distinct(pipeline.receivers),
                processors: distinct(pipeline.processors),
                exporters: distinct(pipeline.exporters),
            })
        });
        Self {
            pipelines: pipelines.collect(),
            extensions: distinct(written.extensions),
            telemetry: written.telemetry,
            drain_scrape_wait: written.drain_scrape_wait,
            pin_workers: written.pin_workers,
        }
    }
}

/// A receiver or exporter that is listed twice counts once.
fn distinct(references: Vec<Reference>) -> Vec<ComponentId> {
    let mut ids = Vec::with_capacity(references.len());
    for reference in references {
        if !ids.contains(&reference.id) {
            ids.push(reference.id);
        }
    }
    ids
}

impl Notice {
    fn new((source, diagnostic): (&Source, &Diagnostic)) -> Self {
        let message = if diagnostic.label.is_empty() {
            diagnostic.message.clone()
        } else {
            format!("{}; {}", diagnostic.message, diagnostic.label)
        };
        Self {
            warning: diagnostic.severity == Severity::Warning,
            message,
            place: source.place(diagnostic.span),
        }
    }
}

#[cfg(test)]
mod tests;
