//! What is asked for: kinds of log records, as a scenario describes them.

use super::body::Body;
use crate::generate::scenario::attributes::Spec;
use crate::generate::scenario::distribution::Distribution;

/// The six ranges of OTLP's `SeverityNumber`, each by its first number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Trace = 1,
    Debug = 5,
    Info = 9,
    Warn = 13,
    Error = 17,
    Fatal = 21,
}

/// Records that look alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub severity: Severity,
    pub severity_text: String,
    pub body: Body,
    /// Drawn for each record.
    pub attributes: Vec<Spec>,
    /// Empty: it is no event.
    pub event_name: String,
    /// Name of the instrumentation scope.
    pub scope: String,
    /// Share of records with ids of a trace and span.
    pub traced_share: f64,
    /// Nanoseconds from the record to the moment somebody observed it.
    pub observed_after: Distribution,
    /// Among the records of a service.
    pub weight: u32,
    /// Names of the services that write it; empty: all.
    pub services: Vec<String>,
}

impl Severity {
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    pub(super) fn index(self) -> usize {
        self as usize / 4
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}
