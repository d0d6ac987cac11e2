//! What the readers of all sections share: alternatives, keys that must be there, names of services.

use std::collections::BTreeSet;

use crate::config::{
    Code, Diagnostic, Node, Reading, Section, Source, Span, Value as Yaml, nearest, parse,
};

/// Names that are reported in one list; more are passed over.
const STRANGERS_MAX: usize = 100;

/// The one of `kinds` that stands in a map, which are thereby known, as are its `companions`.
/// `None`: none or several, which was reported, unless a slip in the word for it will be.
pub fn one_of(
    section: &mut Section,
    node: &Node,
    kinds: &[&'static str],
    companions: &[&'static str],
) -> Option<&'static str> {
    for key in kinds.iter().chain(companions) {
        section.entry(key);
    }
    let mut given = kinds.iter().filter(|kind| node.find(kind).is_some());
    let first = given.next();
    if let Some(second) = given.next() {
        let message = format!("`{}` has more than one kind", section.path());
        section.refuse(second, Code::Conflict, message, "leave all but one out");
        return None;
    }
    let is_slip = |key: &str| !companions.contains(&key);
    if first.is_none() && !node.entries().iter().any(|entry| is_slip(&entry.key)) {
        let message = format!("`{}` does not say of what kind it is", section.path());
        let label = format!("give one of `{}`", kinds.join("`, `"));
        section.refuse("", Code::Missing, message, &label);
    }
    first.copied()
}

/// Reads a key that must be there.
pub fn required<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    read: impl FnOnce(&mut Section<'a>) -> Option<T>,
) -> Option<T> {
    if section.is_given(key) {
        return read(section);
    }
    let message = match section.path() {
        "" => format!("a scenario needs `{key}`"),
        path => format!("`{path}` needs `{key}`"),
    };
    section.refuse(key, Code::Missing, message, "it is not here");
    None
}

/// Refuses what the items of a list name under `services` and no service is called.
pub fn refuse_strangers(section: &mut Section, key: &'static str, names: &BTreeSet<String>) {
    let Some(entry) = section.entry(key) else {
        return;
    };
    let Yaml::Seq(items) = &entry.node.value else {
        return;
    };
    let strangers = items.iter().enumerate().flat_map(|(index, item)| {
        let services = item.find("services").map(|entry| &entry.node);
        let named = services.map(named).unwrap_or_default();
        named
            .into_iter()
            .map(move |(name, span)| (index, name, span))
    });
    let strangers = strangers.filter(|(_, name, _)| !names.contains(*name));
    for (index, name, span) in strangers.take(STRANGERS_MAX) {
        let message =
            format!("`{key}[{index}].services` names `{name}`, which no service is called");
        let label = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the name of a service of the scenario".to_owned(),
        };
        let mistake = Diagnostic::error(Code::UndefinedReference, span, message);
        section.log().push(mistake.label(label));
    }
}

/// The texts of a list, or of one text with commas, and where they stand.
fn named(node: &Node) -> Vec<(&str, Span)> {
    match &node.value {
        Yaml::Scalar { text, .. } => {
            let names = text.split(',').filter(|name| !name.is_empty());
            names.map(|name| (name, node.span)).collect()
        }
        Yaml::Seq(items) => {
            let scalars = items.iter().filter(|item| item.is_scalar());
            scalars.flat_map(named).collect()
        }
        _ => Vec::new(),
    }
}

/// What `read` makes of a text that comes with the program.
///
/// # Panics
/// When the text is wrong, which tests rule out.
pub fn built_in<T>(name: &str, text: &str, read: impl FnOnce(&mut Section) -> Option<T>) -> T {
    let reading = Reading::default();
    let node = parse(&Source::new(name, text), &reading.log).expect("it is tested");
    let got = Section::read(&reading, String::new(), node.span, &node, read);
    assert!(!reading.log.has_errors(), "{name} is tested");
    got.expect("it is tested")
}
