//! Attributes as the generator knows them: what is encoded, and the text a target must show for it.
//!
//! The text is worked out from the specification, on its own: what `batch` writes is what is verified.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub key: String,
    pub value: Value,
}

/// `AnyValue` of OTLP.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Map(Vec<Attribute>),
    /// An `AnyValue` in which nothing is set.
    Empty,
}

impl Attribute {
    pub fn new(key: impl Into<String>, value: Value) -> Self {
        Self {
            key: key.into(),
            value,
        }
    }

    pub fn text(key: &str, text: impl Into<String>) -> Self {
        Self::new(key, Value::Text(text.into()))
    }

    pub fn int(key: &str, number: i64) -> Self {
        Self::new(key, Value::Int(number))
    }
}

impl Value {
    /// The label value that stands for it: text as it is, numbers in their shortest form, bytes as
    /// base64, lists and maps as compact JSON with sorted keys.
    #[must_use]
    pub fn label_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Bool(bool) => bool.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) if number.is_nan() => "json: unsupported value: NaN".to_owned(),
            Self::Double(number) if number.is_infinite() => {
                let sign = if *number > 0.0 { '+' } else { '-' };
                format!("json: unsupported value: {sign}Inf")
            }
            Self::Double(number) => double_text(*number),
            Self::Bytes(bytes) => STANDARD.encode(bytes),
            // What JSON cannot hold makes the whole value an empty text.
            Self::List(_) | Self::Map(_) => self.json().unwrap_or_default(),
            Self::Empty => String::new(),
        }
    }

    /// `None`: a NaN or an infinity stands in it.
    fn json(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) => json_text(text),
            Self::Double(number) if number.is_finite() => double_text(*number),
            Self::Double(_) => return None,
            Self::Bytes(bytes) if !bytes.is_empty() => json_text(&STANDARD.encode(bytes)),
            // The Collector takes no bytes for none.
            Self::Bytes(_) | Self::Empty => "null".to_owned(),
            Self::Bool(_) | Self::Int(_) => self.label_text(),
            Self::List(values) => {
                let values: Option<Vec<String>> = values.iter().map(Self::json).collect();
                format!("[{}]", values?.join(","))
            }
            Self::Map(attributes) => {
                // The last of equal keys stays.
                let sorted: BTreeMap<&str, &Self> = attributes
                    .iter()
                    .map(|attribute| (attribute.key.as_str(), &attribute.value))
                    .collect();
                let pairs: Option<Vec<String>> = sorted
                    .iter()
                    .map(|(key, value)| Some(format!("{}:{}", json_text(key), value.json()?)))
                    .collect();
                format!("{{{}}}", pairs?.join(","))
            }
        })
    }
}

/// Shortest digits that read back equal, with an exponent where ECMAScript has one.
fn double_text(number: f64) -> String {
    let size = number.abs();
    if size >= 1e21 {
        format!("{number:e}").replace('e', "e+")
    } else if size < 1e-6 && size > 0.0 {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

/// In quotes, escaped as Go does it: what HTML could misread is escaped too.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The value of the first attribute called `key`.
pub(super) fn find<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|attribute| &attribute.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_record() {
        let list = |values: &[Value]| Value::List(values.to_vec());
        let text = |text: &str| Value::Text(text.to_owned());
        for (value, expected) in [
            (text("a\"b\n"), "a\"b\n"),
            (Value::Bool(true), "true"),
            (Value::Int(-42), "-42"),
            (Value::Double(3.0), "3"),
            (Value::Double(1e-7), "1e-7"),
            (Value::Double(1e21), "1e+21"),
            (Value::Double(1e-6), "0.000001"),
            (Value::Double(f64::NAN), "json: unsupported value: NaN"),
            (
                Value::Double(f64::NEG_INFINITY),
                "json: unsupported value: -Inf",
            ),
            (Value::Bytes(vec![0, 1, 255]), "AAH/"),
            (Value::Empty, ""),
            (
                list(&[text("a"), Value::Int(1), Value::Bool(true), Value::Empty]),
                r#"["a",1,true,null]"#,
            ),
            (list(&[Value::Double(f64::NAN)]), ""),
            (
                Value::Map(vec![
                    Attribute::int("z", 1),
                    Attribute::text("a", "<&>"),
                    Attribute::new("b", Value::Map(Vec::new())),
                ]),
                r#"{"a":"\u003c\u0026\u003e","b":{},"z":1}"#,
            ),
        ] {
            assert_eq!(value.label_text(), expected);
        }
    }
}
