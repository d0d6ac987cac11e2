//! When each request is due, and when the run is over.
//!
//! All lanes of all threads take numbered turns from one counter. In an open loop a turn has a time,
//! whether or not the target keeps up; in a closed loop it is due at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::profile::Profile;
use super::replay::Replay;

/// What tells when a request is due.
#[derive(Clone, Debug)]
pub enum Timing {
    /// A closed loop: the next request follows the answer.
    Closed,
    /// An open loop.
    Profile(Profile),
    /// An open loop with the times of a capture.
    AsCaptured(Arc<Replay>),
}

/// How long, how many, how fast.
#[derive(Clone, Debug)]
pub struct Pace {
    pub timing: Timing,
    pub duration: Option<Duration>,
    /// Spans, points and records together.
    pub items: Option<u64>,
}

impl Pace {
    /// As fast as the target answers.
    #[must_use]
    pub fn closed(duration: Option<Duration>, items: Option<u64>) -> Self {
        let timing = Timing::Closed;
        Self {
            timing,
            duration,
            items,
        }
    }

    /// At this rate in items per second, whether or not the target keeps up.
    #[must_use]
    pub fn steady(rate: f64, duration: Option<Duration>, items: Option<u64>) -> Self {
        let timing = Timing::Profile(Profile::steady(rate));
        Self {
            timing,
            duration,
            items,
        }
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.timing, Timing::Closed)
    }
}

pub(super) struct Schedule {
    pace: Pace,
    items_per_request: u32,
    begun: Instant,
    next: AtomicU64,
    /// When the run was ended from outside.
    stopped: watch::Receiver<Option<Instant>>,
}

/// The right to send one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) items: u32,
    /// `None`: at once.
    pub(super) due: Option<Instant>,
}

/// When a turn's request leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Departure {
    /// What its latency is counted from.
    pub(super) counted_from: Instant,
    /// How long after its time the lane went on although it had been waiting for it: the machine had
    /// no processor to spare, which no target can be blamed for.
    pub(super) overslept: Duration,
}

impl Schedule {
    pub(super) fn new(
        pace: Pace,
        items_per_request: u32,
        begun: Instant,
        stopped: watch::Receiver<Option<Instant>>,
    ) -> Self {
        Self {
            pace,
            items_per_request,
            begun,
            next: AtomicU64::new(0),
            stopped,
        }
    }

    /// The next turn; `None` when the run is over.
    pub(super) fn take(&self) -> Option<Turn> {
        if self.stopped.borrow().is_some() {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.turn(number, Instant::now())
    }

    fn turn(&self, number: u64, now: Instant) -> Option<Turn> {
        let first_item = number.checked_mul(u64::from(self.items_per_request))?;
        let items = match self.pace.items {
            // At most a request's items are left over, so the minimum fits.
            Some(items) => items
                .checked_sub(first_item)?
                .min(u64::from(self.items_per_request)) as u32,
            None => self.items_per_request,
        };
        let offset = match &self.pace.timing {
            Timing::Closed => None,
            Timing::Profile(profile) => Some(profile.due(first_item)?),
            Timing::AsCaptured(replay) => Some(replay.due(number)),
        };
        let due = match offset {
            Some(offset) => Some(self.begun.checked_add(offset)?),
            None => None,
        };
        let end = self.pace.duration.map(|duration| self.begun + duration);
        let is_over = end.is_some_and(|end| due.unwrap_or(now).max(now) >= end);
        (items > 0 && !is_over).then_some(Turn { number, items, due })
    }

    /// Requests of an open loop that were due before the run ended, sent or not.
    pub(super) fn due(&self) -> u64 {
        let now = Instant::now();
        let stopped = self.stopped.borrow().unwrap_or(now);
        let end = self.pace.duration.map_or(now, |length| self.begun + length);
        let until = stopped.min(end);
        let is_due = |number: u64| {
            let turn = self.turn(number, self.begun);
            turn.and_then(|turn| turn.due)
                .is_some_and(|due| due < until)
        };
        let mut high = 1;
        while is_due(high) {
            high *= 2;
        }
        let mut low = 0;
        while low < high {
            let middle = u64::midpoint(low, high);
            if is_due(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Waits until the turn is due. `None`: the run was stopped meanwhile.
    ///
    /// A turn that was due before its lane was free is counted from when it was due: a slow target
    /// cannot hide behind requests that were not sent. Otherwise it is counted from now, so that the
    /// slack of our own timer (up to a millisecond) is not blamed on the target.
    pub(super) async fn wait(&self, turn: Turn) -> Option<Departure> {
        let at = |counted_from| Departure {
            counted_from,
            overslept: Duration::ZERO,
        };
        let Some(due) = turn.due else {
            return Some(at(Instant::now()));
        };
        if due <= Instant::now() {
            return Some(at(due));
        }
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {
                let now = Instant::now();
                Some(Departure { overslept: now - due, ..at(now) })
            }
            _ = stopped.wait_for(Option::is_some) => None,
        }
    }
}

#[cfg(test)]
mod tests;
