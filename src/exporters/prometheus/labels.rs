//! A series' identity in, the text between its braces out: once, at its birth in a view.
//!
//! What the reference drops for (names that are reserved, empty or collide, text that is not UTF-8)
//! is renamed, joined or replaced here, so that a label name never stands twice in a series; with
//! `collectorCompat` the series is dropped as there. A label that must give way to one of ours
//! becomes `exported_<name>`, as Prometheus itself does on a scrape.
//!
//! Precedence: `job`, `instance` and the scope labels, then `const_labels`, then attributes.

use std::borrow::Cow;

use super::options::PrometheusOptions;
use crate::naming::label::LabelName;
use crate::naming::stream::{Attribute, SeriesIdentity};
use crate::naming::target;
use crate::telemetry::text_format::push_label_value;

/// How the identities of one exporter become labels.
pub(super) struct LabelRules {
    compat: bool,
    resource_to_telemetry: bool,
    /// Sorted by key, no printed name twice unless `compat`.
    const_labels: Vec<(LabelName, Vec<u8>)>,
    /// The printed names of `const_labels`.
    const_names: Vec<String>,
}

/// Why a series is not exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    InvalidLabelName,
    DuplicateLabelName,
    InvalidUtf8,
    /// Another table's series has the same family and labels, and other bounds.
    OtherBounds,
}

impl Dropped {
    pub(super) const ALL: [Self; 4] = [
        Self::InvalidLabelName,
        Self::DuplicateLabelName,
        Self::InvalidUtf8,
        Self::OtherBounds,
    ];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::InvalidLabelName => "invalid_label_name",
            Self::DuplicateLabelName => "duplicate_label_name",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::OtherBounds => "other_bounds",
        }
    }
}

/// What had to be changed to make the labels legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Values of colliding names that were joined.
    pub(super) joined: u64,
    /// Labels that became `exported_...`.
    pub(super) exported: u64,
    /// Names that were reserved or empty.
    pub(super) reserved: u64,
    /// Values that were not UTF-8.
    pub(super) replaced: u64,
}

/// The labels of a series, without `le`.
#[derive(Debug)]
pub(super) struct Labels {
    /// `a="1",b="2"`, sorted by name.
    pub(super) text: Vec<u8>,
    pub(super) count: u16,
    /// `le` as a label of its own, or what it is renamed to: the labels of a counter and of a
    /// histogram with the same attributes may differ.
    pub(super) has_le: bool,
    pub(super) changes: Changes,
}

struct Label<'a> {
    name: LabelName,
    value: Cow<'a, [u8]>,
}

impl LabelRules {
    pub(super) fn new(options: &PrometheusOptions, compat: bool) -> Self {
        let mut written: Vec<_> = options.const_labels.iter().collect();
        written.sort();
        let mut const_labels: Vec<(LabelName, Vec<u8>)> = Vec::new();
        for (key, value) in written {
            let name = LabelName::verbatim(key);
            if compat {
                const_labels.push((name, value.clone().into_bytes()));
                continue;
            }
            let name = name.made_valid();
            match const_labels
                .iter_mut()
                .find(|(known, _)| known.printed == name.printed)
            {
                Some((_, joined)) => join(joined, value.as_bytes()),
                None => const_labels.push((name, value.clone().into_bytes())),
            }
        }
        Self {
            compat,
            resource_to_telemetry: options.resource_to_telemetry_conversion,
            const_names: const_labels
                .iter()
                .map(|(name, _)| name.printed.clone())
                .collect(),
            const_labels,
        }
    }

    /// The labels of a series; `histogram`: its lines carry `le` too.
    pub(super) fn series(
        &self,
        identity: &SeriesIdentity,
        scope_name: &str,
        histogram: bool,
    ) -> Result<Labels, Dropped> {
        let attributes = self.attributes(identity);
        let generated = generated(identity, scope_name);
        let mut changes = Changes::default();
        let labels = if self.compat {
            self.as_the_reference(attributes, generated, histogram, &mut changes)?
        } else {
            self.made_legal(attributes, generated, histogram, &mut changes)
        };
        render(labels, self.compat, changes)
    }

