//! `processors.resource`: what the user wrote, settled.
//!
//! Which fields an action wants and which it forbids is one table; values become the bytes of an
//! OTLP `AnyValue` here, once.

use regex::bytes::Regex;

use crate::batch::any_value::{self, Value as AnyValue};
use crate::config::{Code, Diagnostic, Entry, Node, Plain, Section, Value, nearest, resolve};

/// Applied in order to each resource.
#[derive(Clone, Debug)]
pub struct ResourceOptions {
    pub actions: Vec<Action>,
}

/// One entry of `attributes`. Values are the bytes of an OTLP `AnyValue` message.
#[derive(Clone, Debug)]
pub enum Action {
    Insert {
        key: String,
        value: ValueSource,
    },
    Update {
        key: String,
        value: ValueSource,
    },
    Upsert {
        key: String,
        value: ValueSource,
    },
    Delete {
        key: Option<String>,
        pattern: Option<Regex>,
    },
    Hash {
        key: Option<String>,
        pattern: Option<Regex>,
    },
    /// Every group of the pattern is named.
    Extract {
        key: String,
        pattern: Regex,
    },
    Convert {
        key: String,
        to: ConvertedType,
    },
}

#[derive(Clone, Debug)]
pub enum ValueSource {
    Value(Vec<u8>),
    FromAttribute(String),
    /// `metadata.NAME`, `auth.NAME`, `client.address`; needs `include_metadata`, which comes later.
    FromContext(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertedType {
    String,
    Int,
    Double,
}

/// The actions, with what each wants.
const KINDS: [(&str, Wants); 7] = [
    ("insert", Wants::Value),
    ("update", Wants::Value),
    ("upsert", Wants::Value),
    ("delete", Wants::KeyOrPattern),
    ("hash", Wants::KeyOrPattern),
    ("extract", Wants::KeyAndPattern),
    ("convert", Wants::KeyAndType),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    /// `key` and one source of a value.
    Value,
    KeyOrPattern,
    KeyAndPattern,
    KeyAndType,
}

/// An entry as written. Empty text is the same as a key that is absent.
struct Written {
    key: Option<String>,
    value: Option<Vec<u8>>,
    from_attribute: Option<String>,
    from_context: Option<String>,
    pattern: Option<String>,
    converted_type: Option<String>,
}

impl ResourceOptions {
    pub fn read(section: &mut Section) -> Self {
        let actions = section.sections("attributes", Action::read);
        match actions {
            Some(actions) if !actions.is_empty() => Self {
                actions: actions.into_iter().flatten().collect(),
            },
            _ => {
                section.refuse(
                    "attributes",
                    Code::Missing,
                    format!("`{}` has no `attributes`", section.path()),
                    "a list of actions: `- {key: NAME, action: delete}`",
                );
                Self {
                    actions: Vec::new(),
                }
            }
        }
    }
}

impl Action {
    /// `None`: the entry is wrong; the log says why.
    fn read(section: &mut Section) -> Option<Self> {
        let action = section.string("action", "").to_lowercase();
        let written = Written {
            key: given(section.string("key", "")),
            value: section
                .entry("value")
                .and_then(|entry| value(section, entry)),
            from_attribute: given(section.string("from_attribute", "")),
            from_context: given(section.string("from_context", "")),
            pattern: given(section.string("pattern", "")),
            converted_type: given(section.string("converted_type", "")),
        };
        let Some((kind, wants)) = KINDS.into_iter().find(|(kind, _)| *kind == action) else {
            refuse_kind(section, &action);
            return None;
        };
        if !written.suits(section, kind, wants) {
            return None;
        }
        written.settle(section, kind)
    }
}

fn refuse_kind(section: &Section, action: &str) {
    let kinds = KINDS.map(|(kind, _)| kind);
    let label = match nearest(action, kinds) {
        Some(kind) => format!("did you mean `{kind}`?"),
        None if action == "remove" => "did you mean `delete`?".to_owned(),
        None => format!("one of `{}`", kinds.join("`, `")),
    };
    let message = if action.is_empty() {
        format!("`{}` has no `action`", section.path())
    } else {
        format!("`{action}` is no action")
    };
    section.refuse("action", Code::Value, message, &label);
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl Written {
    /// Checks which fields are there against what the action wants.
    fn suits(&self, section: &Section, kind: &str, wants: Wants) -> bool {
        let sources = [
            ("value", self.value.is_some()),
            ("from_attribute", self.from_attribute.is_some()),
            ("from_context", self.from_context.is_some()),
        ];
        let pattern = ("pattern", self.pattern.is_some());
        let converted_type = ("converted_type", self.converted_type.is_some());
        let forbidden = match wants {
            Wants::Value => vec![pattern, converted_type],
            // A source from the context is passed over, as the Collector does.
            Wants::KeyOrPattern => vec![sources[0], sources[1], converted_type],
            Wants::KeyAndPattern => vec![sources[0], sources[1], sources[2], converted_type],
            Wants::KeyAndType => vec![sources[0], sources[1], sources[2], pattern],
        };
        let mut suits = true;
        for (field, _) in forbidden.into_iter().filter(|(_, is_given)| *is_given) {
            let message = format!("the action `{kind}` takes no `{field}`");
            section.refuse(field, Code::Conflict, message, "leave it out");
            suits = false;
        }
        let missing = match wants {
            Wants::KeyOrPattern if self.key.is_none() && self.pattern.is_none() => {
                Some("`key`, `pattern` or both")
            }
            Wants::Value | Wants::KeyAndPattern | Wants::KeyAndType if self.key.is_none() => {
                Some("`key`")
            }
            Wants::KeyAndPattern if self.pattern.is_none() => Some("`pattern`"),
            Wants::KeyAndType if self.converted_type.is_none() => {
                Some("`converted_type`: `string`, `int` or `double`")
            }
            _ => None,
        };
        if let Some(missing) = missing {
            refuse_missing(section, kind, missing);
            suits = false;
        }
        if wants == Wants::Value {
            let given: Vec<&str> = sources
                .into_iter()
                .filter_map(|(field, is_given)| is_given.then_some(field))
                .collect();
            match given.as_slice() {
                [_] => {}
                [] => {
                    refuse_missing(section, kind, "`value`, `from_attribute` or `from_context`");
                    suits = false;
                }
                [first, second, ..] => {
                    let message = format!("the action `{kind}` takes one source of its value");
                    let label = format!("leave out this or `{first}`");
                    section.refuse(second, Code::Conflict, message, &label);
                    suits = false;
                }
            }
        }
        suits
    }

    /// `None`: a value is wrong; the log says why.
    fn settle(self, section: &Section, kind: &str) -> Option<Action> {
        let pattern = match &self.pattern {
            Some(text) => Some(compile(section, text)?),
            None => None,
        };
        match kind {
            "delete" => {
                let key = self.key;
                Some(Action::Delete { key, pattern })
            }
            "hash" => {
                let key = self.key;
                Some(Action::Hash { key, pattern })
            }
            "extract" => {
                let pattern = pattern?;
                all_groups_named(section, &pattern).then_some(Action::Extract {
                    key: self.key?,
                    pattern,
                })
            }
            "convert" => Some(Action::Convert {
                to: converted_type(section, &self.converted_type?)?,
                key: self.key?,
            }),
            _ => {
                let key = self.key?;
                let value = match (self.value, self.from_attribute, self.from_context) {
                    (Some(bytes), ..) => ValueSource::Value(bytes),
                    (_, Some(name), _) => ValueSource::FromAttribute(name),
                    (_, _, name) => {
                        section.remark_dormant("from_context");
                        ValueSource::FromContext(name?)
                    }
                };
                Some(match kind {
                    "insert" => Action::Insert { key, value },
                    "update" => Action::Update { key, value },
                    _ => Action::Upsert { key, value },
                })
            }
        }
    }
}

fn refuse_missing(section: &Section, kind: &str, missing: &str) {
    section.refuse(
        "action",
        Code::Missing,
        format!("the action `{kind}` wants {missing}"),
        &format!("`{}` has none", section.path()),
    );
}

fn compile(section: &Section, pattern: &str) -> Option<Regex> {
    Regex::new(pattern)
        .map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            section.refuse(
                "pattern",
                Code::Value,
                format!("`{}` is no regular expression", section.path_of("pattern")),
                reason,
            );
        })
        .ok()
}

fn all_groups_named(section: &Section, pattern: &Regex) -> bool {
    let mut names = pattern.capture_names().skip(1).peekable();
    let are_named = names.peek().is_some() && names.all(|name| name.is_some());
    if !are_named {
        section.refuse(
            "pattern",
            Code::Value,
            "the pattern of `extract` wants groups, each with a name",
            "write each group as `(?P<name>...)`",
        );
    }
    are_named
}

fn converted_type(section: &Section, word: &str) -> Option<ConvertedType> {
    match word {
        "string" => Some(ConvertedType::String),
        "int" => Some(ConvertedType::Int),
        "double" => Some(ConvertedType::Double),
        _ => {
            let message = format!("`{}` cannot be `{word}`", section.path_of("converted_type"));
            let label = "one of `string`, `int`, `double`";
            section.refuse("converted_type", Code::Value, message, label);
            None
        }
    }
}

/// The value as an `AnyValue`. `None`: null, which is no value, or wrong, which is reported.
fn value(section: &Section, entry: &Entry) -> Option<Vec<u8>> {
    if entry.node.is_null() {
        return None;
    }
    let span = section.span_of("value");
    let mut bytes = Vec::new();
    if let Err(reason) = put_value(&entry.node, &mut bytes) {
        let message = format!("`{}` cannot be an attribute", section.path_of("value"));
        section
            .log()
            .push(Diagnostic::error(Code::WrongType, span, message).label(reason));
    }
    Some(bytes)
}

/// Appends an `AnyValue` message.
fn put_value(node: &Node, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let value = match &node.value {
        Value::Null | Value::Refused => AnyValue::Empty,
        Value::Scalar { text, plain } => match if *plain { resolve(text) } else { Plain::Text } {
            Plain::Null => AnyValue::Empty,
            Plain::Text => AnyValue::Str(text.as_bytes()),
            Plain::Bool(value) => AnyValue::Bool(value),
            Plain::Integer(value) => {
                AnyValue::Int(i64::try_from(value).map_err(|_| "beyond 64 bits with a sign")?)
            }
            Plain::Float(value) => AnyValue::Double(value),
            Plain::Time => return Err("a date is no attribute value: put it in quotes"),
        },
        Value::Seq(items) => {
            let mut values = Vec::new();
            for item in items {
                let mut value = Vec::new();
                put_value(item, &mut value)?;
                any_value::put_array_value(&mut values, &value);
            }
            any_value::put(out, AnyValue::Array(&values));
            return Ok(());
        }
        Value::Map(entries) => {
            let mut pairs = Vec::new();
            for entry in entries {
                let mut value = Vec::new();
                put_value(&entry.node, &mut value)?;
                any_value::put_key_value(&mut pairs, entry.key.as_bytes(), &value);
            }
            any_value::put(out, AnyValue::KvList(&pairs));
            return Ok(());
        }
    };
    any_value::put(out, value);
    Ok(())
}
