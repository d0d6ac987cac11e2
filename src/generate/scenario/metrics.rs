//! `metrics:`: a list of instruments, each a name, a type and what belongs to the type.

use super::attributes::{Place, Spec};
use super::distribution::{Distribution, Unit, share};
use super::reader::{self, required};
use crate::config::{Code, Diagnostic, Item, Log, Plain, Section, Value, resolve};
use crate::generate::metrics::{
    BOUNDS_MAX, Kind, MEASUREMENTS_MAX, Metric, Number, SCALE_MAX, SCALE_MIN, Temporality,
    combinations,
};

/// Instruments of a scenario.
const METRICS_MAX: usize = 1_000;
/// Series of one metric and resource.
const SERIES_MAX: u64 = 1_000_000;
const QUANTILES_MAX: usize = 100;

const BUILT_IN: &str = include_str!("metrics.yaml");

const TYPES: &[&str] = &[
    "gauge",
    "sum",
    "histogram",
    "exponential_histogram",
    "summary",
];
/// The buckets of the SDKs, for durations in milliseconds.
const DEFAULT_BOUNDS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0,
    7_500.0, 10_000.0,
];
const DEFAULT_QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];
const DEFAULT_MEASUREMENTS: i64 = 20;

/// The instruments under `metrics`; `None`: the key is absent.
pub fn read(section: &mut Section) -> Option<Vec<Metric>> {
    let metrics = section.sections("metrics", read_metric)?;
    if metrics.len() > METRICS_MAX {
        let message = format!("{} metrics are too many", metrics.len());
        let label = format!("at most {METRICS_MAX}");
        section.refuse("metrics", Code::Limit, message, &label);
    }
    Some(metrics.into_iter().flatten().collect())
}

/// What a scenario that does not say it has: metrics of a Java agent, an RPC library, an old client.
#[must_use]
pub fn built_in() -> Vec<Metric> {
    reader::built_in("metrics.yaml", BUILT_IN, read)
}

fn read_metric(section: &mut Section) -> Option<Metric> {
    let name = required(section, "name", |s| Some(s.string("name", "")));
    if name.as_deref() == Some("") {
        section.refuse("name", Code::Value, "a metric needs a name", "it is empty");
    }
    let word = required(section, "type", |s| {
        Some(s.word("type", "gauge", TYPES, false))
    });
    let number = match section.word("number", "double", &["double", "int"], false) {
        "int" => Number::Int,
        _ => Number::Double,
    };
    let value = required(section, "value", |s| {
        Distribution::read(s, "value", Unit::Number)
    });
    let metric = Metric {
        kind: read_kind(section, word.unwrap_or("gauge")),
        unit: section.string("unit", ""),
        description: section.string("description", ""),
        scope: section.string("scope", "io.opentelemetry.sdk"),
        measurements: read_measurements(section, word),
        attributes: read_attributes(section),
        services: section.strings("services").unwrap_or_default(),
        has_start_time: section.bool("start_time", true),
        exemplar_share: share(section, "exemplars", 0.0),
        no_value_share: share(section, "no_value", 0.0),
        name: name?,
        number,
        value: value?,
    };
    word.map(|_| metric)
}

/// All keys that only some of the types have are read here, so that the others can refuse them.
fn read_kind(section: &mut Section, word: &'static str) -> Kind {
    refuse_foreign(section, word);
    let temporality =
        match section.word("temporality", "cumulative", &["cumulative", "delta"], false) {
            "delta" => Temporality::Delta,
            _ => Temporality::Cumulative,
        };
    match word {
        "sum" => Kind::Sum {
            temporality,
            is_monotonic: section.bool("monotonic", true),
        },
        "histogram" => Kind::Histogram {
            temporality,
            bounds: read_bounds(section),
            has_min_max: section.bool("min_max", true),
        },
        "exponential_histogram" => Kind::ExponentialHistogram {
            temporality,
            scale: read_scale(section),
            zero_threshold: read_zero_threshold(section),
            has_min_max: section.bool("min_max", true),
        },
        "summary" => Kind::Summary {
            quantiles: read_quantiles(section),
        },
        _ => Kind::Gauge,
    }
}

