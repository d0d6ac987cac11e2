//! `exporters.prometheusremotewrite`. Parsed and checked; it does not act yet.

/// Grows with the sender; for now the file's keys are checked and the start says that nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteWriteOptions {
    pub endpoint: String,
}
