//! YAML text to the located tree.
//!
//! The events of the YAML scanner become nodes, in the dialect of the Collector's library: anchors,
//! aliases and `<<` merges work, a repeated key is a mistake, `::` in a key stands for nested maps,
//! and only the first document counts. A syntax error ends the parse, since what follows it means
//! nothing; a repeated key does not.
//!
//! What an alias repeats is paid for out of one budget, so a small file cannot grow without bound.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::diagnostic::{Code, Diagnostic, Log};
use super::node::{Entry, Node, Value};
use super::source::{FILE_BYTES_MAX, Source, Span};

/// Nested maps and lists; the Collector's deepest key needs twelve.
const DEPTH_MAX: usize = 64;

/// Keys of one map.
const KEYS_MAX: usize = 4096;

/// Nodes plus bytes of text that a file may grow to when aliases are followed.
const WEIGHT_MAX: usize = 4 << 20;

/// The parse cannot go on; the log says why.
struct Stopped;

/// Builds nodes from events.
struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The byte at which each character of the text starts, and the text's length.
    bytes: Vec<u32>,
    text: &'a str,
    log: &'a Log,
    anchors: HashMap<usize, Node>,
    weight: usize,
}

/// The first document of a text. `None`: it is no YAML; the log says where.
#[must_use]
pub fn parse(source: &Source, log: &Log) -> Option<Node> {
    if let Some(span) = source.broken_at() {
        log.push(Diagnostic::error(
            Code::Utf8,
            span,
            "the file is not UTF-8 text",
        ));
        return None;
    }
    if source.text().len() > FILE_BYTES_MAX {
        log.push(Diagnostic::error(
            Code::Limit,
            Span::default(),
            format!("the configuration is larger than {FILE_BYTES_MAX} bytes"),
        ));
        return None;
    }
    let text = source.text();
    let bytes = text
        .char_indices()
        .map(|(index, _)| index)
        .chain([text.len()])
        .map(|index| index as u32)
        .collect();
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        bytes,
        text,
        log,
        anchors: HashMap::new(),
        weight: 0,
    };
    builder.document().ok()
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Stopped> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                Event::StreamEnd | Event::DocumentEnd => {
                    return Ok(Node::null(Span::default()));
                }
                event => return self.node(event, span, 0),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stopped> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.span(&span);
                Ok((event, span))
            }
            Some(Err(error)) => Err(self.refuse_syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Stopped> {
        if depth > DEPTH_MAX {
            return Err(self.refuse_limit(span, "the nesting is too deep", DEPTH_MAX, "levels"));
        }
        self.pay(1, span)?;
        let (anchor, node) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.pay(text.len(), span)?;
                let plain = is_plain(style, tag.as_deref());
                (anchor, scalar(text.into_owned(), plain, span))
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                let value = loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Value::Seq(items),
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                };
                (
                    anchor,
                    Node {
                        span,
                        value,
                        raw: None,
                    },
                )
            }
            Event::MappingStart(anchor, _) => {
                let value = Value::Map(self.entries(depth)?);
                (
                    anchor,
                    Node {
                        span,
                        value,
                        raw: None,
                    },
                )
            }
            _ => return Ok(Node::null(span)),
        };
        if anchor != 0 {
            self.pay(node.weight(), span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Result<Node, Stopped> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            self.log.push(Diagnostic::error(
                Code::Yaml,
                span,
                "the alias stands inside the value it names",
            ));
            return Err(Stopped);
        };
        if depth + node.depth() > DEPTH_MAX {
            return Err(self.refuse_limit(span, "the nesting is too deep", DEPTH_MAX, "levels"));
        }
        self.pay(node.weight(), span)?;
        Ok(node)
    }

    /// The entries of a map up to its end.
    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Stopped> {
        let mut entries = Vec::new();
        let mut first_at: HashMap<String, Span> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, key_span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event,
                Event::Scalar(text, style, _, tag)
                    if text == "<<" && is_plain(*style, tag.as_deref()));
            let key_node = self.node(event, key_span, depth + 1)?;
            let key = match key_node.value {
                Value::Scalar { text, .. } => text,
                Value::Null | Value::Refused => String::new(),
                Value::Seq(_) | Value::Map(_) => {
                    self.log.push(Diagnostic::error(
                        Code::WrongType,
                        key_span,
                        "a key must be a word, not a list or a map",
                    ));
                    return Err(Stopped);
                }
            };
            let segments = 1 + key.matches("::").count();
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + segments)?;
            if is_merge {
                merged.push(node);
                continue;
            }
            if let Some(first) = first_at.insert(key.clone(), key_span) {
                self.refuse_duplicate(&key, key_span, first);
                continue;
            }
            if first_at.len() > KEYS_MAX {
                let what = "the map has too many keys";
                return Err(self.refuse_limit(key_span, what, KEYS_MAX, "keys"));
            }
            self.insert(&mut entries, &key, key_span, node);
        }
        for node in merged {
            self.merge(&mut entries, node);
        }
        Ok(entries)
    }

    /// Adds an entry; `a::b` is a `b` inside of `a`.
    fn insert(&self, entries: &mut Vec<Entry>, key: &str, key_span: Span, node: Node) {
        let (head, node) = match key.split_once("::") {
            None => (key, node),
            Some((head, rest)) => {
                let mut inner = Vec::new();
                self.insert(&mut inner, rest, key_span, node);
                let map = Node {
                    span: key_span,
                    value: Value::Map(inner),
                    raw: None,
                };
                (head, map)
            }
        };
        match entries.iter_mut().find(|entry| entry.key == head) {
            None => entries.push(Entry {
                key: head.to_owned(),
                key_span,
                node,
            }),
            Some(present) => self.join(present, key_span, node),
        }
    }

    /// Lays a second block of the same name over the first, as `a::b` beside `a` does.
    fn join(&self, present: &mut Entry, key_span: Span, node: Node) {
        match (&mut present.node.value, node.value) {
            (Value::Map(entries), Value::Map(added)) => {
                for entry in added {
                    match entries.iter_mut().find(|old| old.key == entry.key) {
                        None => entries.push(entry),
                        Some(old) => self.join(old, entry.key_span, entry.node),
                    }
                }
            }
            (value @ Value::Null, added @ Value::Map(_)) => *value = added,
            (Value::Map(_), Value::Null) => {}
            _ => self.refuse_duplicate(&present.key, key_span, present.key_span),
        }
    }

    /// `<<`: keys of another map, behind those that stand here.
    fn merge(&self, entries: &mut Vec<Entry>, node: Node) {
        match node.value {
            Value::Map(added) => {
                for entry in added {
                    if !entries.iter().any(|present| present.key == entry.key) {
                        entries.push(entry);
                    }
                }
            }
            Value::Seq(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                for item in items {
                    self.merge(entries, item);
                }
            }
            _ => self.log.push(
                Diagnostic::error(Code::WrongType, node.span, "`<<` wants a map to merge")
                    .label("a map, an alias of one, or a list of them"),
            ),
        }
    }

    fn pay(&mut self, weight: usize, span: Span) -> Result<(), Stopped> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > WEIGHT_MAX {
            let what = "the configuration grows too large, its aliases included";
            return Err(self.refuse_limit(span, what, WEIGHT_MAX, "bytes"));
        }
        Ok(())
    }

    fn refuse_limit(&self, span: Span, what: &str, max: usize, unit: &str) -> Stopped {
        self.log.push(
            Diagnostic::error(Code::Limit, span, what).label(format!("at most {max} {unit}")),
        );
        Stopped
    }

    fn refuse_duplicate(&self, key: &str, again: Span, first: Span) {
        self.log.push(
            Diagnostic::error(Code::DuplicateKey, again, format!("`{key}` stands twice"))
                .label("here again: join the two blocks")
                .context(first, "first here"),
        );
    }

    fn refuse_syntax(&self, error: &ScanError) -> Stopped {
        let at = self.byte(error.marker());
        let line_start = self.text[..at as usize]
            .rfind('\n')
            .map_or(0, |index| index + 1);
        let indent = &self.text[line_start..];
        let indent = &indent[..indent.len() - indent.trim_start_matches([' ', '\t']).len()];
        self.log.push(match indent.find('\t') {
            Some(tab) => {
                let span = self.character_at((line_start + tab) as u32);
                Diagnostic::error(Code::Yaml, span, "a tab cannot indent in YAML")
                    .label("use spaces")
            }
            None if error.info().contains("simple key") => not_yaml(error, self.character_at(at))
                .label("is a `:` missing here or in a line above?"),
            None => not_yaml(error, self.character_at(at)),
        });
        Stopped
    }

    fn character_at(&self, start: u32) -> Span {
        let width = self.text[start as usize..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        Span {
            start,
            end: start + width as u32,
        }
    }

    fn span(&self, span: &saphyr_parser::Span) -> Span {
        let start = self.byte(&span.start);
        Span {
            start,
            end: self.byte(&span.end).max(start),
        }
    }

    fn byte(&self, marker: &Marker) -> u32 {
        let last = self.bytes.len() - 1;
        self.bytes[marker.index().min(last)]
    }
}

fn not_yaml(error: &ScanError, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::Yaml,
        span,
        format!("not valid YAML: {}", error.info()),
    )
}

fn scalar(text: String, plain: bool, span: Span) -> Node {
    let value = if plain && super::scalar::resolve(&text) == super::scalar::Plain::Null {
        Value::Null
    } else {
        Value::Scalar { text, plain }
    };
    Node {
        span,
        value,
        raw: None,
    }
}

/// Whether a scalar may be something else than text: by its quotes, or by its tag.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) => {
            tag.is_yaml_core_schema()
                && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null")
        }
    }
}
