//! Keys that are checked without acting.
//!
//! The Collector has many more keys than act here yet. A table names each with its type and the
//! value that changes nothing; a key set to anything else is remarked on, once. Keys whose silence
//! would be dangerous (encryption, authentication) are refused instead.

use super::diagnostic::{Code, Diagnostic};
use super::node::Value;
use super::section::Section;

/// A key that is known and has no effect.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
}

/// The type of a value, with the value that changes nothing.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text(&'static str),
    Bool(bool),
    /// Least allowed, and neutral.
    Integer(i64, i64),
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// An empty list changes nothing, and neither does this one.
    Texts(&'static [&'static str]),
    TextMap,
    Word(&'static [&'static str]),
    Block(&'static [Key]),
    Blocks(&'static [Key]),
    /// Whatever stands here is not looked into; nothing and an empty list or map change nothing.
    Any,
}

impl Key {
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape }
    }
}

impl Section<'_> {
    /// Checks keys that do not act yet and remarks on those that are set.
    pub fn dormant(&mut self, keys: &[Key]) {
        for key in keys {
            if self.is_set(key) {
                self.remark_dormant(key.name);
            }
        }
    }

    /// Checks keys of a component that does not act at all, which is remarked on elsewhere.
    pub fn checked(&mut self, keys: &[Key]) {
        for key in keys {
            self.is_set(key);
        }
    }

    /// Says of a key that it does not act yet.
    pub fn remark_dormant(&self, key: &str) {
        let message = format!("`{}` is understood but does not act yet", self.path_of(key));
        self.warn(key, Code::NotYet, message, "");
    }

    /// Checks keys that must not be passed over, and refuses those that are set or hold a block.
    pub fn not_yet(&mut self, keys: &[Key], label: &str) {
        for key in keys {
            let is_set = self.is_set(key);
            if let Some(entry) = self
                .entry(key.name)
                .filter(|entry| is_set || matches!(entry.node.value, Value::Map(_)))
            {
                let message = format!("`{}` is not here yet", self.path_of(key.name));
                self.log()
                    .push(Diagnostic::error(Code::NotYet, entry.key_span, message).label(label));
            }
        }
    }

    /// Whether a key has another value than the neutral one. Its type is checked.
    pub fn is_set(&mut self, key: &Key) -> bool {
        let name = key.name;
        let Some(entry) = self.entry(name) else {
            return false;
        };
        match key.shape {
            Shape::Text(neutral) => self.string(name, neutral) != neutral,
            Shape::Bool(neutral) => self.bool(name, neutral) != neutral,
            Shape::Integer(least, neutral) => {
                self.integer(name, neutral, least, i64::MAX) != neutral
            }
            // Neutral values are written the same way in both places.
            Shape::Float(neutral) => self.float(name, neutral).to_bits() != neutral.to_bits(),
            Shape::Duration(neutral) => self.duration_ns(name, neutral) != neutral,
            Shape::Texts(neutral) => self
                .strings(name)
                .is_some_and(|texts| !texts.is_empty() && texts != neutral),
            Shape::TextMap => !self.string_map(name).is_empty(),
            Shape::Word(words) => {
                let neutral = words[0];
                self.word(name, neutral, words, true) != neutral
            }
            Shape::Block(keys) => self
                .section(name, |block| any_set(block, keys))
                .unwrap_or(false),
            Shape::Blocks(keys) => self
                .sections(name, |block| any_set(block, keys))
                .is_some_and(|blocks| !blocks.is_empty()),
            Shape::Any => match &entry.node.value {
                Value::Null => false,
                Value::Seq(items) => !items.is_empty(),
                Value::Map(entries) => !entries.is_empty(),
                Value::Scalar { .. } | Value::Refused => true,
            },
        }
    }
}

/// Every key is looked at, so that each mistake is found.
fn any_set(block: &mut Section, keys: &[Key]) -> bool {
    let mut any = false;
    for key in keys {
        any |= block.is_set(key);
    }
    any
}
