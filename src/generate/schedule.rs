//! When each request is due, and when the run is over.
//!
//! All lanes of all threads take numbered turns from one counter. In an open loop a turn has a time,
//! whether or not the target keeps up; in a closed loop it is due at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long, how many, how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Spans per second; `None`: a closed loop, the next request follows the answer.
    pub spans_per_second: Option<f64>,
    pub duration: Option<Duration>,
    pub spans: Option<u64>,
}

pub(super) struct Schedule {
    pace: Pace,
    spans_per_request: u32,
    begun: Instant,
    next: AtomicU64,
    stopped: watch::Receiver<bool>,
}

/// The right to send one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) spans: u32,
    /// `None`: at once.
    pub(super) due: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(
        pace: Pace,
        spans_per_request: u32,
        begun: Instant,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            pace,
            spans_per_request,
            begun,
            next: AtomicU64::new(0),
            stopped,
        }
    }

    /// The next turn; `None` when the run is over.
    pub(super) fn take(&self) -> Option<Turn> {
        if *self.stopped.borrow() {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.turn(number, Instant::now())
    }

    fn turn(&self, number: u64, now: Instant) -> Option<Turn> {
        let first_span = number.checked_mul(u64::from(self.spans_per_request))?;
        let spans = match self.pace.spans {
            // At most a request's spans are left over, so the minimum fits.
            Some(spans) => spans
                .checked_sub(first_span)?
                .min(u64::from(self.spans_per_request)) as u32,
            None => self.spans_per_request,
        };
        let due = self.pace.spans_per_second.map(|rate| {
            // Exact to a microsecond for centuries of spans.
            self.begun + Duration::from_secs_f64(first_span as f64 / rate)
        });
        let end = self.pace.duration.map(|duration| self.begun + duration);
        let is_over = end.is_some_and(|end| due.unwrap_or(now).max(now) >= end);
        (spans > 0 && !is_over).then_some(Turn { number, spans, due })
    }

    /// Waits until the turn is due. Gives the time that its latency is counted from, or `None` when
    /// the run was stopped meanwhile.
    ///
    /// A turn that was due before its lane was free is counted from when it was due: a slow target
    /// cannot hide behind requests that were not sent. Otherwise it is counted from now, so that the
    /// slack of our own timer (up to a millisecond) is not blamed on the target.
    pub(super) async fn wait(&self, turn: Turn) -> Option<Instant> {
        let Some(due) = turn.due else {
            return Some(Instant::now());
        };
        if due <= Instant::now() {
            return Some(due);
        }
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => Some(Instant::now()),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(pace: Pace) -> Schedule {
        Schedule::new(pace, 100, Instant::now(), watch::channel(false).1)
    }

    #[test]
    fn count_ends_with_a_smaller_request() {
        let schedule = schedule(Pace {
            spans_per_second: None,
            duration: None,
            spans: Some(250),
        });
        let spans: Vec<u32> = std::iter::from_fn(|| schedule.take())
            .map(|turn| turn.spans)
            .collect();
        assert_eq!(spans, [100, 100, 50]);
    }

    #[test]
    fn open_loop_turns_are_evenly_spaced_and_end_with_the_duration() {
        let schedule = schedule(Pace {
            spans_per_second: Some(1_000.0),
            duration: Some(Duration::from_secs(1)),
            spans: None,
        });
        let now = schedule.begun;
        let offsets: Vec<u128> = (0..20)
            .map_while(|number| schedule.turn(number, now))
            .map(|turn| (turn.due.expect("open loop") - now).as_millis())
            .collect();
        assert_eq!(offsets, (0..10).map(|turn| turn * 100).collect::<Vec<_>>());
    }

    #[test]
    fn overdue_turn_is_lost_when_the_time_is_over() {
        let schedule = schedule(Pace {
            spans_per_second: Some(1_000.0),
            duration: Some(Duration::from_secs(1)),
            spans: None,
        });
        let late = schedule.begun + Duration::from_secs(2);
        assert_eq!(schedule.turn(3, late), None);
    }

    #[tokio::test]
    async fn waiting_ends_when_the_run_is_stopped() {
        let (stop, stopped) = watch::channel(false);
        let pace = Pace {
            spans_per_second: Some(1e-6),
            duration: None,
            spans: None,
        };
        let schedule = Schedule::new(pace, 1, Instant::now(), stopped);
        schedule.take();
        let turn = schedule.take().expect("no end");
        stop.send_replace(true);
        assert_eq!(schedule.wait(turn).await, None);
        assert_eq!(schedule.take(), None);
    }
}
