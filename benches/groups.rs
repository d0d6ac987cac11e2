//! From a batch to the rows of a window: hash, look-up, bucket and sum.
//!
//! `groups/ROWS_GROUPS` is a batch observed into a window that knows its groups, beside a version
//! that builds a key of bytes for each row and looks it up in a map; `groups/hash` and
//! `groups/buckets` are the parts. Time is per batch; throughput is rows.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers of rows and groups are small"
)]

#[path = "../tests/spanmetrics_support/mod.rs"]
mod spanmetrics_support;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spanmetrics_support::{batch, guide_options, guide_rows, service};
use spanmill::batch::row_hash::{RowHasher, ViewColumn};
use spanmill::batch::{TraceBatch, TraceLayout};
use spanmill::connectors::spanmetrics::SpanMetrics;
use spanmill::connectors::spanmetrics::buckets::Buckets;
use spanmill::store::handover::handover;
use spanmill::store::window::{OwnerId, TableId};

const SHAPES: [(usize, u64); 6] = [
    (10, 1_000),
    (50, 1_000),
    (512, 1_000),
    (10, 100_000),
    (50, 100_000),
    (512, 100_000),
];

/// Enough batches to meet each group about twice.
fn batches(layout: &TraceLayout, rows: usize, groups: u64) -> Vec<TraceBatch> {
    let count = (groups * 2).div_ceil(rows as u64).max(8);
    (0..count)
        .map(|seed| {
            batch(
                layout,
                &[service("shop")],
                &guide_rows(rows, groups, seed * 7_919 + 1),
            )
        })
        .collect()
}

#[derive(Default)]
struct NaiveCell {
    sum: u128,
    buckets: [u64; 10],
}

/// Row by row: key bytes, one map, a search for the bucket.
#[derive(Default)]
struct Naive {
    cells: HashMap<Vec<u8>, NaiveCell>,
}

impl Naive {
    fn observe(&mut self, layout: &TraceLayout, batch: &TraceBatch, bounds_ns: &[u64]) {
        let (starts, ends) = layout.times(batch).expect("asked for");
        let names = ViewColumn::new(layout.names(batch).expect("asked for"));
        let resources = ViewColumn::new(layout.resources(batch));
        for row in 0..batch.spans.num_rows() {
            let mut key = Vec::new();
            let resource = layout.span_resources(batch).value(row) as usize;
            let mut cell = |bytes: Option<&[u8]>| {
                key.extend_from_slice(&bytes.map_or(-1, |it| it.len() as i64).to_le_bytes());
                key.extend_from_slice(bytes.unwrap_or_default());
            };
            cell(resources.bytes(resource));
            cell(names.bytes(row));
            for at in 0..layout.columns().span_attributes.len() {
                cell(ViewColumn::new(layout.span_attribute(batch, at)).bytes(row));
            }
            key.extend_from_slice(
                &layout
                    .kinds(batch)
                    .expect("asked for")
                    .value(row)
                    .to_le_bytes(),
            );
            key.extend_from_slice(
                &layout
                    .statuses(batch)
                    .expect("asked for")
                    .value(row)
                    .to_le_bytes(),
            );
            let duration_ns = ends.value(row).saturating_sub(starts.value(row));
            let cell = self.cells.entry(key).or_default();
            cell.sum += u128::from(duration_ns);
            cell.buckets[bounds_ns.partition_point(|bound| *bound < duration_ns)] += 1;
        }
    }
}

