//! The arguments of `spanmill generate`, and the options they settle to.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::cli::{ConfigArgs, parse_duration};
use crate::generate::verify::{DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram};
use crate::generate::{Compression, LoadOptions, Pace, Protocol, RunOptions, Target};

/// Bytes of bodies that are made before the run, at most.
const PREPARED_BYTES_MAX: usize = 128 << 20;
/// A request is not made larger than this.
const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// Operations, and resources, of all services: each has bytes of its own in memory.
const PARTS_MAX: u64 = 100_000;
/// Prepared spans for each label set, so that hardly one is left out of the draw.
const SPANS_PER_LABEL_SET: u64 = 4;
const PREPARED_MIN: u64 = 64;
const PREPARED_MAX: u64 = 1 << 16;
const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Arguments that do not go together.
#[derive(Debug, Error)]
pub(super) enum ArgsError {
    #[error("--in-flight above 1 needs --protocol grpc: HTTP/1.1 answers one request at a time")]
    InFlight,
    #[error("a request of {spans} spans of {bytes} bytes is above {REQUEST_BYTES_MAX} bytes")]
    Request { spans: u32, bytes: u32 },
    #[error("{count} {what} are more than {PARTS_MAX}")]
    Parts { what: &'static str, count: u64 },
    #[error("`{text}` is no NAME=VALUE")]
    Pair { text: String },
}

#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Where to send: HOST:PORT or http://HOST:PORT [default: localhost:4317, with http 4318]
    #[arg(long, value_name = "ADDRESS")]
    pub endpoint: Option<String>,
    /// OTLP over gRPC, or protobuf over HTTP/1.1
    #[arg(long, value_enum, default_value = "grpc")]
    pub protocol: ProtocolArg,
    /// Compression of the bodies
    #[arg(long, value_enum, default_value = "none")]
    pub compression: CompressionArg,
    /// Spans per second, whether or not the target keeps up; 0: as fast as it answers
    #[arg(long, default_value_t = 0.0, value_name = "SPANS", value_parser = parse_rate)]
    pub rate: f64,
    /// How long to send, as 30s or 1h30m [default: 10s, without --count]
    #[arg(long, value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// How many spans to send [default: until --duration is over]
    #[arg(long, value_name = "SPANS")]
    pub count: Option<u64>,
    /// Connections, shared out among the threads
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Requests in flight on each connection; above 1 with grpc only
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub in_flight: u16,
    /// Threads that send
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// How long to wait for an answer; one that takes longer counts as none
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Distinct requests made beforehand and sent over and over; 0: each request is made when it is
    /// sent [default: 0 with --rate, else enough for every label set]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=PREPARED_MAX))]
    pub prepared: Option<u64>,
    /// Spans in each request
    #[arg(long, value_name = "SPANS", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub spans_per_request: u32,
    /// Values of service.name
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub services: u32,
    /// Server routes of each service; it also has a client, an internal, a producer and a consumer
    /// operation
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub routes: u32,
    /// Resources (pods) of each service
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub resources: u32,
    /// Values of user.id on server spans; 0: none
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    pub cardinality: u32,
    /// Share of spans with an error, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = parse_share)]
    pub error_share: f64,
    /// Share of the other spans with events, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = parse_share)]
    pub event_share: f64,
    /// Mean bytes of a span, made up with attributes nobody asks for
    #[arg(long, value_name = "BYTES", default_value_t = 800)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub span_bytes: u32,
    /// Start of the random numbers: the same seed sends the same spans
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Report on standard output for machines instead of people
    #[arg(long, value_enum)]
    pub report: Option<ReportArg>,
    /// Leave out the live line on standard error
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub verify: VerifyArgs,
}

