//! The target's own configuration in, what `--verify` must find out.
//!
//! The file is read as spanmill reads it, which settles units and defaults; against a Collector give
//! the bounds with units. What the verifier cannot work out is refused, not passed over: it would
//! call a target wrong that is right. So are keys that a Collector acts on and spanmill does not yet.

use thiserror::Error;

use crate::batch::any_value;
use crate::connectors::spanmetrics::options::{
    Dimension, HistogramOptions, SpanMetricsOptions, Unit,
};
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::generate::verify::{
    Attribute, DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram, Pattern,
    ResourceAction, Value, ValueFrom,
};
use crate::pipeline::plan::{BranchPlan, Plan, ReceiverPlan, ViewPlan};
use crate::pipeline::settings::{ExporterOptions, ProcessorOptions, Settings};
use crate::processors::resource::options::{Action, ValueSource};

/// Keys of the connector that change what a Collector shows, and nothing here yet.
const DORMANT: [&str; 7] = [
    "calls_dimensions",
    "resource_metrics_key_attributes",
    "include_instrumentation_scope",
    "aggregation_cardinality_limit",
    "aggregation_temporality",
    "histogram.dimensions",
    "histogram.exponential",
];

/// A configuration that cannot be verified.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ExpectationError {
    #[error("no traces pipeline leads through spanmetrics to a scrape endpoint")]
    NoWay,
    #[error("several receivers take traces, and none of them on port {port}, where the load goes")]
    Receiver { port: u16 },
    #[error(
        "several scrape endpoints show span metrics, and none is on port {port}: give --verify its own \
         address"
    )]
    Endpoint { port: u16 },
    #[error("two ways lead to the same metrics: give the connectors a `namespace` each")]
    Ways,
    #[error(
        "processor `{processor}`: insert, update, upsert and delete can be verified, with a value or \
         from_attribute; hash, extract and convert cannot"
    )]
    Action { processor: String },
    #[error("a bound below zero cannot be verified")]
    Bound,
    #[error(
        "`{key}` cannot be verified: a Collector acts on it and spanmill does not yet; leave it out if \
         the target is spanmill"
    )]
    Dormant { key: String },
}

/// What the scrape endpoint on `scrape_port` must show of spans that are sent to `port`: one
/// expectation for each way they go.
pub(super) fn of(
    settings: &Settings,
    port: u16,
    scrape_port: u16,
) -> Result<Vec<Expectation>, ExpectationError> {
    let plan = Plan::compile(settings);
    let ways = ways(settings, &plan, port, scrape_port)?;
    let expectation = |(branch, view): &(&BranchPlan, &ViewPlan)| {
        let (id, connector) = &settings.connectors[view.connector];
        refuse_dormant(settings, &id.to_string())?;
        let exporter = prometheus(settings, view);
        Ok(Expectation {
            exporter_namespace: exporter.namespace.clone(),
            metric_suffixes: exporter.add_metric_suffixes,
            const_labels: exporter.const_labels.clone(),
            resource_as_labels: exporter.resource_to_telemetry_conversion,
            resource: actions(settings, &branch.resources)?,
            resource_behind: actions(settings, &view.resources)?,
            ..of_connector(connector)?
        })
    };
    ways.iter().map(expectation).collect()
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

/// Every way of the spans to the endpoint. Where there are several receivers or endpoints, the port
/// tells which.
fn ways<'a>(
    settings: &Settings,
    plan: &'a Plan,
    port: u16,
    scrape_port: u16,
) -> Result<Vec<(&'a BranchPlan, &'a ViewPlan)>, ExpectationError> {
    let mut receivers: Vec<&ReceiverPlan> = plan
        .receivers
        .iter()
        .filter(|receiver| !receiver.traces.is_empty())
        .collect();
    if receivers.len() > 1 {
        receivers.retain(|receiver| listens_on(settings, receiver, port));
        if receivers.is_empty() {
            return Err(ExpectationError::Receiver { port });
        }
    }
    let branches = receivers.iter().flat_map(|receiver| &receiver.traces);
    let mut ways: Vec<(&BranchPlan, &ViewPlan)> = branches
        .flat_map(|branch| {
            let views = plan.views.iter();
            let fed = views.filter(|view| branch.connectors.contains(&view.connector));
            fed.map(move |view| (branch, view))
        })
        .collect();
    if ways.is_empty() {
        return Err(ExpectationError::NoWay);
    }
    let first = ways[0].1.exporter;
    if ways.iter().any(|(_, view)| view.exporter != first) {
        ways.retain(|(_, view)| ends_on(&prometheus(settings, view).endpoint, scrape_port));
        if ways.is_empty() {
            return Err(ExpectationError::Endpoint { port: scrape_port });
        }
    }
    // Two branches into one view add up. Two views of one name show one of them, or both in one.
    let namespace = |view: &ViewPlan| &settings.connectors[view.connector].1.namespace;
    let meet = ways.iter().any(|(_, one)| {
        let mut others = ways.iter().map(|(_, other)| other);
        others.any(|other| *one != *other && namespace(one) == namespace(other))
    });
    if meet {
        return Err(ExpectationError::Ways);
    }
    Ok(ways)
}

