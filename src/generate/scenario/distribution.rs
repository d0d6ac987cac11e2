//! How the numbers of a scenario are spread: latencies, the values of metrics.
//!
//! A key of the file becomes a [`Distribution`], which is drawn from with a seeded `Random`. One
//! grammar serves durations and bare numbers; [`Unit`] tells which a key wants.

use std::time::Duration;

use super::reader::{one_of, required};
use crate::config::{Code, Node, Section, Value};
use crate::generate::random::Random;

/// Rows of a table.
const ROWS_MAX: usize = 1_000;
/// Of a logarithm: beyond it the tail is all there is.
const SIGMA_MAX: f64 = 10.0;
/// Spread of each hump of two, unless it is given.
const HUMP_SIGMA: f64 = 0.2;
/// Log-normal durations end here unless `max` says otherwise.
const TAIL_MAX: Duration = Duration::from_mins(1);
/// No duration is longer. A start of a span so long ago is still one.
const DURATION_MAX: Duration = Duration::from_hours(1);

const KINDS: &[&str] = &["constant", "uniform", "log_normal", "bimodal", "table"];

/// What the numbers of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Written as durations, drawn in nanoseconds.
    Nanoseconds,
    Number,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    Constant(f64),
    /// From `min` to below `max`.
    Uniform {
        min: f64,
        max: f64,
    },
    LogNormal(LogNormal),
    Bimodal {
        low: LogNormal,
        high: LogNormal,
        high_share: f64,
    },
    /// Values with the sum of the shares up to and with each; the last is 1.
    Table(Vec<(f64, f64)>),
}

/// The exponential of a normal number, cut at `max`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogNormal {
    median_ln: f64,
    sigma: f64,
    max: f64,
}

impl LogNormal {
    /// The median is above 0.
    #[must_use]
    pub fn new(median: f64, sigma: f64, max: f64) -> Self {
        debug_assert!(median > 0.0, "{median}");
        Self {
            median_ln: median.ln(),
            sigma,
            max,
        }
    }

    fn draw(&self, random: &mut Random) -> f64 {
        let exponent = self.sigma.mul_add(random.normal(), self.median_ln);
        exponent.exp().min(self.max)
    }
}

impl Distribution {
    pub fn draw(&self, random: &mut Random) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => (max - min).mul_add(random.unit(), *min),
            Self::LogNormal(spread) => spread.draw(random),
            Self::Bimodal {
                low,
                high,
                high_share,
            } => {
                let hump = if random.chance(*high_share) {
                    high
                } else {
                    low
                };
                hump.draw(random)
            }
            Self::Table(rows) => {
                let ticket = random.unit();
                let row = rows.partition_point(|(sum, _)| *sum <= ticket);
                // The last sum may be a rounding below 1.
                rows[row.min(rows.len() - 1)].1
            }
        }
    }

    /// Reads the value of `key`: a number, which is always the same, or a map with one kind.
    /// `None`: the key is absent, or wrong, which was reported.
    pub fn read(section: &mut Section, key: &'static str, unit: Unit) -> Option<Self> {
        let entry = section.entry(key)?;
        if matches!(entry.node.value, Value::Map(_) | Value::Null) {
            section.section(key, |kinds| Self::read_kind(kinds, &entry.node, unit))?
        } else {
            number(section, key, unit).map(Self::Constant)
        }
    }

    fn read_kind(section: &mut Section, node: &Node, unit: Unit) -> Option<Self> {
        let kind = one_of(section, node, KINDS, &[])?;
        match kind {
            "constant" => required(section, kind, |s| number(s, kind, unit)).map(Self::Constant),
            "uniform" => section.section(kind, |s| uniform(s, unit))?,
            "log_normal" => section.section(kind, |s| log_normal(s, unit))?,
            "bimodal" => section.section(kind, |s| bimodal(s, unit))?,
            _ => table(section, kind, unit),
        }
    }
}

fn uniform(section: &mut Section, unit: Unit) -> Option<Distribution> {
    let min = number(section, "min", unit).unwrap_or(0.0);
    let max = required(section, "max", |s| number(s, "max", unit))?;
    if min > max {
        let message = format!("`{}` is below `min`", section.path_of("max"));
        section.refuse("max", Code::OutOfRange, message, "at least `min`");
        return None;
    }
    Some(Distribution::Uniform { min, max })
}

