//! How requests ended so far: what the live line and the report are made of.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::{Outcome, Refusal};
use super::latencies::Latencies;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub requests: u64,
    pub spans: u64,
}

impl Share {
    fn add(&mut self, spans: u32) {
        self.requests += 1;
        self.spans += u64::from(spans);
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.spans += other.spans;
    }
}

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub acknowledged: Share,
    /// At most one entry for each code there is.
    pub refused: BTreeMap<Refusal, Share>,
    pub unanswered: Share,
    /// Due, but there was no connection to send them on. The target never saw them.
    pub unsent: Share,
    /// Of request bodies, as they went to the socket.
    pub body_bytes: u64,
    /// Of acknowledged requests.
    pub latencies: Latencies,
    /// Since the live line was drawn last.
    pub latencies_recent: Latencies,
}

impl Tally {
    pub(super) fn add(
        &mut self,
        outcome: &Outcome,
        spans: u32,
        body_bytes: usize,
        latency: Duration,
    ) {
        self.body_bytes += body_bytes as u64;
        match outcome {
            Outcome::Acknowledged => {
                self.acknowledged.add(spans);
                self.latencies.add(latency);
                self.latencies_recent.add(latency);
            }
            Outcome::Refused(code) => self.refused.entry(*code).or_default().add(spans),
            Outcome::Unanswered => self.unanswered.add(spans),
        }
    }

    pub(super) fn add_unsent(&mut self, spans: u32) {
        self.unsent.add(spans);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.acknowledged.merge(other.acknowledged);
        for (code, share) in &other.refused {
            self.refused.entry(*code).or_default().merge(*share);
        }
        self.unanswered.merge(other.unanswered);
        self.unsent.merge(other.unsent);
        self.body_bytes += other.body_bytes;
        self.latencies.merge(&other.latencies);
        self.latencies_recent.merge(&other.latencies_recent);
    }

    /// All refusals together.
    #[must_use]
    pub fn refused_share(&self) -> Share {
        let mut sum = Share::default();
        for share in self.refused.values() {
            sum.merge(*share);
        }
        sum
    }

    /// Everything that was sent, however it ended.
    #[must_use]
    pub fn sent(&self) -> Share {
        let mut sum = self.refused_share();
        sum.merge(self.acknowledged);
        sum.merge(self.unanswered);
        sum
    }
}
