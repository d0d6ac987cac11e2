//! A single value, read as the type that is wanted: the Collector's rules of conversion.
//!
//! Text is text only; a number is never taken for it, nor it for a number. A fraction is cut to an
//! integer. A duration is text in Go's syntax or a bare number of nanoseconds. Each function says
//! in words what it found when that does not fit.

use super::duration;
use super::node::{Node, Value};
use super::scalar::{Plain, resolve};

/// Words of a value that are shown in a message; the rest is cut.
const SHOWN_CHARS_MAX: usize = 40;

/// Why a value does not fit: beside the caret, and whether it is the type or the amount.
pub(super) struct Misfit {
    pub label: String,
    pub is_type: bool,
}

/// A duration, and whether it was written as a bare number.
pub(super) struct ReadDuration {
    pub ns: i64,
    pub is_bare: bool,
}

pub(super) fn wrong(label: impl Into<String>) -> Misfit {
    Misfit {
        label: label.into(),
        is_type: true,
    }
}

pub(super) fn outside(label: impl Into<String>) -> Misfit {
    Misfit {
        label: label.into(),
        is_type: false,
    }
}

/// What a value is, for a message: "the number `12`".
pub(super) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Refused => "nothing".to_owned(),
        Value::Seq(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        Value::Scalar { text, .. } => {
            let kind = match plain(node) {
                Plain::Bool(_) => "the bool",
                Plain::Integer(_) | Plain::Float(_) => "the number",
                Plain::Time => "the date",
                Plain::Null | Plain::Text => "the text",
            };
            format!("{kind} `{}`", shown(text))
        }
    }
}

/// A text short enough for a message.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= SHOWN_CHARS_MAX && line.len() == text.len() {
        line.to_owned()
    } else {
        let start: String = line.chars().take(SHOWN_CHARS_MAX).collect();
        format!("{start}...")
    }
}

/// What the scalar is; text for anything in quotes.
pub(super) fn plain(node: &Node) -> Plain {
    match &node.value {
        Value::Scalar { text, plain: true } => resolve(text),
        Value::Null | Value::Refused => Plain::Null,
        _ => Plain::Text,
    }
}

pub(super) fn text(node: &Node) -> Result<String, Misfit> {
    if let Some(raw) = &node.raw {
        return Ok(raw.clone());
    }
    match &node.value {
        Value::Null | Value::Refused => Ok(String::new()),
        Value::Scalar { text, .. } => match plain(node) {
            Plain::Null | Plain::Text => Ok(text.clone()),
            _ => Err(wrong(format!("put it in quotes: `\"{}\"`", shown(text)))),
        },
        Value::Seq(_) | Value::Map(_) => Err(wrong("one text")),
    }
}

pub(super) fn bool(node: &Node) -> Result<bool, Misfit> {
    match plain(node) {
        Plain::Null => Ok(false),
        Plain::Bool(value) => Ok(value),
        _ => Err(wrong(match &node.value {
            Value::Scalar { text, .. } => match text.to_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => "write `true`, without quotes",
                "no" | "off" | "n" | "false" => "write `false`, without quotes",
                _ => "`true` or `false`",
            },
            _ => "`true` or `false`",
        })),
    }
}

pub(super) fn integer(node: &Node, least: i64, most: i64) -> Result<i64, Misfit> {
    let number = match plain(node) {
        Plain::Null => 0,
        Plain::Integer(number) => number,
        Plain::Float(number) if number.is_finite() => number.trunc() as i128,
        Plain::Float(_) => return Err(outside("a finite number")),
        _ => return Err(not_a_number(node)),
    };
    i64::try_from(number)
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            outside(match (least, most) {
                (0, i64::MAX) => "not below 0".to_owned(),
                (least, i64::MAX) => format!("not below {least}"),
                (least, most) => format!("from {least} to {most}"),
            })
        })
}

pub(super) fn float(node: &Node) -> Result<f64, Misfit> {
    match plain(node) {
        Plain::Null => Ok(0.0),
        Plain::Integer(number) => Ok(number as f64),
        Plain::Float(number) => Ok(number),
        _ => Err(not_a_number(node)),
    }
}

fn not_a_number(node: &Node) -> Misfit {
    wrong(match &node.value {
        Value::Scalar { text, plain: false }
            if matches!(resolve(text), Plain::Integer(_) | Plain::Float(_)) =>
        {
            "write it without quotes"
        }
        _ => "a number",
    })
}

pub(super) fn duration(node: &Node) -> Result<ReadDuration, Misfit> {
    let bare = |ns| Ok(ReadDuration { ns, is_bare: true });
    match plain(node) {
        Plain::Null => Ok(ReadDuration {
            ns: 0,
            is_bare: false,
        }),
        Plain::Integer(ns) => match i64::try_from(ns) {
            Ok(ns) => bare(ns),
            Err(_) => Err(outside("more than 292 years")),
        },
        Plain::Float(ns) if ns.is_finite() && ns.abs() < i64::MAX as f64 => bare(ns.trunc() as i64),
        Plain::Float(_) => Err(outside("more than 292 years")),
        Plain::Text if node.is_scalar() => {
            let text = text(node)?;
            match duration::parse(&text) {
                Ok(ns) => Ok(ReadDuration { ns, is_bare: false }),
                Err(error) => Err(wrong(duration_label(&text, &error))),
            }
        }
        _ => Err(wrong(format!(
            "a number with a unit ({}), such as `1m30s`",
            duration::UNITS
        ))),
    }
}

fn duration_label(text: &str, error: &duration::DurationError) -> String {
    use duration::DurationError::{MissingUnit, NotADuration, TooLong, UnknownUnit};
    match error {
        MissingUnit => format!("a unit is missing: `{}s`?", shown(text)),
        UnknownUnit(unit) if matches!(unit.as_str(), "d" | "day" | "days") => {
            "there are no days: write `24h` for each".to_owned()
        }
        UnknownUnit(_) => format!("{error}; the units are {}", duration::UNITS),
        NotADuration => format!("numbers with units ({}), such as `1m30s`", duration::UNITS),
        TooLong => error.to_string(),
    }
}
