//! Metric name, unit and namespace in, family name out.

use super::{escape_legacy, is_word};

/// What the suffix depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A monotonic sum, of any temporality.
    Counter,
    Gauge,
    /// Histogram, summary, sum that is not monotonic.
    Other,
}

/// The family name before escaping: Unicode letters survive. Empty: the metric has no valid name.
#[must_use]
pub fn family_name(name: &str, unit: &str, kind: Kind, namespace: &str, suffixes: bool) -> String {
    let namespace = cleaned(namespace);
    if suffixes {
        with_suffixes(name, unit, kind, &namespace)
    } else {
        without_suffixes(name, &namespace)
    }
}

/// The name on the wire; the same for both text formats and every negotiated escaping, since a name
/// of the legacy set is left alone by all of them.
#[must_use]
pub fn escaped(name: &str) -> String {
    escape_legacy(name, true)
}

fn with_suffixes(name: &str, unit: &str, kind: Kind, namespace: &str) -> String {
    let mut tokens: Vec<&str> = words(name).collect();
    let (main, per) = unit_words(unit);
    if !main.is_empty() && !tokens.contains(&main.as_str()) {
        tokens.push(&main);
    }
    if !per.is_empty() && !tokens.contains(&per.as_str()) {
        tokens.extend(["per", &per]);
    }
    let last = match kind {
        Kind::Counter => Some("total"),
        Kind::Gauge if unit == "1" => Some("ratio"),
        Kind::Gauge | Kind::Other => None,
    };
    if let Some(last) = last {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    if !namespace.is_empty() {
        tokens.insert(0, namespace);
    }
    underscore_before_digit(tokens.join("_"))
}

fn without_suffixes(name: &str, namespace: &str) -> String {
    let name = name
        .split(|c| !(is_word(c) || c == '_' || c == ':'))
        .filter(|piece| !piece.is_empty())
        .collect::<Vec<_>>()
        .join("_");
    if namespace.is_empty() {
        underscore_before_digit(name)
    } else {
        format!("{namespace}_{name}")
    }
}

fn underscore_before_digit(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}

/// The words of the main unit and of the unit after the first slash.
fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let part = |text: &str, word: fn(&str) -> &str| {
        let text = text.trim();
        if text.contains(['{', '}']) {
            String::new()
        } else {
            cleaned(word(text))
        }
    };
    (part(main, main_word), part(per, per_word))
}

fn cleaned(text: &str) -> String {
    words(text).collect::<Vec<_>>().join("_")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

fn main_word(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        // The reference's spelling.
        "TiBy" => "tibibytes",
        "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "1" => "",
        "%" => "percent",
        other => other,
    }
}

fn per_word(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}
