//! The scenarios that come with the program: files like a user's own, and examples of them.

use super::model::Scenario;
use super::services::Defaults;
use crate::config::{Reading, Section, Source, parse};

/// Name and text.
pub const ALL: [(&str, &str); 4] = [
    ("shop", include_str!("builtin/shop.yaml")),
    ("sidecar", include_str!("builtin/sidecar.yaml")),
    ("gateway", include_str!("builtin/gateway.yaml")),
    (
        "cardinality-bomb",
        include_str!("builtin/cardinality-bomb.yaml"),
    ),
];

/// The text of a built-in scenario.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// A built-in scenario, settled. `None`: there is none of this name.
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    let read = Scenario::read(source(name)?);
    Some(read.expect("built-in scenarios are tested").0)
}

/// What the services of the shop have in common.
pub(super) fn shop_defaults() -> Defaults {
    let reading = Reading::default();
    let source = source("shop").expect("there is a shop");
    let node = parse(&source, &reading.log).expect("built-in scenarios are tested");
    Section::read(&reading, String::new(), node.span, &node, |section| {
        let defaults = Defaults::read(section);
        // The other keys are read elsewhere.
        section.all_entries();
        defaults
    })
}

fn source(name: &str) -> Option<Source> {
    text(name).map(|text| Source::new(format!("{name}.yaml"), text))
}
