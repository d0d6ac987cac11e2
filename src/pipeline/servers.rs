//! The small web servers of the graph: our own metrics and zpages; scrape endpoints join them.

use std::net::TcpListener;
use std::sync::Arc;

use serde_json::Value;

use crate::extensions::zpages;
use crate::pipeline::StartError;
use crate::pipeline::settings::{ComponentId, ExporterOptions, Pipeline, ProcessorOptions, Settings};
use crate::telemetry::counters::Registry;
use crate::telemetry::log::Logger;
use crate::workers::listen::listen;
use crate::workers::web::Handler;
use crate::workers::{Signal, own_metrics};

/// A server whose socket listens.
pub(super) struct Server {
    pub(super) listener: TcpListener,
    pub(super) handler: Handler,
}
