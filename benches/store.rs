//! The right side of the line: hand-over, fold, snapshot.
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of rows and groups are small"
)]

#[path = "../tests/spanmetrics_support/mod.rs"]
mod spanmetrics_support;

use std::hint::black_box;
use std::sync::Mutex;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spanmetrics_support::rig::{Bounds, Rig, total};
use spanmetrics_support::{batch, guide_options, guide_rows, service};
use spanmill::store::handover::handover;
use spanmill::store::window::Window;

/// A store of about `groups` cells.
fn known(groups: u64) -> Rig {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    for seed in 0..3 {
        observe(&mut rig, groups, seed);
        rig.fold(0);
    }
    rig
}

/// Touches most groups.
fn observe(rig: &mut Rig, groups: u64, seed: u64) {
    let rows = guide_rows(groups as usize * 2, groups, seed);
    let batch = batch(&rig.layout, &[service("shop")], &rows);
    let worker = &mut rig.workers[0];
    let _ = worker
        .grouper
        .observe(&batch, &mut worker.side.take(), 1_000);
}

fn fold(c: &mut Criterion) {
    let mut group = c.benchmark_group("store/fold");
    for groups in [1_000, 100_000] {
        let mut rig = known(groups);
        observe(&mut rig, groups, 1);
        let window = rig.workers[0].folder_side.collect().expect("idle");
        let touched = window.tables[0].groups.len() as u64;
        let before = total(&rig.snapshot(1_000));
        rig.folder.fold(0, &window);
        assert_eq!(total(&rig.snapshot(1_000)), before + groups * 2);
        // Of groups, each touched by two spans.
        group.throughput(Throughput::Elements(touched));
        group.bench_function(format!("{groups}_groups"), |b| {
            b.iter(|| rig.folder.fold(0, black_box(&window)));
        });
        // A reader holds the last snapshot: every chunk is copied once.
        group.bench_function(format!("{groups}_groups_held"), |b| {
            b.iter(|| {
                let held = rig.snapshot(1_000);
                rig.folder.fold(0, black_box(&window));
                held
            });
        });
    }
    group.finish();
}

fn snapshot(c: &mut Criterion) {
    let mut rig = known(100_000);
    c.bench_function("store/snapshot/100000_cells", |b| {
        b.iter(|| black_box(rig.snapshot(1_000)));
    });
    c.bench_function("store/tick/100000_cells", |b| {
        b.iter(|| rig.tick(1_000));
    });
}

fn hand_over(c: &mut Criterion) {
    let mut group = c.benchmark_group("store/handover");
    let (mut worker, mut side) = handover(2);
    group.bench_function("take_and_give", |b| {
        b.iter(|| drop(black_box(worker.take())));
    });
    group.bench_function("collect_and_give_back", |b| {
        b.iter(|| {
            let window = side.collect().expect("idle");
            side.give_back(window);
        });
    });
    let window = Mutex::new(Window::new(2));
    group.bench_function("floor/mutex", |b| {
        b.iter(|| {
            let mut window = window.lock().expect("not poisoned");
            black_box(&mut *window);
        });
    });
    group.finish();
}

criterion_group!(benches, fold, snapshot, hand_over);
criterion_main!(benches);
