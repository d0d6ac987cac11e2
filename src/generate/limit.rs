//! Whether a run was limited by the generator and not by the target.
//!
//! Three signs, each enough: a sending thread used up its processor; sending threads stood in line
//! for a processor that others used (Linux counts that for each thread); requests of an open loop
//! left late although a lane had been waiting for their time.

use std::fs;
use std::time::Duration;

use rustix::time::ClockId;

use crate::telemetry::process::clock;

/// A thread that runs, or stands in line to run, for this share of the run can do no more.
const BUSY_SHARE: f64 = 0.9;
/// Standing in line for less than this share is no worse than on any machine.
const IN_LINE_SHARE: f64 = 0.1;
/// A turn that a free lane takes this long after its time was overslept; a timer alone is a hundred
/// times as exact.
pub(super) const OVERSLEPT_MIN: Duration = Duration::from_millis(5);
/// Overslept turns, of all, that are no accident.
const OVERSLEPT_SHARE: f64 = 0.01;

/// What a sending thread took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    pub cpu: Duration,
    /// Ready to run, without a processor. Zero where the kernel does not count it.
    pub in_line: Duration,
}

/// What kept the generator from sending more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Share of the run that the busiest thread was running.
    Busy { share: f64 },
    /// Share of the run that the most hindered thread stood in line for a processor.
    InLine { share: f64 },
    /// Share of the requests that left late.
    Overslept { share: f64 },
}

impl Effort {
    /// Of the calling thread, so far.
    pub(super) fn of_this_thread() -> Self {
        let cpu = clock(ClockId::ThreadCPUTime);
        let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let in_line = text.split_whitespace().nth(1);
        let in_line_ns = in_line.and_then(|ns| ns.parse().ok()).unwrap_or_default();
        Self {
            cpu,
            in_line: Duration::from_nanos(in_line_ns),
        }
    }
}

impl Limit {
    /// Of a run of `elapsed` with `requests`, `overslept` of which left late.
    pub(super) fn find(
        efforts: &[Effort],
        elapsed: Duration,
        requests: u64,
        overslept: u64,
    ) -> Option<Self> {
        let of_run = |time: Duration| time.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
        let most = |share: &dyn Fn(&Effort) -> f64| efforts.iter().map(share).fold(0.0, f64::max);
        let busy = most(&|effort| of_run(effort.cpu));
        if busy > BUSY_SHARE {
            return Some(Self::Busy { share: busy });
        }
        let full = most(&|effort| of_run(effort.cpu + effort.in_line));
        let in_line = most(&|effort| of_run(effort.in_line));
        if full > BUSY_SHARE && in_line > IN_LINE_SHARE {
            return Some(Self::InLine { share: in_line });
        }
        let share = overslept as f64 / requests.max(1) as f64;
        (share > OVERSLEPT_SHARE).then_some(Self::Overslept { share })
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let percent = |share: f64| (share * 100.0).round();
        match self {
            Self::Busy { share } => write!(
                f,
                "a sending thread was busy {} % of the time; give it more --threads",
                percent(*share)
            ),
            Self::InLine { share } => write!(
                f,
                "a sending thread waited {} % of the time for a processor that others used",
                percent(*share)
            ),
            Self::Overslept { share } => write!(
                f,
                "{} % of the requests left late, with their lane waiting and no processor free",
                percent(*share)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Duration = Duration::from_secs(10);

    fn effort(cpu_ms: u64, in_line_ms: u64) -> Effort {
        Effort {
            cpu: Duration::from_millis(cpu_ms),
            in_line: Duration::from_millis(in_line_ms),
        }
    }

    #[test]
    fn one_busy_thread_limits_a_run_however_idle_the_others() {
        let efforts = [effort(9_500, 0), effort(10, 0)];
        let limit = Limit::find(&efforts, RUN, 100, 0);
        assert_eq!(limit, Some(Limit::Busy { share: 0.95 }));
    }

    #[test]
    fn threads_that_share_a_processor_are_limited_by_it() {
        let efforts = [effort(5_000, 4_800), effort(4_800, 5_000)];
        let limit = Limit::find(&efforts, RUN, 100, 0);
        assert_eq!(limit, Some(Limit::InLine { share: 0.5 }));
    }

    #[test]
    fn open_loop_that_wakes_too_late_is_limited() {
        let idle = [effort(1_000, 100)];
        let limit = Limit::find(&idle, RUN, 100, 2);
        assert_eq!(limit, Some(Limit::Overslept { share: 0.02 }));
        assert_eq!(Limit::find(&idle, RUN, 1_000, 2), None);
    }

    #[test]
    fn threads_that_wait_for_answers_limit_nothing() {
        let efforts = [effort(6_000, 500), effort(8_500, 200)];
        assert_eq!(Limit::find(&efforts, RUN, 100, 0), None);
        assert_eq!(Limit::find(&[], Duration::ZERO, 0, 0), None);
    }

    #[test]
    fn thread_finds_its_own_effort() {
        let before = Effort::of_this_thread();
        let mut sum = 0_u64;
        while Effort::of_this_thread().cpu == before.cpu {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(Effort::of_this_thread().cpu > before.cpu);
    }
}
