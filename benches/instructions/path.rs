//! Left of the store: decoding, the record batch, the `resource` processor, and the whole path of a
//! request to its answer.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use spanmill::batch::{TraceColumns, TraceLayout};
use spanmill::decode::TraceDecoder;
use spanmill::workers::Outcome;
use spanmill::workers::budget::Budget;

use crate::guide_lane::{lane, turn};
use crate::meter::{Case, Units, meter, meter_fresh};
use crate::{guide_resource, requests};

/// Spans counted in each case, about.
const SPANS: usize = 4_096;

pub fn add(cases: &mut Vec<Case>) {
    for (name, columns) in [
        // The walk alone, then the walk with the record batch.
        ("form_only", TraceColumns::default as fn() -> TraceColumns),
        ("guide", requests::guide_columns_with_events),
    ] {
        for (span_bytes, spans) in [(300, 512), (800, 512), (800, 50), (800, 10)] {
            let name = format!("decode/{name}/{span_bytes}B/{spans}");
            cases.push(Case::new(name, move || {
                decode(columns(), spans, span_bytes)
            }));
        }
    }
    cases.push(Case::new("resource/known", known_resource));
    cases.push(Case::new("resource/new", new_resources));
    for span_bytes in [300, 800] {
        for spans in [10, 50, 512] {
            let name = format!("path/{span_bytes}B/{spans}");
            cases.push(Case::new(name, move || path(spans, span_bytes)));
        }
    }
}

fn turns(spans: usize) -> u64 {
    (SPANS / spans) as u64
}

fn decode(columns: TraceColumns, spans: usize, span_bytes: usize) -> Units {
    let body = Bytes::from(requests::request(spans, span_bytes));
    let mut decoder = TraceDecoder::new(Arc::new(TraceLayout::new(columns)));
    meter(turns(spans), spans as u64, "span", || {
        let appended = decoder.append(black_box(&body).clone());
        assert_eq!(appended.expect("well-formed").spans, spans);
        let batch = decoder.finish();
        decoder.recycle(batch);
    })
}

/// One resource a batch, met before.
fn known_resource() -> Units {
    let layout = TraceLayout::new(TraceColumns::default());
    let batch = guide_resource::batch(&layout, 0..1);
    let mut processor = guide_resource::processor();
    meter(100, 1, "batch", || {
        drop(black_box(processor.run(black_box(&batch).clone())));
    })
}

/// Resources that are read and rewritten.
fn new_resources() -> Units {
    let layout = TraceLayout::new(TraceColumns::default());
    let batch = guide_resource::batch(&layout, 0..64);
    meter_fresh(4, 64, "resource", guide_resource::processor, |processor| {
        drop(black_box(processor.run(black_box(&batch).clone())))
    })
}

fn path(spans: usize, span_bytes: usize) -> Units {
    let body = Bytes::from(requests::request(spans, span_bytes));
    let (mut lane, mut ready) = (lane(), Vec::new());
    let budget = Budget::new(64 << 20);
    let items = spans as u32;
    meter(turns(spans), spans as u64, "span", || {
        let outcome = turn(&mut lane, &budget, &mut ready, black_box(&body));
        assert_eq!(outcome, Outcome::Accepted { items });
    })
}
