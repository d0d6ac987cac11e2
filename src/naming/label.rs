//! Attribute key in, label name out.
//!
//! Keys are bytes: the Collector takes text that is not UTF-8, and each of its bytes is a bad
//! character. Collisions between names are the exporter's business, not decided here.

use super::{escape_legacy, is_word};

/// A label name before and on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelName {
    /// What the reference sorts by: Unicode letters survive.
    pub sorted_by: String,
    /// The legacy set only.
    pub printed: String,
}

impl LabelName {
    /// An attribute's label, by the translator's rules. May be invalid, see [`Self::is_valid`].
    #[must_use]
    pub fn of_attribute(key: &[u8]) -> Self {
        Self::verbatim(&translated(key))
    }

    /// A name that is used as it stands (`const_labels`), escaped only on the wire.
    #[must_use]
    pub fn verbatim(name: &str) -> Self {
        Self {
            printed: escape_legacy(name, false),
            sorted_by: name.to_owned(),
        }
    }

    /// Neither empty nor reserved. The reference drops a series with an invalid label.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.sorted_by.is_empty() && !self.sorted_by.starts_with("__")
    }

    /// A legal name for what the reference drops. It already puts `key` before a single leading
    /// underscore (`_x` -> `key_x`); the same goes for two and more (`__x` -> `key__x`, so that
    /// it stays apart from `_x`), and an empty key is named like one of a single bad character,
    /// `key_`.
    #[must_use]
    pub fn made_valid(self) -> Self {
        if self.sorted_by.is_empty() {
            return Self::verbatim("key_");
        }
        if self.printed.starts_with("__") {
            return Self::verbatim(&format!("key{}", self.printed));
        }
        self
    }

    /// The name for a label that must give way to one of ours.
    #[must_use]
    pub fn exported(&self) -> Self {
        Self::verbatim(&format!("exported_{}", self.printed))
    }
}

fn translated(key: &[u8]) -> String {
    let mut name = String::with_capacity(key.len());
    for chunk in key.utf8_chunks() {
        name.extend(
            chunk
                .valid()
                .chars()
                .map(|c| if is_word(c) { c } else { '_' }),
        );
        name.extend(chunk.invalid().iter().map(|_| '_'));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "key_");
    } else if name.starts_with('_') && !name.starts_with("__") {
        name.insert_str(0, "key");
    }
    name
}
