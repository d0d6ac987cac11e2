//! The actions done the obvious way, on owned attributes, one resource at a time; and the making of
//! resources and actions to try them on.

use proptest::prelude::*;
use regex::bytes::Regex;

use crate::batch::any_value::{self, Value, put_key_value};
use crate::batch::value_text::text;
use crate::processors::resource::convert;
use crate::processors::resource::options::{Action, ConvertedType, ValueSource};

/// Key and cell of each attribute.
pub(super) type Resource = Vec<(String, Vec<u8>)>;

const PATTERNS: [&str; 4] = ["^a", "b$", ".", "never"];

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "ab", "b", "abc", "x", "y"]).prop_map(str::to_owned)
}

fn cell() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        "[ab0-9]{0,20}".prop_map(|text| any_value::encode(Value::Str(text.as_bytes()))),
        any::<bool>().prop_map(|bool| any_value::encode(Value::Bool(bool))),
        any::<i64>().prop_map(|int| any_value::encode(Value::Int(int))),
        any::<f64>().prop_map(|double| any_value::encode(Value::Double(double))),
        any::<Vec<u8>>().prop_map(|bytes| any_value::encode(Value::Bytes(&bytes))),
    ]
}

pub(super) fn resource() -> impl Strategy<Value = Resource> {
    prop::collection::vec((key(), cell()), 0..8)
}

pub(super) fn action() -> impl Strategy<Value = Action> {
    let source = || {
        prop_oneof![
            cell().prop_map(ValueSource::Value),
            key().prop_map(ValueSource::FromAttribute),
            key().prop_map(ValueSource::FromContext),
        ]
    };
    let pattern = || {
        let patterns = prop::sample::select(PATTERNS.to_vec());
        prop::option::of(patterns.prop_map(|text| Regex::new(text).unwrap()))
    };
    let groups = ["(?<x>a)(?<y>b)?", "(?<a>[0-9]+)"];
    let groups = prop::sample::select(groups.to_vec()).prop_map(|text| Regex::new(text).unwrap());
    let types = [
        ConvertedType::String,
        ConvertedType::Int,
        ConvertedType::Double,
    ];
    prop_oneof![
        (key(), source()).prop_map(|(key, value)| Action::Insert { key, value }),
        (key(), source()).prop_map(|(key, value)| Action::Update { key, value }),
        (key(), source()).prop_map(|(key, value)| Action::Upsert { key, value }),
        (prop::option::of(key()), pattern())
            .prop_map(|(key, pattern)| Action::Delete { key, pattern }),
        (prop::option::of(key()), pattern())
            .prop_map(|(key, pattern)| Action::Hash { key, pattern }),
        (key(), groups).prop_map(|(key, pattern)| Action::Extract { key, pattern }),
        (key(), prop::sample::select(types.to_vec()))
            .prop_map(|(key, to)| Action::Convert { key, to }),
    ]
}

pub(super) fn encode_resource(resource: &Resource) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, cell) in resource {
        put_key_value(&mut out, key.as_bytes(), cell);
    }
    out
}

pub(super) fn apply(actions: &[Action], mut resource: Resource) -> Resource {
    for action in actions {
        apply_one(action, &mut resource);
    }
    resource
}

fn apply_one(action: &Action, resource: &mut Resource) {
    match action {
        Action::Insert { key, value } => {
            if let (Some(cell), None) = (source(value, resource), find(resource, key)) {
                resource.push((key.clone(), cell));
            }
        }
        Action::Update { key, value } => {
            if let (Some(cell), Some(index)) = (source(value, resource), find(resource, key)) {
                resource[index].1 = cell;
            }
        }
        Action::Upsert { key, value } => {
            if let Some(cell) = source(value, resource) {
                put(resource, key, cell);
            }
        }
        Action::Delete { key, pattern } => {
            delete(resource, key.as_deref().unwrap_or(""));
            for key in matching(resource, pattern.as_ref()) {
                delete(resource, &key);
            }
        }
        Action::Hash { key, pattern } => {
            hash(resource, key.as_deref().unwrap_or(""));
            for key in matching(resource, pattern.as_ref()) {
                hash(resource, &key);
            }
        }
        Action::Extract { key, pattern } => {
            let Some(index) = find(resource, key) else {
                return;
            };
            let cell = resource[index].1.clone();
            let Value::Str(text) = any_value::read(&cell) else {
                return;
            };
            let Some(groups) = pattern.captures(text) else {
                return;
            };
            for name in pattern.capture_names().flatten() {
                let group = groups.name(name).map_or(&b""[..], |group| group.as_bytes());
                put(resource, name, any_value::encode(Value::Str(group)));
            }
        }
        Action::Convert { key, to } => {
            let Some(index) = find(resource, key) else {
                return;
            };
            let cell = resource[index].1.clone();
            let value = any_value::read(&cell);
            let converted = match (to, value) {
                (ConvertedType::String, value) => Some(any_value::encode(Value::Str(&text(value)))),
                (ConvertedType::Int, Value::Bool(bool)) => {
                    Some(any_value::encode(Value::Int(bool.into())))
                }
                (_, value) => convert::convert(value, *to),
            };
            resource[index].1 = converted.unwrap_or(cell);
        }
    }
}

fn find(resource: &Resource, key: &str) -> Option<usize> {
    (0..resource.len()).find(|index| resource[*index].0 == key)
}

fn source(source: &ValueSource, resource: &Resource) -> Option<Vec<u8>> {
    match source {
        ValueSource::Value(cell) => Some(cell.clone()),
        ValueSource::FromAttribute(key) => {
            find(resource, key).map(|index| resource[index].1.clone())
        }
        ValueSource::FromContext(_) => None,
    }
}

fn put(resource: &mut Resource, key: &str, cell: Vec<u8>) {
    match find(resource, key) {
        Some(index) => resource[index].1 = cell,
        None => resource.push((key.to_owned(), cell)),
    }
}

fn delete(resource: &mut Resource, key: &str) {
    if let Some(index) = find(resource, key) {
        let last = resource.pop().expect("one was found");
        if index < resource.len() {
            resource[index] = last;
        }
    }
}

fn hash(resource: &mut Resource, key: &str) {
    if let Some(index) = find(resource, key) {
        let hashed = convert::hash(any_value::read(&resource[index].1));
        resource[index].1 = any_value::encode(Value::Str(&hashed));
    }
}

fn matching(resource: &Resource, pattern: Option<&Regex>) -> Vec<String> {
    let keys = resource.iter().map(|(key, _)| key.clone());
    keys.filter(|key| pattern.is_some_and(|pattern| pattern.is_match(key.as_bytes())))
        .collect()
}
