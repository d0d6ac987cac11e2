//! What one prometheus exporter counts and says about itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde_json::Value;

use super::labels::{Changes, Dropped};
use super::plan::Conflict;
use crate::telemetry::counters::{Counter, Registry};
use crate::telemetry::log::Logger;

/// Counters of one exporter, and what it has already said in the log.
pub(super) struct Counters {
    shard: usize,
    dropped: [Counter; Dropped::ALL.len()],
    joined: Counter,
    exported: Counter,
    reserved: Counter,
    replaced: Counter,
    families: Counter,
    complete: Counter,
    cut: Counter,
    strangers: Counter,
    series: Arc<AtomicU64>,
    logger: Logger,
    exporter: String,
    /// A bit for each kind of line that is said once.
    said: AtomicU32,
}

/// Bits of `said`; below them those of [`Dropped`].
const SAID_JOINED: u32 = 8;
const SAID_EXPORTED: u32 = 9;
const SAID_RESERVED: u32 = 10;
const SAID_REPLACED: u32 = 11;

impl Counters {
    pub(super) fn new(registry: &Registry, logger: Logger, exporter: &str) -> Self {
        let labelled = |key: &'static str, value: &str| {
            vec![("exporter", exporter.to_owned()), (key, value.to_owned())]
        };
        let dropped = |reason: &str| {
            registry.counter(
                "spanmill_exporter_dropped_series_total",
                "Number of series born that are not exposed.",
                labelled("reason", reason),
            )
        };
        let changed = |reason: &str| {
            registry.counter(
                "spanmill_exporter_changed_labels_total",
                "Number of labels that were changed at a series' birth to be legal.",
                labelled("reason", reason),
            )
        };
        let scrapes = |outcome: &str| {
            registry.counter(
                "spanmill_exporter_scrapes_total",
                "Number of scrapes answered, by whether the answer was written to its end.",
                labelled("outcome", outcome),
            )
        };
        let series = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&series);
        registry.gauge(
            "spanmill_exporter_series",
            "Number of series at the last scrape, a histogram counting as one.",
            vec![("exporter", exporter.to_owned())],
            #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
            move || read.load(Ordering::Relaxed) as f64,
        );
        Self {
            shard: registry.service_shard(),
            dropped: Dropped::ALL.map(|reason| dropped(reason.code())),
            joined: changed("joined"),
            exported: changed("exported"),
            reserved: changed("reserved"),
            replaced: changed("invalid_utf8"),
            families: registry.counter(
                "spanmill_exporter_left_out_families_total",
                "Number of metrics whose name clashes with another's and that are not exposed.",
                vec![("exporter", exporter.to_owned())],
            ),
            complete: scrapes("complete"),
            cut: scrapes("cut"),
            strangers: registry.counter(
                "spanmill_exporter_unknown_scrapers_total",
                "Number of scrapes by scrapers beyond those that are kept apart.",
                vec![("exporter", exporter.to_owned())],
            ),
            series,
            logger,
            exporter: exporter.to_owned(),
            said: AtomicU32::new(0),
        }
    }

    pub(super) fn dropped(&self, reason: Dropped, metric: &str) {
        let index = reason as usize;
        self.dropped[index].add(self.shard, 1);
        let bit = u32::try_from(index).expect("few reasons");
        self.say_once(bit, "series dropped", metric, reason.code());
    }

    pub(super) fn changed(&self, changes: Changes, metric: &str) {
        if changes == Changes::default() {
            return;
        }
        for (count, counter, bit, how) in [
            (changes.joined, &self.joined, SAID_JOINED, "joined"),
            (changes.exported, &self.exported, SAID_EXPORTED, "exported"),
            (changes.reserved, &self.reserved, SAID_RESERVED, "reserved"),
            (
                changes.replaced,
                &self.replaced,
                SAID_REPLACED,
                "invalid_utf8",
            ),
        ] {
            if count > 0 {
                counter.add(self.shard, count);
                self.say_once(bit, "label changed to be legal", metric, how);
            }
        }
    }

    /// A family that is left out: known when the pipeline is built.
    pub(super) fn conflict(&self, conflict: &Conflict) {
        self.families.add(self.shard, 1);
        self.logger.warn(
            "metric left out: its name clashes with another family",
            &[
                ("exporter", Value::from(self.exporter.as_str())),
                ("metric", Value::from(conflict.metric.as_str())),
                ("family", Value::from(conflict.family.as_str())),
                ("existing", Value::from(conflict.existing.as_str())),
            ],
        );
    }

    pub(super) fn scraped(&self, complete: bool) {
        let counter = if complete { &self.complete } else { &self.cut };
        counter.add(self.shard, 1);
    }

    pub(super) fn stranger(&self) {
        self.strangers.add(self.shard, 1);
    }

    pub(super) fn series(&self, count: usize) {
        self.series.store(count as u64, Ordering::Relaxed);
    }

    fn say_once(&self, bit: u32, message: &str, metric: &str, reason: &str) {
        let mask = 1 << bit;
        if self.said.fetch_or(mask, Ordering::Relaxed) & mask != 0 {
            return;
        }
        self.logger.warn(
            message,
            &[
                ("exporter", Value::from(self.exporter.as_str())),
                ("metric", Value::from(metric)),
                ("reason", Value::from(reason)),
                ("more", Value::from("counted, not logged")),
            ],
        );
    }
}
