//! `type` or `type/name`, as the Collector spells component ids.

use regex::Regex;

use crate::config::{Code, Diagnostic, Log, Span};

use super::ComponentId;

const KIND_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 1024;

/// Blanks around both parts are dropped. `None`: it is no id; the log says why.
pub(super) fn parse(text: &str, span: Span, log: &Log) -> Option<ComponentId> {
    let (kind, name) = match text.split_once('/') {
        Some((kind, name)) => (kind.trim(), Some(name.trim())),
        None => (text.trim(), None),
    };
    let reason = if kind.is_empty() {
        "the part before `/` is empty"
    } else if !is_kind(kind) {
        "a type has letters, digits and `_`, and starts with a letter"
    } else if name == Some("") {
        "the part after `/` is empty"
    } else if name.is_some_and(|name| name.len() > NAME_BYTES_MAX) {
        "a name has at most 1024 bytes"
    } else if name.is_some_and(has_forbidden) {
        "a name has no blanks, control characters or symbols"
    } else {
        return Some(ComponentId {
            kind: kind.to_owned(),
            name: name.unwrap_or_default().to_owned(),
        });
    };
    log.push(
        Diagnostic::error(Code::Id, span, format!("`{}` is no id", text.trim())).label(reason),
    );
    None
}

fn is_kind(kind: &str) -> bool {
    kind.len() <= KIND_BYTES_MAX
        && kind.starts_with(|first: char| first.is_ascii_alphabetic())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Separators, control characters and symbols; punctuation such as `-` and `/` is none of them.
fn has_forbidden(name: &str) -> bool {
    Regex::new(r"[\p{Z}\p{C}\p{S}]")
        .expect("a pattern of three classes")
        .is_match(name)
}
