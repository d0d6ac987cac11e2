//! What prost decodes is exactly what was meant.

use std::collections::BTreeMap;
use std::io::Read;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::super::coding::{Compression, Protocol};
use super::super::load::LoadOptions;
use super::super::source::{Content, Deck, Source};
use super::super::value::{Attribute, Value};
use super::*;

fn source(options: LoadOptions, protocol: Protocol, compression: Compression) -> Source {
    Source::of_load(options, protocol, compression)
}

/// Body and observations of one request made now.
fn request(source: &mut Source, number: u64, spans: u32) -> (Vec<u8>, Vec<Observation>) {
    let outgoing = source.request(&Deck::default(), number, spans);
    let Content::Fresh(observations) = outgoing.content else {
        panic!("an empty deck prepares nothing");
    };
    (outgoing.body.to_vec(), observations)
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().expect("a value") {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        Any::ArrayValue(array) => {
            let texts = array.values.iter().map(|value| Value::Text(text(value)));
            Value::List(texts.collect()).label_text()
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn decoded(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let map: BTreeMap<_, _> = attributes
        .iter()
        .map(|pair| {
            (
                pair.key.clone(),
                text(pair.value.as_ref().expect("a value")),
            )
        })
        .collect();
    assert_eq!(map.len(), attributes.len(), "no key twice");
    map
}

fn meant(attributes: &[Attribute]) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), attribute.value.label_text()))
        .collect()
}

fn check_span(load: &Load, span: &Span, observation: &Observation) {
    let operation = load.operation(observation.shape);
    let ending = observation.shape.ending;
    assert_eq!(span.name, operation.name);
    assert_eq!(span.kind, operation.kind as i32);
    assert_eq!(
        span.end_time_unix_nano - span.start_time_unix_nano,
        observation.duration_ns
    );
    let lengths = [&span.trace_id, &span.span_id, &span.parent_span_id].map(Vec::len);
    assert_eq!(lengths, [16, 8, 8]);
    let status = span.status.as_ref().map_or(0, |status| status.code);
    assert_eq!(status, operation.status(ending) as i32);

    let mut attributes = decoded(&span.attributes);
    let request_id = attributes.remove("request.id").expect("on every span");
    assert_eq!(request_id.len(), REQUEST_ID_BYTES);
    assert!(request_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(attributes, meant(&load.attributes(observation.shape)));

    for kind in 0..EVENT_KINDS {
        let (name, attributes) = event(kind);
        let found: Vec<_> = span
            .events
            .iter()
            .filter(|event| event.name == name)
            .collect();
        assert_eq!(found.len(), usize::from(observation.events[kind]));
        for event in found {
            assert_eq!(decoded(&event.attributes), meant(&attributes));
        }
    }
}

fn check_message(options: &LoadOptions, message: &[u8], observations: &[Observation]) {
    let load = Load::new(options.clone());
    let request = ExportTraceServiceRequest::decode(message).expect("well-formed");
    assert_eq!(
        request.encode_to_vec().len(),
        message.len(),
        "nothing unknown"
    );
    let [of_resource] = &request.resource_spans[..] else {
        panic!("one resource a request");
    };
    let resource = of_resource.resource.as_ref().expect("a resource");
    let wanted = load.resource(observations[0].shape);
    assert_eq!(decoded(&resource.attributes), meant(&wanted.attributes));

    // Within a scope, spans stand in the order they were drawn.
    let mut scopes_seen = 0;
    for (scope, (name, version)) in vocabulary::SCOPES.iter().enumerate() {
        let wanted: Vec<_> = observations
            .iter()
            .filter(|observation| load.operation(observation.shape).scope == scope)
            .collect();
        let found = of_resource.scope_spans.iter().find(|found| {
            found
                .scope
                .as_ref()
                .is_some_and(|scope| scope.name == *name)
        });
        let Some(found) = found else {
            assert!(wanted.is_empty(), "a scope without spans is left out");
            continue;
        };
        scopes_seen += 1;
        assert_eq!(found.scope.as_ref().expect("a scope").version, *version);
        assert_eq!(found.spans.len(), wanted.len());
        for (span, observation) in found.spans.iter().zip(wanted) {
            check_span(&load, span, observation);
        }
    }
    assert_eq!(of_resource.scope_spans.len(), scopes_seen);
}

#[test]
fn decoded_requests_are_what_was_meant() {
    for (seed, spans, users, span_bytes) in [
        (1, 1, 0, 300),
        (2, 50, 0, 800),
        (3, 512, 1_000, 1_900),
        (4, 200, 10_000_000, 0),
    ] {
        let options = LoadOptions {
            seed,
            users,
            span_bytes,
            error_share: 0.3,
            event_share: 0.5,
            resources: 3,
            ..LoadOptions::default()
        };
        let mut source = source(options.clone(), Protocol::Http, Compression::None);
        for number in 0..5 {
            let (message, observations) = request(&mut source, number, spans);
            assert_eq!(observations.len(), spans as usize);
            check_message(&options, &message, &observations);
        }
    }
}

#[test]
fn grpc_body_is_the_prefixed_message() {
    let options = LoadOptions::default();
    let mut source = source(options.clone(), Protocol::Grpc, Compression::None);
    let (body, observations) = request(&mut source, 7, 40);
    let length = u32::from_be_bytes(body[1..5].try_into().expect("four bytes"));
    assert_eq!((body[0], length as usize), (0, body.len() - 5));
    check_message(&options, &body[5..], &observations);
}

#[test]
fn compressed_bodies_inflate_to_the_message() {
    let options = LoadOptions::default();
    for (protocol, prefix_bytes) in [(Protocol::Grpc, 5), (Protocol::Http, 0)] {
        let mut source = source(options.clone(), protocol, Compression::Gzip);
        let (body, observations) = request(&mut source, 7, 40);
        if protocol == Protocol::Grpc {
            let length = u32::from_be_bytes(body[1..5].try_into().expect("four bytes"));
            assert_eq!((body[0], length as usize), (1, body.len() - 5));
        }
        let mut message = Vec::new();
        flate2::read::GzDecoder::new(&body[prefix_bytes..])
            .read_to_end(&mut message)
            .expect("gzip");
        check_message(&options, &message, &observations);
    }
}

#[test]
fn spans_have_the_size_that_was_asked_for() {
    for span_bytes in [300, 800, 1_900] {
        let options = LoadOptions {
            span_bytes,
            users: 100,
            error_share: 0.0,
            event_share: 0.0,
            ..LoadOptions::default()
        };
        let mut source = source(options, Protocol::Http, Compression::None);
        let (message, _) = request(&mut source, 0, 2_000);
        let mean = message.len() as f64 / 2_000.0;
        let wanted = span_bytes as f64;
        assert!((mean - wanted).abs() < 0.04 * wanted, "{mean} for {wanted}");
    }
}

#[test]
fn request_of_a_seed_is_the_same_for_every_source() {
    let make = || source(LoadOptions::default(), Protocol::Http, Compression::None);
    let (mut one, mut other) = (make(), make());
    request(&mut one, 3, 10);
    assert_eq!(request(&mut one, 8, 10).1, request(&mut other, 8, 10).1);
    assert_ne!(request(&mut one, 8, 10).1, request(&mut other, 9, 10).1);
}
