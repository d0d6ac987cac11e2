//! Label sets and metric names as a target must show them.
//!
//! Worked out from the specification and not with `naming`, which is part of what is verified.
//! Letters beyond ASCII live until names are written, when each becomes `_`; a reader that is shown
//! them unescaped escapes them, so both sides are compared as they stand in text 0.0.4.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::expectation::{DurationUnit, Expectation, ExpectedDimension};
use super::exposition::read_labels;
use super::resource;
use crate::generate::error::GenerateError;
use crate::generate::load::{Kind, Load, Shape, Status};
use crate::generate::value::{Attribute, Value, find};

/// Labels sorted by name, written `{a="b",c="d"}`: equal label sets are equal text.
pub(super) type LabelSet = String;

/// Labels that tell the scope of a series: there or not, by version of the target.
pub(super) const SCOPE_PREFIX: &str = "otel_scope_";

/// Names of the sample lines that are compared, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) calls: String,
    pub(super) events: String,
    pub(super) bucket: String,
    pub(super) sum: String,
    pub(super) count: String,
}

pub(super) fn names(expectation: &Expectation) -> Names {
    let unit = expectation.histogram.as_ref().map(|of| match of.unit {
        DurationUnit::Milliseconds => "milliseconds",
        DurationUnit::Seconds => "seconds",
    });
    let duration = metric_name(expectation, "duration", unit);
    Names {
        calls: metric_name(expectation, "calls", Some("total")),
        events: metric_name(expectation, "events", Some("total")),
        bucket: format!("{duration}_bucket"),
        sum: format!("{duration}_sum"),
        count: format!("{duration}_count"),
    }
}

/// `suffix` is added only when suffixes are on and the name has no such token; `total` goes last.
fn metric_name(expectation: &Expectation, metric: &str, suffix: Option<&str>) -> String {
    let with_suffixes = expectation.metric_suffixes;
    let is_kept = |c: char| c.is_alphanumeric() || (!with_suffixes && (c == '_' || c == ':'));
    let otlp = match expectation.connector_namespace.as_str() {
        "" => metric.to_owned(),
        namespace => format!("{namespace}.{metric}"),
    };
    let mut tokens = tokens(&otlp, is_kept);
    if let Some(suffix) = suffix.filter(|_| with_suffixes) {
        if suffix == "total" {
            tokens.retain(|token| *token != suffix);
        }
        if !tokens.contains(&suffix) {
            tokens.push(suffix);
        }
    }
    let namespace = self::tokens(&expectation.exporter_namespace, char::is_alphanumeric);
    let name = namespace
        .iter()
        .chain(&tokens)
        .copied()
        .collect::<Vec<_>>()
        .join("_");
    // A namespace is not looked at without suffixes; its digit is escaped as such.
    let is_checked = with_suffixes || namespace.is_empty();
    if is_checked && name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}

fn tokens(text: &str, is_kept: impl Fn(char) -> bool) -> Vec<&str> {
    text.split(|c| !is_kept(c))
        .filter(|token| !token.is_empty())
        .collect()
}

