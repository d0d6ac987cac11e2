//! What a batch holds, and what becomes of it when it comes back.

use std::sync::Arc;

use arrow_array::{Array, BinaryViewArray, RecordBatch};
use bytes::Bytes;
use spanmill::batch::any_value::{Value, encode};
use spanmill::batch::proto::put_bytes;
use spanmill::batch::{TraceBatch, TraceColumns, TraceLayout};
use spanmill::decode::TraceDecoder;

const LONG: &[u8] = b"a name longer than a view";

fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, number, content);
    out
}

fn attribute(key: &[u8], cell: Option<&[u8]>) -> Vec<u8> {
    let value = cell.map(|cell| field(2, cell)).unwrap_or_default();
    field(9, &[field(1, key), value].concat())
}

/// A request of these spans under the resource.
fn request(resource: &[u8], spans: &[Vec<u8>]) -> Bytes {
    let spans: Vec<_> = spans.iter().flat_map(|span| field(2, span)).collect();
    let resource_spans = [field(1, resource), field(2, &spans)].concat();
    Bytes::from(field(1, &resource_spans))
}

fn decoder() -> (Arc<TraceLayout>, TraceDecoder) {
    let layout = Arc::new(TraceLayout::new(TraceColumns {
        name: true,
        span_attributes: vec![b"zone".to_vec()],
        ..TraceColumns::default()
    }));
    (Arc::clone(&layout), TraceDecoder::new(layout))
}

fn names(layout: &TraceLayout, batch: &TraceBatch) -> Vec<Vec<u8>> {
    let names = layout.names(batch).expect("asked for");
    names.iter().flatten().map(<[u8]>::to_vec).collect()
}

#[test]
fn absent_attribute_is_null_and_one_without_a_value_is_empty() {
    let (layout, mut decoder) = decoder();
    let text = encode(Value::Str(b"eu"));
    let spans = [
        attribute(b"other", Some(&text)),
        attribute(b"zone", None),
        attribute(b"zone", Some(b"")),
        attribute(b"zone", Some(&text)),
    ];
    decoder.append(request(b"", &spans)).expect("well-formed");
    let batch = decoder.finish();
    let cells: Vec<_> = layout.span_attribute(&batch, 0).iter().collect();
    assert_eq!(cells, [None, Some(&b""[..]), Some(b""), Some(&text)]);
}

#[test]
fn first_of_equal_keys_counts() {
    let (layout, mut decoder) = decoder();
    let (first, second) = (encode(Value::Str(LONG)), encode(Value::Int(2)));
    let twice =
        |a: &[u8], b: &[u8]| [attribute(b"zone", Some(a)), attribute(b"zone", Some(b))].concat();
    let spans = [twice(&first, &second), twice(b"", &second)];
    decoder.append(request(b"", &spans)).expect("well-formed");
    let batch = decoder.finish();
    let cells: Vec<_> = layout.span_attribute(&batch, 0).iter().collect();
    assert_eq!(cells, [Some(&first[..]), Some(b"")]);
}

#[test]
fn resource_behind_its_spans_and_in_parts_is_one_cell() {
    let (layout, mut decoder) = decoder();
    let spans = field(2, &field(2, &field(5, LONG)));
    let resource_spans = [field(1, &[0x10, 1]), spans, field(1, &[0x10, 2])].concat();
    let body = Bytes::from(field(1, &resource_spans));
    decoder.append(body).expect("well-formed");
    let batch = decoder.finish();
    assert_eq!(layout.resources(&batch).value(0), [0x10, 1, 0x10, 2]);
    assert_eq!(layout.span_resources(&batch).value(0), 0);
}

#[test]
fn long_values_stay_in_the_body() {
    let (layout, mut decoder) = decoder();
    let body = request(b"", &[field(5, LONG)]);
    decoder.append(body.clone()).expect("well-formed");
    let batch = decoder.finish();
    let name = layout.names(&batch).expect("asked for").value(0);
    assert!(body.as_ptr_range().contains(&name.as_ptr()));
}

#[test]
fn batch_that_somebody_keeps_is_not_written_over() {
    let (layout, mut decoder) = decoder();
    decoder
        .append(request(b"", &[field(5, LONG)]))
        .expect("well-formed");
    let batch = decoder.finish();
    let kept = batch.clone();
    decoder.recycle(batch);
    decoder
        .append(request(b"", &[field(5, b"other")]))
        .expect("well-formed");
    let next = decoder.finish();
    assert_eq!(names(&layout, &kept), [LONG]);
    assert_eq!(names(&layout, &next), [b"other"]);
}

#[test]
fn batch_that_comes_back_late_disturbs_nothing() {
    let (layout, mut decoder) = decoder();
    decoder
        .append(request(b"", &[field(5, LONG)]))
        .expect("well-formed");
    let batch = decoder.finish();
    decoder
        .append(request(b"", &[field(5, b"other")]))
        .expect("well-formed");
    decoder.recycle(batch);
    assert_eq!(names(&layout, &decoder.finish()), [b"other"]);
}