    /// The labels of `target_info`: the resource without what is in `job` and `instance`, which then
    /// override. Equal names are joined in the order of the resource's list.
    pub(super) fn target(
        &self,
        identity: &SeriesIdentity,
        job: &[u8],
        instance: &[u8],
    ) -> Result<Labels, Dropped> {
        let mut changes = Changes::default();
        let mut labels = Vec::with_capacity(identity.resource.len());
        for attribute in &identity.resource {
            if target::SERVICE_KEYS.contains(&attribute.key.as_slice()) {
                continue;
            }
            labels.push(Label {
                name: self.attribute_name(&attribute.key, &mut changes)?,
                value: Cow::Borrowed(&attribute.text),
            });
        }
        let mut labels = joined(labels, &mut changes);
        for (name, value) in [("job", job), ("instance", instance)] {
            labels.retain(|label| label.name.printed != name);
            labels.push(Label {
                name: LabelName::verbatim(name),
                value: Cow::Borrowed(value),
            });
        }
        render(labels, self.compat, changes)
    }

    /// Attributes of the point; with the conversion those of the resource too, which overwrite. By
    /// key. Sorted, not searched: a client may send many thousands.
    fn attributes<'a>(&self, identity: &'a SeriesIdentity) -> Vec<(&'a [u8], &'a [u8])> {
        let of_resource: &[Attribute] = if self.resource_to_telemetry {
            &identity.resource
        } else {
            &[]
        };
        let all = identity.attributes.iter().chain(of_resource);
        let mut attributes: Vec<(&[u8], &[u8])> = all
            .map(|attribute| (&*attribute.key, &*attribute.text))
            .collect();
        attributes.sort_by_key(|(key, _)| *key);
        attributes.dedup_by(|next, known| {
            let is_same = next.0 == known.0;
            if is_same {
                *known = *next;
            }
            is_same
        });
        attributes
    }

    fn attribute_name(&self, key: &[u8], changes: &mut Changes) -> Result<LabelName, Dropped> {
        let name = LabelName::of_attribute(key);
        if self.compat {
            return if name.is_valid() {
                Ok(name)
            } else {
                Err(Dropped::InvalidLabelName)
            };
        }
        let valid = name.clone().made_valid();
        changes.reserved += u64::from(valid != name);
        Ok(valid)
    }

    /// The series is dropped when a name is invalid or stands twice. `le` beside a histogram's own
    /// is renamed all the same: Prometheus would refuse the whole scrape.
    fn as_the_reference<'a>(
        &'a self,
        attributes: Vec<(&'a [u8], &'a [u8])>,
        generated: Vec<Label<'a>>,
        histogram: bool,
        changes: &mut Changes,
    ) -> Result<Vec<Label<'a>>, Dropped> {
        let mut labels = generated;
        for (key, value) in attributes {
            labels.push(Label {
                name: self.attribute_name(key, changes)?,
                value: Cow::Borrowed(value),
            });
        }
        for (name, value) in &self.const_labels {
            if !name.is_valid() {
                return Err(Dropped::InvalidLabelName);
            }
            labels.push(Label {
                name: name.clone(),
                value: Cow::Borrowed(value),
            });
        }
        for label in &mut labels {
            if histogram && label.name.printed == "le" {
                label.name = label.name.exported();
                changes.exported += 1;
            }
        }
        labels.sort_by(|a, b| a.name.printed.cmp(&b.name.printed));
        if labels
            .windows(2)
            .any(|pair| pair[0].name.printed == pair[1].name.printed)
        {
            return Err(Dropped::DuplicateLabelName);
        }
        Ok(labels)
    }

    fn made_legal<'a>(
        &'a self,
        attributes: Vec<(&'a [u8], &'a [u8])>,
        generated: Vec<Label<'a>>,
        histogram: bool,
        changes: &mut Changes,
    ) -> Vec<Label<'a>> {
        // By key, which is the specification's order for joined values.
        let own = attributes.into_iter().map(|(key, value)| Label {
            name: self
                .attribute_name(key, changes)
                .expect("every name is made valid outside compat"),
            value: Cow::Borrowed(value),
        });
        let own = own.collect();
        let own = joined(own, changes);
        let mut ours = generated;
        for (name, value) in &self.const_labels {
            let mut label = Label {
                name: name.clone(),
                value: Cow::Borrowed(value),
            };
            let kind = |name: &str| self.const_names.iter().any(|known| known == name);
            export(&mut label, &ours, kind, histogram, changes);
            ours.push(label);
        }
        let names: Vec<String> = own.iter().map(|label| label.name.printed.clone()).collect();
        let kind = |name: &str| {
            names
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok()
        };
        let mut labels = Vec::with_capacity(ours.len() + own.len());
        for mut label in own {
            let was_exported = changes.exported;
            export(&mut label, &ours, kind, histogram, changes);
            // A name that gave way is one that others must not take; the rest differ anyway.
            if changes.exported > was_exported {
                ours.push(label);
            } else {
                labels.push(label);
            }
        }
        labels.append(&mut ours);
        labels
    }
}

