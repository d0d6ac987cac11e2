//! The decoder allocates nothing per row once its columns have grown, and a fixed number of times
//! per batch. In a file of its own: the allocator that counts is the whole program's.

mod counting_allocator;

use std::sync::Arc;

use bytes::Bytes;
use counting_allocator::allocations;
use spanmill::batch::any_value::{Value, encode, put_key_value};
use spanmill::batch::proto::put_bytes;
use spanmill::batch::{TraceColumns, TraceLayout};
use spanmill::decode::TraceDecoder;

/// One resource with `spans` spans: two wanted attributes, `unwanted` others, an event.
fn request(spans: usize, unwanted: usize) -> Bytes {
    let mut scope_spans = Vec::new();
    for number in 0..spans {
        let mut span = Vec::new();
        put_bytes(&mut span, 5, b"a name longer than a view");
        let mut attributes = Vec::new();
        put_key_value(
            &mut attributes,
            b"wanted.text",
            &encode(Value::Str(b"a value of 20 bytes.")),
        );
        put_key_value(
            &mut attributes,
            b"wanted.int",
            &encode(Value::Int(number as i64)),
        );
        for number in 0..unwanted {
            let key = format!("unwanted.{number}");
            put_key_value(
                &mut attributes,
                key.as_bytes(),
                &encode(Value::Str(b"value")),
            );
        }
        // `put_key_value` writes field 1; a span has its attributes in field 9.
        let mut rest = &attributes[..];
        while let [_, bytes, ..] = *rest {
            let (attribute, behind) = rest[2..].split_at(usize::from(bytes));
            put_bytes(&mut span, 9, attribute);
            rest = behind;
        }
        put_bytes(&mut span, 11, b"\x12\x05event");
        put_bytes(&mut scope_spans, 2, &span);
    }
    let mut resource_spans = Vec::new();
    put_bytes(&mut resource_spans, 1, b"\x0a\x03\x0a\x01k");
    put_bytes(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    put_bytes(&mut request, 1, &resource_spans);
    Bytes::from(request)
}

fn decoder() -> TraceDecoder {
    TraceDecoder::new(Arc::new(TraceLayout::new(TraceColumns {
        name: true,
        kind: true,
        status: true,
        times: true,
        span_attributes: vec![b"wanted.text".to_vec(), b"wanted.int".to_vec()],
        event_attributes: Some(vec![b"wanted.too".to_vec()]),
    })))
}

/// Allocations of the columns and of a whole batch, when the decoder has seen such a batch before.
fn steady(bodies: &[Bytes]) -> (usize, usize) {
    let mut decoder = decoder();
    let mut counted = (0, 0);
    for _ in 0..3 {
        let mut batch = None;
        let appending = allocations(|| {
            for body in bodies {
                decoder.append(body.clone()).expect("well-formed");
            }
        });
        let finishing = allocations(|| batch = Some(decoder.finish()));
        let recycling = allocations(|| decoder.recycle(batch.take().expect("just made")));
        counted = (appending, appending + finishing + recycling);
    }
    counted
}

#[test]
fn appending_allocates_nothing_whatever_the_rows_and_attributes() {
    for (spans, unwanted) in [(1, 0), (1, 30), (512, 0), (512, 30), (2_000, 3)] {
        let body = request(spans, unwanted);
        assert_eq!(steady(&[body]).0, 0, "{spans} spans, {unwanted} unwanted");
    }
    let small = request(10, 30);
    assert_eq!(steady(&vec![small; 8]).0, 0);
}

#[test]
fn batch_allocates_the_same_for_one_row_as_for_thousands() {
    /// Three for each of the 11 columns (buffer, validity, array), two for each body, and some for
    /// the three tables.
    const BATCH_ALLOCATIONS_MAX: usize = 45;
    let one = steady(&[request(1, 0)]).1;
    assert_eq!(steady(&[request(2_000, 30)]).1, one);
    assert!(one <= BATCH_ALLOCATIONS_MAX, "{one}");
    let eight = steady(&vec![request(10, 5); 8]).1;
    assert!(eight <= one + 7 * 2, "{eight}");
}

#[test]
fn malformed_request_allocates_nothing() {
    let mut decoder = decoder();
    let good = request(512, 3);
    let bad = good.slice(..good.len() - 1);
    let batch = {
        decoder.append(good.clone()).expect("well-formed");
        decoder.finish()
    };
    decoder.recycle(batch);
    let counted = allocations(|| {
        let refused = decoder.append(bad.clone());
        assert!(refused.is_err());
    });
    assert_eq!(counted, 0);
}