/// The label set that spans of this shape, or their events of one kind, are counted under. `None`
/// when the target counts no such spans, because their resource has no `service.name`.
///
/// `keeps_empty`: whether labels without a value are shown; to Prometheus they are none.
pub(super) fn label_set(
    expectation: &Expectation,
    load: &Load,
    shape: Shape,
    event_kind: Option<usize>,
    keeps_empty: bool,
) -> Result<Option<LabelSet>, GenerateError> {
    let mut attributes = load.resource(shape).attributes.clone();
    resource::apply(&expectation.resource, &mut attributes);
    let service = match find(&attributes, "service.name") {
        None => return Ok(None),
        Some(Value::Text(text)) => text.clone(),
        // Counted, under no name.
        Some(_) => String::new(),
    };
    let mut point = built_in(expectation, load, shape, &service);
    let span = load.attributes(shape);
    let events = &load.operation(shape).events;
    let of_event = event_kind.map_or(&[] as &[Attribute], |kind| &events[kind].attributes);
    let own = event_kind.and(expectation.events.as_deref());
    for dimension in expectation.dimensions.iter().chain(own.unwrap_or(&[])) {
        let ExpectedDimension { name, default } = dimension;
        if load.is_random(shape, name) {
            return Err(GenerateError::RandomDimension { name: name.clone() });
        }
        let value = find(&span, name)
            .or_else(|| find(of_event, name))
            .or_else(|| find(&attributes, name))
            .map(Value::label_text)
            .or_else(|| default.clone());
        if let Some(value) = value {
            point.insert(name.clone(), value);
        }
    }
    resource::apply(&expectation.resource_behind, &mut attributes);
    if expectation.resource_as_labels {
        for attribute in &attributes {
            point.insert(attribute.key.clone(), attribute.value.label_text());
        }
    }

    let named = |key: &str| find(&attributes, key).map(Value::label_text);
    let job = named("service.name").map(|service| match named("service.namespace") {
        Some(namespace) => format!("{namespace}/{service}"),
        None => service,
    });
    let identity = [("job", job), ("instance", named("service.instance.id"))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let mut labels = BTreeMap::new();
    for (name, value) in point
        .into_iter()
        .map(|(key, value)| (label_name(&key), value))
        .chain(identity)
        .chain(expectation.const_labels.clone())
    {
        let name = escaped(&name);
        // Targets drop such a series, or give the label another name.
        let is_reserved = name == "le" || name.starts_with("__") || name.starts_with(SCOPE_PREFIX);
        if name.is_empty() || is_reserved {
            return Err(GenerateError::LabelName { label: name });
        }
        if labels.insert(name.clone(), value).is_some() {
            return Err(GenerateError::LabelCollision { label: name });
        }
    }
    labels.retain(|name, value| {
        (keeps_empty || !value.is_empty()) && !expectation.ignored_labels.contains(name)
    });
    let mut set = String::new();
    write_label_set(
        &mut set,
        labels.iter().map(|(name, value)| (&**name, &**value)),
    );
    Ok(Some(set))
}

fn built_in(
    expectation: &Expectation,
    load: &Load,
    shape: Shape,
    service: &str,
) -> BTreeMap<String, String> {
    let operation = load.operation(shape);
    let kind = match operation.kind {
        Kind::Unspecified => "SPAN_KIND_UNSPECIFIED",
        Kind::Internal => "SPAN_KIND_INTERNAL",
        Kind::Server => "SPAN_KIND_SERVER",
        Kind::Client => "SPAN_KIND_CLIENT",
        Kind::Producer => "SPAN_KIND_PRODUCER",
        Kind::Consumer => "SPAN_KIND_CONSUMER",
    };
    let status = match shape.status {
        Status::Unset => "STATUS_CODE_UNSET",
        Status::Ok => "STATUS_CODE_OK",
        Status::Error => "STATUS_CODE_ERROR",
    };
    [
        ("service.name", service),
        ("span.name", &operation.name),
        ("span.kind", kind),
        ("status.code", status),
    ]
    .into_iter()
    .filter(|(key, _)| {
        !expectation
            .exclude_dimensions
            .iter()
            .any(|excluded| excluded == key)
    })
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// An attribute's key as a label name: the rules of the Collector's exporter at v0.128.0.
fn label_name(key: &str) -> String {
    let name: String = key
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("key_{name}")
    } else if name.starts_with('_') && !name.starts_with("__") {
        format!("key{name}")
    } else {
        name
    }
}

/// A name as text 0.0.4 has it.
pub(super) fn escaped(name: &str) -> String {
    let is_legal = |(at, c): (usize, char)| {
        c.is_ascii_alphabetic() || c == '_' || c == ':' || (at > 0 && c.is_ascii_digit())
    };
    let of_char = |(at, c)| if is_legal((at, c)) { c } else { '_' };
    name.char_indices().map(of_char).collect()
}

/// Appends a label set. The labels come sorted by name.
pub(super) fn write_label_set<'a>(
    out: &mut LabelSet,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) {
    out.push('{');
    for (index, (name, value)) in labels.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push('}');
}

/// The labels of a set, by name.
pub(super) fn pairs(set: &LabelSet) -> Vec<(String, String)> {
    let read = set.strip_prefix('{').map(read_labels);
    let Some(Ok((labels, _))) = read else {
        return Vec::new();
    };
    let owned = |(name, value): (&str, Cow<str>)| (name.to_owned(), value.into_owned());
    labels.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests;
