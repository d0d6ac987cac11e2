//! Trace requests as an instrumented shop would send them, of a wanted size a span.
//!
//! Shared by the benches. Made with the generated messages of `opentelemetry-proto`, not with our
//! own encoder, and always the same for the same arguments.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use spanmill::batch::TraceColumns;

const RESOURCE: [(&str, &str); 14] = [
    ("service.name", "checkout"),
    ("service.namespace", "shop"),
    ("service.version", "1.42.7"),
    (
        "service.instance.id",
        "6b0c7f8e-6c1f-4b57-9f6b-4f5b8f3a2f10",
    ),
    ("telemetry.sdk.name", "opentelemetry"),
    ("telemetry.sdk.language", "java"),
    ("telemetry.sdk.version", "1.49.0"),
    ("host.name", "node-17.eu-west-1.internal"),
    ("k8s.pod.name", "checkout-7d4b9c6f5d-x2x9k"),
    ("k8s.namespace.name", "production"),
    ("os.type", "linux"),
    ("os.description", "Linux 6.1.0-18-cloud-amd64"),
    ("process.runtime.version", "21.0.4+7-LTS"),
    (
        "container.id",
        "a3f1c5e7d9b20413a3f1c5e7d9b20413a3f1c5e7d9b20413a3f1c5e7d9b20413",
    ),
];

const ROUTES: [&str; 8] = [
    "/api/cart",
    "/api/v1/orders/{id}",
    "/health",
    "/api/v1/products/{id}/reviews",
    "/login",
    "/api/v2/search",
    "/static/{file}",
    "/api/v1/users/{id}",
];

/// Attributes that nobody asks for, in the order in which spans get longer.
const UNWANTED: [(&str, &str); 38] = [
    ("url.scheme", "https"),
    ("server.address", "checkout.shop.svc"),
    ("network.protocol.version", "1.1"),
    ("thread.name", "http-nio-8080-exec-7"),
    ("url.path", "/api/v1/orders/1234567"),
    ("client.address", "192.168.17.4"),
    (
        "user_agent.original",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    ),
    ("network.transport", "tcp"),
    ("network.peer.address", "10.11.12.13"),
    ("peer.service", "payments"),
    ("code.function", "placeOrder"),
    (
        "code.namespace",
        "com.example.shop.checkout.OrderController",
    ),
    ("tenant", "acme-corp"),
    ("session.id", "b2f5ff47436671b6"),
    ("enduser.role", "customer"),
    ("rpc.method", "PlaceOrder"),
    ("rpc.service", "shop.Checkout"),
    ("rpc.system", "grpc"),
    ("db.system", "postgresql"),
    ("db.name", "orders"),
    ("db.operation.name", "SELECT"),
    (
        "db.query.text",
        "SELECT id, total, currency FROM orders WHERE customer_id = $1",
    ),
    ("messaging.system", "kafka"),
    ("messaging.operation.type", "publish"),
    ("messaging.destination.name", "orders.created"),
    ("cloud.region", "eu-west-1"),
    ("cloud.availability_zone", "eu-west-1b"),
    ("feature_flag.key", "checkout-v2"),
    ("request.id", "5e7a1c3b-0f3a-4b9f-8a58-93d2fd3f2e51"),
    ("cart.currency", "EUR"),
    ("payment.method", "card"),
    ("payment.provider", "example-pay"),
    ("shipping.carrier", "dhl-express"),
    ("shipping.country", "DE"),
    ("experiment.arm", "treatment-b"),
    ("app.build", "2024-11-05T10:11:12Z-3f9c1d2"),
    ("warehouse", "fra-2"),
    ("retry.reason", "none"),
];

/// What the guide's configuration looks at, events apart.
pub fn guide_columns() -> TraceColumns {
    TraceColumns {
        name: true,
        kind: true,
        status: true,
        times: true,
        span_attributes: [
            "http.method",
            "http.response.status_code",
            "http.route",
            "user.id",
        ]
        .map(|key| key.as_bytes().to_vec())
        .to_vec(),
        event_attributes: None,
    }
}

