//! How requests ended so far: what the live line and the report are made of.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::{Outcome, Refusal};
use super::latencies::Latencies;
use super::limit::OVERSLEPT_MIN;
use super::malformed::Defect;
use super::signal::Signal;

/// Requests, and the spans, points or records in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub requests: u64,
    pub items: u64,
}

/// Of the requests of one signal that were well-formed.
#[derive(Clone, Debug, Default)]
pub struct SignalTally {
    pub acknowledged: Share,
    /// At most one entry for each code there is.
    pub refused: BTreeMap<Refusal, Share>,
    pub unanswered: Share,
    /// Due, but there was no connection to send them on. The target never saw them.
    pub unsent: Share,
    /// Of bodies, as they went to the socket.
    pub body_bytes: u64,
    /// Of acknowledged requests.
    pub latencies: Latencies,
}

/// Of the requests that were broken on purpose.
#[derive(Clone, Debug, Default)]
pub struct MalformedTally {
    pub refused: BTreeMap<(Defect, Refusal), u64>,
    /// The target was wrong to take them.
    pub accepted: BTreeMap<Defect, u64>,
    pub unanswered: u64,
    pub unsent: u64,
    pub body_bytes: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// One for each of `Signal::ALL`.
    pub signals: [SignalTally; 3],
    pub malformed: MalformedTally,
    /// Of requests whose lane had been waiting for their time and went on too late.
    pub overslept: u64,
    /// Of acknowledged requests since the live line was drawn last.
    pub latencies_recent: Latencies,
}

impl Share {
    fn add(&mut self, items: u32) {
        self.requests += 1;
        self.items += u64::from(items);
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.items += other.items;
    }

    fn sum(shares: impl Iterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        shares.for_each(|share| sum.merge(share));
        sum
    }
}

impl SignalTally {
    fn add(&mut self, outcome: &Outcome, items: u32, body_bytes: usize, latency: Duration) {
        self.body_bytes += body_bytes as u64;
        match outcome {
            Outcome::Acknowledged => {
                self.acknowledged.add(items);
                self.latencies.add(latency);
            }
            Outcome::Refused(code) => self.refused.entry(*code).or_default().add(items),
            Outcome::Unanswered => self.unanswered.add(items),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.acknowledged.merge(other.acknowledged);
        for (code, share) in &other.refused {
            self.refused.entry(*code).or_default().merge(*share);
        }
        self.unanswered.merge(other.unanswered);
        self.unsent.merge(other.unsent);
        self.body_bytes += other.body_bytes;
        self.latencies.merge(&other.latencies);
    }

    /// Everything that was sent, however it ended.
    #[must_use]
    pub fn sent(&self) -> Share {
        let ended = [self.acknowledged, self.unanswered];
        Share::sum(self.refused.values().copied().chain(ended))
    }

    /// Whether a request of this signal was due at all.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.sent().requests + self.unsent.requests > 0
    }
}

impl MalformedTally {
    fn add(&mut self, defect: Defect, outcome: &Outcome, body_bytes: usize) {
        self.body_bytes += body_bytes as u64;
        match outcome {
            Outcome::Acknowledged => *self.accepted.entry(defect).or_default() += 1,
            Outcome::Refused(code) => *self.refused.entry((defect, *code)).or_default() += 1,
            Outcome::Unanswered => self.unanswered += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        for (key, count) in &other.refused {
            *self.refused.entry(*key).or_default() += count;
        }
        for (defect, count) in &other.accepted {
            *self.accepted.entry(*defect).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.unsent += other.unsent;
        self.body_bytes += other.body_bytes;
    }

    #[must_use]
    pub fn sent(&self) -> u64 {
        self.refused() + self.wrongly_accepted() + self.unanswered
    }

    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    #[must_use]
    pub fn wrongly_accepted(&self) -> u64 {
        self.accepted.values().sum()
    }

    /// Refused, but in a way that tells the client something else than that its request is wrong.
    #[must_use]
    pub fn wrongly_refused(&self) -> u64 {
        let wrong = self.refused.iter();
        wrong
            .filter(|((defect, code), _)| !defect.is_right(*code))
            .map(|(_, count)| count)
            .sum()
    }
}

impl Tally {
    pub(super) fn add(
        &mut self,
        signal: Signal,
        outcome: &Outcome,
        items: u32,
        body_bytes: usize,
        latency: Duration,
    ) {
        self.signals[signal.index()].add(outcome, items, body_bytes, latency);
        if *outcome == Outcome::Acknowledged {
            self.latencies_recent.add(latency);
        }
    }

    pub(super) fn add_malformed(&mut self, defect: Defect, outcome: &Outcome, body_bytes: usize) {
        self.malformed.add(defect, outcome, body_bytes);
    }

    pub(super) fn add_unsent(&mut self, signal: Signal, defect: Option<Defect>, items: u32) {
        match defect {
            None => self.signals[signal.index()].unsent.add(items),
            Some(_) => self.malformed.unsent += 1,
        }
    }

    pub(super) fn add_departure(&mut self, overslept: Duration) {
        self.overslept += u64::from(overslept >= OVERSLEPT_MIN);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.signals.iter_mut().zip(&other.signals) {
            mine.merge(theirs);
        }
        self.malformed.merge(&other.malformed);
        self.overslept += other.overslept;
        self.latencies_recent.merge(&other.latencies_recent);
    }

    /// The signals that anything was due of.
    pub fn used(&self) -> impl Iterator<Item = (Signal, &SignalTally)> {
        let all = Signal::ALL.into_iter().zip(&self.signals);
        all.filter(|(_, tally)| tally.is_used())
    }

    #[must_use]
    pub fn acknowledged(&self) -> Share {
        Share::sum(self.signals.iter().map(|tally| tally.acknowledged))
    }

    #[must_use]
    pub fn refused(&self) -> BTreeMap<Refusal, Share> {
        let mut sum = BTreeMap::<Refusal, Share>::new();
        for (code, share) in self.signals.iter().flat_map(|tally| &tally.refused) {
            sum.entry(*code).or_default().merge(*share);
        }
        sum
    }

    #[must_use]
    pub fn unanswered(&self) -> Share {
        Share::sum(self.signals.iter().map(|tally| tally.unanswered))
    }

    #[must_use]
    pub fn unsent(&self) -> Share {
        Share::sum(self.signals.iter().map(|tally| tally.unsent))
    }

    /// Well-formed requests that were sent, however they ended.
    #[must_use]
    pub fn sent(&self) -> Share {
        Share::sum(self.signals.iter().map(SignalTally::sent))
    }

    /// Requests of any kind that had their turn.
    #[must_use]
    pub fn requests(&self) -> u64 {
        let well_formed = self.sent().requests + self.unsent().requests;
        well_formed + self.malformed.sent() + self.malformed.unsent
    }

    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        let of_signals = self.signals.iter().map(|tally| tally.body_bytes);
        of_signals.sum::<u64>() + self.malformed.body_bytes
    }

    #[must_use]
    pub fn latencies(&self) -> Latencies {
        let mut sum = Latencies::default();
        self.signals
            .iter()
            .for_each(|tally| sum.merge(&tally.latencies));
        sum
    }
}
