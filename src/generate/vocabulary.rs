//! The words of the built-in load: a web shop, as an instrumented fleet names itself.
//!
//! Resources carry what SDKs and the k8s operator really attach, so that a configuration which
//! deletes half of it has work to do.

use super::load::{Kind, Status};
use super::random::Random;
use super::value::{Attribute, Value};

pub(super) const USER_KEY: &str = "user.id";
/// On every span, 32 random hexadecimal digits: the part of a real span that never repeats.
pub(super) const REQUEST_ID_KEY: &str = "request.id";
pub(super) const REQUEST_ID_BYTES: usize = 32;

/// Name and version of the instrumentation scopes that spans come from.
pub(super) const SCOPES: [(&str, &str); 2] = [
    ("io.opentelemetry.servlet-5.0", "2.16.0-alpha"),
    ("shop.business", "1.4.2"),
];

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

/// An operation before it has latencies and filler.
pub(super) struct OperationPlan {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) scope: usize,
    pub(super) attributes: Vec<Attribute>,
    pub(super) is_http: bool,
    pub(super) success: Status,
    pub(super) weight: u32,
}

fn service_name(service: u32) -> String {
    SERVICES.get(service as usize).map_or_else(
        || format!("service-{service}"),
        |(name, _)| (*name).to_owned(),
    )
}

/// The server routes of a service, and one operation of each other kind.
pub(super) fn operations(service: u32, routes: u32) -> Vec<OperationPlan> {
    let mut plans: Vec<OperationPlan> = (0..routes).map(|index| server(service, index)).collect();
    plans.extend([client(service), internal(), producer(), consumer()]);
    plans
}

fn server(service: u32, index: u32) -> OperationPlan {
    let routes = SERVICES
        .get(service as usize)
        .map_or(OTHER_ROUTES, |(_, routes)| *routes);
    let (method, path) = routes[index as usize % routes.len()];
    let route = match index as usize / routes.len() {
        0 => path.to_owned(),
        round => format!("/v{}{path}", round + 1),
    };
    OperationPlan {
        name: format!("{method} {route}"),
        kind: Kind::Server,
        scope: 0,
        attributes: vec![
            Attribute::text("http.method", method),
            Attribute::text("http.route", route),
        ],
        is_http: true,
        success: Status::Unset,
        weight: (ROUTE_WEIGHT / (index + 1)).max(1),
    }
}

fn client(service: u32) -> OperationPlan {
    OperationPlan {
        name: "GET".to_owned(),
        kind: Kind::Client,
        scope: 0,
        attributes: vec![
            Attribute::text("http.method", "GET"),
            Attribute::text("server.address", service_name(service + 1)),
            Attribute::int("server.port", 8080),
        ],
        is_http: true,
        success: Status::Ok,
        weight: ROUTE_WEIGHT / 2,
    }
}

fn internal() -> OperationPlan {
    OperationPlan {
        name: "render".to_owned(),
        kind: Kind::Internal,
        scope: 1,
        attributes: vec![Attribute::text("template.name", "main")],
        is_http: false,
        success: Status::Unset,
        weight: ROUTE_WEIGHT / 3,
    }
}

fn producer() -> OperationPlan {
    messaging("orders publish", Kind::Producer)
}

fn consumer() -> OperationPlan {
    messaging("orders receive", Kind::Consumer)
}

fn messaging(name: &str, kind: Kind) -> OperationPlan {
    OperationPlan {
        name: name.to_owned(),
        kind,
        scope: 1,
        attributes: vec![
            Attribute::text("messaging.system", "kafka"),
            Attribute::text("messaging.destination.name", "orders"),
        ],
        is_http: false,
        success: Status::Unset,
        weight: ROUTE_WEIGHT / 8,
    }
}

/// What an SDK, its resource detectors and the k8s operator put on a resource.
pub(super) fn resource_attributes(service: u32, pod: u32, random: &mut Random) -> Vec<Attribute> {
    let name = service_name(service);
    let pod_name = format!("{name}-{:08x}-{pod:04}", random.word() as u32);
    let hex = |random: &mut Random| format!("{:016x}", random.word());
    let container = format!(
        "{}{}{}{}",
        hex(random),
        hex(random),
        hex(random),
        hex(random)
    );
    vec![
        Attribute::text("service.name", name.clone()),
        Attribute::text("service.namespace", "shop"),
        Attribute::text("service.version", "2.7.1"),
        Attribute::text("service.instance.id", format!("shop.{pod_name}.{name}")),
        Attribute::text("deployment.environment", "production"),
        Attribute::text("host.name", format!("node-{}", random.below(64))),
        Attribute::text("host.arch", "amd64"),
        Attribute::text("os.type", "linux"),
        Attribute::text("os.description", "Linux 6.12.41-1.amzn2023.x86_64"),
        Attribute::int("process.pid", i64::from(random.below(4_000)) + 1),
        Attribute::text("process.executable.path", "/usr/lib/jvm/java-21/bin/java"),
        Attribute {
            key: "process.command_args".to_owned(),
            value: Value::List(
                [
                    "/usr/lib/jvm/java-21/bin/java",
                    "-XX:MaxRAMPercentage=75",
                    "-jar",
                    &format!("/opt/{name}.jar"),
                ]
                .map(|word| Value::Text(word.to_owned()))
                .to_vec(),
            ),
        },
        Attribute::text("process.runtime.name", "OpenJDK Runtime Environment"),
        Attribute::text("process.runtime.version", "21.0.8+9-LTS"),
        Attribute::text(
            "process.runtime.description",
            "Eclipse Adoptium OpenJDK 64-Bit Server VM 21.0.8+9-LTS",
        ),
        Attribute::text("telemetry.sdk.language", "java"),
        Attribute::text("telemetry.sdk.name", "opentelemetry"),
        Attribute::text("telemetry.sdk.version", "1.51.0"),
        Attribute::text(
            "telemetry.distro.name",
            "opentelemetry-java-instrumentation",
        ),
        Attribute::text("telemetry.distro.version", "2.16.0"),
        Attribute::text("container.id", container),
        Attribute::text("k8s.namespace.name", "shop"),
        Attribute::text("k8s.pod.name", pod_name),
    ]
}