fn groups(c: &mut Criterion) {
    let connector = SpanMetrics::new(guide_options());
    let layout = Arc::new(TraceLayout::new(connector.columns()));
    let histogram = guide_options().histogram.expect("the guide has one");
    let bounds_ns: Vec<u64> = histogram
        .bounds_ns
        .iter()
        .map(|b| b.unsigned_abs())
        .collect();
    for (rows, groups) in SHAPES {
        let batches = batches(&layout, rows, groups);
        let mut grouper = connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0));
        let (mut worker, _folder) = handover(connector.tables(OwnerId(0)).len());
        let mut naive = Naive::default();
        // The answer first: both know the same groups and the same counts.
        for batch in &batches {
            let _ = grouper.observe(batch, &mut worker.take(), 1_000);
            naive.observe(&layout, batch, &bounds_ns);
        }
        let window = worker.take();
        assert_eq!(window.tables[0].groups.len(), naive.cells.len());
        let counted: u64 = window.tables[0]
            .rows
            .chunks_exact(12)
            .map(|row| row[2..].iter().sum::<u64>())
            .sum();
        assert_eq!(counted, (rows * batches.len()) as u64);
        drop(window);

        let mut group = c.benchmark_group(format!("groups/{rows}_rows_{groups}_groups"));
        group.throughput(Throughput::Elements(rows as u64));
        let mut next = batches.iter().cycle();
        group.bench_function("observe", |b| {
            b.iter(|| {
                let batch = next.next().expect("endless");
                grouper.observe(black_box(batch), &mut worker.take(), 1_000)
            });
        });
        let mut next = batches.iter().cycle();
        group.bench_function("naive", |b| {
            b.iter(|| {
                naive.observe(
                    &layout,
                    black_box(next.next().expect("endless")),
                    &bounds_ns,
                )
            });
        });
        group.finish();
    }
}

fn hash(c: &mut Criterion) {
    let connector = SpanMetrics::new(guide_options());
    let layout = TraceLayout::new(connector.columns());
    let batch = batch(&layout, &[service("shop")], &guide_rows(512, 1_000, 1));
    let hasher = RowHasher::random();
    let mut states = vec![hasher.bytes(b"resource"); 512];
    let mut group = c.benchmark_group("groups/hash");
    group.throughput(Throughput::Elements(512));
    for (name, at) in [
        ("method_short", 0),
        ("status_code_short", 1),
        ("route_long", 2),
        ("user_id_null", 3),
    ] {
        let column = layout.span_attribute(&batch, at);
        group.bench_function(name, |b| {
            b.iter(|| {
                for (index, block) in states.chunks_mut(256).enumerate() {
                    hasher.views(block, &ViewColumn::new(black_box(column)), index * 256);
                }
            });
        });
    }
    group.finish();
}

fn buckets(c: &mut Criterion) {
    const ROWS: usize = 4_096;
    let histogram = guide_options().histogram.expect("the guide has one");
    let buckets = Buckets::new(&histogram);
    let words = usize::from(buckets.count()) + 2;
    let mut group = c.benchmark_group("groups/buckets_4096_rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    for groups in [1_u64, 1_000, 100_000] {
        let spans = guide_rows(ROWS, groups, 3);
        let durations_ns: Vec<u64> = spans.iter().map(|span| span.end - span.start).collect();
        let mut state = 5_u64;
        let offsets: Vec<u32> = (0..ROWS)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                ((state >> 33) % groups) as u32 * words as u32
            })
            .collect();
        let naive = |rows: &mut [u64]| {
            for (duration_ns, offset) in durations_ns.iter().zip(&offsets) {
                let row = &mut rows[*offset as usize..][..words];
                let sum = u128::from(row[0]) | u128::from(row[1]) << 64;
                let sum = sum + u128::from(*duration_ns);
                (row[0], row[1]) = (sum as u64, (sum >> 64) as u64);
                row[2 + buckets.index(*duration_ns)] += 1;
            }
        };
        let mut rows = vec![0; groups as usize * words];
        let mut wanted = rows.clone();
        buckets.observe(&durations_ns, &offsets, &mut rows);
        naive(&mut wanted);
        assert!(rows == wanted);
        group.bench_function(format!("kernel/{groups}_groups"), |b| {
            b.iter(|| buckets.observe(black_box(&durations_ns), &offsets, black_box(&mut rows)));
        });
        group.bench_function(format!("naive/{groups}_groups"), |b| {
            b.iter(|| naive(black_box(&mut wanted)));
        });
    }
    group.finish();
}

criterion_group!(benches, groups, hash, buckets);
criterion_main!(benches);