/// `job` and `instance` when they exist, and the scope labels, always.
fn generated<'a>(identity: &SeriesIdentity, scope_name: &'a str) -> Vec<Label<'a>> {
    let owned = |name: &str, value: Option<Vec<u8>>| {
        value.map(|value| Label {
            name: LabelName::verbatim(name),
            value: Cow::Owned(value),
        })
    };
    let fixed = |name: &str, value: &'a str| {
        Some(Label {
            name: LabelName::verbatim(name),
            value: Cow::Borrowed(value.as_bytes()),
        })
    };
    [
        owned("job", target::job(&identity.resource)),
        owned("instance", target::instance(&identity.resource)),
        fixed("otel_scope_name", scope_name),
        fixed("otel_scope_schema_url", ""),
        fixed("otel_scope_version", ""),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Labels of one name become one, by name, their values in the order in which they came.
fn joined<'a>(mut labels: Vec<Label<'a>>, changes: &mut Changes) -> Vec<Label<'a>> {
    labels.sort_by(|a, b| a.name.printed.cmp(&b.name.printed));
    labels.dedup_by(|next, known| {
        let is_same = next.name.printed == known.name.printed;
        if is_same {
            join(known.value.to_mut(), &next.value);
            changes.joined += 1;
        }
        is_same
    });
    labels
}

fn join(joined: &mut Vec<u8>, value: &[u8]) {
    joined.push(b';');
    joined.extend_from_slice(value);
}

/// Leaves a label its name, or puts `exported_` before it as often as it takes: until neither one of
/// `ours` nor another of its own `kind` has it.
fn export(
    label: &mut Label,
    ours: &[Label],
    kind: impl Fn(&str) -> bool,
    histogram: bool,
    changes: &mut Changes,
) {
    let taken = |name: &str| {
        (histogram && name == "le") || ours.iter().any(|label| label.name.printed == name)
    };
    if taken(&label.name.printed) {
        changes.exported += 1;
        label.name = label.name.exported();
        while taken(&label.name.printed) || kind(&label.name.printed) {
            label.name = label.name.exported();
        }
    }
}

fn render(mut labels: Vec<Label>, compat: bool, mut changes: Changes) -> Result<Labels, Dropped> {
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let bytes = labels
        .iter()
        .map(|label| label.name.printed.len() + label.value.len() + 4)
        .sum();
    let mut text = Vec::with_capacity(bytes);
    for label in &labels {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(label.name.printed.as_bytes());
        text.extend_from_slice(b"=\"");
        if let Ok(value) = std::str::from_utf8(&label.value) {
            push_label_value(&mut text, value);
        } else if compat {
            return Err(Dropped::InvalidUtf8);
        } else {
            changes.replaced += 1;
            push_label_value(&mut text, &String::from_utf8_lossy(&label.value));
        }
        text.push(b'"');
    }
    Ok(Labels {
        text,
        count: u16::try_from(labels.len()).unwrap_or(u16::MAX),
        has_le: labels
            .iter()
            .any(|label| label.name.printed == "le" || label.name.printed.ends_with("exported_le")),
        changes,
    })
}
