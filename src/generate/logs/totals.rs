//! How many records were sent, by severity.

use serde_json::{Value as Json, json};

use super::plan::Severity;

/// What stands in a request: records of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    records: [u32; Severity::ALL.len()],
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    records: [u64; Severity::ALL.len()],
}

impl Content {
    pub(super) fn add(&mut self, severity: Severity) {
        self.records[severity.index()] += 1;
    }
}

impl Totals {
    /// Books a request that went out `times` times.
    pub fn add(&mut self, content: Content, times: u64) {
        for (total, records) in self.records.iter_mut().zip(content.records) {
            *total += u64::from(records) * times;
        }
    }

    /// Adds what another thread has booked.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.records.iter_mut().zip(other.records) {
            *mine += theirs;
        }
    }

    /// Records booked.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.iter().sum()
    }

    #[must_use]
    pub fn of(&self, severity: Severity) -> u64 {
        self.records[severity.index()]
    }

    /// For a report: records by the name of their severity.
    #[must_use]
    pub fn json(&self) -> Json {
        let entry = |severity: Severity| (severity.name().to_owned(), json!(self.of(severity)));
        Json::Object(Severity::ALL.into_iter().map(entry).collect())
    }
}
