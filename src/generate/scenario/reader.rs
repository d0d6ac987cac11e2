//! What the readers of all sections share: alternatives, and keys that must be there.

use crate::config::{Code, Node, Reading, Section, Source, parse};

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
