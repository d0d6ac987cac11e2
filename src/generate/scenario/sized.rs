//! A load that is only sized: a web shop with as many services, routes, pods and users as asked for.
//!
//! What its services have in common is that of the built-in `shop`; their routes are those of a shop
//! that grows, and a load of one size has the same shape on every machine, which is what measurements
//! need.

use super::attributes::{Choice, Pool, Spec, Values};
use super::builtin;
use super::distribution::{Distribution, LogNormal};
use super::format::Format;
use super::model::{Kind, Operation, Scenario, Service, SignalWeights, Traits};
use super::services::{Defaults, with_name};
use crate::generate::random::Random;
use crate::generate::value::Value;

/// Keeps the latencies apart from the other random numbers of a seed.
const LATENCY_STREAMS: u64 = 1 << 33;
const LATENCY_NS_MAX: f64 = 60e9;
/// Indexes of the scopes of the shop.
const HTTP: usize = 0;
const BUSINESS: usize = 1;
/// The event that successful spans carry.
const EVENT: &str = "cache.miss";

#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    pub services: u32,
    /// Server routes of each service; each service also has four operations of other kinds.
    pub routes: u32,
    /// Resources (pods) of each service.
    pub resources: u32,
    /// Distinct values of `user.id` on server spans; 0: no such attribute.
    pub users: u32,
    /// Share of spans with an error status, 0 to 1.
    pub error_share: f64,
    /// Share of the other spans that carry events. Every failed span carries an exception.
    pub event_share: f64,
    /// Mean encoded size of a span without events, filled up with attributes nobody asks for.
    pub span_bytes: usize,
    pub spans_per_request: u32,
    pub seed: u64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            services: 5,
            routes: 5,
            resources: 1,
            users: 0,
            error_share: 0.02,
            event_share: 0.05,
            span_bytes: 800,
            spans_per_request: 512,
            seed: 1,
        }
    }
}

/// Method and path of a route.
type Route = (&'static str, &'static str);

/// Services with their busiest routes first.
const SERVICES: [(&str, [Route; 5]); 10] = [
    (
        "frontend",
        [
            ("GET", "/"),
            ("GET", "/product/{productId}"),
            ("GET", "/cart"),
            ("POST", "/cart/checkout"),
            ("GET", "/healthz"),
        ],
    ),
    (
        "checkout",
        [
            ("POST", "/api/checkout"),
            ("GET", "/api/orders/{orderId}"),
            ("GET", "/api/orders"),
            ("DELETE", "/api/orders/{orderId}"),
            ("GET", "/healthz"),
        ],
    ),
    (
        "cart",
        [
            ("GET", "/api/cart/{userId}"),
            ("POST", "/api/cart/{userId}/items"),
            ("DELETE", "/api/cart/{userId}/items/{itemId}"),
            ("DELETE", "/api/cart/{userId}"),
            ("GET", "/healthz"),
        ],
    ),
    (
        "payment",
        [
            ("POST", "/api/charges"),
            ("GET", "/api/charges/{chargeId}"),
            ("POST", "/api/refunds"),
            ("GET", "/api/methods"),
            ("GET", "/healthz"),
        ],
    ),
    (
        "product-catalog",
        [
            ("GET", "/api/products"),
            ("GET", "/api/products/{productId}"),
            ("GET", "/api/search"),
            ("PUT", "/api/products/{productId}"),
            ("GET", "/healthz"),
        ],
    ),
    ("recommendation", OTHER_ROUTES),
    ("shipping", OTHER_ROUTES),
    ("currency", OTHER_ROUTES),
    ("email", OTHER_ROUTES),
    ("ad", OTHER_ROUTES),
];

const OTHER_ROUTES: [Route; 5] = [
    ("GET", "/api/items"),
    ("GET", "/api/items/{itemId}"),
    ("POST", "/api/items"),
    ("PUT", "/api/items/{itemId}"),
    ("GET", "/healthz"),
];

/// Weight of the busiest route; the n-th one gets a 1/n of it, as in a Zipf distribution.
const ROUTE_WEIGHT: u32 = 6_000;

impl From<LoadOptions> for Scenario {
    fn from(options: LoadOptions) -> Self {
        let mut defaults = builtin::shop_defaults();
        for event in &mut defaults.spans.events {
            if event.name == EVENT {
                event.share = options.event_share;
            }
        }
        let services = (0..options.services).map(|number| service(number, &options, &defaults));
        Self {
            description: "a web shop of the size that was asked for".to_owned(),
            seed: options.seed,
            spans_per_request: options.spans_per_request,
            resources_per_request: 1,
            span_bytes: options.span_bytes,
            connections: 1,
            signals: SignalWeights::default(),
            malformed_share: 0.0,
            services: services.collect(),
            metrics: Vec::new(),
            logs: Vec::new(),
        }
    }
}

