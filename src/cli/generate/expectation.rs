//! The target's own configuration in, what `--verify` must find out.
//!
//! The file is read as spanmill reads it, which settles units and defaults; against a Collector give
//! the bounds with units. What the verifier cannot work out is refused, not passed over: it would
//! call a target wrong that is right. Keys that spanmill does not act on are left out of account.

use thiserror::Error;

use crate::connectors::spanmetrics::options::{
    Dimension, HistogramOptions, SpanMetricsOptions, Unit,
};
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::generate::verify::{DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram};
use crate::pipeline::plan::{BranchPlan, Plan, ViewPlan};
use crate::pipeline::settings::{ExporterOptions, ProcessorOptions, Settings};
use crate::processors::resource::options::Action;

/// A configuration that cannot be verified.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ExpectationError {
    #[error("no traces pipeline leads through spanmetrics to a scrape endpoint")]
    NoWay,
    #[error("{count} ways lead from a receiver to the scrape endpoint; one can be verified")]
    Ways { count: usize },
    #[error("processor `{processor}`: only actions that delete one key can be verified")]
    Action { processor: String },
    #[error("processor `{processor}` stands behind the connector, which cannot be verified")]
    Behind { processor: String },
    #[error("a bound below zero cannot be verified")]
    Bound,
}

/// What the scrape endpoint on `port` must show of the spans that a receiver is sent.
pub(super) fn of(settings: &Settings, port: u16) -> Result<Expectation, ExpectationError> {
    let plan = Plan::compile(settings);
    let (branch, view) = only_way(settings, &plan, port)?;
    if let Some(processor) = view.resources.first() {
        let processor = settings.processors[*processor].0.to_string();
        return Err(ExpectationError::Behind { processor });
    }
    let (exporter, connector) = (
        prometheus(settings, view),
        &settings.connectors[view.connector].1,
    );
    Ok(Expectation {
        exporter_namespace: exporter.namespace.clone(),
        metric_suffixes: exporter.add_metric_suffixes,
        const_labels: exporter.const_labels.clone(),
        resource_as_labels: exporter.resource_to_telemetry_conversion,
        resource_deleted: deleted(settings, branch)?,
        ..of_connector(connector)?
    })
}

fn of_connector(connector: &SpanMetricsOptions) -> Result<Expectation, ExpectationError> {
    Ok(Expectation {
        connector_namespace: connector.namespace.clone(),
        dimensions: dimensions(&connector.dimensions),
        exclude_dimensions: connector.exclude_dimensions.clone(),
        events: connector.events.as_deref().map(dimensions),
        histogram: connector.histogram.as_ref().map(histogram).transpose()?,
        ..Expectation::default()
    })
}

/// The way of a receiver's spans to the endpoint. With several endpoints the port tells which.
fn only_way<'a>(
    settings: &Settings,
    plan: &'a Plan,
    port: u16,
) -> Result<(&'a BranchPlan, &'a ViewPlan), ExpectationError> {
    let branches = plan.receivers.iter().flat_map(|receiver| &receiver.traces);
    let mut ways: Vec<(&BranchPlan, &ViewPlan)> = branches
        .flat_map(|branch| {
            let views = plan.views.iter();
            let fed = views.filter(|view| branch.connectors.contains(&view.connector));
            fed.map(move |view| (branch, view))
        })
        .collect();
    let exporters = ways.iter().map(|(_, view)| view.exporter);
    if exporters.collect::<std::collections::BTreeSet<_>>().len() > 1 {
        let ending = format!(":{port}");
        ways.retain(|(_, view)| prometheus(settings, view).endpoint.ends_with(&ending));
    }
    match ways[..] {
        [way] => Ok(way),
        [] => Err(ExpectationError::NoWay),
        _ => Err(ExpectationError::Ways { count: ways.len() }),
    }
}

fn prometheus<'a>(settings: &'a Settings, view: &ViewPlan) -> &'a PrometheusOptions {
    match &settings.exporters[view.exporter].1 {
        ExporterOptions::Prometheus(options) => options,
        _ => unreachable!("the plan has views of scrape endpoints only"),
    }
}

/// Keys that the processors of a branch delete, each once.
fn deleted(settings: &Settings, branch: &BranchPlan) -> Result<Vec<String>, ExpectationError> {
    let mut keys = Vec::new();
    for processor in &branch.resources {
        let (id, options) = &settings.processors[*processor];
        let ProcessorOptions::Resource(options) = options else {
            unreachable!("the plan has `resource` processors only");
        };
        for action in &options.actions {
            let Action::Delete {
                key: Some(key),
                pattern: None,
            } = action
            else {
                let processor = id.to_string();
                return Err(ExpectationError::Action { processor });
            };
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    Ok(keys)
}

fn dimensions(options: &[Dimension]) -> Vec<ExpectedDimension> {
    let expected = |dimension: &Dimension| {
        ExpectedDimension::new(&dimension.name, dimension.default.as_deref())
    };
    options.iter().map(expected).collect()
}

fn histogram(options: &HistogramOptions) -> Result<ExpectedHistogram, ExpectationError> {
    let bounds = options.bounds_ns.iter().map(|bound| u64::try_from(*bound));
    Ok(ExpectedHistogram {
        unit: match options.unit {
            Unit::Milliseconds => DurationUnit::Milliseconds,
            Unit::Seconds => DurationUnit::Seconds,
        },
        bounds_ns: bounds
            .collect::<Result<_, _>>()
            .map_err(|_| ExpectationError::Bound)?,
    })
}

#[cfg(test)]
mod tests;
