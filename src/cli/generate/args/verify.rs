//! The arguments that say what a target must show after a run.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{ArgsError, Settled};
use crate::cli::{ConfigArgs, parse_duration};
use crate::generate::verify::{DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram};

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
pub enum UnitArg {
    Ms,
    S,
}

impl VerifyArgs {
    /// The target's configuration, if it was given.
    pub(in crate::cli::generate) fn config(&self) -> Option<ConfigArgs> {
        Some(ConfigArgs {
            config: self.config.clone()?,
            feature_gates: self.feature_gates.clone(),
        })
    }

    /// The guide's configuration with what the arguments say otherwise.
    pub(in crate::cli::generate) fn expectation(&self) -> Settled<Expectation> {
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
