//! Lays variables into the tree: `${env:NAME}`, `${NAME}`, `${env:NAME:-default}`, `$$`.
//!
//! Values only, never keys. A reference that is the whole value is read as YAML and keeps its text
//! beside that, since a field for text wants the text; inside a longer text the variable's text is
//! pasted. The piece that is taken is the first `}` of a text and the last `${` before it, and
//! results are looked at again, as the Collector does. The environment comes in as a function.

use super::diagnostic::{Code, Diagnostic, Log};
use super::node::{Node, Value};
use super::parse::parse;
use super::source::{Source, Span};

/// Where variables come from. `None`: not set.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// References looked up for one value, results of results included.
const EXPANSIONS_MAX: usize = 100;

/// A value may not grow beyond this.
const EXPANDED_BYTES_MAX: usize = 64 << 10;

/// Sources that the Collector has and we do not.
const COLLECTOR_SCHEMES: [&str; 4] = ["file", "yaml", "http", "https"];

struct Expansion<'a> {
    source: &'a Source,
    env: Environment<'a>,
    log: &'a Log,
}

/// What stands in a text to be replaced.
enum Found {
    Nothing,
    /// The whole of the text, braces included.
    Whole,
    Piece(std::ops::Range<usize>),
}

/// The reference is wrong; the log says why.
struct Refused;

/// Replaces every reference in the values of a tree.
pub fn expand(root: &mut Node, source: &Source, env: Environment, log: &Log) {
    let expansion = Expansion { source, env, log };
    expansion.node(root, None);
}

