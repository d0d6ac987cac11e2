//! A strict reader of the Prometheus text format 0.0.4: every line is understood or refused.
//!
//! Text in, samples to a visitor, nothing kept. Names are checked by their grammar, values as Go's
//! float syntax allows them in this format, timestamps as integers of milliseconds.

use std::borrow::Cow;

use crate::generate::error::GenerateError;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    pub name: &'a str,
    /// In the order of the line; no name twice.
    pub labels: &'a [(&'a str, Cow<'a, str>)],
    pub value: f64,
    pub timestamp_ms: Option<i64>,
}

/// Calls `visit` with every sample, in order.
///
/// # Errors
/// At the first line that is not well-formed, or that `visit` refuses with a reason.
pub fn read(
    text: &str,
    mut visit: impl FnMut(&Sample) -> Result<(), &'static str>,
) -> Result<(), GenerateError> {
    for (index, line) in text.split_terminator('\n').enumerate() {
        read_line(line, &mut visit).map_err(|reason| GenerateError::Exposition {
            line: index + 1,
            reason,
            text: line.to_owned(),
        })?;
    }
    if text.is_empty() || text.ends_with('\n') {
        Ok(())
    } else {
        Err(GenerateError::Exposition {
            line: text.lines().count(),
            reason: "the last line has no end",
            text: text.lines().last().unwrap_or_default().to_owned(),
        })
    }
}

fn read_line(
    line: &str,
    visit: &mut impl FnMut(&Sample) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    if line.is_empty() {
        return Ok(());
    }
    if let Some(comment) = line.strip_prefix('#') {
        return read_comment(comment);
    }
    let (name, rest) = take_name(line, true)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => read_labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = read_value(words.next().ok_or("no value")?)?;
    let timestamp_ms = words
        .next()
        .map(|word| word.parse().map_err(|_| "the timestamp is no integer"))
        .transpose()?;
    if words.next().is_some() {
        return Err("text after the timestamp");
    }
    visit(&Sample {
        name,
        labels: &labels,
        value,
        timestamp_ms,
    })
}

/// `# HELP name text`, `# TYPE name type`, or any other comment.
fn read_comment(comment: &str) -> Result<(), &'static str> {
    let mut words = comment.trim_start().splitn(3, ' ');
    let keyword = words.next().unwrap_or_default();
    if keyword != "HELP" && keyword != "TYPE" {
        return Ok(());
    }
    let (_, rest) = take_name(words.next().unwrap_or_default(), true)?;
    if !rest.is_empty() {
        return Err("a metric name has a wrong character");
    }
    match (keyword, words.next()) {
        ("HELP", _) | ("TYPE", Some("counter" | "gauge" | "histogram" | "summary" | "untyped")) => {
            Ok(())
        }
        _ => Err("no type of this format"),
    }
}

/// A metric name (which may hold colons) or label name at the start of `text`, and what follows it.
fn take_name(text: &str, colons: bool) -> Result<(&str, &str), &'static str> {
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (colons && byte == b':');
    let end = text
        .bytes()
        .position(|byte| !is_part(byte))
        .unwrap_or(text.len());
    if end == 0 || text.as_bytes()[0].is_ascii_digit() {
        return Err("no name where one must stand");
    }
    Ok(text.split_at(end))
}

/// Labels of a usual line, for which there is room from the start.
const LABELS_USUAL: usize = 24;

type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// Labels up to and with the closing brace, and what follows it.
fn read_labels(mut text: &str) -> Result<(Labels<'_>, &str), &'static str> {
    let mut labels: Labels = Vec::with_capacity(LABELS_USUAL);
    loop {
        if let Some(rest) = text.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, rest) = take_name(text, false)?;
        let rest = rest
            .strip_prefix("=\"")
            .ok_or("no =\" after a label name")?;
        let (value, rest) = read_quoted(rest)?;
        // Most expositions are sorted: then the last name tells.
        let is_next = labels.last().is_none_or(|(last, _)| *last < name);
        if !is_next && labels.iter().any(|(seen, _)| *seen == name) {
            return Err("a label name stands twice");
        }
        labels.push((name, value));
        text = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.starts_with('}') => rest,
            None => return Err("neither , nor } after a label value"),
        };
    }
}

/// A label value up to and with its closing quote, and what follows it.
fn read_quoted(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let open = "a label value has no end";
    let mut plain = memchr::memchr2(b'"', b'\\', text.as_bytes()).ok_or(open)?;
    if text.as_bytes()[plain] == b'"' {
        return Ok((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut value = String::new();
    let mut rest = text;
    loop {
        value.push_str(&rest[..plain]);
        let escaped = match rest.as_bytes()[plain..] {
            [b'"', ..] => return Ok((Cow::Owned(value), &rest[plain + 1..])),
            [_, b'\\', ..] => '\\',
            [_, b'"', ..] => '"',
            [_, b'n', ..] => '\n',
            _ => return Err("an escape that this format does not have"),
        };
        value.push(escaped);
        rest = &rest[plain + 2..];
        plain = memchr::memchr2(b'"', b'\\', rest.as_bytes()).ok_or(open)?;
    }
}

/// A number of the format. Rust also reads words that the format does not have.
fn read_value(word: &str) -> Result<f64, &'static str> {
    match word {
        "+Inf" | "Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) =>
        {
            word.parse().map_err(|_| "the value is no number")
        }
        _ => Err("the value is no number"),
    }
}

/// The number of an `le` or `quantile` label.
///
/// # Errors
/// When it is none.
pub fn read_bound(text: &str) -> Result<f64, &'static str> {
    read_value(text)
}

#[cfg(test)]
mod tests;
