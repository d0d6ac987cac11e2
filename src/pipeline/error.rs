//! Everything that can stop a start once the configuration is good.

use std::io;

use thiserror::Error;

use crate::exporters::prometheus::PrometheusError;
use crate::receivers::otlp::BindError;
use crate::workers::listen::ListenError;

#[derive(Debug, Error)]
pub enum StartError {
    #[error("receiver `{id}` cannot start")]
    Receiver { id: String, source: BindError },
    #[error("{what} cannot start")]
    Listen { what: String, source: ListenError },
    #[error("exporter `{id}` cannot start")]
    Exporter { id: String, source: PrometheusError },
    #[error("the system gives no thread or event queue")]
    Threads { source: io::Error },
}
