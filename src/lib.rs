//! spanmill: OTLP in, RED metrics out to Prometheus.
//!
//! ```text
//!  clients   bytes        Arrow batches   Arrow batches     windows        one store      views
//!  -OTLP-> receivers --> decode --> processors --> connectors --> folder --> store --> exporters -> Prometheus
//!          `----- a request runs to completion on the worker that took it -----'
//! ```
//!
//! A folder here is a section of the user's YAML or a station between two of them. Imports only go
//! down the order of the `mod` lines below, last to first; `tests/structure.rs` reads them.

pub mod batch;
pub mod config;
pub mod naming;
pub mod telemetry;

pub mod workers;

pub mod decode;
pub mod generate;
pub mod processors;
pub mod store;

pub mod connectors;
pub mod exporters;
pub mod extensions;
pub mod receivers;

pub mod pipeline;

pub mod cli;
