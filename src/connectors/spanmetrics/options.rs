//! `connectors.spanmetrics`: what the user wrote, settled.
//!
//! Every key of the Collector v0.128.0 is read; those that do not act yet are remarked on when they
//! are set. How bare numbers among the bounds are meant is decided in `bounds`.

use std::time::Duration;

use crate::config::{Code, Key, Section, Shape};

mod bounds;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanMetricsOptions {
    /// `traces.span.metrics` by default; empty: no prefix.
    pub namespace: String,
    pub dimensions: Vec<Dimension>,
    /// Built-in dimensions left out: of `service.name`, `span.name`, `span.kind`, `status.code`.
    /// Other names may stand here and do nothing.
    pub exclude_dimensions: Vec<String>,
    /// `None`: `histogram.disable`.
    pub histogram: Option<HistogramOptions>,
    /// `None`: `events.enabled` is false.
    pub events: Option<Vec<Dimension>>,
    pub flush_interval: Duration,
    /// Per resource. `None`: never.
    pub metrics_expiration: Option<Duration>,
    /// Resources kept, least recently used go first.
    pub resources_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub name: String,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramOptions {
    pub unit: Unit,
    /// Upper bounds as the user meant them, in nanoseconds, in the order of the file: neither
    /// sorted nor free of repeats. The defaults of the unit when the file has none.
    pub bounds_ns: Vec<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    #[default]
    Milliseconds,
    Seconds,
}

const NAMESPACE: &str = "traces.span.metrics";

/// With it, the default namespace is no prefix. The only gate of this connector in v0.128.0.
const LEGACY_NAMES_GATE: &str = "connector.spanmetrics.legacyMetricNames";

const CUMULATIVE: &str = "AGGREGATION_TEMPORALITY_CUMULATIVE";
const DELTA: &str = "AGGREGATION_TEMPORALITY_DELTA";

/// Always built in, so no dimension of the user's can have these names.
const RESERVED: [&str; 4] = ["service.name", "span.name", "span.kind", "status.code"];

/// An entry of a list of dimensions that does not act yet.
const DIMENSION: &[Key] = &[
    Key::new("name", Shape::Text("")),
    Key::new("default", Shape::Text("")),
];

const DORMANT: &[Key] = &[
    Key::new("calls_dimensions", Shape::Blocks(DIMENSION)),
    Key::new("resource_metrics_key_attributes", Shape::Texts(&[])),
    Key::new("include_instrumentation_scope", Shape::Texts(&[])),
    Key::new("aggregation_cardinality_limit", Shape::Integer(0, 0)),
];

/// Keys that came after v0.128.0.
const LATER_KEYS: &[&str] = &[
    "series_expiration",
    "add_resource_attributes",
    "enable_metrics_sampling_method",
    "self_time",
];

const HISTOGRAM_DORMANT: &[Key] = &[Key::new("dimensions", Shape::Blocks(DIMENSION))];

impl SpanMetricsOptions {
    pub fn read(section: &mut Section) -> Self {
        section.dormant(DORMANT);
        section.later_keys(LATER_KEYS);
        read_temporality(section);
        read_exemplars(section);
        read_former_cache(section);
        Self {
            namespace: read_namespace(section),
            dimensions: read_dimensions(section, "dimensions").unwrap_or_default(),
            exclude_dimensions: section.strings("exclude_dimensions").unwrap_or_default(),
            histogram: section
                .section("histogram", HistogramOptions::read)
                .unwrap_or_else(|| Some(HistogramOptions::default())),
            events: section.section("events", read_events).flatten(),
            flush_interval: read_flush_interval(section),
            metrics_expiration: Some(section.duration("metrics_expiration", Duration::ZERO))
                .filter(|expiration| !expiration.is_zero()),
            resources_max: read_resources_max(section),
        }
    }
}

impl Default for HistogramOptions {
    fn default() -> Self {
        Self {
            unit: Unit::default(),
            bounds_ns: bounds::default_ns(),
        }
    }
}

impl HistogramOptions {
    /// `None`: there is no duration metric.
    fn read(section: &mut Section) -> Option<Self> {
        let is_disabled = section.bool("disable", false);
        let unit = match section.word("unit", "ms", &["ms", "s"], true) {
            "s" => Unit::Seconds,
            _ => Unit::Milliseconds,
        };
        section.dormant(HISTOGRAM_DORMANT);
        let explicit = section.given_section("explicit", |explicit| bounds::read(explicit, unit));
        let exponential = section.given_section("exponential", |exponential| {
            exponential.integer("max_size", 0, i64::from(i32::MIN), i64::from(i32::MAX))
        });
        if exponential.is_some() {
            if explicit.is_some() {
                section.refuse(
                    "exponential",
                    Code::Conflict,
                    format!("`{}` has both `explicit` and `exponential`", section.path()),
                    "leave one of them out",
                );
            } else if !is_disabled {
                section.remark_dormant("exponential");
            }
        }
        let bounds_ns = explicit.flatten().unwrap_or_else(bounds::default_ns);
        (!is_disabled).then_some(Self { unit, bounds_ns })
    }
}

fn read_namespace(section: &mut Section) -> String {
    let namespace = section.string("namespace", NAMESPACE);
    if namespace == NAMESPACE && section.gate_is_on(LEGACY_NAMES_GATE) {
        String::new()
    } else {
        namespace
    }
}

/// A list of dimensions, without reserved and repeated names. `None`: absent or null.
fn read_dimensions(section: &mut Section, key: &'static str) -> Option<Vec<Dimension>> {
    let mut names: Vec<String> = Vec::new();
    section.sections(key, |entry| {
        let name = entry.string("name", "");
        let reason = if RESERVED.contains(&name.as_str()) {
            Some("is built in and needs no entry")
        } else if names.contains(&name) {
            Some("stands here twice")
        } else {
            None
        };
        if let Some(reason) = reason {
            let message = format!("the dimension `{name}` {reason}");
            entry.refuse("name", Code::Conflict, message, "leave this entry out");
        }
        names.push(name.clone());
        Dimension {
            name,
            default: entry.optional_string("default"),
        }
    })
}

fn read_events(section: &mut Section) -> Option<Vec<Dimension>> {
    if !section.bool("enabled", false) {
        section.checked(&[Key::new("dimensions", Shape::Blocks(DIMENSION))]);
        return None;
    }
    let dimensions = read_dimensions(section, "dimensions").unwrap_or_default();
    if dimensions.is_empty() {
        section.refuse(
            "dimensions",
            Code::Missing,
            format!("`{}` is enabled and has no dimensions", section.path()),
            "`dimensions:` with at least one `- name: ...`",
        );
    }
    Some(dimensions)
}

fn read_flush_interval(section: &mut Section) -> Duration {
    let key = "metrics_flush_interval";
    let ns = section.duration_ns(key, 60_000_000_000);
    if let Ok(ns @ 1..) = u64::try_from(ns) {
        return Duration::from_nanos(ns);
    }
    let message = format!("`{}` must be above zero", section.path_of(key));
    section.refuse(key, Code::OutOfRange, message, "a duration such as `15s`");
    Duration::from_mins(1)
}

fn read_resources_max(section: &mut Section) -> usize {
    let key = "resource_metrics_cache_size";
    let count = section.integer(key, 1000, i64::MIN, i64::from(u32::MAX));
    if let Ok(count @ 1..) = usize::try_from(count) {
        return count;
    }
    let message = format!("`{}` must be above zero", section.path_of(key));
    section.refuse(key, Code::OutOfRange, message, "1000 is the default");
    1000
}

fn read_temporality(section: &mut Section) {
    let key = "aggregation_temporality";
    let word = section.string(key, CUMULATIVE);
    let cache = section.entry("metric_timestamp_cache_size");
    let is_null = cache.is_none_or(|entry| entry.node.is_null());
    let points_max = section.integer("metric_timestamp_cache_size", 1000, i64::MIN, i64::MAX);
    if word == DELTA {
        section.remark_dormant(key);
        if points_max <= 0 && !is_null {
            section.refuse(
                "metric_timestamp_cache_size",
                Code::OutOfRange,
                format!(
                    "`{}` must be above zero",
                    section.path_of("metric_timestamp_cache_size")
                ),
                "1000 is the default",
            );
        }
    } else if word != CUMULATIVE && !word.is_empty() {
        section.warn(
            key,
            Code::Value,
            format!("`{word}` is no temporality, so it is cumulative"),
            &format!("`{CUMULATIVE}` or `{DELTA}`"),
        );
    }
}

fn read_exemplars(section: &mut Section) {
    let is_enabled = section
        .section("exemplars", |exemplars| {
            exemplars.integer("max_per_data_point", 0, i64::MIN, i64::MAX);
            exemplars.bool("enabled", false)
        })
        .unwrap_or(false);
    if is_enabled {
        section.remark_dormant("exemplars");
    }
}

fn read_former_cache(section: &mut Section) {
    let key = "dimensions_cache_size";
    if section.integer(key, 0, i64::MIN, i64::MAX) != 0 {
        section.warn(
            key,
            Code::Deprecated,
            format!("`{}` has no effect any more", section.path_of(key)),
            "leave it out; a limit is `aggregation_cardinality_limit`",
        );
    }
}