fn listens_on(settings: &Settings, receiver: &ReceiverPlan, port: u16) -> bool {
    let options = &settings.receivers[receiver.receiver].1;
    let grpc = options.grpc.as_ref().map(|grpc| &grpc.endpoint);
    let http = options.http.as_ref().map(|http| &http.endpoint);
    grpc.into_iter()
        .chain(http)
        .any(|endpoint| ends_on(endpoint, port))
}

fn ends_on(endpoint: &str, port: u16) -> bool {
    endpoint.ends_with(&format!(":{port}"))
}

/// Refuses what the start remarks on as not acting, if a Collector would show something else for it.
fn refuse_dormant(settings: &Settings, connector: &str) -> Result<(), ExpectationError> {
    for key in DORMANT {
        let key = format!("connectors.{connector}.{key}");
        let remark = format!("`{key}` ");
        if settings
            .notices
            .iter()
            .any(|of| of.message.starts_with(&remark))
        {
            return Err(ExpectationError::Dormant { key });
        }
    }
    Ok(())
}

fn prometheus<'a>(settings: &'a Settings, view: &ViewPlan) -> &'a PrometheusOptions {
    match &settings.exporters[view.exporter].1 {
        ExporterOptions::Prometheus(options) => options,
        _ => unreachable!("the plan has views of scrape endpoints only"),
    }
}

/// What the processors of a branch or view do, in order.
fn actions(
    settings: &Settings,
    processors: &[usize],
) -> Result<Vec<ResourceAction>, ExpectationError> {
    let mut actions = Vec::new();
    for processor in processors {
        let (id, options) = &settings.processors[*processor];
        let ProcessorOptions::Resource(options) = options else {
            unreachable!("the plan has `resource` processors only");
        };
        for action in &options.actions {
            add_action(&mut actions, action).ok_or_else(|| ExpectationError::Action {
                processor: id.to_string(),
            })?;
        }
    }
    Ok(actions)
}

/// `None`: it cannot be verified.
fn add_action(actions: &mut Vec<ResourceAction>, action: &Action) -> Option<()> {
    let of = |key: &String, value: &ValueSource| Some((key.clone(), value_from(value)?));
    let action = match action {
        Action::Insert { key, value } => {
            let (key, value) = of(key, value)?;
            ResourceAction::Insert { key, value }
        }
        Action::Update { key, value } => {
            let (key, value) = of(key, value)?;
            ResourceAction::Update { key, value }
        }
        Action::Upsert { key, value } => {
            let (key, value) = of(key, value)?;
            ResourceAction::Upsert { key, value }
        }
        Action::Delete { key, pattern } => {
            actions.extend(key.as_deref().map(ResourceAction::delete));
            if let Some(pattern) = pattern {
                let pattern = Pattern::new(pattern.as_str())?;
                actions.push(ResourceAction::DeleteMatching { pattern });
            }
            return Some(());
        }
        Action::Hash { .. } | Action::Extract { .. } | Action::Convert { .. } => return None,
    };
    actions.push(action);
    Some(())
}

fn value_from(source: &ValueSource) -> Option<ValueFrom> {
    match source {
        ValueSource::FromAttribute(key) => Some(ValueFrom::Attribute(key.clone())),
        ValueSource::FromContext(_) => None,
        ValueSource::Value(cell) => value(cell).map(ValueFrom::Value),
    }
}

/// `None`: its text is not UTF-8.
fn value(cell: &[u8]) -> Option<Value> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(match any_value::read(cell) {
        any_value::Value::Empty => Value::Empty,
        any_value::Value::Str(bytes) => Value::Text(text(bytes)?),
        any_value::Value::Bool(bool) => Value::Bool(bool),
        any_value::Value::Int(number) => Value::Int(number),
        any_value::Value::Double(number) => Value::Double(number),
        any_value::Value::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        any_value::Value::Array(list) => {
            let values = any_value::array_values(list).map(value);
            Value::List(values.collect::<Option<_>>()?)
        }
        any_value::Value::KvList(list) => {
            let pair =
                |of: any_value::KeyValue| Some(Attribute::new(text(of.key)?, value(&of.value)?));
            Value::Map(
                any_value::key_values(list)
                    .map(pair)
                    .collect::<Option<_>>()?,
            )
        }
    })
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