fn service(number: u32, options: &LoadOptions, defaults: &Defaults) -> Service {
    let mut random = Random::stream(options.seed, LATENCY_STREAMS + u64::from(number));
    let mut operations: Vec<Operation> = (0..options.routes)
        .map(|index| server(number, index, options.users, &defaults.spans))
        .collect();
    operations.extend([
        client(number, &defaults.spans),
        internal(&defaults.spans),
        messaging("orders publish", Kind::Producer, &defaults.spans),
        messaging("orders receive", Kind::Consumer, &defaults.spans),
    ]);
    for operation in &mut operations {
        // Medians from 1 ms to 200 ms, evenly by order of magnitude.
        let median = 1e6 * 200_f64.powf(random.unit());
        let sigma = 0.3 + 0.7 * random.unit();
        let spans = &mut operation.spans;
        spans.latency = Distribution::LogNormal(LogNormal::new(median, sigma, LATENCY_NS_MAX));
        spans.status.error = options.error_share;
        spans.status.ok = match operation.kind {
            Kind::Client => 1.0 - options.error_share,
            _ => 0.0,
        };
    }
    Service {
        name: service_name(number),
        weight: 1,
        pods: options.resources,
        pod_name: "{service}-{hex:8}-{n}".to_owned(),
        attributes: with_name(defaults.resource_attributes.clone()),
        scopes: defaults.scopes.clone(),
        operations,
    }
}

fn service_name(service: u32) -> String {
    SERVICES.get(service as usize).map_or_else(
        || format!("service-{service}"),
        |(name, _)| (*name).to_owned(),
    )
}

fn server(service: u32, index: u32, users: u32, base: &Traits) -> Operation {
    let routes = SERVICES
        .get(service as usize)
        .map_or(OTHER_ROUTES, |(_, routes)| *routes);
    let (method, path) = routes[index as usize % routes.len()];
    let route = match index as usize / routes.len() {
        0 => path.to_owned(),
        round => format!("/v{}{path}", round + 1),
    };
    let mut attributes = vec![
        text("http.method", method),
        text("http.route", &route),
        status_code(),
    ];
    if users > 0 {
        attributes.push(Spec {
            key: "user.id".to_owned(),
            values: Values::Pool {
                choice: Choice::Uniform { count: users },
                pool: Pool::Text(Format::parse("u-{n:07}").expect("has one number")),
            },
        });
    }
    Operation {
        name: format!("{method} {route}"),
        kind: Kind::Server,
        weight: (ROUTE_WEIGHT / (index + 1)).max(1),
        scope: HTTP,
        spans: with(base, attributes),
    }
}

fn client(service: u32, base: &Traits) -> Operation {
    let attributes = vec![
        text("http.method", "GET"),
        text("server.address", &service_name(service + 1)),
        Spec::fixed("server.port", Value::Int(8080)),
        status_code(),
    ];
    Operation {
        name: "GET".to_owned(),
        kind: Kind::Client,
        weight: ROUTE_WEIGHT / 2,
        scope: HTTP,
        spans: with(base, attributes),
    }
}

fn internal(base: &Traits) -> Operation {
    Operation {
        name: "render".to_owned(),
        kind: Kind::Internal,
        weight: ROUTE_WEIGHT / 3,
        scope: BUSINESS,
        spans: with(base, vec![text("template.name", "main")]),
    }
}

fn messaging(name: &str, kind: Kind, base: &Traits) -> Operation {
    let attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.destination.name", "orders"),
    ];
    Operation {
        name: name.to_owned(),
        kind,
        weight: ROUTE_WEIGHT / 8,
        scope: BUSINESS,
        spans: with(base, attributes),
    }
}

fn with(base: &Traits, attributes: Vec<Spec>) -> Traits {
    let mut spans = base.clone();
    spans.attributes.extend(attributes);
    spans
}

fn text(key: &str, text: &str) -> Spec {
    Spec::fixed(key, Value::Text(text.to_owned()))
}

fn status_code() -> Spec {
    let codes = [200, 200, 500].map(Value::Int);
    Spec {
        key: "http.response.status_code".to_owned(),
        values: Values::ByStatus(Box::new(codes)),
    }
}
