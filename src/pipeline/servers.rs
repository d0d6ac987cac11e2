//! The small web servers of the graph: our own metrics and zpages; scrape endpoints join them.

use std::net::TcpListener;
use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use crate::extensions::zpages;
use crate::pipeline::StartError;
use crate::pipeline::settings::{ComponentId, Pipeline, ProcessorOptions, Settings};
use crate::telemetry::counters::Registry;
use crate::telemetry::exposition::{CONTENT_TYPE, render};
use crate::telemetry::log::{Logger, with_causes};
use crate::telemetry::random;
use crate::workers::Signal;
use crate::workers::listen::listen;
use crate::workers::web::{Answer, Handler, not_found, page};

/// A server whose socket listens.
pub(super) struct Server {
    pub(super) listener: TcpListener,
    pub(super) handler: Handler,
}

/// Binds the servers that the settings ask for. Our own metrics must not keep the program from
/// running: a taken port is a warning.
pub(super) fn bind(
    settings: &Settings,
    registry: &Arc<Registry>,
    logger: &Logger,
) -> Result<Vec<Server>, StartError> {
    let mut servers = Vec::new();
    if let Some(endpoint) = &settings.service.telemetry.metrics_endpoint {
        match listen(endpoint) {
            Ok(listener) => {
                let resource = own_resource(&settings.service.telemetry.resource);
                let handler = own_metrics(Arc::clone(registry), resource);
                servers.push(Server { listener, handler });
            }
            Err(error) => logger.warn(
                "own metrics are not served",
                &[
                    ("endpoint", Value::from(endpoint.as_str())),
                    ("error", Value::from(with_causes(&error))),
                ],
            ),
        }
    }
    for id in &settings.service.extensions {
        let known = settings.extensions.iter().find(|(known, _)| known == id);
        let (_, options) = known.expect("references were checked");
        let listener = listen(&options.endpoint).map_err(|source| StartError::Listen {
            what: format!("extension `{id}`"),
            source,
        })?;
        servers.push(Server {
            listener,
            handler: zpages::handler(describe(settings)),
        });
    }
    Ok(servers)
}

/// `/metrics` of our own metrics, usually at `localhost:8888`. `resource`: the attributes that stand on
/// every series.
fn own_metrics(registry: Arc<Registry>, resource: Vec<(String, String)>) -> Handler {
    Arc::new(move |request, _| {
        let response = if request.uri().path() == "/metrics" {
            page(StatusCode::OK, CONTENT_TYPE, render(&registry, &resource))
        } else {
            not_found()
        };
        Box::pin(async move { Answer::new(response) })
    })
}

/// The Collector's three attributes, changed and added to as the user says.
fn own_resource(settings: &[(String, Option<String>)]) -> Vec<(String, String)> {
    let mut resource = vec![
        ("service.instance.id".to_owned(), random::uuid().to_string()),
        ("service.name".to_owned(), env!("CARGO_PKG_NAME").to_owned()),
        (
            "service.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ];
    for (key, value) in settings {
        resource.retain(|(known, _)| known != key);
        resource.extend(value.clone().map(|value| (key.clone(), value)));
    }
    resource
}

/// The graph as zpages show it.
fn describe(settings: &Settings) -> zpages::Description {
    zpages::Description {
        command: env!("CARGO_PKG_NAME").to_owned(),
        description: env!("CARGO_PKG_DESCRIPTION").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: chrono::Local::now().to_rfc3339(),
        pipelines: settings
            .service
            .pipelines
            .iter()
            .map(|p| pipeline(settings, p))
            .collect(),
        extensions: settings
            .service
            .extensions
            .iter()
            .map(ComponentId::to_string)
            .collect(),
    }
}

fn pipeline(settings: &Settings, pipeline: &Pipeline) -> zpages::PipelineDescription {
    let input = match pipeline.signal {
        Signal::Traces => "traces",
        Signal::Metrics => "metrics",
        Signal::Logs => "logs",
    };
    let is_connector = |id: &ComponentId| settings.connectors.iter().any(|(known, _)| known == id);
    let names = |ids: &[ComponentId]| {
        let names = ids.iter().map(|id| {
            let suffix = if is_connector(id) { " (connector)" } else { "" };
            format!("{id}{suffix}")
        });
        names.collect::<Vec<_>>()
    };
    let mutates = |id: &ComponentId| {
        let mut known = settings.processors.iter().filter(|(known, _)| known == id);
        known.any(|(_, options)| !matches!(options, ProcessorOptions::MemoryLimiter(_)))
    };
    let id = if pipeline.name.is_empty() {
        input.to_owned()
    } else {
        format!("{input}/{}", pipeline.name)
    };
    zpages::PipelineDescription {
        id,
        input: input.to_owned(),
        mutates_data: pipeline.processors.iter().any(mutates),
        receivers: names(&pipeline.receivers),
        processors: pipeline
            .processors
            .iter()
            .map(ComponentId::to_string)
            .collect(),
        exporters: names(&pipeline.exporters),
    }
}
