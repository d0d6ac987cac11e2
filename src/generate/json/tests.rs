//! Each kind of value, against JSON written by hand; whole requests stand in `tests/`.

use super::*;
use crate::generate::wire::{put_bytes, put_fixed32, put_fixed64, put_int};

fn json(message: &'static Message, bytes: &[u8]) -> String {
    let mut transcoder = Transcoder {
        out: Vec::new(),
        occurrences: Vec::new(),
    };
    transcoder.message(message, bytes).unwrap();
    String::from_utf8(transcoder.out).unwrap()
}

#[test]
fn ids_are_hexadecimal_and_bytes_are_base64() {
    let mut span = Vec::new();
    put_bytes(&mut span, 2, &[0x0a, 0xff]);
    put_fixed32(&mut span, 16, 0x301);
    assert_eq!(
        json(&schema::SPAN, &span),
        r#"{"spanId":"0aff","flags":769}"#
    );

    let mut value = Vec::new();
    put_bytes(&mut value, 7, &[0x0a, 0xff]);
    assert_eq!(json(&schema::ANY_VALUE, &value), r#"{"bytesValue":"Cv8="}"#);
}

#[test]
fn wide_integers_are_text_and_narrow_ones_numbers() {
    let mut point = Vec::new();
    put_fixed64(&mut point, 6, (-5_i64).cast_unsigned());
    put_fixed64(&mut point, 3, u64::MAX);
    put_int(&mut point, 8, 1);
    assert_eq!(
        json(&schema::NUMBER_POINT, &point),
        r#"{"timeUnixNano":"18446744073709551615","asInt":"-5","flags":1}"#
    );
    // sint32: -3 is 5 on the wire.
    let mut buckets = Vec::new();
    put_int(&mut buckets, 1, 5);
    put_bytes(&mut buckets, 2, &[1, 0x80, 1]);
    assert_eq!(
        json(&schema::BUCKETS, &buckets),
        r#"{"offset":-3,"bucketCounts":["1","128"]}"#
    );
}

#[test]
fn doubles_that_json_lacks_are_text() {
    let of = |value: f64| {
        let mut message = Vec::new();
        put_fixed64(&mut message, 4, value.to_bits());
        json(&schema::ANY_VALUE, &message)
    };
    assert_eq!(of(0.1), r#"{"doubleValue":0.1}"#);
    assert_eq!(of(f64::NAN), r#"{"doubleValue":"NaN"}"#);
    assert_eq!(of(f64::INFINITY), r#"{"doubleValue":"Infinity"}"#);
    assert_eq!(of(f64::NEG_INFINITY), r#"{"doubleValue":"-Infinity"}"#);
}

#[test]
fn a_repeated_field_is_one_array_wherever_its_parts_stand() {
    let mut event = Vec::new();
    put_bytes(&mut event, 3, b"\x0a\x01a");
    put_bytes(&mut event, 2, b"quote \" and \n line");
    put_bytes(&mut event, 3, b"\x0a\x01b");
    assert_eq!(
        json(&schema::EVENT, &event),
        r#"{"name":"quote \" and \n line","attributes":[{"key":"a"},{"key":"b"}]}"#
    );
}

#[test]
fn an_empty_message_is_an_empty_object() {
    assert_eq!(transcode(Signal::Logs, b""), b"{}");
    assert_eq!(
        transcode(Signal::Traces, b"\x0a\x00"),
        br#"{"resourceSpans":[{}]}"#
    );
}
