//! What prost decodes is exactly what was meant.

use std::collections::BTreeMap;
use std::io::Read;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;

use super::super::coding::{Compression, Protocol};
use super::super::scenario::{LoadOptions, Scenario, builtin};
use super::super::source::{Content, Deck, Source};
use super::super::value::{Attribute, Value};
use super::*;
use crate::config;

/// Every type of attribute, and everything that a span may have.
const EVERYTHING: &str = r#"
resources_per_request: 3
span_bytes: 900
resource_attributes:
  text: "{service} {pod} {n} {hex:4} {uuid} {other}"
  bool: true
  int: -3
  double: 0.25
  bytes: {bytes: AAH/}
  list: [a, 1, [2.5, {map: {deep: {bytes: ""}}}], null]
  map: {map: {z: 1, a: "{service}"}}
  empty:
  drawn: {cardinality: 7, distribution: zipf, exponent: 1.3}
services:
  - name: service-{n}
    count: 3
    pods: 4
    pod_name: pod-{n}
    attributes: {bool: false, own: 1}
    scopes:
      - {name: one, version: "1.0", attributes: {scope: 1}}
      - {name: two}
    operations:
      - name: everything
        kind: unspecified
        weight: 3
        latency: {uniform: {min: 0s, max: 2ms}}
        status: {ok: 0.3, error: 0.3, message: it broke}
        trace_state: vendor=x
        flags: 0
        attributes:
          bool: true
          int: 5
          double: -1.5
          bytes: {bytes: AAH/}
          list: [x]
          map: {map: {k: {map: {}}}}
          empty:
          code: {by_status: {unset: 0, ok: ok, error: [1]}}
          user: {cardinality: 1000, format: "u-{n:06}"}
          number: {cardinality: 300, integer: true}
          listed: {values: [GET, {value: {bytes: AA==}, weight: 3}, [1, 2], 4]}
          growing: {growing: {start: 5, per_million: 900000}}
          token: {random: 21}
          id: {random: 3}
        events:
          - {name: broke, on: error, count: 3, attributes: {why: [1]}}
          - {name: went, on: success, share: 0.5}
          - {name: always}
        links: {share: 0.5, count: 4, attributes: {link: true}}
      - name: bare
        scope: two
"#;

fn everything() -> Scenario {
    let source = config::Source::new("everything.yaml", EVERYTHING);
    let read = Scenario::read(source).map_err(|report| report.render());
    read.expect("fits").0
}

fn source(load: impl Into<Scenario>, protocol: Protocol, compression: Compression) -> Source {
    Source::of_load(load, protocol, compression)
}

/// Body and observations of one request made now.
fn request(source: &mut Source, number: u64, spans: u32) -> (Vec<u8>, Vec<Observation>) {
    let outgoing = source.request(&Deck::default(), number, spans);
    let Content::Fresh(observations) = outgoing.content else {
        panic!("an empty deck prepares nothing");
    };
    (outgoing.body.to_vec(), observations)
}

fn value(value: &AnyValue) -> Value {
    match &value.value {
        None => Value::Empty,
        Some(Any::StringValue(text)) => Value::Text(text.clone()),
        Some(Any::BoolValue(bool)) => Value::Bool(*bool),
        Some(Any::IntValue(number)) => Value::Int(*number),
        Some(Any::DoubleValue(number)) => Value::Double(*number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes.clone()),
        Some(Any::ArrayValue(list)) => Value::List(list.values.iter().map(self::value).collect()),
        Some(Any::KvlistValue(map)) => Value::Map(
            map.values
                .iter()
                .map(|pair| Attribute::new(pair.key.clone(), of_pair(pair)))
                .collect(),
        ),
        Some(other) => panic!("unexpected {other:?}"),
    }
}

fn of_pair(pair: &KeyValue) -> Value {
    value(pair.value.as_ref().expect("a value"))
}

fn decoded(attributes: &[KeyValue]) -> Vec<(String, Value)> {
    let map: BTreeMap<String, &KeyValue> = attributes
        .iter()
        .map(|pair| (pair.key.clone(), pair))
        .collect();
    assert_eq!(map.len(), attributes.len(), "no key twice");
    map.into_iter()
        .map(|(key, pair)| (key, of_pair(pair)))
        .collect()
}

