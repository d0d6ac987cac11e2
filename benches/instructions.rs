//! Runs kernels a known number of times, so that callgrind can count their instructions:
//!
//! `valgrind --tool=callgrind --toggle-collect='*observe_octaves*' BINARY buckets/guide`
//!
//! then instructions / (4,096 rows x 100); with `groups/observe` and `'*Grouper*observe*'`
//! instructions / (512 rows x 100). Not timed; no criterion around it.
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of rows and groups are small"
)]

#[path = "../tests/spanmetrics_support/mod.rs"]
mod spanmetrics_support;

use std::hint::black_box;
use std::sync::Arc;

use spanmill::batch::TraceLayout;
use spanmill::connectors::spanmetrics::SpanMetrics;
use spanmill::connectors::spanmetrics::buckets::Buckets;
use spanmill::connectors::spanmetrics::options::{HistogramOptions, Unit};
use spanmill::store::handover::handover;
use spanmill::store::window::{OwnerId, TableId};

const ROWS: usize = 4_096;
const TURNS: usize = 100;
const GROUPS: u64 = 1_000;

/// The guide's bounds, and the defaults, of which two lie in one octave; milliseconds.
const GUIDE: &[i64] = &[1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];
const DEFAULTS: &[i64] = &[
    2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000,
];

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("buckets/guide") => observe_buckets(GUIDE),
        Some("buckets/defaults") => observe_buckets(DEFAULTS),
        Some("groups/observe") => observe_groups(),
        // Called by `cargo bench` or `cargo test` without a name: nothing to do.
        _ => {}
    }
}

/// A batch of the guide's spans, of known groups but for the first time.
fn observe_groups() {
    let connector = SpanMetrics::new(spanmetrics_support::guide_options());
    let layout = Arc::new(TraceLayout::new(connector.columns()));
    let resources = [spanmetrics_support::service("shop")];
    let spans = spanmetrics_support::guide_rows(512, 1_000, 1);
    let batch = spanmetrics_support::batch(&layout, &resources, &spans);
    let mut grouper = connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0));
    let (mut worker, _folder) = handover(1);
    for _ in 0..TURNS {
        let observed = grouper.observe(black_box(&batch), &mut worker.take(), 1_000);
        assert_eq!(observed.spans, 512);
    }
}

fn observe_buckets(bounds_ms: &[i64]) {
    let buckets = Buckets::new(&HistogramOptions {
        unit: Unit::Milliseconds,
        bounds_ns: bounds_ms.iter().map(|ms| ms * 1_000_000).collect(),
    });
    let words = usize::from(buckets.count()) + 2;
    let mut state = 3_u64;
    let mut draw = move |below: u64| {
        // The constants of Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let durations_ns: Vec<u64> = (0..ROWS)
        .map(|_| {
            let octave = 1 << draw(34);
            octave + draw(octave)
        })
        .collect();
    let offsets: Vec<u32> = (0..ROWS)
        .map(|_| draw(GROUPS) as u32 * words as u32)
        .collect();
    let mut rows = vec![0; GROUPS as usize * words];
    for _ in 0..TURNS {
        buckets.observe(
            black_box(&durations_ns),
            black_box(&offsets),
            black_box(&mut rows),
        );
    }
    let counted: u64 = rows
        .chunks_exact(words)
        .map(|row| row[2..].iter().sum::<u64>())
        .sum();
    assert_eq!(counted, (ROWS * TURNS) as u64);
}
