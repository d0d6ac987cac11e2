//! `exporters.prometheusremotewrite`. Parsed and checked; it does not act yet.

use crate::config::{Code, Diagnostic, Key, Section, Shape, blocks};

/// Grows with the sender; for now the file's keys are checked and the start says that nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteWriteOptions {
    pub endpoint: String,
}

/// The Collector's own default.
const ENDPOINT: &str = "http://some.url:9411/api/prom/push";

const V1_MESSAGE: &str = "prometheus.WriteRequest";
const V2_MESSAGE: &str = "io.prometheus.write.v2.Request";
const V2_GATE: &str = "exporter.prometheusremotewritexporter.enableSendingRW2";

const ENABLED: Key = Key::new("enabled", Shape::Bool(true));

/// Keys that are checked by their type alone.
const CHECKED: &[Key] = &[
    Key::new("namespace", Shape::Text("")),
    Key::new("add_metric_suffixes", Shape::Bool(true)),
    Key::new("send_metadata", Shape::Bool(false)),
    Key::new(
        "resource_to_telemetry_conversion",
        Shape::Block(&[Key::new("enabled", Shape::Bool(false))]),
    ),
    Key::new("target_info", Shape::Block(&[ENABLED])),
    Key::new(
        "wal",
        Shape::Block(&[
            Key::new("directory", Shape::Text("")),
            Key::new("buffer_size", Shape::Integer(i64::MIN, 300)),
            Key::new("truncate_frequency", Shape::Duration(60_000_000_000)),
        ]),
    ),
    Key::new("max_batch_size_bytes", Shape::Integer(0, 3_000_000)),
];

impl RemoteWriteOptions {
    pub fn read(section: &mut Section) -> Self {
        section.absent_key(
            "sending_queue",
            Code::Renamed,
            "did you mean `remote_write_queue`? its keys are `enabled`, `queue_size`, `num_consumers`",
        );
        section.absent_key(
            "export_created_metric",
            Code::Renamed,
            "the Collector has no such key any more; leave it out",
        );
        section.later_keys(&["translation_strategy", "disable_scope_info"]);
        section.checked(CHECKED);
        section.checked(blocks::HTTP_CLIENT);
        let parallelism = "max_batch_request_parallelism";
        if section
            .entry(parallelism)
            .is_some_and(|entry| !entry.node.is_null())
        {
            section.integer(parallelism, 5, 1, i64::MAX);
        }
        section.section("remote_write_queue", read_queue);
        section.section("retry_on_failure", read_retry);
        section.duration("timeout", std::time::Duration::from_secs(5));
        section.word("compression", "snappy", &["snappy", ""], false);
        read_message(section);
        read_external_labels(section);
        Self {
            endpoint: read_endpoint(section),
        }
    }
}

/// An address to post to. A host name read as a scheme would only fail at each request.
fn read_endpoint(section: &mut Section) -> String {
    let endpoint = section.string("endpoint", ENDPOINT);
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| endpoint.strip_prefix(scheme));
    let path = section.path_of("endpoint");
    let label = "an address with its scheme: `http://host:port/path`";
    match rest {
        None if endpoint.is_empty() => {
            let message = format!("`{path}` is empty");
            section.refuse("endpoint", Code::Missing, message, label);
        }
        None => {
            let message = format!("`{path}` is no http or https address");
            section.refuse("endpoint", Code::Value, message, label);
        }
        Some(rest) if rest.is_empty() || rest.starts_with(['/', ':']) => {
            let message = format!("`{path}` has no host");
            section.refuse("endpoint", Code::Value, message, label);
        }
        Some(rest) if rest.starts_with('<') => section.warn(
            "endpoint",
            Code::Value,
            format!("`{path}` still holds a placeholder"),
            "the address of the remote-write endpoint belongs here",
        ),
        Some(_) => {}
    }
    endpoint
}

fn read_queue(section: &mut Section) {
    let is_enabled = section.bool("enabled", true);
    let payloads_max = section.integer("queue_size", 10_000, 0, i64::MAX);
    section.integer("num_consumers", 5, 0, i64::MAX);
    if is_enabled && payloads_max == 0 {
        section.refuse(
            "queue_size",
            Code::OutOfRange,
            format!("`{}` is 0", section.path_of("queue_size")),
            "a queue without room drops everything; `enabled: false` turns it off",
        );
    }
}

fn read_retry(section: &mut Section) {
    use std::time::Duration;
    let is_enabled = section.bool("enabled", true);
    let initial = section.duration("initial_interval", Duration::from_millis(50));
    let interval_max = section.duration("max_interval", Duration::from_secs(30));
    let elapsed_max = section.duration("max_elapsed_time", Duration::from_mins(5));
    let factor = section.float("randomization_factor", 0.5);
    let multiplier = section.float("multiplier", 1.5);
    if !is_enabled {
        return;
    }
    if !(0.0..=1.0).contains(&factor) {
        let message = format!("`{}` is {factor}", section.path_of("randomization_factor"));
        section.refuse(
            "randomization_factor",
            Code::OutOfRange,
            message,
            "from 0 to 1",
        );
    }
    if !(0.0..).contains(&multiplier) {
        let message = format!("`{}` is {multiplier}", section.path_of("multiplier"));
        section.refuse("multiplier", Code::OutOfRange, message, "0 or more");
    }
    if !elapsed_max.is_zero() && elapsed_max < initial.max(interval_max) {
        section.refuse(
            "max_elapsed_time",
            Code::Conflict,
            format!(
                "`{}` is less than `initial_interval` or `max_interval`",
                section.path_of("max_elapsed_time")
            ),
            "0 for no limit, or at least as long as both",
        );
    }
}

fn read_message(section: &mut Section) {
    let key = "protobuf_message";
    let message = section.word(key, V1_MESSAGE, &[V1_MESSAGE, V2_MESSAGE], false);
    if message == V2_MESSAGE && !section.gate_is_on(V2_GATE) {
        section.refuse(
            key,
            Code::Conflict,
            "Remote-Write 2.0 is behind a feature gate",
            &format!("start with `--feature-gates={V2_GATE}`"),
        );
    }
}

fn read_external_labels(section: &mut Section) {
    section.section("external_labels", |labels| {
        let log = labels.log();
        for (name, item) in labels.all_items() {
            let value = item.text(log);
            if name.is_empty() || value.is_some_and(|value| value.is_empty()) {
                let message = format!("`{}` has an empty name or value", item.path);
                log.push(
                    Diagnostic::error(Code::Value, item.span, message)
                        .label("a label without a value is no label: leave it out"),
                );
            }
        }
    });
}
