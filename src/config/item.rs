//! One value with its path and its place, outside of any key that a component knows by name.

use super::diagnostic::{Code, Diagnostic, Log};
use super::node::{Entry, Node, Value};
use super::source::Span;
use super::value::{self, Misfit};

/// One value of a list or of a map of the user's own words.
pub struct Item<'a> {
    /// `dimensions[0]`, with the path of the block before it.
    pub path: String,
    pub node: &'a Node,
    pub span: Span,
}

impl<'a> Item<'a> {
    pub(super) fn new(path: String, node: &'a Node, span: Span) -> Self {
        Self { path, node, span }
    }

    /// The item as text. `None`: it is something else, which is reported.
    #[must_use]
    pub fn text(&self, log: &Log) -> Option<String> {
        if matches!(self.node.value, Value::Refused) {
            return None;
        }
        value::text(self.node)
            .map_err(|misfit| {
                refuse_misfit(log, &self.path, "text", self.node, self.span, misfit);
            })
            .ok()
    }

    /// The item as a duration in nanoseconds.
    pub fn duration_ns(&self, log: &Log) -> Option<i64> {
        if matches!(self.node.value, Value::Refused) {
            return None;
        }
        value::duration(self.node)
            .map(|read| read.ns)
            .map_err(|misfit| {
                refuse_misfit(log, &self.path, "a duration", self.node, self.span, misfit);
            })
            .ok()
    }
}

pub(super) fn refuse_misfit(
    log: &Log,
    path: &str,
    wanted: &str,
    node: &Node,
    span: Span,
    misfit: Misfit,
) {
    let found = value::describe(node);
    let (code, message) = if misfit.is_type {
        (
            Code::WrongType,
            format!("`{path}` wants {wanted}, found {found}"),
        )
    } else {
        (Code::OutOfRange, format!("`{path}` cannot be {found}"))
    };
    log.push(Diagnostic::error(code, span, message).label(misfit.label));
}

/// The value of an entry if it is one word, else its key.
pub(super) fn span_of_entry(entry: &Entry) -> Span {
    let node = &entry.node;
    let is_word = matches!(node.value, Value::Scalar { .. } | Value::Refused) || node.raw.is_some();
    if is_word && node.span.start < node.span.end {
        node.span
    } else {
        entry.key_span
    }
}

/// An item of a list, at its first key if it is a map.
pub(super) fn span_of_item(node: &Node, list: Span) -> Span {
    let span = node
        .entries()
        .first()
        .map_or(node.span, |entry| entry.key_span);
    if span.start < span.end { span } else { list }
}
