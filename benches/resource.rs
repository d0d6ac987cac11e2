//! The resource processor with the guide's list: resources it knows, resources it does not, and the
//! floor, which is the rewriting alone.
//!
//! Names carry resources a batch; time is per batch. Each case checks its answer before it is timed.

#[allow(dead_code, reason = "each bench uses a part of it")]
mod requests;

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{BinaryViewArray, RecordBatch};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use spanmill::batch::any_value::key_values;
use spanmill::batch::{TraceBatch, TraceColumns, TraceLayout};
use spanmill::processors::resource::ResourceProcessor;
use spanmill::processors::resource::options::{Action, ResourceOptions};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GUIDE: [&str; 14] = [
    "process.runtime.description",
    "process.command_args",
    "telemetry.distro.version",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "service.instance.id",
    "process.runtime.name",
    "process.runtime.description",
    "process.pid",
    "process.executable.path",
    "process.command.args",
    "os.description",
    "instance",
    "container.id",
];

fn processor() -> ResourceProcessor {
    let delete = |key: &str| Action::Delete {
        key: Some(key.to_owned()),
        pattern: None,
    };
    let actions = GUIDE.map(delete).to_vec();
    ResourceProcessor::new(&ResourceOptions { actions })
}

/// A batch of resources that differ in one attribute.
fn batch(layout: &TraceLayout, numbers: std::ops::Range<usize>) -> TraceBatch {
    let resources = numbers.map(|number| {
        let mut resource = requests::resource();
        let pod = &mut resource.attributes[8]
            .value
            .as_mut()
            .expect("has one")
            .value;
        *pod = Some(
            opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(format!(
                "checkout-{number}"
            )),
        );
        resource.encode_to_vec()
    });
    let column = BinaryViewArray::from_iter_values(resources);
    let schema = Arc::clone(layout.resources_schema());
    TraceBatch {
        resources: RecordBatch::try_new(schema, vec![Arc::new(column)]).expect("one column"),
        spans: RecordBatch::new_empty(Arc::clone(layout.spans_schema())),
        events: None,
    }
}

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