/// What the target must show. The defaults are the sidecar guide's scrape configuration.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Verification (defaults: the sidecar guide's scrape configuration)")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[expect(
    clippy::doc_markdown,
    reason = "the comments are shown as help, without markdown"
)]
pub struct VerifyArgs {
    /// Scrape endpoint of the target, as http://HOST:PORT/metrics: exit status 1 unless it shows
    /// what was sent
    #[arg(long, value_name = "URL")]
    pub verify: Option<String>,
    /// How long the target may take to show everything: the default covers two flushes of 15s
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = parse_duration)]
    pub verify_settle: Duration,
    /// Label that the target adds and nobody can foretell; repeatable
    #[arg(long, value_name = "NAME")]
    pub verify_ignore_label: Vec<String>,
    /// Configuration of the target, with or without file: in front, read as spanmill reads it (so give
    /// a Collector's bounds units); it says what the flags below say, which are refused beside it
    #[arg(long, value_name = "FILE", requires = "verify", conflicts_with_all = DESCRIPTIONS)]
    pub config: Option<PathBuf>,
    /// Feature gates that the target runs with, as it was given them
    #[arg(
        long,
        value_name = "LIST",
        requires = "config",
        allow_hyphen_values = true
    )]
    pub feature_gates: Vec<String>,
    /// exporters.prometheus.namespace
    #[arg(long, value_name = "TEXT")]
    pub verify_namespace: Option<String>,
    /// exporters.prometheus.add_metric_suffixes is on
    #[arg(long)]
    pub verify_suffixes: bool,
    /// One of exporters.prometheus.const_labels, repeatable; an empty text: there are none
    #[arg(long, value_name = "NAME=VALUE")]
    pub verify_const_label: Vec<String>,
    /// exporters.prometheus.resource_to_telemetry_conversion is off
    #[arg(long)]
    pub verify_no_resource_labels: bool,
    /// connectors.spanmetrics.namespace
    #[arg(long, value_name = "TEXT")]
    pub verify_connector_namespace: Option<String>,
    /// connectors.spanmetrics.histogram.unit
    #[arg(long, value_enum)]
    pub verify_unit: Option<UnitArg>,
    /// connectors.spanmetrics.histogram.explicit.buckets, with units
    #[arg(long, value_delimiter = ',', value_parser = parse_duration, value_name = "1ms,5ms,...")]
    pub verify_bounds: Vec<Duration>,
    /// One of connectors.spanmetrics.dimensions, repeatable; an empty text: there are none
    #[arg(long, value_name = "KEY[=DEFAULT]")]
    pub verify_dimension: Vec<String>,
    /// One of connectors.spanmetrics.exclude_dimensions, repeatable
    #[arg(long, value_name = "KEY")]
    pub verify_exclude: Vec<String>,
    /// One of connectors.spanmetrics.events.dimensions, repeatable
    #[arg(long, value_name = "KEY[=DEFAULT]")]
    pub verify_event_dimension: Vec<String>,
    /// connectors.spanmetrics.events is off
    #[arg(long, conflicts_with = "verify_event_dimension")]
    pub verify_no_events: bool,
    /// connectors.spanmetrics.histogram.disable
    #[arg(long)]
    pub verify_no_histogram: bool,
    /// Resource attribute that a processor deletes, repeatable; an empty text: there are none
    #[arg(long, value_name = "KEY")]
    pub verify_delete: Vec<String>,
}

