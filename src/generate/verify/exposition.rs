//! A strict reader of the Prometheus text formats: every line is understood or refused.
//!
//! Lines in, samples to a visitor, nothing kept. Text 0.0.4, or `OpenMetrics` 1.0 with its exemplars,
//! which are checked for form and passed over. Names are checked by their grammar, values as Go's
//! float syntax allows them in this format, timestamps as numbers.

use std::borrow::Cow;

use crate::generate::error::GenerateError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 0.0.4
    Text,
    /// 1.0
    OpenMetrics,
}

impl Format {
    /// By the `Content-Type` of an answer; one without is text.
    #[must_use]
    pub fn of(content_type: &str) -> Self {
        if content_type.starts_with("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    fn types(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["counter", "gauge", "histogram", "summary", "untyped"],
            Self::OpenMetrics => &[
                "counter",
                "gauge",
                "histogram",
                "gaugehistogram",
                "summary",
                "info",
                "stateset",
                "unknown",
            ],
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    pub name: &'a str,
    /// In the order of the line; no name twice.
    pub labels: &'a [(&'a str, Cow<'a, str>)],
    pub value: f64,
}

/// Reads one exposition line by line.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    lines: usize,
    /// After `# EOF`.
    is_ended: bool,
}

impl Reader {
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            lines: 0,
            is_ended: false,
        }
    }

    /// Reads a line, without its end. Calls `visit` if it is a sample.
    ///
    /// # Errors
    /// When it is not well-formed, or `visit` refuses it with a reason.
    pub fn line(
        &mut self,
        line: &str,
        visit: &mut impl FnMut(&Sample) -> Result<(), &'static str>,
    ) -> Result<(), GenerateError> {
        self.lines += 1;
        let read = if self.is_ended {
            Err("text after # EOF")
        } else if self.format == Format::OpenMetrics && line == "# EOF" {
            self.is_ended = true;
            Ok(())
        } else {
            read_line(line, self.format, visit)
        };
        read.map_err(|reason| self.refused(reason, line))
    }

    /// `rest` is what follows the last line's end.
    ///
    /// # Errors
    /// When the exposition was cut.
    pub fn end(&self, rest: &str) -> Result<(), GenerateError> {
        if !rest.is_empty() {
            return Err(self.refused("the last line has no end", rest));
        }
        if self.format == Format::OpenMetrics && !self.is_ended {
            return Err(self.refused("no # EOF at the end", rest));
        }
        Ok(())
    }

    fn refused(&self, reason: &'static str, text: &str) -> GenerateError {
        GenerateError::Exposition {
            line: self.lines,
            reason,
            text: text.to_owned(),
        }
    }
}

/// Calls `visit` with every sample of a whole exposition, in order.
///
/// # Errors
/// As those of [`Reader`].
pub fn read(
    text: &str,
    format: Format,
    mut visit: impl FnMut(&Sample) -> Result<(), &'static str>,
) -> Result<(), GenerateError> {
    let mut reader = Reader::new(format);
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    for line in text[..whole].split_terminator('\n') {
        reader.line(line, &mut visit)?;
    }
    reader.end(&text[whole..])
}

fn read_line(
    line: &str,
    format: Format,
    visit: &mut impl FnMut(&Sample) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    if line.is_empty() {
        return Ok(());
    }
    if let Some(comment) = line.strip_prefix('#') {
        return read_comment(comment, format);
    }
    let (name, rest) = take_name(line, true)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => read_labels(rest)?,
        None => (Vec::new(), rest),
    };
    let rest = match format {
        Format::Text => rest,
        Format::OpenMetrics => without_exemplar(rest)?,
    };
    visit(&Sample {
        name,
        labels: &labels,
        value: read_numbers(rest, format)?,
    })
}

/// A value and perhaps a timestamp, to the end.
fn read_numbers(text: &str, format: Format) -> Result<f64, &'static str> {
    let mut words = text.split_ascii_whitespace();
    let value = read_value(words.next().ok_or("no value")?)?;
    if let Some(word) = words.next() {
        let is_timestamp = match format {
            Format::Text => word.parse::<i64>().is_ok(),
            Format::OpenMetrics => read_value(word).is_ok(),
        };
        if !is_timestamp {
            return Err("the timestamp is no number of this format");
        }
    }
    match words.next() {
        None => Ok(value),
        Some(_) => Err("text after the timestamp"),
    }
}

/// What stands in front of ` # {labels} value [timestamp]`. No value holds a `#`.
fn without_exemplar(text: &str) -> Result<&str, &'static str> {
    let Some((sample, exemplar)) = text.split_once(" # ") else {
        return Ok(text);
    };
    let labels = exemplar.strip_prefix('{').ok_or("an exemplar has no {")?;
    let (_, numbers) = read_labels(labels)?;
    read_numbers(numbers, Format::OpenMetrics)?;
    Ok(sample)
}

/// `# HELP name text`, `# TYPE name type`, or any other comment.
fn read_comment(comment: &str, format: Format) -> Result<(), &'static str> {
    let mut words = comment.trim_start().splitn(3, ' ');
    let keyword = words.next().unwrap_or_default();
    if !(keyword == "HELP"
        || keyword == "TYPE"
        || format == Format::OpenMetrics && keyword == "UNIT")
    {
        return Ok(());
    }
    let (_, rest) = take_name(words.next().unwrap_or_default(), true)?;
    if !rest.is_empty() {
        return Err("a metric name has a wrong character");
    }
    match (keyword, words.next()) {
        ("TYPE", Some(word)) if format.types().contains(&word) => Ok(()),
        ("TYPE", _) => Err("no type of this format"),
        _ => Ok(()),
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

pub(super) type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// Labels up to and with the closing brace, and what follows it.
pub(super) fn read_labels(mut text: &str) -> Result<(Labels<'_>, &str), &'static str> {
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

/// A number of the format, as a value or in a label. Rust also reads words that the format does not have.
///
/// # Errors
/// When it is none.
pub fn read_value(word: &str) -> Result<f64, &'static str> {
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

#[cfg(test)]
mod tests;
