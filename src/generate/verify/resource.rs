//! What `resource` processors make of a resource's attributes, in the way the Collector does it.
//!
//! Written anew, not taken from `processors`, which is part of what is verified.

use regex::Regex;

use crate::generate::value::{Attribute, Value, find};

/// One entry of a processor's `attributes`.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceAction {
    /// Does nothing where there is such a key.
    Insert {
        key: String,
        value: ValueFrom,
    },
    /// Does nothing where there is no such key.
    Update {
        key: String,
        value: ValueFrom,
    },
    Upsert {
        key: String,
        value: ValueFrom,
    },
    Delete {
        key: String,
    },
    /// Every key with a match in it.
    DeleteMatching {
        pattern: Pattern,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum ValueFrom {
    Value(Value),
    /// Without such an attribute the action does nothing.
    Attribute(String),
}

/// A regular expression, equal to another of the same text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// `None`: it is no regular expression.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Regex::new(text).ok().map(Self)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl ResourceAction {
    #[must_use]
    pub fn delete(key: &str) -> Self {
        Self::Delete {
            key: key.to_owned(),
        }
    }
}

/// Applies all actions in order.
pub(super) fn apply(actions: &[ResourceAction], attributes: &mut Vec<Attribute>) {
    for action in actions {
        match action {
            ResourceAction::Insert { key, value } => put(attributes, key, value, true, false),
            ResourceAction::Update { key, value } => put(attributes, key, value, false, true),
            ResourceAction::Upsert { key, value } => put(attributes, key, value, true, true),
            ResourceAction::Delete { key } => attributes.retain(|of| of.key != *key),
            ResourceAction::DeleteMatching { pattern } => {
                attributes.retain(|of| !pattern.0.is_match(&of.key));
            }
        }
    }
}

fn put(
    attributes: &mut Vec<Attribute>,
    key: &str,
    from: &ValueFrom,
    may_add: bool,
    may_replace: bool,
) {
    let value = match from {
        ValueFrom::Value(value) => Some(value.clone()),
        ValueFrom::Attribute(source) => find(attributes, source).cloned(),
    };
    let Some(value) = value else { return };
    match attributes.iter_mut().find(|of| of.key == key) {
        Some(of) if may_replace => of.value = value,
        None if may_add => attributes.push(Attribute {
            key: key.to_owned(),
            value,
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[ResourceAction]) -> Vec<String> {
        let mut attributes = vec![
            Attribute::text("a", "1"),
            Attribute::text("process.pid", "7"),
            Attribute::text("process.owner", "root"),
        ];
        apply(actions, &mut attributes);
        attributes
            .iter()
            .map(|of| format!("{}={}", of.key, of.value.label_text()))
            .collect()
    }

    fn fixed(text: &str) -> ValueFrom {
        ValueFrom::Value(Value::Text(text.to_owned()))
    }

    #[test]
    fn each_action_does_what_the_collector_does() {
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let rest = ["process.pid=7", "process.owner=root"];
        let action = |kind: &str, key: &str, value: ValueFrom| {
            let key = key.to_owned();
            match kind {
                "insert" => ResourceAction::Insert { key, value },
                "update" => ResourceAction::Update { key, value },
                _ => ResourceAction::Upsert { key, value },
            }
        };
        for (kind, key, value, want) in [
            ("insert", &a, fixed("2"), ["a=1", ""]),
            ("insert", &b, fixed("2"), ["a=1", "b=2"]),
            ("update", &a, fixed("2"), ["a=2", ""]),
            ("update", &b, fixed("2"), ["a=1", ""]),
            ("upsert", &a, fixed("2"), ["a=2", ""]),
            ("upsert", &b, fixed("2"), ["a=1", "b=2"]),
            (
                "upsert",
                &b,
                ValueFrom::Attribute(a.clone()),
                ["a=1", "b=1"],
            ),
            (
                "upsert",
                &b,
                ValueFrom::Attribute("none".to_owned()),
                ["a=1", ""],
            ),
        ] {
            let mut wanted = vec![want[0]];
            wanted.extend(rest);
            wanted.extend(want[1..].iter().filter(|text| !text.is_empty()));
            assert_eq!(after(&[action(kind, key, value)]), wanted, "{kind} {key}");
        }
    }

    #[test]
    fn deletions_go_by_key_or_by_a_match_anywhere() {
        assert_eq!(
            after(&[ResourceAction::delete("process.pid")]),
            ["a=1", "process.owner=root"]
        );
        let pattern = Pattern::new("own").expect("an expression");
        assert_eq!(
            after(&[ResourceAction::DeleteMatching { pattern }]),
            ["a=1", "process.pid=7"]
        );
        assert!(Pattern::new("(").is_none());
    }
}
