//! The resource processor with the guide's list: resources it knows, resources it does not, and the
//! floor, which is the rewriting alone.
//!
//! Names carry resources a batch; time is per batch. Each case checks its answer before it is timed.

mod guide_resource;
#[allow(dead_code, reason = "each bench uses a part of it")]
mod requests;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use guide_resource::{batch, processor};
use spanmill::batch::any_value::key_values;
use spanmill::batch::{TraceBatch, TraceColumns, TraceLayout};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fourteen attributes, of which the guide deletes five.
fn check(layout: &TraceLayout, rewritten: &TraceBatch, resources: usize) {
    let column = layout.resources(rewritten);
    let attributes = column
        .iter()
        .flatten()
        .map(|resource| key_values(resource).count());
    assert_eq!(attributes.collect::<Vec<_>>(), vec![9; resources]);
}

fn resource(c: &mut Criterion) {
    let layout = TraceLayout::new(TraceColumns::default());
    let mut group = c.benchmark_group("resource");
    for resources in [1, 8, 512] {
        group.throughput(Throughput::Elements(resources as u64));
        let known = batch(&layout, 0..resources);
        group.bench_function(format!("known/{resources}"), |b| {
            let mut processor = processor();
            check(&layout, &processor.run(known.clone()), resources);
            b.iter(|| processor.run(black_box(&known).clone()));
        });
        group.bench_function(format!("unknown/{resources}"), |b| {
            check(&layout, &processor().run(known.clone()), resources);
            b.iter(|| processor().run(black_box(&known).clone()));
        });
    }
    group.finish();
}

criterion_group!(benches, resource);
criterion_main!(benches);
