//! Components that the Collector has and we do not, with what to do instead.

use super::components::Kind;

const SEND_OTLP: &str = "let the application send OTLP to the `otlp` receiver";
const IN_THE_SDK: &str = "set it in the SDK of the application";
const DROP_IN_PROMETHEUS: &str = "drop or rename in the scrape's `metric_relabel_configs`";
const KEEP_A_COLLECTOR: &str = "keep a Collector beside spanmill for this part";
const BY_THE_NETWORK: &str = "listen on loopback, or let the network policy guard the port";
const METRICS_ENDPOINT: &str = "watch `http://localhost:8888/metrics` instead";

/// Kind, name, and what to do instead.
const TABLE: &[(Kind, &str, &str)] = &[
    (
        Kind::Receiver,
        "prometheus",
        "let Prometheus scrape the target itself",
    ),
    (Kind::Receiver, "jaeger", SEND_OTLP),
    (Kind::Receiver, "zipkin", SEND_OTLP),
    (Kind::Receiver, "opencensus", SEND_OTLP),
    (Kind::Receiver, "skywalking", SEND_OTLP),
    (Kind::Receiver, "datadog", SEND_OTLP),
    (Kind::Receiver, "statsd", SEND_OTLP),
    (Kind::Receiver, "kafka", KEEP_A_COLLECTOR),
    (Kind::Receiver, "filelog", KEEP_A_COLLECTOR),
    (
        Kind::Receiver,
        "hostmetrics",
        "run the Prometheus node exporter",
    ),
    (
        Kind::Receiver,
        "kubeletstats",
        "let Prometheus scrape the kubelet",
    ),
    (Kind::Receiver, "k8s_cluster", "run kube-state-metrics"),
    (Kind::Receiver, "k8s_events", KEEP_A_COLLECTOR),
    (
        Kind::Receiver,
        "nop",
        "leave it out: an `otlp` receiver that nobody uses costs nothing",
    ),
    (
        Kind::Processor,
        "attributes",
        "use `resource`, or leave attributes out of `dimensions`",
    ),
    (Kind::Processor, "filter", DROP_IN_PROMETHEUS),
    (Kind::Processor, "transform", DROP_IN_PROMETHEUS),
    (Kind::Processor, "metricstransform", DROP_IN_PROMETHEUS),
    (
        Kind::Processor,
        "metricsgeneration",
        "compute it in a recording rule",
    ),
    (Kind::Processor, "span", IN_THE_SDK),
    (
        Kind::Processor,
        "redaction",
        "name only what may be seen in `dimensions`",
    ),
    (
        Kind::Processor,
        "k8sattributes",
        "set `OTEL_RESOURCE_ATTRIBUTES` from the downward API",
    ),
    (
        Kind::Processor,
        "resourcedetection",
        "set `OTEL_RESOURCE_ATTRIBUTES` in the pod",
    ),
    (
        Kind::Processor,
        "tail_sampling",
        "leave it out: metrics want every span",
    ),
    (
        Kind::Processor,
        "probabilistic_sampler",
        "leave it out: metrics want every span",
    ),
    (
        Kind::Processor,
        "cumulativetodelta",
        "leave it out: Prometheus wants cumulative values",
    ),
    (
        Kind::Processor,
        "deltatocumulative",
        "leave it out: it is done without",
    ),
    (Kind::Processor, "deltatorate", "use `rate()` in the query"),
    (
        Kind::Processor,
        "groupbyattrs",
        "leave it out: series have their full identity",
    ),
    (
        Kind::Processor,
        "groupbytrace",
        "leave it out: span metrics need no whole traces",
    ),
    (
        Kind::Processor,
        "interval",
        "leave it out: a scrape decides when",
    ),
    (Kind::Exporter, "otlp", KEEP_A_COLLECTOR),
    (Kind::Exporter, "otlphttp", KEEP_A_COLLECTOR),
    (Kind::Exporter, "otlp_grpc", KEEP_A_COLLECTOR),
    (Kind::Exporter, "otlp_http", KEEP_A_COLLECTOR),
    (Kind::Exporter, "file", KEEP_A_COLLECTOR),
    (Kind::Exporter, "kafka", KEEP_A_COLLECTOR),
    (Kind::Exporter, "loadbalancing", KEEP_A_COLLECTOR),
    (Kind::Exporter, "zipkin", KEEP_A_COLLECTOR),
    (Kind::Exporter, "datadog", KEEP_A_COLLECTOR),
    (Kind::Exporter, "elasticsearch", KEEP_A_COLLECTOR),
    (Kind::Exporter, "clickhouse", KEEP_A_COLLECTOR),
    (Kind::Exporter, "loki", KEEP_A_COLLECTOR),
    (Kind::Exporter, "alibabacloud_logservice", KEEP_A_COLLECTOR),
    (
        Kind::Exporter,
        "logging",
        "use the `debug` exporter: `logging` was its former name",
    ),
    (Kind::Connector, "servicegraph", KEEP_A_COLLECTOR),
    (
        Kind::Connector,
        "count",
        "use `spanmetrics`, which counts spans as `calls`",
    ),
    (Kind::Connector, "sum", KEEP_A_COLLECTOR),
    (
        Kind::Connector,
        "exceptions",
        "use `events` of `spanmetrics`",
    ),
    (
        Kind::Connector,
        "signaltometrics",
        "use `spanmetrics` with `dimensions`",
    ),
    (
        Kind::Connector,
        "forward",
        "list the exporters in the first pipeline",
    ),
    (
        Kind::Connector,
        "routing",
        "use one pipeline for each set of exporters",
    ),
    (Kind::Connector, "failover", KEEP_A_COLLECTOR),
    (Kind::Connector, "roundrobin", KEEP_A_COLLECTOR),
    (Kind::Extension, "health_check", METRICS_ENDPOINT),
    (Kind::Extension, "healthcheckv2", METRICS_ENDPOINT),
    (
        Kind::Extension,
        "pprof",
        "leave it out: it shows the insides of a Go program",
    ),
    (
        Kind::Extension,
        "memory_limiter",
        "use the processor of that name",
    ),
    (
        Kind::Extension,
        "memory_ballast",
        "leave it out: there is no garbage collector",
    ),
    (Kind::Extension, "basicauth", BY_THE_NETWORK),
    (Kind::Extension, "bearertokenauth", BY_THE_NETWORK),
    (Kind::Extension, "headers_setter", KEEP_A_COLLECTOR),
    (Kind::Extension, "oauth2client", KEEP_A_COLLECTOR),
    (Kind::Extension, "oidc", BY_THE_NETWORK),
    (Kind::Extension, "sigv4auth", KEEP_A_COLLECTOR),
    (
        Kind::Extension,
        "file_storage",
        "leave it out: nothing here needs it",
    ),
];

/// What to do instead of a component that is only in the Collector.
pub(super) fn instead(kind: Kind, name: &str) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|(known_kind, known, _)| *known_kind == kind && *known == name)
        .map(|(_, _, instead)| *instead)
}
