//! The three signals of OTLP, and how each is called on the wire and in a sentence.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Index into arrays with one element for each signal.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// As a configuration calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// What a request of this signal holds.
    #[must_use]
    pub fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "points",
            Self::Logs => "records",
        }
    }

    /// Of a path of either transport, whatever stands in front of OTLP's own.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let takes =
            |signal: &Self| path.ends_with(signal.http_path()) || path == signal.grpc_path();
        Self::ALL.into_iter().find(takes)
    }

    pub(super) fn is_grpc_path(path: &str) -> bool {
        Self::ALL.iter().any(|signal| path == signal.grpc_path())
    }

    /// Where OTLP/HTTP takes it, below the endpoint's own path.
    #[must_use]
    pub fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// The method that OTLP/gRPC sends it to.
    #[must_use]
    pub fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_stand_at_their_index() {
        for (index, signal) in Signal::ALL.into_iter().enumerate() {
            assert_eq!(signal.index(), index);
        }
    }
}
