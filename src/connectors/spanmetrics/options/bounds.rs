//! `histogram.explicit.buckets`: the upper bounds as the user meant them, in nanoseconds.
//!
//! A bound with a unit is a duration. Bare numbers are nanoseconds to the Collector, which puts
//! every span of a list in seconds into +Inf. Here a list with a fraction below 1 among its bare
//! numbers is in seconds, any other is in the histogram's unit; a note says so. With the gate
//! `spanmill.collectorCompat` bare numbers are nanoseconds, cut to whole ones.

use crate::config::{Code, Diagnostic, Item, Plain, Section, Value, resolve};

use super::Unit;

/// Reads bare numbers as the Collector does.
const COMPAT_GATE: &str = "spanmill.collectorCompat";

const MS_NS: i64 = 1_000_000;
const S_NS: i64 = 1_000 * MS_NS;

const DEFAULT_MS: [i64; 16] = [
    2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000,
];

/// The Collector's defaults, the same in both units.
pub(super) fn default_ns() -> Vec<i64> {
    DEFAULT_MS.map(|bound_ms| bound_ms * MS_NS).to_vec()
}

/// `None`: the list is absent or null. An empty list is a histogram without bounds.
pub(super) fn read(section: &mut Section, unit: Unit) -> Option<Vec<i64>> {
    let log = section.log();
    let is_compat = section.gate_is_on(COMPAT_GATE);
    let items: Vec<Item> = section.items("buckets")?.collect();
    let bare: Vec<f64> = items.iter().filter_map(bare_number).collect();
    let (unit_ns, unit_name) = if is_compat {
        (1, "nanoseconds")
    } else if bare
        .iter()
        .any(|number| *number != 0.0 && number.abs() < 1.0)
    {
        (S_NS, "seconds")
    } else if unit == Unit::Seconds {
        (S_NS, "seconds, the histogram's unit")
    } else {
        (MS_NS, "milliseconds, the histogram's unit")
    };
    if !bare.is_empty() {
        remark(section, unit_name, is_compat);
    }
    let mut bounds_ns = Vec::with_capacity(items.len());
    for bound in &items {
        match bare_number(bound) {
            None => bounds_ns.extend(bound.duration_ns(log)),
            Some(number) => match to_ns(number, unit_ns) {
                Some(ns) => bounds_ns.push(ns),
                None => log.push(
                    Diagnostic::error(
                        Code::OutOfRange,
                        bound.span,
                        format!("`{}` is more than 292 years", bound.path),
                    )
                    .label("a duration such as `250ms`"),
                ),
            },
        }
    }
    Some(bounds_ns)
}

/// Where the list stands is where a person would write the units.
fn remark(section: &Section, unit_name: &str, is_compat: bool) {
    let path = section.path_of("buckets");
    let message = format!("the bare numbers of `{path}` are {unit_name}");
    let label = if is_compat {
        "write the unit with each number: `5ms`, `1s`"
    } else {
        "the Collector takes them for nanoseconds; with units, `5ms` or `1s`, both agree"
    };
    let span = section.span_of("buckets");
    section
        .log()
        .push(Diagnostic::note(Code::BareNumber, span, message).label(label));
}

fn bare_number(item: &Item) -> Option<f64> {
    let Value::Scalar { text, plain: true } = &item.node.value else {
        return None;
    };
    match resolve(text) {
        Plain::Integer(number) => Some(number as f64),
        Plain::Float(number) => Some(number),
        _ => None,
    }
}

/// A number times a unit, to the nearest nanosecond; bare nanoseconds are cut to whole ones.
fn to_ns(number: f64, unit_ns: i64) -> Option<i64> {
    let scaled = number * unit_ns as f64;
    let bound = if unit_ns == 1 {
        scaled.trunc()
    } else {
        scaled.round()
    };
    (bound.abs() < i64::MAX as f64).then_some(bound as i64)
}
