//! The process's own figures, read from the kernel when somebody scrapes.
//!
//! Of the Collector's figures about its heap only the live bytes have a meaning here: the resident
//! anonymous memory, which is what the allocator holds. Bytes ever allocated and bytes taken from the
//! system would cost a counter per allocation or say the same again; they are left out.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::counters::{Kind, Registry, Series};

/// Registers the process metrics; uptime counts from now.
pub fn register(registry: &Registry) {
    let started = clock(ClockId::Monotonic);
    let counter = |name, help, read: fn() -> f64| Series {
        name,
        help,
        kind: Kind::Counter,
        labels: Vec::new(),
        read: Box::new(read),
    };
    registry.add(Series {
        read: Box::new(move || {
            clock(ClockId::Monotonic)
                .saturating_sub(started)
                .as_secs_f64()
        }),
        ..counter(
            "otelcol_process_uptime",
            "Uptime of the process [alpha]",
            || 0.0,
        )
    });
    registry.add(counter(
        "otelcol_process_cpu_seconds",
        "Total CPU user and system time in seconds [alpha]",
        || clock(ClockId::ProcessCPUTime).as_secs_f64(),
    ));
    registry.gauge(
        "otelcol_process_memory_rss",
        "Total physical memory (resident set size) [alpha]",
        Vec::new(),
        || status_bytes("VmRSS:"),
    );
    registry.gauge(
        "otelcol_process_runtime_heap_alloc_bytes",
        "Resident anonymous memory: what the allocator holds [alpha]",
        Vec::new(),
        || status_bytes("RssAnon:"),
    );
}

/// What a clock of the kernel shows, which is never negative.
pub fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// A size of `/proc/self/status`; 0 where there is none.
fn status_bytes(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes: Option<f64> = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kibibytes.unwrap_or_default() * 1024.0
}

#[cfg(test)]
mod tests {
    use super::register;
    use crate::telemetry::counters::Registry;

    #[test]
    fn every_figure_of_this_process_is_above_zero() {
        let registry = Registry::new(1);
        register(&registry);
        let mut names = Vec::new();
        registry.for_each(|series| {
            assert!((series.read)() > 0.0, "{}", series.name);
            names.push(series.name);
        });
        assert_eq!(names.len(), 4);
    }
}
