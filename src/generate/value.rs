//! Attributes as the generator knows them: what is encoded, and the text a target must show for it.

use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub key: String,
    pub value: Value,
}

/// The types of attributes that the built-in load uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Int(i64),
    Texts(Vec<String>),
}

impl Attribute {
    pub(super) fn text(key: &str, text: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: Value::Text(text.into()),
        }
    }

    pub(super) fn int(key: &str, number: i64) -> Self {
        Self {
            key: key.to_owned(),
            value: Value::Int(number),
        }
    }
}

impl Value {
    /// The label value that stands for it: text as it is, numbers in decimal, lists as compact JSON.
    #[must_use]
    pub fn label_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Texts(texts) => json!(texts).to_string(),
        }
    }
}

/// The value of the first attribute called `key`.
pub(super) fn find<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|attribute| &attribute.value)
}