/// The same with events, as the guide has it.
pub fn guide_columns_with_events() -> TraceColumns {
    TraceColumns {
        event_attributes: Some(vec![b"default".to_vec()]),
        ..guide_columns()
    }
}

/// A request of `spans` spans of `span_bytes` bytes each, within a few bytes.
pub fn request(spans: usize, span_bytes: usize) -> Vec<u8> {
    let spans = (0..spans as u64).map(|number| sized_span(number, span_bytes));
    encode(spans.collect())
}

/// A request of one span with nothing but `attributes` attributes that nobody asks for.
pub fn unwanted_attributes(attributes: usize) -> Vec<u8> {
    let listed = UNWANTED.iter().cycle().take(attributes);
    let span = Span {
        attributes: listed.map(|(key, value)| text(key, value)).collect(),
        ..Span::default()
    };
    encode(vec![span])
}

/// The bytes of a `Resource` as the requests have it.
pub fn resource() -> Resource {
    Resource {
        attributes: RESOURCE
            .iter()
            .map(|(key, value)| text(key, value))
            .collect(),
        ..Resource::default()
    }
}

fn encode(spans: Vec<Span>) -> Vec<u8> {
    let scope = InstrumentationScope {
        name: "io.opentelemetry.tomcat-10.0".to_owned(),
        version: "2.9.0-alpha".to_owned(),
        ..InstrumentationScope::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// Spreads the bits of a number (`SplitMix64`), so that ids and times differ.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

fn sized_span(number: u64, span_bytes: usize) -> Span {
    let random = mixed(number);
    let method = ["GET", "POST", "DELETE"][random as usize % 3];
    let route = ROUTES[(random >> 8) as usize % ROUTES.len()];
    let start = 1_700_000_000_000_000_000 + (random >> 24);
    let mut attributes = vec![
        text("http.method", method),
        text("http.route", route),
        int(
            "http.response.status_code",
            [200, 404, 500][(random >> 16) as usize % 3],
        ),
        text("user.id", &format!("user-{}", random % 10)),
        int("server.port", 8443),
        int("thread.id", (random % 200) as i64),
    ];
    let mut span = Span {
        trace_id: [random, mixed(random)].map(u64::to_be_bytes).concat(),
        span_id: mixed(!random).to_be_bytes().to_vec(),
        parent_span_id: mixed(random ^ 7).to_be_bytes().to_vec(),
        flags: 257,
        name: format!("{method} {route}"),
        kind: SpanKind::Server as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: start + (random >> 40),
        status: Some(Status {
            code: (random % 3) as i32,
            ..Status::default()
        }),
        ..Span::default()
    };
    if span_bytes > 1_000 {
        span.events.push(Event {
            time_unix_nano: start + 5,
            name: "exception".to_owned(),
            attributes: vec![
                text("exception.type", "java.lang.IllegalStateException"),
                text(
                    "exception.stacktrace",
                    &"at com.example.shop.Order ".repeat(12),
                ),
            ],
            ..Event::default()
        });
    }
    let mut room = span_bytes as i64 - span.encoded_len() as i64;
    room -= encoded_bytes(&attributes) as i64;
    for (index, (key, value)) in UNWANTED.iter().enumerate() {
        let attribute = text(key, value);
        let bytes = encoded_bytes(std::slice::from_ref(&attribute)) as i64;
        if bytes <= room {
            room -= bytes;
            // Wanted attributes stand among the others.
            attributes.insert((index * 2) % (attributes.len() + 1), attribute);
        }
    }
    span.attributes = attributes;
    span
}

fn encoded_bytes(attributes: &[KeyValue]) -> usize {
    attributes
        .iter()
        .map(|attribute| 2 + attribute.encoded_len())
        .sum()
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, any_value::Value::IntValue(value))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