fn log_normal(section: &mut Section, unit: Unit) -> Option<Distribution> {
    let median = positive(section, "median", unit);
    let sigma = sigma(section, 0.5);
    let max = number(section, "max", unit).unwrap_or(match unit {
        Unit::Nanoseconds => nanoseconds(TAIL_MAX),
        Unit::Number => f64::INFINITY,
    });
    Some(Distribution::LogNormal(LogNormal::new(
        median?, sigma?, max,
    )))
}

fn bimodal(section: &mut Section, unit: Unit) -> Option<Distribution> {
    let low = positive(section, "low", unit);
    let high = positive(section, "high", unit);
    let high_share = share(section, "high_share", 0.1);
    let sigma = sigma(section, HUMP_SIGMA)?;
    let max = match unit {
        Unit::Nanoseconds => nanoseconds(DURATION_MAX),
        Unit::Number => f64::INFINITY,
    };
    Some(Distribution::Bimodal {
        low: LogNormal::new(low?, sigma, max),
        high: LogNormal::new(high?, sigma, max),
        high_share,
    })
}

fn table(section: &mut Section, key: &'static str, unit: Unit) -> Option<Distribution> {
    let rows = section.sections(key, |row| {
        let value = required(row, "value", |s| number(s, "value", unit));
        (weight(row), value)
    })?;
    if rows.is_empty() || rows.len() > ROWS_MAX {
        let message = format!("`{}` has {} rows", section.path_of(key), rows.len());
        let label = format!("1 to {ROWS_MAX}, each `{{value: 5ms, weight: 3}}`");
        section.refuse(key, Code::Limit, message, &label);
        return None;
    }
    let total: u64 = rows.iter().map(|(weight, _)| u64::from(*weight)).sum();
    let mut sum = 0;
    let rows = rows.into_iter().map(|(weight, value)| {
        sum += u64::from(weight);
        // Sums of u32 weights, far below 2^53.
        Some((sum as f64 / total as f64, value?))
    });
    rows.collect::<Option<_>>().map(Distribution::Table)
}

/// A weight of 1 to `u32::MAX`, 1 when it is absent.
pub fn weight(section: &mut Section) -> u32 {
    let weight = section.integer("weight", 1, 1, i64::from(u32::MAX));
    u32::try_from(weight).expect("read within the bounds of u32")
}

/// A share from 0 to 1.
pub fn share(section: &mut Section, key: &'static str, default: f64) -> f64 {
    let share = section.float(key, default);
    if (0.0..=1.0).contains(&share) {
        return share;
    }
    let message = format!("`{}` is no share", section.path_of(key));
    section.refuse(key, Code::OutOfRange, message, "from 0 to 1");
    default
}

fn sigma(section: &mut Section, default: f64) -> Option<f64> {
    let sigma = section.float("sigma", default);
    if (0.0..=SIGMA_MAX).contains(&sigma) {
        return Some(sigma);
    }
    let message = format!("`{}` cannot be {sigma}", section.path_of("sigma"));
    let label = format!("from 0 to {SIGMA_MAX}; 0.5 is common");
    section.refuse("sigma", Code::OutOfRange, message, &label);
    None
}

/// A number that has a logarithm.
fn positive(section: &mut Section, key: &'static str, unit: Unit) -> Option<f64> {
    let number = required(section, key, |s| number(s, key, unit))?;
    if number > 0.0 {
        return Some(number);
    }
    let message = format!("`{}` has no logarithm", section.path_of(key));
    section.refuse(key, Code::OutOfRange, message, "above 0");
    None
}

/// `None`: absent, or refused.
fn number(section: &mut Section, key: &'static str, unit: Unit) -> Option<f64> {
    section.entry(key)?;
    match unit {
        Unit::Number => {
            let number = section.float(key, 0.0);
            if number.is_finite() {
                return Some(number);
            }
            let message = format!("`{}` is no finite number", section.path_of(key));
            section.refuse(key, Code::OutOfRange, message, "a finite number");
            None
        }
        Unit::Nanoseconds => {
            let duration = section.duration(key, Duration::ZERO);
            if duration <= DURATION_MAX {
                return Some(nanoseconds(duration));
            }
            let message = format!("`{}` is too long", section.path_of(key));
            section.refuse(key, Code::OutOfRange, message, "at most 1h");
            None
        }
    }
}

/// At most an hour: below 2^53.
fn nanoseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

#[cfg(test)]
mod tests;
