//! The bundled OTLP load generator: spans of a described load in real requests over real sockets.
//!
//! It knows what it sent, and [`verify`] holds a target's exposition against it. Shares no code with
//! `decode` and `batch`: its encoder, its protobuf primitives and its reader of expositions are its own.
//!
//! | file | purpose |
//! |---|---|
//! | `signal` | traces, metrics, logs: their paths and words |
//! | `scenario` | a load as a file describes it |
//! | `load` | its world: resources, operations; draws spans |
//! | `filler` | attributes nobody asks for |
//! | `random`, `value` | numbers by seed; attributes |
//! | `template`, `encode`, `wire` | spans into protobuf bytes |
//! | `traces` | requests of spans |
//! | `metrics`, `logs` | the other signals: what is sent, encoding, totals |
//! | `makers`, `mix` | messages of each signal; which signal a request is of |
//! | `json` | a request's protobuf bytes into OTLP/JSON |
//! | `coding` | messages into bodies: format, compression, frame |
//! | `malformed` | requests that no target may accept |
//! | `source` | requests, prepared or made as they are sent, and what stands in each |
//! | `capture`, `replay` | requests into a file as they were sent or came, and out of it again |
//! | `totals`, `item_totals` | what was sent, added up: spans; points and records |
//! | `options` | all that a run is told |
//! | `profile`, `schedule`, `timer` | the rate over time; when each request is due; waiting for it |
//! | `client` | one body over a connection: acknowledged, refused or unanswered |
//! | `run`, `lanes` | threads; connections and lanes of each |
//! | `limit` | whether the generator was the limit of a run |
//! | `tally`, `latencies`, `report` | how requests ended, for people and machines |
//! | `target`, `error` | addresses; what can go wrong |
//! | `verify` | whether a target shows exactly what it was sent |

pub mod capture;
mod client;
mod coding;
mod encode;
mod error;
mod filler;
mod item_totals;
pub mod json;
mod lanes;
pub mod latencies;
pub mod limit;
pub mod load;
pub mod logs;
mod makers;
mod malformed;
pub mod metrics;
mod mix;
mod options;
#[cfg(test)]
mod oracle;
pub mod profile;
mod random;
mod replay;
pub mod report;
pub mod run;
pub mod scenario;
mod schedule;
mod signal;
mod source;
mod tally;
mod target;
mod template;
mod timer;
pub mod totals;
mod traces;
mod value;
pub mod verify;
mod wire;

pub use client::Refusal;
pub use coding::{Compression, Protocol};
pub use error::GenerateError;
pub use malformed::Defect;
pub use mix::Mix;
pub use options::{CaptureOptions, RunOptions};
pub use profile::Profile;
pub use replay::Replay;
pub use run::{Finished, Running, start};
pub use scenario::{LoadOptions, Scenario};
pub use schedule::{Pace, Timing};
pub use signal::Signal;
pub use tally::{MalformedTally, Share, SignalTally, Tally};
pub use target::Target;
