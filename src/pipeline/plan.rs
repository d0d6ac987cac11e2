//! Settings in, the compiled graph out: who feeds whom, and which columns the traces need.
//!
//! A connector whose metrics no acting exporter shows still counts; a component that no pipeline
//! names is not here. The columns are the union of what all connectors look at, so that one walk
//! over a request serves every pipeline (projection push-down).

use std::fmt::Write;

use crate::batch::TraceColumns;
use crate::connectors::spanmetrics::SpanMetrics;
use crate::pipeline::settings::{ComponentId, ExporterOptions, ProcessorOptions, Settings};
use crate::workers::Signal;

/// The compiled graph. Indices point into the lists of [`Settings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the decoder builds.
    pub columns: TraceColumns,
    pub receivers: Vec<ReceiverPlan>,
    /// Connectors that a traces pipeline feeds.
    pub connectors: Vec<usize>,
    pub views: Vec<ViewPlan>,
}

/// What happens to the requests of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverPlan {
    pub receiver: usize,
    /// Signals that some pipeline takes from it.
    pub signals: Vec<Signal>,
    pub traces: Vec<BranchPlan>,
}

/// One traces pipeline behind a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchPlan {
    /// `resource` processors, in order.
    pub resources: Vec<usize>,
    pub connectors: Vec<usize>,
}

/// A connector's metrics on their way to a scrape endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewPlan {
    pub connector: usize,
    pub resources: Vec<usize>,
    pub exporter: usize,
}

impl Plan {
    #[must_use]
    pub fn compile(settings: &Settings) -> Self {
        let receivers: Vec<ReceiverPlan> = (0..settings.receivers.len())
            .filter_map(|receiver| receiver_plan(settings, receiver))
            .collect();
        let mut connectors: Vec<usize> = receivers
            .iter()
            .flat_map(|receiver| &receiver.traces)
            .flat_map(|branch| branch.connectors.iter().copied())
            .collect();
        connectors.sort_unstable();
        connectors.dedup();
        let mut columns = TraceColumns::default();
        for connector in &connectors {
            columns.merge(&SpanMetrics::new(settings.connectors[*connector].1.clone()).columns());
        }
        let views = view_plans(settings, &connectors);
        Self {
            columns,
            receivers,
            connectors,
            views,
        }
    }

    /// The plan as `spanmill explain --plan` prints it.
    #[must_use]
    pub fn describe(&self, settings: &Settings) -> String {
        let mut text = String::new();
        describe_columns(&mut text, &self.columns);
        for receiver in &self.receivers {
            let id = &settings.receivers[receiver.receiver].0;
            for branch in &receiver.traces {
                line(&mut text, "path", |text| {
                    write!(text, "{id}")?;
                    for processor in &branch.resources {
                        write!(text, " -> {}", settings.processors[*processor].0)?;
                    }
                    let names = branch
                        .connectors
                        .iter()
                        .map(|c| settings.connectors[*c].0.to_string());
                    write!(text, " -> {}", names.collect::<Vec<_>>().join(", "))
                });
            }
        }
        for view in &self.views {
            line(&mut text, "view", |text| {
                write!(text, "{}", settings.connectors[view.connector].0)?;
                for processor in &view.resources {
                    write!(text, " -> {}", settings.processors[*processor].0)?;
                }
                write!(text, " -> {}", settings.exporters[view.exporter].0)
            });
        }
        text
    }
}

impl ReceiverPlan {
    /// Signals that are taken today: the others are refused, whoever asks for them.
    #[must_use]
    pub fn acting_signals(&self) -> Vec<Signal> {
        self.signals
            .iter()
            .copied()
            .filter(|signal| *signal == Signal::Traces)
            .collect()
    }
}

fn receiver_plan(settings: &Settings, receiver: usize) -> Option<ReceiverPlan> {
    let id = &settings.receivers[receiver].0;
    let fed: Vec<_> = settings
        .service
        .pipelines
        .iter()
        .filter(|p| p.receivers.contains(id))
        .collect();
    let mut signals = Vec::new();
    for pipeline in &fed {
        if !signals.contains(&pipeline.signal) {
            signals.push(pipeline.signal);
        }
    }
    let traces = fed
        .iter()
        .filter(|pipeline| pipeline.signal == Signal::Traces)
        .map(|pipeline| BranchPlan {
            resources: resource_processors(settings, &pipeline.processors),
            connectors: positions(&settings.connectors, &pipeline.exporters),
        })
        .collect();
    (!fed.is_empty()).then_some(ReceiverPlan {
        receiver,
        signals,
        traces,
    })
}

fn view_plans(settings: &Settings, connectors: &[usize]) -> Vec<ViewPlan> {
    let mut views = Vec::new();
    for pipeline in settings
        .service
        .pipelines
        .iter()
        .filter(|p| p.signal == Signal::Metrics)
    {
        let resources = resource_processors(settings, &pipeline.processors);
        for connector in positions(&settings.connectors, &pipeline.receivers) {
            if !connectors.contains(&connector) {
                continue;
            }
            for exporter in positions(&settings.exporters, &pipeline.exporters) {
                if !matches!(
                    settings.exporters[exporter].1,
                    ExporterOptions::Prometheus(_)
                ) {
                    continue;
                }
                let view = ViewPlan {
                    connector,
                    resources: resources.clone(),
                    exporter,
                };
                // The same way twice would show every value doubled.
                if !views.contains(&view) {
                    views.push(view);
                }
            }
        }
    }
    views
}

fn resource_processors(settings: &Settings, named: &[ComponentId]) -> Vec<usize> {
    positions(&settings.processors, named)
        .into_iter()
        .filter(|p| matches!(settings.processors[*p].1, ProcessorOptions::Resource(_)))
        .collect()
}

/// Where `named` stand in `components`, in the order of `named`; those of another section are left out.
fn positions<T>(components: &[(ComponentId, T)], named: &[ComponentId]) -> Vec<usize> {
    named
        .iter()
        .filter_map(|id| components.iter().position(|(other, _)| other == id))
        .collect()
}

fn describe_columns(text: &mut String, columns: &TraceColumns) {
    let mut fixed = vec!["resource"];
    fixed.extend(columns.name.then_some("name"));
    fixed.extend(columns.kind.then_some("kind"));
    fixed.extend(columns.status.then_some("status"));
    if columns.times {
        fixed.extend(["start", "end"]);
    }
    line(text, "spans", |text| {
        write!(text, "{}", fixed.join(", "))?;
        attributes(text, &columns.span_attributes)
    });
    if let Some(keys) = &columns.event_attributes {
        line(text, "events", |text| {
            write!(text, "span")?;
            attributes(text, keys)
        });
    }
}

fn attributes(text: &mut String, keys: &[Vec<u8>]) -> std::fmt::Result {
    keys.iter()
        .try_for_each(|key| write!(text, ", attributes[{}]", String::from_utf8_lossy(key)))
}

fn line(text: &mut String, head: &str, rest: impl FnOnce(&mut String) -> std::fmt::Result) {
    write!(text, "{head:<8}")
        .and_then(|()| rest(text))
        .expect("a String takes every write");
    text.push('\n');
}
