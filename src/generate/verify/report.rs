//! What came of a verification, for people and machines.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::difference::{Differences, Group, Kind};

/// Differences of each kind that people are shown.
const SHOWN_MAX: usize = 5;
/// Labels that are named as what a group has in common.
const COMMON_MAX: usize = 6;

#[derive(Clone, Debug)]
pub struct Verdict {
    /// That were sent.
    pub label_sets: usize,
    pub spans: u64,
    /// Of refused and unanswered requests; if there are any, intervals were accepted.
    pub spans_uncertain: u64,
    pub scrapes: u32,
    pub waited: Duration,
    /// None: the target shows what it was sent.
    pub differences: Differences,
    /// Why the last reading failed.
    pub unread: Option<String>,
    /// What may be behind the differences.
    pub hints: Vec<String>,
    /// Labels that every expected label set has: they tell nothing about a group.
    pub(super) common: Vec<(String, String)>,
}

impl Verdict {
    /// Whether the target shows exactly what it was sent.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty() && self.unread.is_none()
    }

    /// The outcome, and then a line for each kind of difference with the first few of it. `number`
    /// writes large numbers.
    #[must_use]
    pub fn lines(&self, number: fn(u64) -> String) -> Vec<String> {
        let mut lines = vec![self.outcome(number)];
        lines.extend(self.hints.iter().map(|hint| format!("  hint: {hint}")));
        for (kind, group) in self.differences.groups() {
            lines.push(format!("  {}", self.describe(kind, group)));
            let shown = group.kept.iter().take(SHOWN_MAX);
            lines.extend(shown.map(|difference| format!("    {difference}")));
            if group.count > SHOWN_MAX as u64 {
                lines.push("    ...".to_owned());
            }
        }
        lines
    }

    fn outcome(&self, number: fn(u64) -> String) -> String {
        let outcome = match (&self.unread, self.differences.count()) {
            (Some(reason), _) => format!("FAILED, the last reading failed ({reason})"),
            (None, 0) => "passed".to_owned(),
            (None, 1) => "FAILED, 1 difference".to_owned(),
            (None, count) => format!("FAILED, {} differences", number(count)),
        };
        let uncertain = match self.spans_uncertain {
            0 => String::new(),
            spans => format!(
                ", and {} of refused or unanswered requests, which count or not: values may lie between",
                number(spans)
            ),
        };
        format!(
            "{outcome}: {} spans in {} label sets{uncertain} (scrapes: {}, in {:.1} s)",
            number(self.spans),
            number(self.label_sets as u64),
            self.scrapes,
            self.waited.as_secs_f64()
        )
    }

    /// `missing: 12 label sets, all of service_name="cart" (x_calls 12)`
    fn describe(&self, kind: Kind, group: &Group) -> String {
        let sets = match group.label_sets {
            1 => "1 label set".to_owned(),
            count => format!("{count} label sets"),
        };
        let mut telling = group
            .common
            .iter()
            .filter(|pair| !self.common.contains(pair));
        let mut shared: Vec<String> = telling
            .by_ref()
            .take(COMMON_MAX)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        if telling.next().is_some() {
            shared.push("...".to_owned());
        }
        let shared = match (group.label_sets, shared.as_slice()) {
            // The one line below says it.
            (1, _) | (_, []) => String::new(),
            _ => format!(", all of {}", shared.join(", ")),
        };
        let metrics = group.metrics.iter();
        let metrics: Vec<String> = metrics
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        format!("{kind}: {sets}{shared} ({})", metrics.join(", "))
    }

    #[must_use]
    pub fn json(&self) -> Value {
        let groups = self.differences.groups().map(|(kind, group)| {
            let common: serde_json::Map<String, Value> = group
                .common
                .iter()
                .filter(|pair| !self.common.contains(pair))
                .map(|(name, value)| (name.clone(), Value::from(value.clone())))
                .collect();
            json!({
                "kind": kind.to_string(),
                "differences": group.count,
                "label_sets": group.label_sets,
                "metrics": group.metrics,
                "common_labels": common,
            })
        });
        let differences = self.differences.kept().map(ToString::to_string);
        json!({
            "passed": self.passed(),
            "label_sets": self.label_sets,
            "spans": self.spans,
            "spans_uncertain": self.spans_uncertain,
            "scrapes": self.scrapes,
            "waited_seconds": self.waited.as_secs_f64(),
            "difference_count": self.differences.count(),
            "groups": groups.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "hints": self.hints,
            "unread": self.unread,
        })
    }
}

/// What the labels of missing and surplus label sets have to do with each other. `names` are those
/// of the expected label sets, `common` what all of these have.
pub(super) fn label_hints(
    differences: &Differences,
    common: &[(String, String)],
    names: &BTreeSet<String>,
) -> Vec<String> {
    let group = |wanted| {
        let mut groups = differences.groups();
        groups
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, group)| group)
    };
    let (Some(_), Some(surplus)) = (group(Kind::Missing), group(Kind::Surplus)) else {
        return Vec::new();
    };
    let mut hints = Vec::new();
    let mut hint = |what: &str, labels: Vec<String>| {
        if !labels.is_empty() {
            hints.push(format!("{what} {}", labels.join(", ")));
        }
    };
    let shown = |(name, value): &(String, String)| format!("{name}={value:?}");
    let unknown = surplus
        .common
        .iter()
        .filter(|(name, _)| !names.contains(name));
    hint(
        "all surplus label sets have the label",
        unknown.map(shown).collect(),
    );
    let of_surplus = |wanted: &str| surplus.common.iter().find(|(name, _)| name == wanted);
    let other = common.iter().filter(|pair| {
        let found = of_surplus(&pair.0);
        found.is_some_and(|found| found != *pair)
    });
    hint(
        "all missing label sets, and no surplus one, have",
        other.map(shown).collect(),
    );
    let lost = common.iter().filter(|(name, _)| {
        let mut kept = surplus.kept.iter();
        !kept.any(|of| of.labels.contains(&format!("{name}=\"")))
    });
    hint(
        "no surplus label set has the expected label",
        lost.map(shown).collect(),
    );
    hints
}

#[cfg(test)]
mod tests;
