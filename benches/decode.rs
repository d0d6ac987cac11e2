//! Trace requests into columns, beside the two ends of the scale: prost building every object, and
//! a walk that checks the form and builds nothing.
//!
//! Names carry bytes a span and spans a request; time is per request, throughput in spans. Each
//! case checks its answer before it is timed. Instructions: `valgrind --tool=callgrind
//! --toggle-collect='*TraceDecoder*append*' BENCH --bench --test CASE` counts two runs of a case.

#[allow(dead_code, reason = "each bench uses a part of it")]
mod requests;

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanmill::batch::{TraceColumns, TraceLayout};
use spanmill::decode::TraceDecoder;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn decoder(columns: TraceColumns) -> TraceDecoder {
    TraceDecoder::new(Arc::new(TraceLayout::new(columns)))
}

/// One batch of these requests; its memory goes back.
fn run(decoder: &mut TraceDecoder, bodies: &[Bytes]) -> usize {
    for body in bodies {
        decoder.append(body.clone()).expect("well-formed");
    }
    let batch = decoder.finish();
    let spans = batch.spans.num_rows();
    decoder.recycle(batch);
    spans
}

fn by_size(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for span_bytes in [300, 800, 1_900] {
        for spans in [10, 50, 512] {
            let body = requests::request(spans, span_bytes);
            let shape = format!("{span_bytes}B/{spans}");
            group.throughput(Throughput::Elements(spans as u64));
            let bodies = [Bytes::from(body.clone())];
            for (name, columns) in [
                ("form_only", TraceColumns::default()),
                ("guide", requests::guide_columns()),
                ("guide_events", requests::guide_columns_with_events()),
            ] {
                let mut decoder = decoder(columns);
                group.bench_function(BenchmarkId::new(name, &shape), |b| {
                    assert_eq!(run(&mut decoder, &bodies), spans);
                    b.iter(|| run(&mut decoder, black_box(&bodies)));
                });
            }
            group.bench_function(BenchmarkId::new("prost", &shape), |b| {
                b.iter(|| {
                    ExportTraceServiceRequest::decode(black_box(&body[..])).expect("well-formed")
                });
            });
        }
    }
    group.finish();
}

/// Several small requests that were ready together.
fn joined(c: &mut Criterion) {
    let mut group = c.benchmark_group("joined_requests");
    for requests in [1, 2, 4, 8] {
        let body = Bytes::from(requests::request(10, 800));
        let bodies = vec![body; requests];
        let spans = 10 * requests;
        let mut decoder = decoder(requests::guide_columns());
        group.throughput(Throughput::Elements(spans as u64));
        group.bench_function(format!("10_spans_of_800B/{requests}"), |b| {
            assert_eq!(run(&mut decoder, &bodies), spans);
            b.iter(|| run(&mut decoder, black_box(&bodies)));
        });
    }
    group.finish();
}

fn unwanted(c: &mut Criterion) {
    let body = Bytes::from(requests::unwanted_attributes(30));
    let mut decoder = decoder(requests::guide_columns());
    c.bench_function("30_unwanted_attributes", |b| {
        assert_eq!(run(&mut decoder, std::slice::from_ref(&body)), 1);
        b.iter(|| run(&mut decoder, black_box(std::slice::from_ref(&body))));
    });
}

criterion_group!(benches, by_size, joined, unwanted);
criterion_main!(benches);
