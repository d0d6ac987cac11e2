//! What can keep a run from starting, and a verification from happening.

use std::path::PathBuf;

use thiserror::Error;

use super::signal::Signal;

#[derive(Debug, Error)]
pub enum GenerateError {
    #[error("`{text}` is no address: give host:port or http://host:port")]
    Address { text: String },
    #[error("`{text}` asks for TLS, which generate does not speak")]
    Tls { text: String },
    #[error("`{text}` has a fragment, which is never sent: leave out `#` and what follows")]
    Fragment { text: String },
    #[error("cannot connect to {authority}")]
    Connect {
        authority: String,
        source: std::io::Error,
    },
    #[error("`{text}` cannot stand in a header")]
    Header { text: String },
    #[error("cannot set up zstd")]
    Zstd { source: std::io::Error },
    #[error("cannot listen on {address}")]
    Listen {
        address: String,
        source: std::io::Error,
    },
    #[error("capture {}", path.display())]
    Capture {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("capture {}: request {number} {reason}", path.display())]
    Replay {
        path: PathBuf,
        number: usize,
        reason: &'static str,
    },
    #[error("{signal} have a weight, but no service of the scenario sends any")]
    Silent { signal: Signal },
    #[error("cannot start a thread")]
    Thread { source: std::io::Error },
    #[error("bounds must be ascending and without repeats to be verified")]
    Bounds,
    #[error("the dimension `{name}` has a random value on each span and cannot be verified")]
    RandomDimension { name: String },
    #[error("two attributes become the label `{label}`: what a target shows then is not defined")]
    LabelCollision { label: String },
    #[error(
        "an attribute becomes the label `{label}`, which is reserved: what a target shows then is not defined"
    )]
    LabelName { label: String },
    #[error("two ways of the spans lead to the metric `{name}`, which cannot be verified")]
    Ways { name: String },
    #[error("{url} did not answer a scrape: {reason}")]
    Scrape { url: String, reason: String },
    #[error("line {line} of the exposition: {reason}: {text}")]
    Exposition {
        line: usize,
        reason: &'static str,
        text: String,
    },
}
