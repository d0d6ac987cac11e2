//! The one table of every component: where it stands in the file, what it is for, how its block is
//! read.
//!
//! A new component is one line here. What the Collector has beyond it stands in `elsewhere`, so
//! that a configuration that names it gets an answer.

use crate::config::Section;
use crate::connectors::spanmetrics::options::SpanMetricsOptions;
use crate::exporters::debug::DebugOptions;
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::exporters::prometheusremotewrite::RemoteWriteOptions;
use crate::extensions::zpages::options::ZpagesOptions;
use crate::processors::batch::BatchOptions;
use crate::processors::memory_limiter::MemoryLimiterOptions;
use crate::processors::resource::options::ResourceOptions;
use crate::receivers::otlp::options::OtlpOptions;
use crate::workers::Signal;

use super::settings::{ExporterOptions, ProcessorOptions};

/// A section of the file that holds components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Receiver,
    Processor,
    Exporter,
    Connector,
    Extension,
}

/// What a component's block says.
#[derive(Clone, Debug)]
pub enum Options {
    Receiver(OtlpOptions),
    Processor(ProcessorOptions),
    Exporter(ExporterOptions),
    Connector(SpanMetricsOptions),
    Extension(ZpagesOptions),
}

/// One line of the table.
#[derive(Debug)]
pub struct Component {
    pub kind: Kind,
    /// The word in the file.
    pub name: &'static str,
    /// The word that later versions of the Collector use, if it changed.
    pub alias: Option<&'static str>,
    pub purpose: &'static str,
    /// Signals it takes; of a receiver, signals it brings.
    pub takes: &'static [Signal],
    /// Signals a connector puts out.
    pub gives: &'static [Signal],
    /// False: it is parsed and checked, and the start says that it does nothing.
    pub acts: bool,
    pub read: fn(&mut Section) -> Options,
}

const ALL: &[Signal] = &[Signal::Traces, Signal::Metrics, Signal::Logs];

/// In the order of the data's way.
pub const COMPONENTS: &[Component] = &[
    Component {
        kind: Kind::Receiver,
        name: "otlp",
        alias: None,
        purpose: "takes OTLP over gRPC and HTTP",
        takes: ALL,
        gives: &[],
        acts: true,
        read: |section| Options::Receiver(OtlpOptions::read(section)),
    },
    Component {
        kind: Kind::Processor,
        name: "batch",
        alias: None,
        purpose: "passes data on; before the scrape's store there is nothing to gain by waiting",
        takes: ALL,
        gives: &[],
        acts: true,
        read: |section| Options::Processor(ProcessorOptions::Batch(BatchOptions::read(section))),
    },
    Component {
        kind: Kind::Processor,
        name: "memory_limiter",
        alias: None,
        purpose: "refuses data while memory is above its limit",
        takes: ALL,
        gives: &[],
        acts: false,
        read: |section| {
            let options = MemoryLimiterOptions::read(section);
            Options::Processor(ProcessorOptions::MemoryLimiter(options))
        },
    },
    Component {
        kind: Kind::Processor,
        name: "resource",
        alias: None,
        purpose: "changes the attributes of resources",
        takes: ALL,
        gives: &[],
        acts: true,
        read: |section| {
            Options::Processor(ProcessorOptions::Resource(ResourceOptions::read(section)))
        },
    },
    Component {
        kind: Kind::Connector,
        name: "spanmetrics",
        alias: Some("span_metrics"),
        purpose: "turns spans into request, error and duration metrics",
        takes: &[Signal::Traces],
        gives: &[Signal::Metrics],
        acts: true,
        read: |section| Options::Connector(SpanMetricsOptions::read(section)),
    },
    Component {
        kind: Kind::Exporter,
        name: "prometheus",
        alias: None,
        purpose: "serves metrics to be scraped",
        takes: &[Signal::Metrics],
        gives: &[],
        acts: true,
        read: |section| {
            let options = PrometheusOptions::read(section);
            Options::Exporter(ExporterOptions::Prometheus(options))
        },
    },
    Component {
        kind: Kind::Exporter,
        name: "prometheusremotewrite",
        alias: Some("prometheus_remote_write"),
        purpose: "sends metrics by remote write",
        takes: &[Signal::Metrics],
        gives: &[],
        acts: false,
        read: |section| {
            let options = RemoteWriteOptions::read(section);
            Options::Exporter(ExporterOptions::PrometheusRemoteWrite(options))
        },
    },
    Component {
        kind: Kind::Exporter,
        name: "debug",
        alias: None,
        purpose: "prints what it gets",
        takes: ALL,
        gives: &[],
        acts: false,
        read: |section| Options::Exporter(ExporterOptions::Debug(DebugOptions::read(section))),
    },
    Component {
        kind: Kind::Exporter,
        name: "nop",
        alias: None,
        purpose: "drops what it gets",
        takes: ALL,
        gives: &[],
        acts: true,
        read: |_| Options::Exporter(ExporterOptions::Nop),
    },
    Component {
        kind: Kind::Extension,
        name: "zpages",
        alias: None,
        purpose: "serves pages that describe the running program",
        takes: &[],
        gives: &[],
        acts: true,
        read: |section| Options::Extension(ZpagesOptions::read(section)),
    },
];

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Receiver,
        Self::Processor,
        Self::Exporter,
        Self::Connector,
        Self::Extension,
    ];

    /// `receiver`
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Connector => "connector",
            Self::Extension => "extension",
        }
    }

    /// The section's key in the file.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }
}

/// The component of a kind under a name or its alias.
#[must_use]
pub fn find(kind: Kind, name: &str) -> Option<&'static Component> {
    COMPONENTS.iter().find(|component| {
        component.kind == kind && (component.name == name || component.alias == Some(name))
    })
}
