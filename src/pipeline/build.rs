//! The plan becomes a running graph: sockets bound, store, stations, servers; nothing served yet.
//!
//! Sockets come first, so that a taken port stops the start before any thread is there.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::batch::TraceLayout;
use crate::connectors::spanmetrics::SpanMetrics;
use crate::decode::TraceDecoder;
use crate::exporters::prometheus::{PrometheusExporter, PrometheusParts, Source};
use crate::pipeline::StartError;
use crate::pipeline::plan::Plan;
use crate::pipeline::run::{Branch, ConnectorCounters, ConnectorRun, TraceStation};
use crate::pipeline::settings::{ComponentId, ExporterOptions, ProcessorOptions, Settings};
use crate::pipeline::{readers, servers, views};
use crate::processors::resource::{ResourceOptions, ResourceProcessor};
use crate::receivers::otlp::{Admission, Limits, OtlpReceiver, Wiring, budget_bytes};
use crate::store::folder::{Folder, StoreSpec};
use crate::store::folder_thread::{self, FolderClient};
use crate::store::handover::{FolderSide, WorkerSide, handover};
use crate::store::window::{OwnerId, TableId};
use crate::telemetry::counters::Registry;
use crate::telemetry::log::Logger;
use crate::telemetry::process;
use crate::workers::listen::listen;
use crate::workers::{BuildStation, cgroup, clock};

/// A graph that is ready to serve.
pub(super) struct Engine {
    pub(super) receivers: Vec<OtlpReceiver>,
    pub(super) stations: Vec<BuildStation>,
    pub(super) servers: Vec<servers::Server>,
    pub(super) exporters: Vec<PrometheusExporter>,
    pub(super) folder: FolderClient,
    pub(super) folder_thread: JoinHandle<()>,
    /// Owners of the store and how often they flush.
    pub(super) flushes: Vec<(OwnerId, Duration)>,
}

/// A connector instance and its place in the store.
pub(super) struct Connector {
    /// Index into `Settings::connectors`.
    index: usize,
    instance: SpanMetrics,
    owner: OwnerId,
    /// The first of its tables.
    table: TableId,
    counters: Arc<ConnectorCounters>,
}

pub(super) fn build(settings: &Settings, logger: &Logger) -> Result<Engine, StartError> {
    let machine = cgroup::read_machine(Path::new("/"));
    let workers = machine.workers();
    let registry = Arc::new(Registry::new(workers));
    let paths = Arc::new(Paths::new(Plan::compile(settings), settings));
    let plan = &paths.plan;

    let receivers = bind_receivers(settings, plan, &registry, machine.memory_bytes, logger)?;
    let scrape_listeners = bind_exporters(settings)?;
    let mut servers = servers::bind(settings, &registry, logger)?;

    let connectors: Arc<[Connector]> = connectors(settings, plan, &registry).into();
    let (folder, sides, folder_sides) = store(settings, &connectors, workers);
    readers::register_store(&registry, &folder.counts());
    process::register(&registry);
    let (folder, folder_thread) =
        folder_thread::spawn(folder, folder_sides, Box::new(clock::wall_ms))
            .map_err(|source| StartError::Threads { source })?;

    let mut exporters = Vec::new();
    for (index, listener) in scrape_listeners {
        let exporter = exporter(
            settings,
            index,
            &paths,
            &connectors,
            &folder,
            &registry,
            logger,
        )?;
        servers.push(servers::Server {
            listener,
            handler: exporter.handler(),
        });
        exporters.push(exporter);
    }
    let layout = Arc::new(TraceLayout::new(plan.columns.clone()));
    let stations = sides.into_iter().enumerate().map(|(shard, side)| {
        let (layout, paths) = (Arc::clone(&layout), Arc::clone(&paths));
        let connectors = Arc::clone(&connectors);
        let build: BuildStation =
            Box::new(move || Box::new(station(shard, side, &layout, &paths, &connectors)));
        build
    });
    Ok(Engine {
        receivers,
        stations: stations.collect(),
        servers,
        exporters,
        folder,
        folder_thread,
        flushes: connectors
            .iter()
            .map(|c| (c.owner, settings.connectors[c.index].1.flush_interval))
            .collect(),
    })
}

/// What workers build their branches from, and exporters their views.
pub(super) struct Paths {
    plan: Plan,
    /// By index into `Settings::processors`; `None`: no `resource` processor.
    processors: Vec<Option<ResourceOptions>>,
}

impl Paths {
    pub(super) fn new(plan: Plan, settings: &Settings) -> Self {
        Self {
            plan,
            processors: resource_options(settings),
        }
    }
}

pub(super) fn station(
    shard: usize,
    side: WorkerSide,
    layout: &Arc<TraceLayout>,
    paths: &Paths,
    connectors: &[Connector],
) -> TraceStation {
    let position = |index: &usize| connectors.iter().position(|c| c.index == *index);
    let receivers = paths.plan.receivers.iter().map(|receiver| {
        let branches = receiver.traces.iter().map(|branch| Branch {
            processors: resources(&branch.resources, &paths.processors)
                .map(|options| ResourceProcessor::new(&options))
                .collect(),
            connectors: branch.connectors.iter().filter_map(position).collect(),
        });
        branches.collect()
    });
    TraceStation {
        shard,
        decoder: TraceDecoder::new(Arc::clone(layout)),
        receivers: receivers.collect(),
        connectors: connectors
            .iter()
            .map(|c| ConnectorRun {
                grouper: c.instance.grouper(Arc::clone(layout), c.owner, c.table),
                counters: Arc::clone(&c.counters),
            })
            .collect(),
        side,
        answers: Vec::new(),
    }
}