impl Expansion<'_> {
    /// `looked_up` counts the references of the value that this tree came from; a tree of the file
    /// itself has none.
    fn node(&self, node: &mut Node, mut looked_up: Option<&mut usize>) {
        match &mut node.value {
            Value::Seq(items) => {
                for item in items {
                    self.node(item, looked_up.as_deref_mut());
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.node(&mut entry.node, looked_up.as_deref_mut());
                }
            }
            Value::Scalar { text, .. } if text.contains('$') => {
                let text = std::mem::take(text);
                let mut none_yet = 0;
                let looked_up = looked_up.unwrap_or(&mut none_yet);
                *node = self.text(text, node.span, looked_up).unwrap_or(Node {
                    span: node.span,
                    value: Value::Refused,
                    raw: None,
                });
            }
            Value::Null | Value::Refused | Value::Scalar { .. } => {}
        }
    }

    /// The value of a text that holds `$`.
    fn text(&self, mut text: String, span: Span, looked_up: &mut usize) -> Result<Node, Refused> {
        loop {
            match find(&text) {
                Found::Nothing => {
                    return Ok(Node {
                        span,
                        value: Value::Scalar {
                            text: text.replace("$$", "$"),
                            plain: false,
                        },
                        raw: None,
                    });
                }
                Found::Whole => {
                    let content = self.look_up(&text, span, looked_up)?;
                    return Ok(self.whole(content.unwrap_or_default(), span, looked_up));
                }
                Found::Piece(range) => {
                    let piece = text[range].to_owned();
                    let content = self.look_up(&piece, span, looked_up)?;
                    text = text.replace(&piece, &content.unwrap_or_default());
                }
            }
            if text.len() > EXPANDED_BYTES_MAX {
                return Err(self.refuse(
                    Code::Limit,
                    span,
                    "the value grows too large",
                    format!("at most {EXPANDED_BYTES_MAX} bytes"),
                ));
            }
        }
    }

    /// A variable that is the whole value: its text, and what that means as YAML.
    fn whole(&self, content: String, span: Span, looked_up: &mut usize) -> Node {
        let mut node = read_as_yaml(&content);
        node.move_to(span);
        self.node(&mut node, Some(looked_up));
        let raw = match (node.raw.take(), &node.value) {
            (Some(inner), _) => Some(inner),
            (None, Value::Scalar { text, .. }) if content.contains('$') => Some(text.clone()),
            (None, _) => Some(content),
        };
        Node { raw, ..node }
    }

    /// The content behind `${scheme:rest}`. `None`: not set, and no default.
    fn look_up(
        &self,
        reference: &str,
        span: Span,
        looked_up: &mut usize,
    ) -> Result<Option<String>, Refused> {
        let span = self.narrow(reference, span);
        let inner = &reference[2..reference.len() - 1];
        *looked_up += 1;
        if *looked_up > EXPANSIONS_MAX {
            return Err(self.refuse(
                Code::Limit,
                span,
                "too many references, results of results included",
                format!("at most {EXPANSIONS_MAX}"),
            ));
        }
        if inner.contains('$') {
            return Err(self.refuse(
                Code::EnvSyntax,
                span,
                format!("`{reference}` has a `$` inside"),
                "write `$$` for a dollar sign",
            ));
        }
        let (scheme, rest) = inner.split_once(':').unwrap_or(("env", inner));
        if scheme != "env" {
            return Err(self.refuse_scheme(scheme, rest, span));
        }
        let (name, default) = match rest.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (rest, None),
        };
        if !is_name(name) {
            return Err(self.refuse(
                Code::EnvName,
                span,
                format!("`{name}` is no name of an environment variable"),
                "letters, digits and `_`, not starting with a digit",
            ));
        }
        Ok(self.variable(name, default, span))
    }

    fn variable(&self, name: &str, default: Option<&str>, span: Span) -> Option<String> {
        let content = (self.env)(name);
        let remark = match (&content, default) {
            (Some(content), _) if content.is_empty() => Diagnostic::note(
                Code::EnvEmpty,
                span,
                format!("the environment variable `{name}` is set and empty"),
            )
            .label("the value is empty"),
            (None, None) => Diagnostic::warning(
                Code::EnvUnset,
                span,
                format!("the environment variable `{name}` is not set"),
            )
            .label(format!(
                "the value is empty; a default is `${{env:{name}:-default}}`"
            )),
            _ => return content.or(default.map(str::to_owned)),
        };
        self.log.push(remark);
        content
    }

    fn refuse_scheme(&self, scheme: &str, rest: &str, span: Span) -> Refused {
        let message = if COLLECTOR_SCHEMES.contains(&scheme) {
            format!("`{scheme}:` exists in the Collector, not here")
        } else {
            format!("`{scheme}` is no source of values")
        };
        let label = if rest.starts_with('-') {
            format!("did you mean `${{env:{scheme}:{rest}}}`?")
        } else {
            "only `env` is one: `${env:NAME}`".to_owned()
        };
        self.refuse(Code::EnvScheme, span, message, label)
    }

    fn refuse(
        &self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Refused {
        self.log
            .push(Diagnostic::error(code, span, message).label(label));
        Refused
    }

    /// The place of the reference itself, if it stands in the file and did not come from a variable.
    fn narrow(&self, reference: &str, span: Span) -> Span {
        match self.source.slice(span).find(reference) {
            Some(offset) => {
                let start = span.start + offset as u32;
                Span {
                    start,
                    end: start + reference.len() as u32,
                }
            }
            None => span,
        }
    }
}

/// The next reference to replace: the first `}` and the last `${` before it. If that one is
/// escaped by an odd number of `$`, nothing else in the text is replaced.
fn find(text: &str) -> Found {
    let mut from = 0;
    while let Some(close) = text[from..].find('}').map(|index| from + index) {
        let Some(open) = text[from..close].rfind("${").map(|index| from + index) else {
            from = close + 1;
            continue;
        };
        let dollars = text[..open]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'$')
            .count();
        return if dollars % 2 == 1 {
            Found::Nothing
        } else if open == 0 && close + 1 == text.len() {
            Found::Whole
        } else {
            Found::Piece(open..close + 1)
        };
    }
    Found::Nothing
}

fn read_as_yaml(content: &str) -> Node {
    let log = Log::default();
    let parsed = parse(&Source::new("", content), &log);
    match parsed {
        Some(node) if !log.has_errors() => node,
        _ => Node {
            span: Span::default(),
            value: Value::Scalar {
                text: content.to_owned(),
                plain: false,
            },
            raw: None,
        },
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
