//! `service.telemetry`: our own logs, metrics and resource.

use crate::config::{Code, Key, Section, Shape};
use crate::telemetry::log::{Encoding, Level};

use super::Telemetry;

const HOST: &str = "localhost";
const PORT: i64 = 8888;

const LOG_LEVELS: [&str; 7] = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"];
const METRIC_LEVELS: [&str; 4] = ["none", "basic", "normal", "detailed"];

const LOG_DORMANT: &[Key] = &[
    Key::new("development", Shape::Bool(false)),
    Key::new("output_paths", Shape::Texts(&["stderr"])),
    Key::new("error_output_paths", Shape::Texts(&["stderr"])),
    Key::new("initial_fields", Shape::Any),
    Key::new("processors", Shape::Any),
];

/// What shortens our lines, which have no caller, no stack and no repetition anyway.
const LOG_CHECKED: &[Key] = &[
    Key::new("disable_caller", Shape::Bool(false)),
    Key::new("disable_stacktrace", Shape::Bool(false)),
    Key::new(
        "sampling",
        Shape::Block(&[
            Key::new("enabled", Shape::Bool(true)),
            Key::new("tick", Shape::Duration(10_000_000_000)),
            Key::new("initial", Shape::Integer(i64::MIN, 10)),
            Key::new("thereafter", Shape::Integer(i64::MIN, 100)),
        ]),
    ),
];

/// How names and labels of our own metrics are spelt.
const READER_DORMANT: &[Key] = &[
    Key::new("without_scope_info", Shape::Bool(true)),
    Key::new("without_units", Shape::Bool(true)),
    Key::new("without_type_suffix", Shape::Bool(true)),
    Key::new(
        "with_resource_constant_labels",
        Shape::Block(&[
            Key::new("included", Shape::Texts(&[])),
            Key::new("excluded", Shape::Texts(&[])),
        ]),
    ),
];

const TRACES_DORMANT: &[Key] = &[
    Key::new(
        "level",
        Shape::Word(&["basic", "none", "normal", "detailed"]),
    ),
    Key::new("propagators", Shape::Texts(&[])),
    Key::new("processors", Shape::Any),
];

/// Without a `telemetry` block.
pub(super) fn defaults() -> Telemetry {
    Telemetry {
        log_level: Level::Info,
        log_encoding: Encoding::Console,
        metrics_endpoint: Some(endpoint(HOST, PORT)),
        resource: Vec::new(),
    }
}

pub(super) fn read(section: &mut Section) -> Telemetry {
    let defaults = defaults();
    section.section("traces", |traces| traces.dormant(TRACES_DORMANT));
    let (log_level, log_encoding) = section
        .section("logs", read_logs)
        .unwrap_or((defaults.log_level, defaults.log_encoding));
    Telemetry {
        log_level,
        log_encoding,
        metrics_endpoint: section
            .section("metrics", read_metrics)
            .unwrap_or(defaults.metrics_endpoint),
        resource: section.optional_string_map("resource"),
    }
}

fn read_logs(section: &mut Section) -> (Level, Encoding) {
    section.dormant(LOG_DORMANT);
    section.checked(LOG_CHECKED);
    let level = match section.word("level", "info", &LOG_LEVELS, true) {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        // Nothing of ours is worse than an error.
        _ => Level::Error,
    };
    let encoding = match section.word("encoding", "console", &["console", "json"], false) {
        "json" => Encoding::Json,
        _ => Encoding::Console,
    };
    (level, encoding)
}

/// Where our own metrics are served. `None`: nowhere.
fn read_metrics(section: &mut Section) -> Option<String> {
    section.absent_key(
        "address",
        Code::Renamed,
        "write `readers: [{pull: {exporter: {prometheus: {host: ..., port: ...}}}}]`",
    );
    let level = section.word("level", "normal", &METRIC_LEVELS, true);
    let has_views = section.is_set(&Key::new("views", Shape::Any));
    if has_views && level == "detailed" {
        section.remark_dormant("views");
    } else if has_views {
        let message = format!("`{}` want `level: detailed`", section.path_of("views"));
        section.refuse("views", Code::Conflict, message, "leave them out");
    }
    if matches!(level, "basic" | "detailed") {
        section.remark_dormant("level");
    }
    let readers = section.sections("readers", read_reader);
    if level == "none" {
        return None;
    }
    let Some(readers) = readers else {
        return Some(endpoint(HOST, PORT));
    };
    if readers.is_empty() {
        section.refuse(
            "readers",
            Code::Missing,
            format!("`{}` is empty", section.path_of("readers")),
            "`level: none` turns our own metrics off",
        );
    }
    let mut endpoints = readers.into_iter().flatten();
    let first = endpoints.next();
    if endpoints.next().is_some() {
        section.warn(
            "readers",
            Code::NotYet,
            format!(
                "of `{}` only the first that is pulled acts",
                section.path_of("readers")
            ),
            "",
        );
    }
    first
}

/// The address of a reader that is pulled by Prometheus.
fn read_reader(section: &mut Section) -> Option<String> {
    section.dormant(&[Key::new("periodic", Shape::Any)]);
    section
        .given_section("pull", |pull| {
            pull.given_section("exporter", |exporter| {
                exporter.given_section("prometheus", |prometheus| {
                    prometheus.dormant(READER_DORMANT);
                    let host = prometheus.string("host", HOST);
                    let port = prometheus.integer("port", PORT, 0, i64::from(u16::MAX));
                    endpoint(&host, port)
                })
            })
        })
        .flatten()
        .flatten()
}

fn endpoint(host: &str, port: i64) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