fn resource_options(settings: &Settings) -> Vec<Option<ResourceOptions>> {
    let options = settings
        .processors
        .iter()
        .map(|(_, options)| match options {
            ProcessorOptions::Resource(options) => Some(options.clone()),
            ProcessorOptions::Batch(_) | ProcessorOptions::MemoryLimiter(_) => None,
        });
    options.collect()
}

fn resources<'a>(
    named: &'a [usize],
    processors: &'a [Option<ResourceOptions>],
) -> impl Iterator<Item = ResourceOptions> + 'a {
    named.iter().filter_map(|index| processors[*index].clone())
}

fn bind_receivers(
    settings: &Settings,
    plan: &Plan,
    registry: &Registry,
    memory_bytes: Option<u64>,
    logger: &Logger,
) -> Result<Vec<OtlpReceiver>, StartError> {
    let limits = Limits::default();
    let admission = Admission::new(budget_bytes(memory_bytes), &limits, registry);
    let bound = plan.receivers.iter().zip(0..).map(|(receiver, index)| {
        let (id, options) = &settings.receivers[receiver.receiver];
        let wiring = Wiring {
            id: id.to_string(),
            index,
            signals: receiver.acting_signals(),
            limits: limits.clone(),
            admission: admission.clone(),
            logger: logger.clone(),
        };
        OtlpReceiver::bind(options, &wiring, registry).map_err(|source| StartError::Receiver {
            id: id.to_string(),
            source,
        })
    });
    bound.collect()
}

/// The scrape endpoints that some metrics pipeline names, by index into `Settings::exporters`.
fn bind_exporters(settings: &Settings) -> Result<Vec<(usize, TcpListener)>, StartError> {
    let is_named = |id: &ComponentId| {
        settings
            .service
            .pipelines
            .iter()
            .any(|pipeline| pipeline.exporters.contains(id))
    };
    let mut bound = Vec::new();
    for (index, (id, options)) in settings.exporters.iter().enumerate() {
        if let (ExporterOptions::Prometheus(options), true) = (options, is_named(id)) {
            let listener = listen(&options.endpoint).map_err(|source| StartError::Listen {
                what: format!("exporter `{id}`"),
                source,
            })?;
            bound.push((index, listener));
        }
    }
    Ok(bound)
}

pub(super) fn connectors(settings: &Settings, plan: &Plan, registry: &Registry) -> Vec<Connector> {
    let mut table = 0;
    let mut built = Vec::new();
    for (index, owner) in plan.connectors.iter().zip(0..) {
        let (id, options) = &settings.connectors[*index];
        let instance = SpanMetrics::new(options.clone());
        let owner = OwnerId(owner);
        let tables =
            u16::try_from(instance.tables(owner).len()).expect("a connector has two tables");
        built.push(Connector {
            index: *index,
            instance,
            owner,
            table: TableId(table),
            counters: Arc::new(ConnectorCounters::new(registry, &id.to_string())),
        });
        table += tables;
    }
    built
}

/// A store for all connectors, and both ends of each worker's window.
pub(super) fn store(
    settings: &Settings,
    connectors: &[Connector],
    workers: usize,
) -> (Folder, Vec<WorkerSide>, Vec<FolderSide>) {
    let compat = settings.gates.collector_compat;
    let spec = StoreSpec {
        workers,
        owners: connectors
            .iter()
            .map(|c| c.instance.owner(compat))
            .collect(),
        tables: connectors
            .iter()
            .flat_map(|c| c.instance.tables(c.owner))
            .collect(),
        series_max: StoreSpec::SERIES_MAX,
        series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
        groups_max: StoreSpec::GROUPS_MAX,
    };
    let tables = spec.tables.len();
    let (sides, folder_sides) = (0..workers).map(|_| handover(tables)).unzip();
    (Folder::new(spec), sides, folder_sides)
}

fn exporter(
    settings: &Settings,
    index: usize,
    paths: &Paths,
    connectors: &[Connector],
    folder: &FolderClient,
    registry: &Registry,
    logger: &Logger,
) -> Result<PrometheusExporter, StartError> {
    let (id, options) = &settings.exporters[index];
    let ExporterOptions::Prometheus(options) = options else {
        unreachable!("only prometheus exporters are bound");
    };
    let views = paths.plan.views.iter().filter(|v| v.exporter == index);
    let mut sources = Vec::new();
    let mut owners = Vec::new();
    for view in views {
        let connector = connectors.iter().find(|c| c.index == view.connector);
        let connector = connector.expect("a view's connector is in the plan");
        let between: Vec<_> = resources(&view.resources, &paths.processors).collect();
        let tables = usize::from(connector.table.0)..;
        sources.extend(
            tables
                .zip(connector.instance.streams())
                .map(|(table, stream)| Source {
                    table,
                    stream: views::behind(stream, &between),
                }),
        );
        owners.push(connector.owner);
    }
    let compat = settings.gates.collector_compat;
    let parts = PrometheusParts {
        options: options.clone(),
        collector_compat: compat,
        sources,
        snapshots: match owners.first() {
            Some(owner) if compat => readers::flushed(folder.clone(), *owner),
            _ => readers::live(folder.clone()),
        },
        id: id.to_string(),
    };
    PrometheusExporter::new(parts, registry, logger.clone()).map_err(|source| {
        StartError::Exporter {
            id: id.to_string(),
            source,
        }
    })
}