/// Sorted by key, as decoded ones are.
fn meant(attributes: &[Attribute]) -> Vec<(String, Value)> {
    let mut meant: Vec<_> = attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), attribute.value.clone()))
        .collect();
    meant.sort_by(|one, other| one.0.cmp(&other.0));
    meant
}

fn check_span(load: &Load, span: &Span, observation: &Observation) {
    let operation = load.operation(observation.shape);
    assert_eq!(span.name, operation.name);
    assert_eq!(span.kind, operation.kind as i32);
    assert_eq!(span.trace_state, operation.trace_state);
    assert_eq!(span.flags, operation.flags);
    assert_eq!(
        span.end_time_unix_nano - span.start_time_unix_nano,
        observation.duration_ns
    );
    let lengths = [&span.trace_id, &span.span_id, &span.parent_span_id].map(Vec::len);
    assert_eq!(lengths, [16, 8, 8]);
    let status = span.status.clone().unwrap_or_default();
    assert_eq!(status.code, observation.shape.status as i32);
    let message = match observation.shape.status {
        Status::Error => operation.status.message.as_str(),
        Status::Unset | Status::Ok => "",
    };
    assert_eq!(status.message, message);

    let mut attributes = decoded(&span.attributes);
    for (key, digits) in &operation.random {
        let index = attributes.iter().position(|(found, _)| found == key);
        let (_, value) = attributes.remove(index.expect("on every span"));
        let Value::Text(text) = value else {
            panic!("digits are text: {value:?}");
        };
        assert_eq!(text.len(), *digits);
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_eq!(attributes, meant(&load.attributes(observation.shape)));

    let events = span.events.iter();
    let names: Vec<&str> = events.map(|event| event.name.as_str()).collect();
    let wanted = operation.events.iter().zip(observation.events);
    let wanted = wanted.flat_map(|(event, count)| vec![event.name.as_str(); usize::from(count)]);
    assert_eq!(names, wanted.collect::<Vec<_>>());
    for found in &span.events {
        let mut kinds = operation.events.iter();
        let event = kinds.find(|event| event.name == found.name);
        let event = event.expect("one of the operation");
        assert_eq!(decoded(&found.attributes), meant(&event.attributes));
        assert!(event.is_on(observation.shape.status));
    }
    assert_eq!(span.links.len(), usize::from(observation.links));
    for link in &span.links {
        assert_eq!((link.trace_id.len(), link.span_id.len()), (16, 8));
        assert_eq!(
            decoded(&link.attributes),
            meant(&operation.links.attributes)
        );
    }
}

/// The spans of one resource, which stand in a row in the observations.
fn check_resource(load: &Load, found: &ResourceSpans, observations: &[Observation]) {
    let resource = found.resource.as_ref().expect("a resource");
    let shape = observations[0].shape;
    let wanted = load.resource(shape);
    assert_eq!(decoded(&resource.attributes), meant(&wanted.attributes));
    assert!(
        observations
            .iter()
            .all(|observation| observation.shape.resource == shape.resource)
    );

    // Within a scope, spans stand in the order they were drawn.
    let mut scopes_seen = 0;
    let service = &load.scenario.services[wanted.service as usize];
    for (scope, wanted_scope) in service.scopes.iter().enumerate() {
        let wanted: Vec<_> = observations
            .iter()
            .filter(|observation| load.operation(observation.shape).scope == scope)
            .collect();
        let is_it = |of: &&opentelemetry_proto::tonic::trace::v1::ScopeSpans| {
            of.scope.as_ref().expect("a scope").name == wanted_scope.name
        };
        let Some(found) = found.scope_spans.iter().find(is_it) else {
            assert!(wanted.is_empty(), "a scope without spans is left out");
            continue;
        };
        scopes_seen += 1;
        let scope = found.scope.as_ref().expect("a scope");
        assert_eq!(scope.version, wanted_scope.version);
        assert_eq!(decoded(&scope.attributes), meant(&wanted_scope.attributes));
        assert_eq!(found.spans.len(), wanted.len());
        for (span, observation) in found.spans.iter().zip(wanted) {
            check_span(load, span, observation);
        }
    }
    assert_eq!(found.scope_spans.len(), scopes_seen);
}

fn check_message(scenario: impl Into<Scenario>, message: &[u8], observations: &[Observation]) {
    let load = Load::new(scenario);
    let request = ExportTraceServiceRequest::decode(message).expect("well-formed");
    assert_eq!(
        request.encode_to_vec().len(),
        message.len(),
        "nothing unknown"
    );
    let mut rest = observations;
    for of_resource in &request.resource_spans {
        let scopes = of_resource.scope_spans.iter();
        let count = scopes.map(|scope| scope.spans.len()).sum();
        let (own, others) = rest.split_at(count);
        check_resource(&load, of_resource, own);
        rest = others;
    }
    assert_eq!(rest, []);
}

#[test]
fn decoded_requests_of_every_scenario_are_what_was_meant() {
    let built_in = builtin::ALL.map(|(name, _)| builtin::scenario(name).expect("built in"));
    for scenario in built_in.into_iter().chain([everything()]) {
        let spans = scenario.spans_per_request;
        let mut source = source(scenario.clone(), Protocol::Http, Compression::None);
        for (number, spans) in [(0, spans), (1, 1), (1 << 40, 30)] {
            let (message, observations) = request(&mut source, number, spans);
            assert_eq!(observations.len(), spans as usize);
            check_message(scenario.clone(), &message, &observations);
        }
    }
}

#[test]
fn everything_that_may_be_on_a_span_is_drawn() {
    let load = Load::new(everything());
    let mut source = source(everything(), Protocol::Http, Compression::None);
    let (_, observations) = request(&mut source, 3, 3_000);
    for status in Status::ALL {
        assert!(observations.iter().any(|seen| seen.shape.status == status));
    }
    for links in 0..=4 {
        assert!(observations.iter().any(|seen| seen.links == links));
    }
    let resources: Vec<u32> = observations
        .iter()
        .map(|seen| seen.shape.resource)
        .collect();
    let changes = resources.windows(2).filter(|pair| pair[0] != pair[1]);
    assert_eq!(changes.count(), 2, "three resources in the request");
    let users: std::collections::BTreeSet<String> = observations
        .iter()
        .flat_map(|seen| load.attributes(seen.shape))
        .filter(|attribute| attribute.key == "user")
        .map(|attribute| attribute.value.label_text())
        .collect();
    assert!(users.len() > 850, "{}", users.len());
}

#[test]
fn decoded_requests_of_sized_loads_are_what_was_meant() {
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
            check_message(options.clone(), &message, &observations);
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
    check_message(options, &body[5..], &observations);
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
        check_message(options.clone(), &message, &observations);
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

/// The message with its times, which are all that may differ, set to 0.
fn timeless(message: &[u8]) -> Vec<u8> {
    let mut request = ExportTraceServiceRequest::decode(message).expect("well-formed");
    let resources = request.resource_spans.iter_mut();
    let scopes = resources.flat_map(|resource| &mut resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans) {
        span.start_time_unix_nano = 0;
        span.end_time_unix_nano = 0;
        for event in &mut span.events {
            event.time_unix_nano = 0;
        }
    }
    request.encode_to_vec()
}

#[test]
fn request_of_a_seed_has_the_same_bytes_from_every_source() {
    for scenario in [everything(), LoadOptions::default().into()] {
        let make = || source(scenario.clone(), Protocol::Http, Compression::None);
        let (mut one, mut other) = (make(), make());
        request(&mut one, 3, 10);
        let (first, observations) = request(&mut one, 8, 50);
        let (again, same) = request(&mut other, 8, 50);
        assert_eq!(observations, same);
        assert_eq!(timeless(&first), timeless(&again));
        assert_ne!(observations, request(&mut other, 9, 50).1);
        let mut seeded = scenario.clone();
        seeded.seed = 2;
        let mut seeded = source(seeded, Protocol::Http, Compression::None);
        assert_ne!(observations, request(&mut seeded, 8, 50).1);
    }
}
