//! The located tree that a configuration becomes.
//!
//! Maps keep the order of the file. A node that came from a variable keeps two forms: what its text
//! means as YAML, and the text itself, which is what a field for text takes.

use super::source::Span;

#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value stands. Behind an alias, where the anchor stands; for a value that came
    /// from a variable, where the reference stands.
    pub span: Span,
    pub value: Value,
    /// The text of a variable that is the whole value; empty for one that is not set.
    pub raw: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    /// `plain`: written without quotes, so it may be a number, a bool or null.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    Map(Vec<Entry>),
    /// Something stood here that is wrong and reported; nobody needs to complain again.
    Refused,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub node: Node,
}

impl Node {
    #[must_use]
    pub fn null(span: Span) -> Self {
        Self {
            span,
            value: Value::Null,
            raw: None,
        }
    }

    /// Nothing stands here. A reference to an unset variable is null too, see `raw`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    #[must_use]
    pub fn is_scalar(&self) -> bool {
        matches!(self.value, Value::Scalar { .. })
    }

    /// The keys of a map; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of a map under a key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Nodes in this tree and bytes of text in it: what a copy of it costs.
    pub(super) fn weight(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Refused => 0,
            Value::Scalar { text, .. } => text.len(),
            Value::Seq(items) => items.iter().map(Self::weight).sum(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| entry.key.len() + entry.node.weight())
                .sum(),
        }
    }

    /// Levels of maps and lists in this tree.
    pub(super) fn depth(&self) -> usize {
        match &self.value {
            Value::Null | Value::Refused | Value::Scalar { .. } => 0,
            Value::Seq(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Value::Map(entries) => {
                let inner = entries.iter().map(|entry| entry.node.depth()).max();
                1 + inner.unwrap_or(0)
            }
        }
    }

    /// Says of the whole tree that it stands at `span`.
    pub(super) fn move_to(&mut self, span: Span) {
        self.span = span;
        match &mut self.value {
            Value::Null | Value::Refused | Value::Scalar { .. } => {}
            Value::Seq(items) => items.iter_mut().for_each(|item| item.move_to(span)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.key_span = span;
                    entry.node.move_to(span);
                }
            }
        }
    }
}
