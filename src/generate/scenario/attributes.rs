//! The attributes of a scenario: fixed values of every type, and values that are drawn.
//!
//! A map `key: value` of the file becomes one [`Spec`] a key. What is drawn is an index first, then a
//! value by it, so that few bits tell what stood in an item: that is what totals count by.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::distribution::weight;
use super::format::Format;
use super::reader::{one_of, required};
use super::template::unclosed_in;
use super::zipf::Zipf;
use crate::config::{
    Code, Diagnostic, Entry, Log, Node, Plain, Reading, Section, Span, Value as Yaml, resolve,
};
use crate::generate::random::Random;
use crate::generate::value::{Attribute, Value};

/// Values of one attribute.
const CARDINALITY_MAX: u32 = 1_000_000_000;
/// Values written out in a list.
const LISTED_MAX: usize = 10_000;
/// Growth ends here: an index has to fit 32 bits.
const GROWN_MAX: u64 = 1 << 32;
const DIGITS_MAX: i64 = 1_024;
/// Of one map.
pub const ATTRIBUTES_MAX: usize = 256;
/// Tags and lengths of a `KeyValue` in a field, at most.
const KEY_VALUE_BYTES: u64 = 24;

const KINDS: &[&str] = &[
    "bytes",
    "map",
    "cardinality",
    "growing",
    "values",
    "by_status",
    "random",
];
/// Keys that go with some of the kinds.
const COMPANIONS: &[&str] = &["distribution", "exponent", "format", "integer"];

/// An attribute before it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub key: String,
    pub values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    Fixed(Value),
    /// One for each status of a span: unset, ok, error.
    ByStatus(Box<[Value; 3]>),
    /// One of a pool, chosen anew for each item.
    Pool {
        choice: Choice,
        pool: Pool,
    },
    /// Fresh hexadecimal digits on each item: the part of real telemetry that never repeats. No
    /// index tells them.
    Random {
        digits: usize,
    },
}

/// How an index is chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Uniform {
        count: u32,
    },
    Zipf(Zipf),
    /// Indexes with the sum of the weights up to and with each.
    Weighted {
        sums: Vec<u64>,
    },
    /// Evenly among as many as there are by now: `start`, and `per_million` more after each million
    /// items of the run.
    Growing {
        start: u64,
        per_million: u64,
    },
}

/// What an index stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Pool {
    Text(Format),
    Integer,
    Listed(Vec<Value>),
}

/// Where a map of attributes stands, which says what may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a resource: drawn once.
    Resource,
    /// On a span, which has a status.
    Span,
    /// On a data point or a log record.
    Item,
    /// On something of which only fixed values are known: events, links, scopes.
    Part,
}

impl Choice {
    /// Item `number` of the run draws its index.
    pub fn draw(&self, random: &mut Random, number: u64) -> u32 {
        match self {
            Self::Uniform { count } => random.below(*count),
            Self::Zipf(zipf) => zipf.draw(random),
            Self::Weighted { sums } => {
                let total = sums[sums.len() - 1];
                let ticket = random.below_u64(total);
                // A list has at most LISTED_MAX rows.
                sums.partition_point(|sum| *sum <= ticket) as u32
            }
            Self::Growing { .. } => {
                let present = self.count(number);
                // Below GROWN_MAX.
                random.below_u64(present) as u32
            }
        }
    }

    /// Values there are when item `number` is drawn.
    #[must_use]
    pub fn count(&self, number: u64) -> u64 {
        match self {
            Self::Uniform { count } => u64::from(*count),
            Self::Zipf(zipf) => u64::from(zipf.count()),
            Self::Weighted { sums } => sums.len() as u64,
            Self::Growing { start, per_million } => {
                let grown = u128::from(number) * u128::from(*per_million) / 1_000_000;
                let present = u128::from(*start) + grown;
                // The smaller of both fits.
                present.min(u128::from(GROWN_MAX)) as u64
            }
        }
    }

    #[must_use]
    pub fn is_growing(&self) -> bool {
        matches!(self, Self::Growing { .. })
    }
}

