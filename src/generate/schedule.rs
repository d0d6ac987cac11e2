//! When each request is due, and when the run is over.
//!
//! All lanes of all threads take numbered turns, one after the other. In an open loop a turn has a
//! time, whether or not the target keeps up; in a closed loop it is due at once. A request that is
//! broken on purpose has its turn, and its time, as any other, and uses up none of the items that are
//! asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::malformed::Defects;
use super::options::RunOptions;
use super::profile::Profile;
use super::replay::Replay;
use super::timer::Timer;

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
    /// Spans, points and records together, of requests that are well-formed.
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
    defects: Defects,
    begun: Instant,
    progress: Mutex<Progress>,
    /// When the run was ended from outside.
    stopped: watch::Receiver<Option<Instant>>,
}

/// What had its turn.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    requests: u64,
    /// In those of them that are well-formed.
    items: u64,
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
        options: &RunOptions,
        begun: Instant,
        stopped: watch::Receiver<Option<Instant>>,
    ) -> Self {
        Self {
            pace: options.pace.clone(),
            items_per_request: options.items_per_request,
            defects: Defects::of(options),
            begun,
            progress: Mutex::default(),
            stopped,
        }
    }

    /// Whether turns have a time.
    pub(super) fn is_open(&self) -> bool {
        self.pace.is_open()
    }

    /// The next turn; `None` when the run is over.
    pub(super) fn take(&self) -> Option<Turn> {
        if self.stopped.borrow().is_some() {
            return None;
        }
        let mut progress = self.progress();
        let turn = self.turn(*progress, Instant::now())?;
        progress.requests += 1;
        if self.defects.draw(turn.number).is_none() {
            progress.items += u64::from(turn.items);
        }
        Some(turn)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn after those that were.
    fn turn(&self, before: Progress, now: Instant) -> Option<Turn> {
        let number = before.requests;
        let due = if self.is_open() {
            Some(self.begun.checked_add(self.offset(number)?)?)
        } else {
            None
        };
        let is_over = self
            .end()
            .is_some_and(|end| due.unwrap_or(now).max(now) >= end);
        let left = self.left(before.items);
        // The smaller of both fits.
        let items = left.min(u64::from(self.items_per_request)) as u32;
        (items > 0 && !is_over).then_some(Turn { number, items, due })
    }

    /// Items that are still to be sent.
    fn left(&self, sent: u64) -> u64 {
        let all = self.pace.items;
        all.map_or(u64::MAX, |items| items.saturating_sub(sent))
    }

    /// When a request of an open loop is due, from the start. `None`: never.
    fn offset(&self, number: u64) -> Option<Duration> {
        match &self.pace.timing {
            Timing::Closed => None,
            Timing::Profile(profile) => {
                profile.due(number.checked_mul(u64::from(self.items_per_request))?)
            }
            Timing::AsCaptured(replay) => replay.due(number),
        }
    }

    /// When its time is over, if it is bounded.
    fn end(&self) -> Option<Instant> {
        self.begun.checked_add(self.pace.duration?)
    }

    /// Returns when the run is over, because its time is or because it was ended from outside.
    pub(super) async fn ended(&self) {
        let mut stopped = self.stopped.clone();
        let stopped = stopped.wait_for(Option::is_some);
        match self.end() {
            None => drop(stopped.await),
            Some(end) => tokio::select! {
                _ = stopped => {}
                () = tokio::time::sleep_until(end.into()) => {}
            },
        }
    }

    /// Requests of an open loop that were due before the run ended, and were none of the `requests`
    /// that left, or could not, with `items` in those that are well-formed. What no item was left for
    /// is not missed.
    pub(super) fn missed(&self, requests: u64, items: u64) -> u64 {
        let now = Instant::now();
        let stopped = self.stopped.borrow().unwrap_or(now);
        let until = stopped.min(self.end().unwrap_or(now));
        let missed = self.due_before(until).saturating_sub(requests);
        let left = self.left(items);
        missed.min(left.div_ceil(u64::from(self.items_per_request).max(1)))
    }

    /// Requests of an open loop that are due before a moment.
    fn due_before(&self, until: Instant) -> u64 {
        let until = until.saturating_duration_since(self.begun);
        let is_due = |number: u64| self.offset(number).is_some_and(|offset| offset < until);
        let mut high = 1_u64;
        while is_due(high) {
            let Some(higher) = high.checked_mul(2) else {
                break;
            };
            high = higher;
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

    /// Waits until a turn of an open loop is due. `None`: the run was stopped meanwhile.
    ///
    /// It is always counted from when it was due, whatever kept its lane: a slow target cannot hide
    /// behind requests that were not sent. A lane that was free by then, since `free_since`, has
    /// overslept what it is late.
    pub(super) async fn wait(
        &self,
        due: Instant,
        free_since: Instant,
        timer: &Timer,
    ) -> Option<Departure> {
        if due > Instant::now() {
            let mut stopped = self.stopped.clone();
            tokio::select! {
                biased;
                () = timer.until(due) => {}
                _ = stopped.wait_for(Option::is_some) => return None,
            }
        }
        let overslept = if free_since <= due {
            due.elapsed()
        } else {
            Duration::ZERO
        };
        Some(Departure {
            counted_from: due,
            overslept,
        })
    }
}

impl Departure {
    /// Of a turn that is due at once.
    pub(super) fn now() -> Self {
        Self {
            counted_from: Instant::now(),
            overslept: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
