//! One worker's whole path inside the process: request bytes, decode, `resource`, spanmetrics, window,
//! fold; and the answer to the request.
//!
//! The path is compiled from `config/guide-scrape.yaml` as the program does it. Beside it stands the
//! obvious version: prost builds every object, each span becomes a key of bytes, one map counts.
//! Both must agree on the number of series, calls and the buckets' total before they are timed.
//! `path/VERSION/BYTES_A_SPAN/SPANS_A_REQUEST`; time is per request, throughput in spans. The fold is
//! in it every 64 requests, far more often than each second.
//!
//! Instructions: bench `instructions`, cases `path/...`.
#![allow(
    clippy::cast_sign_loss,
    reason = "kinds and codes are small and not negative"
)]

mod guide_lane;
#[allow(dead_code, reason = "each bench uses a part of it")]
mod requests;

use std::collections::HashMap;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use guide_lane::{lane, turn};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use prost::Message;
use spanmill::pipeline::lane::Lane;
use spanmill::workers::Outcome;
use spanmill::workers::budget::Budget;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const REQUESTS_PER_FOLD: usize = 64;

/// Calls and buckets under each key.
#[derive(Default)]
struct Naive {
    cells: HashMap<Vec<u8>, NaiveCell>,
}

#[derive(Default)]
struct NaiveCell {
    calls: u64,
    sum_ns: u128,
    buckets: [u64; 10],
}

const BOUNDS_MS: [u64; 9] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/// What the guide deletes and the requests have.
const DELETED: [&str; 5] = [
    "service.instance.id",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "os.description",
    "container.id",
];

const DIMENSIONS: [(&str, Option<&str>); 4] = [
    ("http.method", Some("GET")),
    ("http.response.status_code", None),
    ("http.route", None),
    ("user.id", None),
];

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

impl Naive {
    fn observe(&mut self, body: &[u8]) {
        let request = ExportTraceServiceRequest::decode(body).expect("well-formed");
        for resource_spans in &request.resource_spans {
            let mut resource = Vec::new();
            for attribute in resource_spans.resource.iter().flat_map(|it| &it.attributes) {
                if !DELETED.contains(&attribute.key.as_str()) {
                    resource.extend(attribute.key.bytes());
                    resource.push(0);
                    resource.extend(text(attribute).bytes());
                    resource.push(0);
                }
            }
            for span in resource_spans.scope_spans.iter().flat_map(|it| &it.spans) {
                let mut key = resource.clone();
                key.extend(span.name.bytes());
                key.extend([0, span.kind as u8]);
                key.push(span.status.as_ref().map_or(0, |it| it.code) as u8);
                for (name, default) in DIMENSIONS {
                    let found = span.attributes.iter().find(|it| it.key == name);
                    if let Some(value) = found.map(text).or(default.map(str::to_owned)) {
                        key.push(0);
                        key.extend(value.bytes());
                    }
                }
                let duration_ns =
                    (span.end_time_unix_nano).saturating_sub(span.start_time_unix_nano);
                let bucket = BOUNDS_MS.partition_point(|ms| ms * 1_000_000 < duration_ns);
                let cell = self.cells.entry(key).or_default();
                cell.calls += 1;
                cell.sum_ns += u128::from(duration_ns);
                cell.buckets[bucket] += 1;
            }
        }
    }
}

/// Series, calls and every bucket's total: of the lane, then of the naive version.
fn check(lane: &mut Lane, naive: &Naive) {
    lane.fold();
    let snapshot = lane.folder.snapshot(1_000);
    let table = &snapshot.tables[0];
    let (mut series, mut calls, mut buckets) = (0, 0, [0; 10]);
    for chunk in &table.chunks {
        let rows = chunk.rows.chunks_exact(table.layout.words());
        for (_, row) in (chunk.cells.iter().zip(rows)).filter(|(cell, _)| cell.identity.is_some()) {
            series += 1;
            calls += table.layout.count(row);
            let counts = row[2..].iter();
            buckets
                .iter_mut()
                .zip(counts)
                .for_each(|(sum, count)| *sum += count);
        }
    }
    assert_eq!(series, naive.cells.len());
    assert_eq!(
        calls,
        naive.cells.values().map(|cell| cell.calls).sum::<u64>()
    );
    for (bucket, count) in buckets.iter().enumerate() {
        assert_eq!(
            *count,
            naive
                .cells
                .values()
                .map(|cell| cell.buckets[bucket])
                .sum::<u64>()
        );
    }
}

fn path(c: &mut Criterion) {
    let mut group = c.benchmark_group("path");
    for span_bytes in [300, 800, 1_900] {
        for spans in [10, 50, 512] {
            let body = Bytes::from(requests::request(spans, span_bytes));
            let shape = format!("{span_bytes}B/{spans}");
            group.throughput(Throughput::Elements(spans as u64));
            let (mut lane, mut naive) = (lane(), Naive::default());
            let (budget, mut ready) = (Budget::new(64 << 20), Vec::new());
            let items = spans as u32;
            let answer = turn(&mut lane, &budget, &mut ready, &body);
            assert_eq!(answer, Outcome::Accepted { items });
            naive.observe(&body);
            check(&mut lane, &naive);

            let mut turns = 0;
            group.bench_function(BenchmarkId::new("spanmill", &shape), |b| {
                b.iter(|| {
                    turns += 1;
                    if turns % REQUESTS_PER_FOLD == 0 {
                        lane.fold();
                    }
                    turn(&mut lane, &budget, &mut ready, black_box(&body))
                });
            });
            group.bench_function(BenchmarkId::new("naive", &shape), |b| {
                b.iter(|| naive.observe(black_box(&body)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, path);
criterion_main!(benches);
