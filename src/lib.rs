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

#![warn(unreachable_pub, clippy::pedantic)]
#![deny(clippy::unwrap_used, clippy::print_stdout)]
#![allow(
    clippy::module_name_repetitions,
    reason = "folders are named after sections of the user's file"
)]
#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "described where a caller can act on them, not by rote"
)]
#![allow(
    clippy::must_use_candidate,
    reason = "outcomes that matter carry the attribute"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "wire numbers are cast on purpose; a comment at the cast says why it fits"
)]
#![allow(
    clippy::similar_names,
    reason = "`births` and `births_max` belong together"
)]

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
