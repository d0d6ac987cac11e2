//! The kernel that finds each span's bucket and adds it up.

use std::hint::black_box;

use spanmill::connectors::spanmetrics::buckets::Buckets;
use spanmill::connectors::spanmetrics::options::{HistogramOptions, Unit};

use crate::meter::{Case, Units, meter};

const ROWS: usize = 4_096;
const GROUPS: u64 = 1_000;

/// The guide's bounds, and the defaults, of which two lie in one octave; milliseconds.
const GUIDE: &[i64] = &[1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];
const DEFAULTS: &[i64] = &[
    2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000,
];

pub fn add(cases: &mut Vec<Case>) {
    cases.push(Case::new("buckets/guide", || observe(GUIDE)));
    cases.push(Case::new("buckets/defaults", || observe(DEFAULTS)));
}

fn observe(bounds_ms: &[i64]) -> Units {
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
    let units = meter(16, ROWS as u64, "row", || {
        buckets.observe(
            black_box(&durations_ns),
            black_box(&offsets),
            black_box(&mut rows),
        );
    });
    let counted: u64 = rows
        .chunks_exact(words)
        .map(|row| row[2..].iter().sum::<u64>())
        .sum();
    assert!(counted >= units.count);
    units
}
