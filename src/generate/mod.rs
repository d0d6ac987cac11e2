//! The bundled OTLP load generator: spans of a described load in real requests over real sockets.
//!
//! It knows what it sent, and [`verify`] holds a target's exposition against it. Shares no code with
//! `decode` and `batch`: its encoder, its protobuf primitives and its reader of expositions are its own.
//!
//! | file | purpose |
//! |---|---|
//! | `signal` | traces, metrics, logs: their paths and words |
//! | `scenario` | a load as a file describes it |
//! | `load` | what is sent: services, resources, operations; draws spans |
//! | `vocabulary`, `filler` | the words of the built-in load, and attributes nobody asks for |
//! | `random`, `value` | numbers by seed; attributes |
//! | `template`, `encode`, `wire` | spans into protobuf bytes |
//! | `metrics`, `logs` | the other signals: what is sent, encoding, totals |
//! | `json` | a request's protobuf bytes into OTLP/JSON |
//! | `source` | request bodies, prepared or made as they are sent, and what stands in each |
//! | `totals` | what was sent, added up |
//! | `schedule` | when each request is due |
//! | `client` | one body over a connection: acknowledged, refused or unanswered |
//! | `run` | threads, connections, lanes |
//! | `tally`, `latencies`, `report` | how requests ended, for people and machines |
//! | `target`, `error` | addresses; what can go wrong |
//! | `verify` | whether a target shows exactly what it was sent |

mod client;
mod encode;
mod error;
mod filler;
pub mod json;
pub mod latencies;
pub mod load;
pub mod logs;
pub mod metrics;
#[cfg(test)]
mod oracle;
mod random;
pub mod report;
pub mod run;
pub mod scenario;
mod schedule;
mod signal;
mod source;
mod tally;
mod target;
mod template;
pub mod totals;
mod value;
pub mod verify;
mod vocabulary;
mod wire;

pub use client::Refusal;
pub use error::GenerateError;
pub use load::LoadOptions;
pub use run::{Finished, RunOptions, Running, start};
pub use schedule::Pace;
pub use signal::Signal;
pub use source::{Compression, Protocol};
pub use tally::{Share, Tally};
pub use target::Target;
