//! The decoder against prost, on requests as SDKs send them, on odd ones and on spoilt ones.
//!
//! The walker must accept exactly what prost accepts and read the same out of it, but for what
//! `schema.rs` says: text that is not UTF-8 is accepted, ids have their lengths, field 1000 is known.

mod schema;
mod table;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use spanmill::batch::{TraceColumns, TraceLayout};
use spanmill::decode::{DecodeError, TraceDecoder};

use schema::{Request, Span};
use table::Table;
use wire::{KEYS, Style, Wire};

/// All columns there are.
fn all_columns() -> TraceColumns {
    TraceColumns {
        name: true,
        kind: true,
        status: true,
        times: true,
        span_attributes: KEYS.map(Vec::from).to_vec(),
        event_attributes: Some(vec![b"exception.type".to_vec(), b"zone".to_vec()]),
    }
}

/// Some of them.
fn some_columns(seed: u64) -> TraceColumns {
    let mut wire = Wire::new(seed, Style::Odd);
    let mut coin = || wire.below(2) == 0;
    let mut keys = || {
        KEYS.iter()
            .filter(|_| coin())
            .map(|key| key.to_vec())
            .collect::<Vec<_>>()
    };
    let (span_attributes, event_keys) = (keys(), keys());
    TraceColumns {
        name: coin(),
        kind: coin(),
        status: coin(),
        times: coin(),
        span_attributes,
        event_attributes: coin().then_some(event_keys),
    }
}

fn ids_have_their_lengths(request: &Request) -> bool {
    let of_length =
        |ids: &[Vec<u8>], id_bytes| ids.iter().all(|id| id.is_empty() || id.len() == id_bytes);
    let good = |span: &Span| {
        of_length(&span.trace_ids, 16)
            && of_length(&span.span_ids, 8)
            && of_length(&span.parent_span_ids, 8)
            && span
                .links
                .iter()
                .all(|link| of_length(&link.trace_ids, 16) && of_length(&link.span_ids, 8))
    };
    request
        .resource_spans
        .iter()
        .flat_map(|resource_spans| {
            let lists = [&resource_spans.scope_spans, &resource_spans.old_scope_spans];
            lists.into_iter().flatten()
        })
        .all(|scope_spans| scope_spans.spans.iter().all(good))
}

/// What the oracle says of a request.
fn oracle(body: &[u8]) -> Option<Request> {
    let request = Request::decode(body).ok()?;
    ids_have_their_lengths(&request).then_some(request)
}

/// Appends all bodies to one batch and compares it with the oracle; returns how many were accepted.
fn check(columns: TraceColumns, bodies: &[Vec<u8>]) -> usize {
    let layout = Arc::new(TraceLayout::new(columns));
    let mut decoder = TraceDecoder::new(Arc::clone(&layout));
    check_batch(&layout, &mut decoder, bodies)
}

