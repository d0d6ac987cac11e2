//! Waits for a moment to the microsecond: the runtime's own timers go by milliseconds.
//!
//! A `timerfd`, which the kernel fires at its time without the slack of other timers, read through the
//! runtime's poller.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The count of expiries that is read from it.
const COUNT_BYTES: usize = 8;
const ZERO: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// For one wait at a time.
pub(super) struct Timer {
    descriptor: AsyncFd<OwnedFd>,
}

impl Timer {
    /// Within a runtime.
    ///
    /// # Errors
    /// When there is no descriptor left.
    #[expect(
        deprecated,
        reason = "what came after it is unsafe, for what may close its descriptor: an `OwnedFd` does not"
    )]
    pub(super) fn new() -> io::Result<Self> {
        // The clock of `Instant`.
        let clock = TimerfdClockId::Monotonic;
        let descriptor = timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self {
            descriptor: AsyncFd::with_interest(descriptor, Interest::READABLE)?,
        })
    }

    /// Returns at `moment`, never before; at once if it has passed. A wait may be given up, which
    /// leaves nothing to the next one.
    pub(super) async fn until(&self, moment: Instant) {
        let wait = moment.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            // Which would switch the timer off.
            return;
        }
        let timer = Itimerspec {
            it_interval: ZERO,
            it_value: Timespec::try_from(wait).expect("two instants are nearer than all of time"),
        };
        let descriptor = self.descriptor.get_ref();
        timerfd_settime(descriptor, TimerfdTimerFlags::empty(), &timer)
            .expect("the descriptor is a timer, and the time a time");
        self.descriptor
            .async_io(Interest::READABLE, |descriptor| {
                let read = rustix::io::read(descriptor, &mut [0_u8; COUNT_BYTES]);
                read.map_err(io::Error::from)
            })
            .await
            .expect("a timer that is set is read when it has fired");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn no_wait_ends_before_its_moment() {
        let timer = Timer::new().expect("a descriptor");
        for micros in [0, 1, 50, 900, 3_000] {
            let moment = Instant::now() + Duration::from_micros(micros);
            timer.until(moment).await;
            assert!(Instant::now() >= moment, "{micros}");
        }
    }

    #[tokio::test]
    async fn wait_that_was_given_up_neither_ends_nor_delays_the_next() {
        let timer = Timer::new().expect("a descriptor");
        let begun = Instant::now();
        let (soon, late) = (
            begun + Duration::from_micros(200),
            begun + Duration::from_hours(1),
        );
        for given_up in [soon, late, soon] {
            let wait = tokio::time::timeout(Duration::ZERO, timer.until(given_up));
            drop(wait.await);
        }
        while Instant::now() < soon {
            std::hint::spin_loop();
        }
        // The first one has fired by now, whoever was there to see it.
        let moment = Instant::now() + Duration::from_millis(4);
        timer.until(moment).await;
        assert!(Instant::now() >= moment);
        assert!(Instant::now() < late);
    }
}