#[test]
fn batch_with_other_resources_comes_back_as_well() {
    let (layout, mut decoder) = decoder();
    let body = request(LONG_RESOURCE, &[field(5, LONG)]);
    decoder.append(body.clone()).expect("well-formed");
    let mut batch = decoder.finish();
    let rewritten = BinaryViewArray::from_iter_values([b"rewritten and longer than a view"]);
    batch.resources = RecordBatch::try_new(batch.resources.schema(), vec![Arc::new(rewritten)])
        .expect("one column");
    decoder.recycle(batch);
    decoder.append(body).expect("well-formed");
    let next = decoder.finish();
    assert_eq!(layout.resources(&next).value(0), LONG_RESOURCE);
    assert_eq!(layout.resources(&next).len(), 1);
}

/// A `Resource` with one attribute, longer than a view.
const LONG_RESOURCE: &[u8] = b"\x0a\x12\x0a\x04zone\x12\x0a\x0a\x08eu-west1";

#[test]
fn refused_request_after_a_batch_came_back_leaves_clean_rows() {
    let (layout, mut decoder) = decoder();
    let cell = encode(Value::Int(1));
    let full = [field(5, LONG), attribute(b"zone", Some(&cell))].concat();
    let good = request(LONG_RESOURCE, &vec![full; 100]);
    decoder.append(good.clone()).expect("well-formed");
    let batch = decoder.finish();
    decoder.recycle(batch);
    decoder
        .append(good.slice(..good.len() - 1))
        .expect_err("cut");
    let empty = request(b"", &vec![Vec::new(); 100]);
    decoder.append(empty).expect("well-formed");
    let batch = decoder.finish();
    assert_eq!(names(&layout, &batch), vec![b""; 100]);
    assert_eq!(layout.span_attribute(&batch, 0).null_count(), 100);
}

#[test]
fn batches_without_a_cell_share_a_column_and_keep_it_apart_from_those_with_one() {
    let (layout, mut decoder) = decoder();
    let cell = encode(Value::Int(1));
    let bare = request(b"", &[Vec::new(), Vec::new()]);
    let full = request(b"", &[Vec::new(), attribute(b"zone", Some(&cell))]);
    let three = request(b"", &[Vec::new(), Vec::new(), Vec::new()]);
    let mut held = Vec::new();
    for (body, cells) in [
        (&bare, vec![None, None]),
        (&full, vec![None, Some(&cell[..])]),
        (&bare, vec![None, None]),
        (&three, vec![None, None, None]),
        (&full, vec![None, Some(&cell[..])]),
    ] {
        decoder.append(body.clone()).expect("well-formed");
        let batch = decoder.finish();
        held.push((batch.clone(), cells));
        decoder.recycle(batch);
        for (batch, cells) in &held {
            let zones: Vec<_> = layout.span_attribute(batch, 0).iter().collect();
            assert_eq!(zones, *cells);
        }
    }
}

#[test]
fn finish_without_a_request_is_an_empty_batch() {
    let (layout, mut decoder) = decoder();
    let batch = decoder.finish();
    assert_eq!(
        (batch.spans.num_rows(), layout.resources(&batch).len()),
        (0, 0)
    );
}

#[test]
fn merged_columns_are_those_that_anybody_wants() {
    let mut columns = TraceColumns {
        name: true,
        span_attributes: vec![b"a".to_vec(), b"b".to_vec()],
        ..TraceColumns::default()
    };
    columns.merge(&TraceColumns {
        times: true,
        span_attributes: vec![b"c".to_vec(), b"a".to_vec()],
        event_attributes: Some(vec![b"e".to_vec()]),
        ..TraceColumns::default()
    });
    columns.merge(&TraceColumns::default());
    let layout = TraceLayout::new(columns);
    let columns: Vec<_> = layout
        .spans_schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    assert_eq!(columns, ["resource", "name", "start", "end", "a", "b", "c"]);
    assert_eq!(layout.span_attribute_index(b"c"), Some(2));
    assert_eq!(layout.span_attribute_index(b"d"), None);
    assert_eq!(layout.event_attribute_index(b"e"), Some(0));
}

/// A span of two bytes is a row as large as any: rows are bounded apart from bytes.
#[test]
fn requests_of_more_rows_than_fit_are_refused_whole_and_the_next_is_taken() {
    let columns = TraceColumns {
        span_attributes: vec![b"http.route".to_vec(); 1],
        ..TraceColumns::default()
    };
    let mut decoder = TraceDecoder::new(Arc::new(TraceLayout::new(columns)));
    let mut scope = Vec::new();
    for _ in 0..1_000_000 {
        put_bytes(&mut scope, 2, b"");
    }
    let mut resource_spans = Vec::new();
    put_bytes(&mut resource_spans, 2, &scope);
    let mut body = Vec::new();
    put_bytes(&mut body, 1, &resource_spans);
    let error = decoder.append(Bytes::from(body)).unwrap_err();
    assert_eq!(error.code(), "rows");
    assert!(error.is_too_large());
    assert_eq!(decoder.spans(), 0);
    let small = Bytes::from_static(b"\x0a\x04\x12\x02\x12\x00");
    assert_eq!(decoder.append(small).unwrap().spans, 1);
    assert_eq!(decoder.finish().spans.num_rows(), 1);
}