fn check_batch(layout: &TraceLayout, decoder: &mut TraceDecoder, bodies: &[Vec<u8>]) -> usize {
    let mut expected = Table::default();
    let mut accepted = 0;
    for body in bodies {
        let before = (
            expected.resources.len(),
            expected.spans.len(),
            expected.events.len(),
        );
        let appended = decoder.append(Bytes::copy_from_slice(body));
        let request = oracle(body);
        match (&appended, &request) {
            (Ok(appended), Some(request)) => {
                accepted += 1;
                expected.add(request, layout.columns());
                assert_eq!(appended.resources, expected.resources.len() - before.0);
                assert_eq!(appended.spans, expected.spans.len() - before.1);
                assert_eq!(appended.events, expected.events.len() - before.2);
            }
            (Err(_), None) => {}
            _ => panic!(
                "walker: {appended:?}, prost: {:?}, body: {body:02x?}",
                Request::decode(&body[..])
            ),
        }
        assert_eq!(decoder.spans(), expected.spans.len());
    }
    let batch = decoder.finish();
    assert_eq!(Table::of(&batch, layout), expected);
    decoder.recycle(batch);
    accepted
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_requests_read_as_prost_reads_them(seed: u64) {
        let body = Wire::new(seed, Style::Plain).request(8);
        let theirs = ExportTraceServiceRequest::decode(&body[..]).expect("a plain request");
        let ours = Request::decode(&body[..]).expect("a plain request");
        prop_assert!(theirs.encode_to_vec() == ours.encode_to_vec(), "the oracle's schema");
        prop_assert_eq!(check(all_columns(), &[body]), 1);
    }

    #[test]
    fn odd_requests_are_read_or_refused_as_by_prost(seed: u64) {
        let body = Wire::new(seed, Style::Odd).request(4);
        check(all_columns(), std::slice::from_ref(&body));
        check(some_columns(seed), &[body]);
    }

    #[test]
    fn spoilt_requests_are_read_or_refused_as_by_prost(seed: u64, style in 0..2) {
        let style = if style == 0 { Style::Plain } else { Style::Odd };
        let mut wire = Wire::new(seed, style);
        let good = wire.request(3);
        let bodies: Vec<_> = (0..24)
            .map(|_| {
                let mut body = good.clone();
                for _ in 0..=wire.below(2) {
                    wire.spoil(&mut body);
                }
                body
            })
            .collect();
        check(all_columns(), &bodies);
    }

    #[test]
    fn noise_is_read_or_refused_as_by_prost(noise: Vec<u8>) {
        check(all_columns(), &[noise]);
    }

    #[test]
    fn batches_that_come_back_leave_nothing_behind(seed: u64) {
        let layout = Arc::new(TraceLayout::new(some_columns(seed)));
        let mut decoder = TraceDecoder::new(Arc::clone(&layout));
        let mut wire = Wire::new(seed, Style::Odd);
        for _ in 0..4 {
            let bodies: Vec<_> = (0..wire.below(4))
                .map(|_| {
                    let spans_max = [2, 70][wire.below(2)];
                    let mut body = wire.request(spans_max);
                    if wire.below(3) == 0 {
                        wire.spoil(&mut body);
                    }
                    body
                })
                .collect();
            check_batch(&layout, &mut decoder, &bodies);
        }
    }
}

/// One resource with `spans` plain spans.
fn request_of(spans: usize) -> Vec<u8> {
    let mut wire = Wire::new(spans as u64, Style::Plain);
    loop {
        let body = wire.request(1);
        let request = Request::decode(&body[..]).expect("a plain request");
        let first = request
            .resource_spans
            .into_iter()
            .find_map(|mut resource_spans| {
                resource_spans
                    .scope_spans
                    .retain(|scope_spans| !scope_spans.spans.is_empty());
                let span = resource_spans.scope_spans.first()?.spans[0].clone();
                resource_spans.scope_spans.truncate(1);
                resource_spans.scope_spans[0].spans = vec![span; spans];
                Some(resource_spans)
            });
        if let Some(resource_spans) = first {
            let resource_spans = vec![resource_spans];
            return Request { resource_spans }.encode_to_vec();
        }
    }
}

#[test]
fn row_counts_around_the_block_are_read_whole() {
    for spans in [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1_000] {
        assert_eq!(check(all_columns(), &[request_of(spans)]), 1);
    }
}

#[test]
fn malformed_request_in_the_middle_of_a_batch_leaves_the_others_whole() {
    for spans in [1, 63, 64, 65, 200] {
        let good = request_of(spans);
        let mut bad = good.clone();
        bad.extend([0x0a, 0x7f]);
        let bodies = [good.clone(), bad.clone(), good.clone(), bad, good];
        assert_eq!(check(all_columns(), &bodies), 3);
    }
}

#[test]
fn request_cut_at_any_byte_is_refused_or_read_as_by_prost() {
    for seed in 0..6 {
        let body = Wire::new(seed, Style::Odd).request(2);
        let cut: Vec<_> = (0..body.len()).map(|end| body[..end].to_vec()).collect();
        check(all_columns(), &cut);
    }
}