/// Flags that say what a configuration says.
const DESCRIPTIONS: [&str; 13] = [
    "verify_namespace",
    "verify_suffixes",
    "verify_const_label",
    "verify_no_resource_labels",
    "verify_connector_namespace",
    "verify_unit",
    "verify_bounds",
    "verify_dimension",
    "verify_exclude",
    "verify_event_dimension",
    "verify_no_events",
    "verify_no_histogram",
    "verify_delete",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtocolArg {
    Grpc,
    Http,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    None,
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportArg {
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnitArg {
    Ms,
    S,
}

/// The arguments as options, or what is wrong with them.
pub(super) type Settled<T> = Result<T, Box<dyn std::error::Error>>;

impl GenerateArgs {
    pub(super) fn run_options(&self) -> Settled<RunOptions> {
        let (protocol, default_endpoint, default_port) = match self.protocol {
            ProtocolArg::Grpc => (Protocol::Grpc, "localhost:4317", 4317),
            ProtocolArg::Http => (Protocol::Http, "localhost:4318", 4318),
        };
        if protocol == Protocol::Http && self.in_flight > 1 {
            return Err(ArgsError::InFlight.into());
        }
        let (spans, bytes) = (self.spans_per_request, self.span_bytes);
        if u64::from(spans) * u64::from(bytes) > REQUEST_BYTES_MAX {
            return Err(ArgsError::Request { spans, bytes }.into());
        }
        for (what, of_service) in [("routes", self.routes), ("resources", self.resources)] {
            let count = u64::from(self.services) * u64::from(of_service);
            if count > PARTS_MAX {
                return Err(ArgsError::Parts { what, count }.into());
            }
        }
        let endpoint = self.endpoint.as_deref().unwrap_or(default_endpoint);
        let is_open = self.rate > 0.0;
        let default_prepared = if is_open { 0 } else { self.prepared_for_all() };
        let default_duration = self.count.is_none().then_some(DURATION_DEFAULT);
        Ok(RunOptions {
            target: Target::parse(endpoint, default_port)?,
            protocol,
            compression: match self.compression {
                CompressionArg::None => Compression::None,
                CompressionArg::Gzip => Compression::Gzip,
            },
            pace: Pace {
                spans_per_second: is_open.then_some(self.rate),
                duration: self.duration.or(default_duration),
                spans: self.count,
            },
            threads: usize::from(self.threads),
            connections: usize::from(self.connections),
            in_flight: usize::from(self.in_flight),
            answer_timeout: self.timeout,
            prepared: usize::try_from(self.prepared.unwrap_or(default_prepared))?,
            prepared_bytes_max: PREPARED_BYTES_MAX,
            load: LoadOptions {
                services: self.services,
                routes: self.routes,
                resources: self.resources,
                users: self.cardinality,
                error_share: self.error_share,
                event_share: self.event_share,
                span_bytes: usize::try_from(self.span_bytes)?,
                spans_per_request: self.spans_per_request,
                seed: self.seed,
            },
            totals: None,
        })
    }

    /// Requests that hold about every label set of the load.
    fn prepared_for_all(&self) -> u64 {
        let users = u64::from(self.cardinality.max(1));
        let pods = u64::from(self.services) * u64::from(self.resources);
        let label_sets = pods * u64::from(self.routes.max(1)) * users;
        let spans = label_sets.saturating_mul(SPANS_PER_LABEL_SET);
        (spans / u64::from(self.spans_per_request)).clamp(PREPARED_MIN, PREPARED_MAX)
    }
}

impl VerifyArgs {
    /// The target's configuration, if it was given.
    pub(super) fn config(&self) -> Option<ConfigArgs> {
        Some(ConfigArgs {
            config: self.config.clone()?,
            feature_gates: self.feature_gates.clone(),
        })
    }

    /// The guide's configuration with what the arguments say otherwise.
    pub(super) fn expectation(&self) -> Settled<Expectation> {
        let mut expectation = Expectation::default();
        if let Some(namespace) = &self.verify_namespace {
            expectation.exporter_namespace.clone_from(namespace);
        }
        if let Some(namespace) = &self.verify_connector_namespace {
            expectation.connector_namespace.clone_from(namespace);
        }
        expectation.metric_suffixes = self.verify_suffixes;
        expectation.resource_as_labels = !self.verify_no_resource_labels;
        if !self.verify_const_label.is_empty() {
            expectation.const_labels = given(&self.verify_const_label)
                .map(|text| {
                    let pair = text.split_once('=');
                    let (name, value) = pair.ok_or_else(|| ArgsError::Pair {
                        text: text.to_owned(),
                    })?;
                    Ok((name.to_owned(), value.to_owned()))
                })
                .collect::<Result<_, ArgsError>>()?;
        }
        if !self.verify_dimension.is_empty() {
            expectation.dimensions = dimensions(&self.verify_dimension);
        }
        expectation
            .exclude_dimensions
            .clone_from(&self.verify_exclude);
        if !self.verify_event_dimension.is_empty() {
            expectation.events = Some(dimensions(&self.verify_event_dimension));
        }
        if self.verify_no_events {
            expectation.events = None;
        }
        if !self.verify_delete.is_empty() {
            expectation.resource_deleted = given(&self.verify_delete).map(str::to_owned).collect();
        }
        expectation
            .ignored_labels
            .extend_from_slice(&self.verify_ignore_label);
        self.change_histogram(&mut expectation)?;
        Ok(expectation)
    }

    fn change_histogram(&self, expectation: &mut Expectation) -> Settled<()> {
        let histogram: Option<&mut ExpectedHistogram> = expectation.histogram.as_mut();
        let Some(histogram) = histogram else {
            return Ok(());
        };
        match self.verify_unit {
            Some(UnitArg::Ms) => histogram.unit = DurationUnit::Milliseconds,
            Some(UnitArg::S) => histogram.unit = DurationUnit::Seconds,
            None => {}
        }
        if !self.verify_bounds.is_empty() {
            let nanos = self.verify_bounds.iter().map(Duration::as_nanos);
            histogram.bounds_ns = nanos.map(u64::try_from).collect::<Result<_, _>>()?;
        }
        if self.verify_no_histogram {
            expectation.histogram = None;
        }
        Ok(())
    }
}

/// Those that are not empty: one empty text stands for an empty list.
fn given(texts: &[String]) -> impl Iterator<Item = &str> {
    texts
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

fn dimensions(texts: &[String]) -> Vec<ExpectedDimension> {
    given(texts)
        .map(|text| match text.split_once('=') {
            Some((name, default)) => ExpectedDimension::new(name, Some(default)),
            None => ExpectedDimension::new(text, None),
        })
        .collect()
}

fn parse_share(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1"),
    }
}

fn parse_rate(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        // Below one span in a thousand seconds a run would never send.
        Ok(rate) if rate == 0.0 || (1e-3..=1e9).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of spans per second, 0.001 to 1e9, or 0"),
    }
}

#[cfg(test)]
mod tests;
