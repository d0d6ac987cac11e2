//! The one clock. Nothing else asks the system for the time.
//!
//! Stations take times as arguments; who calls a station asks here, once per run or per scrape.
//! Timers of the runtime (time-outs) are no clock: they only measure.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Never goes back; only differences mean something.
#[must_use]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Nanoseconds since 1970, as the system has it: may go back. Zero before 1970.
#[must_use]
pub fn wall_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Fits until the year 2554.
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds since 1970, the unit of Prometheus timestamps.
#[must_use]
pub fn wall_ms() -> u64 {
    wall_ns() / 1_000_000
}