#[test]
fn nobody_asking_for_anything_still_checks_the_form() {
    for seed in 0..200 {
        let mut wire = Wire::new(seed, Style::Odd);
        let mut body = wire.request(3);
        wire.spoil(&mut body);
        check(TraceColumns::default(), &[body]);
    }
}

/// A request whose one attribute is lists in lists.
fn nested(lists: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..lists {
        value = wire::field(5, &wire::field(1, &value));
    }
    let attribute = [wire::field(1, b"zone"), wire::field(2, &value)].concat();
    let span = wire::field(9, &attribute);
    wire::field(1, &wire::field(2, &wire::field(2, &span)))
}

#[test]
fn values_nest_to_the_depth_that_prost_allows() {
    let deepest = (0..100)
        .rev()
        .find(|lists| oracle(&nested(*lists)).is_some())
        .expect("some depth is allowed");
    assert_eq!(deepest, 47);
    assert_eq!(
        check(all_columns(), &[nested(deepest), nested(deepest + 1)]),
        1
    );
    let far_too_deep = nested(20_000);
    assert_eq!(check(all_columns(), &[far_too_deep]), 0);
}

#[test]
fn messages_at_the_depth_limit_have_no_room_for_values_and_unknown_fields() {
    type List = fn(&[u8]) -> Vec<u8>;
    let leaves = [vec![], wire::field(1, b"text"), vec![0x78, 1]];
    let lists: [List; 2] = [
        |value| wire::field(5, &wire::field(1, value)),
        |value| wire::field(6, &wire::field(1, &wire::field(2, value))),
    ];
    for (leaf, list) in leaves
        .iter()
        .flat_map(|leaf| lists.map(|list| (leaf, list)))
    {
        let mut value = leaf.clone();
        let mut bodies = Vec::new();
        for _ in 0..60 {
            let attribute = [wire::field(1, b"zone"), wire::field(2, &value)].concat();
            let span = wire::field(9, &attribute);
            bodies.push(wire::field(1, &wire::field(2, &wire::field(2, &span))));
            value = list(&value);
        }
        let accepted = check(all_columns(), &bodies);
        assert!((20..50).contains(&accepted), "{accepted}");
    }
}

/// The bodies of the recorded case 112, which the Collector accepts.
#[test]
fn recorded_odd_requests_are_accepted() {
    let old_list = "0a3d0a150a130a0c736572766963652e6e616d6512030a0173c23e230a050a036f6c64121a2a06\
        6c65676163793900ca9a3b00000000410094357700000000";
    let both_lists = "0a3f0a150a130a0c736572766963652e6e616d6512030a0173120712052a036e6577c23e1c121a\
        2a066c65676163793900ca9a3b00000000410094357700000000";
    let not_utf8 = "0a16121412122a0461fffe624a0a0a026bff12040a0276fe";
    for (hex, name) in [
        (old_list, &b"legacy"[..]),
        (both_lists, b"new"),
        (not_utf8, b"a\xff\xfeb"),
    ] {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let body: Vec<u8> = digits
            .chunks(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(pair, 16).expect("hexadecimal")
            })
            .collect();
        let layout = Arc::new(TraceLayout::new(all_columns()));
        let mut decoder = TraceDecoder::new(Arc::clone(&layout));
        let appended = decoder.append(Bytes::from(body.clone()));
        assert_eq!(appended.map(|appended| appended.spans), Ok(1));
        let batch = decoder.finish();
        assert_eq!(layout.names(&batch).expect("asked for").value(0), name);
        assert_eq!(check(all_columns(), &[body]), 1);
    }
}

#[test]
fn error_says_what_is_wrong_and_where() {
    let mut decoder = TraceDecoder::new(Arc::new(TraceLayout::new(all_columns())));
    let span = wire::field(1, b"short");
    let body = wire::field(1, &wire::field(2, &wire::field(2, &span)));
    let error = decoder.append(Bytes::from(body));
    assert_eq!(error, Err(DecodeError::TraceId { bytes: 5, at: 8 }));
}
