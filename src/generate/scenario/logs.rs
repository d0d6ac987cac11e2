//! `logs:`: a list of kinds of records, each a severity, a body and what else it carries.

use super::attributes::{Place, Spec};
use super::distribution::{Distribution, Unit, share, weight};
use super::reader::{self, required};
use crate::config::{Code, Section, Value};
use crate::generate::logs::{Body, Record, Severity, Template};

/// Kinds of records of a scenario.
const KINDS_MAX: usize = 1_000;
/// A body is not filled up beyond it.
const BODY_BYTES_MAX: i64 = 64 * 1_024;

const BUILT_IN: &str = include_str!("logs.yaml");

const SEVERITIES: &[&str] = &["trace", "debug", "info", "warn", "error", "fatal"];

/// The records under `logs`; `None`: the key is absent.
pub fn read(section: &mut Section) -> Option<Vec<Record>> {
    let records = section.sections("logs", read_record)?;
    if records.len() > KINDS_MAX {
        let message = format!("{} kinds of records are too many", records.len());
        let label = format!("at most {KINDS_MAX}");
        section.refuse("logs", Code::Limit, message, &label);
    }
    Some(records.into_iter().flatten().collect())
}

/// What a scenario that does not say it has.
#[must_use]
pub fn built_in() -> Vec<Record> {
    reader::built_in("logs.yaml", BUILT_IN, read)
}

fn read_record(section: &mut Section) -> Option<Record> {
    let word = section.word("severity", "info", SEVERITIES, false);
    let severity = Severity::ALL
        .into_iter()
        .find(|severity| severity.name() == word)
        .expect("every word is the name of one");
    let attributes = Spec::read_map(section, "attributes", Place::Item);
    let body = required(section, "body", |section| read_body(section, &attributes));
    let observed_after = Distribution::read(section, "observed_after", Unit::Nanoseconds);
    Some(Record {
        severity,
        severity_text: section.string("severity_text", &word.to_uppercase()),
        event_name: section.string("event_name", ""),
        scope: section.string("scope", "shop.business"),
        traced_share: share(section, "traced", 0.9),
        observed_after: observed_after.unwrap_or(Distribution::Constant(0.0)),
        weight: weight(section),
        services: section.strings("services").unwrap_or_default(),
        attributes,
        body: body?,
    })
}

/// Text in which attributes may stand, or a map.
fn read_body(section: &mut Section, attributes: &[Spec]) -> Option<Body> {
    let entry = section.entry("body")?;
    let bytes = section.integer("body_bytes", 0, 0, BODY_BYTES_MAX);
    if matches!(entry.node.value, Value::Map(_)) {
        if section.is_given("body_bytes") {
            let message = "`body_bytes` fills up text, and the body is a map";
            section.refuse("body_bytes", Code::Conflict, message, "leave it out");
        }
        return Some(Body::Map(Spec::read_map(section, "body", Place::Item)));
    }
    let text = section.string("body", "");
    let bytes_min = usize::try_from(bytes).expect("read within bounds");
    let template = Template::parse(&text, bytes_min);
    let is_known = |key: &&str| attributes.iter().any(|spec| spec.key == **key);
    if let Some(key) = template.keys().find(|key| !is_known(key)) {
        let message = format!("the record has no attribute `{key}`");
        section.refuse("body", Code::UndefinedReference, message, "named here");
    }
    Some(Body::Text(template))
}

#[cfg(test)]
mod tests;