impl Pool {
    #[must_use]
    pub fn value(&self, index: u32) -> Value {
        match self {
            Self::Text(format) => {
                let mut text = String::new();
                format.write(u64::from(index), &mut text);
                Value::Text(text)
            }
            Self::Integer => Value::Int(i64::from(index)),
            Self::Listed(values) => values[index as usize].clone(),
        }
    }
}

impl Values {
    /// Different values it may take, as far as an index tells them; 1 for what is not drawn.
    #[must_use]
    pub fn radix(&self) -> u64 {
        match self {
            Self::Pool { choice, .. } if choice.is_growing() => GROWN_MAX,
            Self::Pool { choice, .. } => choice.count(0),
            _ => 1,
        }
    }

    #[must_use]
    pub fn is_growing(&self) -> bool {
        matches!(self, Self::Pool { choice, .. } if choice.is_growing())
    }

    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The most that `bytes` says of any of them.
    pub fn most(&self, bytes: impl Fn(&Value) -> u64) -> u64 {
        let most = |values: &[Value]| values.iter().map(&bytes).max().unwrap_or_default();
        match self {
            Self::Fixed(value) => bytes(value),
            Self::ByStatus(values) => most(values.as_slice()),
            Self::Pool {
                pool: Pool::Listed(values),
                ..
            } => most(values),
            // The last index has the most digits. At least one value, at most 2^32.
            Self::Pool { pool, .. } => bytes(&pool.value((self.radix() - 1) as u32)),
            Self::Random { digits } => bytes(&Value::Text("0".repeat(*digits))),
        }
    }

    /// The word of a place that is not closed, in any text of them.
    fn unclosed(&self) -> Option<String> {
        let word = |value: &Value| unclosed_in(value).map(str::to_owned);
        match self {
            Self::Fixed(value) => word(value),
            Self::Pool {
                pool: Pool::Listed(values),
                ..
            } => values.iter().find_map(word),
            Self::Pool { pool, .. } => word(&pool.value(0)),
            Self::ByStatus(_) | Self::Random { .. } => None,
        }
    }
}

impl Spec {
    pub fn fixed(key: &str, value: Value) -> Self {
        Self {
            key: key.to_owned(),
            values: Values::Fixed(value),
        }
    }