/// Keys that not every type has, with the types that have them.
const OWN_KEYS: [(&str, &[&str]); 8] = [
    (
        "temporality",
        &["sum", "histogram", "exponential_histogram"],
    ),
    ("monotonic", &["sum"]),
    ("bounds", &["histogram"]),
    ("min_max", &["histogram", "exponential_histogram"]),
    ("scale", &["exponential_histogram"]),
    ("zero_threshold", &["exponential_histogram"]),
    ("quantiles", &["summary"]),
    (
        "measurements",
        &["histogram", "exponential_histogram", "summary"],
    ),
];

fn refuse_foreign(section: &mut Section, word: &str) {
    for (key, types) in OWN_KEYS {
        if section.is_given(key) && !types.contains(&word) {
            let message = format!("a {word} has no `{key}`");
            let label = format!("it belongs to `{}`", types.join("`, `"));
            section.refuse(key, Code::Conflict, message, &label);
        }
    }
    if word == "summary" && section.is_given("exemplars") {
        let message = "a summary has no exemplars";
        section.refuse("exemplars", Code::Conflict, message, "leave it out");
    }
}

fn read_measurements(section: &mut Section, word: Option<&str>) -> u32 {
    let default = match word {
        Some("gauge" | "sum") => 1,
        _ => DEFAULT_MEASUREMENTS,
    };
    let most = i64::from(MEASUREMENTS_MAX);
    let measurements = section.integer("measurements", default, 1, most);
    u32::try_from(measurements).expect("read within bounds")
}

fn read_attributes(section: &mut Section) -> Vec<Spec> {
    let attributes = Spec::read_map(section, "attributes", Place::Item);
    let series = combinations(&attributes);
    if series > SERIES_MAX {
        let message = format!("`{}` make {series} series", section.path_of("attributes"));
        let label = format!("at most {SERIES_MAX} for each resource");
        section.refuse("attributes", Code::Limit, message, &label);
        return Vec::new();
    }
    attributes
}

fn read_bounds(section: &mut Section) -> Vec<f64> {
    let Some(bounds) = read_numbers(section, "bounds") else {
        return DEFAULT_BOUNDS.to_vec();
    };
    let is_ascending = bounds.is_sorted_by(|one, next| one < next);
    if !is_ascending || bounds.len() > BOUNDS_MAX {
        let message = format!("`{}` are no bounds", section.path_of("bounds"));
        let label = format!("at most {BOUNDS_MAX}, ascending");
        section.refuse("bounds", Code::Value, message, &label);
    }
    bounds
}

fn read_quantiles(section: &mut Section) -> Vec<f64> {
    let Some(quantiles) = read_numbers(section, "quantiles") else {
        return DEFAULT_QUANTILES.to_vec();
    };
    let is_fit = quantiles
        .iter()
        .all(|quantile| (0.0..=1.0).contains(quantile));
    if !is_fit || quantiles.len() > QUANTILES_MAX {
        let message = format!("`{}` are no quantiles", section.path_of("quantiles"));
        let label = format!("at most {QUANTILES_MAX}, each from 0 to 1");
        section.refuse("quantiles", Code::Value, message, &label);
    }
    quantiles
}

fn read_scale(section: &mut Section) -> i32 {
    let (least, most) = (i64::from(SCALE_MIN), i64::from(SCALE_MAX));
    let scale = section.integer("scale", most, least, most);
    i32::try_from(scale).expect("read within bounds")
}

fn read_zero_threshold(section: &mut Section) -> f64 {
    let threshold = section.float("zero_threshold", 0.0);
    if threshold.is_finite() && threshold >= 0.0 {
        return threshold;
    }
    let message = format!(
        "`{}` cannot be {threshold}",
        section.path_of("zero_threshold")
    );
    section.refuse("zero_threshold", Code::OutOfRange, message, "0 or more");
    0.0
}

/// A list of finite numbers; `None`: absent.
fn read_numbers(section: &mut Section, key: &'static str) -> Option<Vec<f64>> {
    let log = section.log();
    let items = section.items(key)?;
    Some(items.filter_map(|item| number(&item, log)).collect())
}

fn number(item: &Item, log: &Log) -> Option<f64> {
    let number = match &item.node.value {
        Value::Scalar { text, plain: true } => match resolve(text) {
            Plain::Integer(number) => Some(number as f64),
            Plain::Float(number) if number.is_finite() => Some(number),
            _ => None,
        },
        // Reported already.
        Value::Refused => return None,
        _ => None,
    };
    if number.is_none() {
        let message = format!("`{}` wants a number", item.path);
        log.push(Diagnostic::error(Code::WrongType, item.span, message).label("a finite number"));
    }
    number
}

#[cfg(test)]
mod tests;