    /// Bytes that it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let values = match &self.values {
            Values::Fixed(value) => std::slice::from_ref(value),
            Values::ByStatus(values) => values.as_slice(),
            Values::Pool {
                pool: Pool::Listed(values),
                ..
            } => values,
            Values::Pool { .. } | Values::Random { .. } => &[],
        };
        let digits = match self.values {
            Values::Random { digits } => digits,
            _ => 0,
        };
        let values = values
            .iter()
            .map(|value| size_of::<Value>() + value.bytes());
        size_of::<Self>() + self.key.len() + digits + values.sum::<usize>()
    }

    /// Bytes of its `KeyValue` in a field, at most; `value_bytes` tells those of a value.
    pub fn field_bytes_max(&self, value_bytes: impl Fn(&Value) -> u64) -> u64 {
        self.key.len() as u64 + self.values.most(value_bytes) + KEY_VALUE_BYTES
    }

    /// Reads the map under `key`; empty when it is absent.
    pub fn read_map(section: &mut Section, key: &'static str, place: Place) -> Vec<Self> {
        section
            .section(key, |map| {
                let entries = map.all_entries();
                if entries.len() > ATTRIBUTES_MAX {
                    let message = format!("`{}` has {} attributes", map.path(), entries.len());
                    let label = format!("at most {ATTRIBUTES_MAX}");
                    map.refuse("", Code::Limit, message, &label);
                    return Vec::new();
                }
                entries
                    .iter()
                    .filter_map(|entry| Self::read(map, entry, place))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn read(map: &Section, entry: &Entry, place: Place) -> Option<Self> {
        let reading = map.reading();
        let path = map.path_of(&entry.key);
        let values = match &entry.node.value {
            Yaml::Map(_) => Section::read(reading, path, entry.key_span, &entry.node, |section| {
                read_values(section, &entry.node, place)
            })?,
            _ => Values::Fixed(read_value(reading, path, entry.key_span, &entry.node)?),
        };
        if place == Place::Resource
            && let Some(word) = values.unclosed()
        {
            let message = format!("`{}` has a place without an end", map.path_of(&entry.key));
            let span = if entry.node.is_scalar() {
                entry.node.span
            } else {
                entry.key_span
            };
            let label = format!("`{{{word}}}`");
            reading
                .log
                .push(Diagnostic::error(Code::Value, span, message).label(label));
        }
        Some(Self {
            key: entry.key.clone(),
            values,
        })
    }
}

/// The fixed attributes of a map where nothing else may stand.
pub fn read_fixed(section: &mut Section, key: &'static str) -> Vec<Attribute> {
    Spec::read_map(section, key, Place::Part)
        .into_iter()
        .map(|spec| match spec.values {
            Values::Fixed(value) => Attribute::new(spec.key, value),
            _ => unreachable!("a part has fixed values only"),
        })
        .collect()
}

fn read_values(section: &mut Section, node: &Node, place: Place) -> Option<Values> {
    let kind = one_of(section, node, KINDS, COMPANIONS)?;
    let is_allowed = match kind {
        "bytes" | "map" => true,
        "by_status" => place == Place::Span,
        "growing" | "random" => matches!(place, Place::Span | Place::Item),
        _ => place != Place::Part,
    };
    if !is_allowed {
        let message = format!("`{}` cannot be `{kind}` here", section.path());
        let label = match place {
            Place::Part => "only fixed values belong here",
            Place::Resource => "it is drawn once for each pod",
            _ => "only spans have a status",
        };
        section.refuse(kind, Code::Value, message, label);
        return None;
    }
    let companions: &[&str] = match kind {
        "cardinality" => COMPANIONS,
        "growing" => &["format", "integer"],
        _ => &[],
    };
    for key in COMPANIONS.iter().filter(|key| !companions.contains(key)) {
        if section.is_given(key) {
            let message = format!("`{key}` does not go with `{kind}`");
            section.refuse(key, Code::Conflict, message, "leave it out");
        }
    }
    match kind {
        "bytes" => read_bytes(section).map(Values::Fixed),
        "map" => Some(Values::Fixed(Value::Map(read_fixed(section, "map")))),
        "by_status" => read_by_status(section),
        "random" => {
            let digits = section.integer("random", 1, 1, DIGITS_MAX);
            Some(Values::Random {
                digits: usize::try_from(digits).expect("read within bounds"),
            })
        }
        "values" => read_listed(section),
        "growing" => {
            let (start, per_million) = section.section("growing", |growing| {
                let start = growing.integer("start", 1, 1, i64::from(u32::MAX));
                let per_million = growing.integer("per_million", 1_000, 1, 1_000_000_000);
                (start.cast_unsigned(), per_million.cast_unsigned())
            })?;
            Some(Values::Pool {
                choice: Choice::Growing { start, per_million },
                pool: read_pool(section)?,
            })
        }
        _ => Some(Values::Pool {
            choice: read_choice(section),
            pool: read_pool(section)?,
        }),
    }
}

fn read_choice(section: &mut Section) -> Choice {
    let count = section.integer("cardinality", 1, 1, i64::from(CARDINALITY_MAX));
    let count = u32::try_from(count).expect("read within the bounds of u32");
    let word = section.word("distribution", "uniform", &["uniform", "zipf"], false);
    let exponent = section.float("exponent", 1.0);
    if word == "uniform" {
        if section.is_given("exponent") {
            let message = "`exponent` does not go with an even distribution";
            section.refuse("exponent", Code::Conflict, message, "with `zipf` only");
        }
        return Choice::Uniform { count };
    }
    Zipf::new(count, exponent).map_or_else(
        || {
            let message = format!("`{}` cannot be {exponent}", section.path_of("exponent"));
            section.refuse("exponent", Code::OutOfRange, message, Zipf::EXPONENTS);
            Choice::Uniform { count }
        },
        Choice::Zipf,
    )
}

fn read_pool(section: &mut Section) -> Option<Pool> {
    let is_integer = section.bool("integer", false);
    let text = section.string("format", "{n}");
    if is_integer && section.is_given("format") {
        let message = "`format` makes text of what `integer` makes a number";
        section.refuse("format", Code::Conflict, message, "leave one of them out");
    }
    if is_integer {
        return Some(Pool::Integer);
    }
    let format = Format::parse(&text);
    if format.is_none() {
        let message = format!("`{}` has no single number", section.path_of("format"));
        let label = "text with one `{n}`, or `{n:07}` for seven digits";
        section.refuse("format", Code::Value, message, label);
    }
    format.map(Pool::Text)
}

/// `values: [GET, {value: POST, weight: 3}]`
fn read_listed(section: &mut Section) -> Option<Values> {
    let (reading, path) = (section.reading(), section.path_of("values"));
    let rows: Vec<_> = section
        .items("values")?
        .map(|item| {
            let is_weighted = item.node.find("value").is_some();
            if !is_weighted {
                let value = read_value(reading, item.path, item.span, item.node);
                return (1, value);
            }
            Section::read(reading, item.path, item.span, item.node, |row| {
                let value = required(row, "value", |row| read_value_of(row, "value"));
                (weight(row), value)
            })
        })
        .collect();
    if rows.is_empty() || rows.len() > LISTED_MAX {
        let message = format!("`{path}` has {} values", rows.len());
        let label = format!("1 to {LISTED_MAX}");
        section.refuse("values", Code::Limit, message, &label);
        return None;
    }
    let mut sum = 0;
    let sums = rows.iter().map(|(weight, _)| {
        sum += u64::from(*weight);
        sum
    });
    let choice = Choice::Weighted {
        sums: sums.collect(),
    };
    let values: Option<Vec<Value>> = rows.into_iter().map(|(_, value)| value).collect();
    Some(Values::Pool {
        choice,
        pool: Pool::Listed(values?),
    })
}

fn read_by_status(section: &mut Section) -> Option<Values> {
    section.section("by_status", |by_status| {
        let mut value = |key| required(by_status, key, |section| read_value_of(section, key));
        let (unset, ok, error) = (value("unset"), value("ok"), value("error"));
        Some(Values::ByStatus(Box::new([unset?, ok?, error?])))
    })?
}

fn read_bytes(section: &mut Section) -> Option<Value> {
    let text = section.string("bytes", "");
    let bytes = STANDARD.decode(&text).ok();
    if bytes.is_none() {
        let message = format!("`{}` is no base64", section.path_of("bytes"));
        section.refuse("bytes", Code::Value, message, "as in `AAH/`");
    }
    bytes.map(Value::Bytes)
}

/// The fixed value of a key.
fn read_value_of(section: &mut Section, key: &'static str) -> Option<Value> {
    let entry = section.entry(key)?;
    let path = section.path_of(key);
    read_value(section.reading(), path, entry.key_span, &entry.node)
}

/// A fixed value: a scalar, a list, nothing, or a map with `bytes` or `map`.
fn read_value(reading: &Reading, path: String, place: Span, node: &Node) -> Option<Value> {
    match &node.value {
        Yaml::Refused => None,
        Yaml::Null => Some(Value::Empty),
        Yaml::Scalar { text, plain } => scalar(&reading.log, &path, node.span, text, *plain),
        Yaml::Seq(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| read_value(reading, format!("{path}[{index}]"), item.span, item))
            .collect::<Option<_>>()
            .map(Value::List),
        Yaml::Map(_) => Section::read(reading, path, place, node, |section| {
            match one_of(section, node, &["bytes", "map"], &[])? {
                "bytes" => read_bytes(section),
                _ => Some(Value::Map(read_fixed(section, "map"))),
            }
        }),
    }
}

fn scalar(log: &Log, path: &str, span: Span, text: &str, is_plain: bool) -> Option<Value> {
    if !is_plain {
        return Some(Value::Text(text.to_owned()));
    }
    Some(match resolve(text) {
        Plain::Null => Value::Empty,
        Plain::Bool(bool) => Value::Bool(bool),
        Plain::Integer(number) => {
            let Ok(number) = i64::try_from(number) else {
                let message = format!("`{path}` does not fit an integer of OTLP");
                log.push(
                    Diagnostic::error(Code::OutOfRange, span, message)
                        .label("64 bits with a sign; in quotes it is text"),
                );
                return None;
            };
            Value::Int(number)
        }
        Plain::Float(number) => Value::Double(number),
        Plain::Time | Plain::Text => Value::Text(text.to_owned()),
    })
}

#[cfg(test)]
mod tests;
