//! The top level of the file: sections of components, each entry read by its component.
//!
//! A component that stands at the top level by a slip of indentation is taken for one of its
//! section when nothing else can be meant: `service` names it and its section does not hold it.

use crate::config::{Code, Diagnostic, Entry, Log, Node, Reading, Section, Span, Value, nearest};
use crate::pipeline::components::{self, COMPONENTS, Component, Kind, Options};
use crate::pipeline::elsewhere;

use super::service::Written;
use super::{ComponentId, ids};

const SERVICE: &str = "service";

/// An entry of a section.
pub(super) struct Declared<'a> {
    pub kind: Kind,
    pub id: ComponentId,
    /// Its key.
    pub span: Span,
    pub node: &'a Node,
    /// Its line of the table and what it says. `None`: there is no such component, which is
    /// reported.
    pub component: Option<(&'static Component, Options)>,
}

/// Reads `service`, which decides what a stray component may be.
pub(super) fn service(root: &Node, reading: &Reading) -> Written {
    let Some(entry) = root.find(SERVICE) else {
        let message = "there is no `service`";
        reading.log.push(
            Diagnostic::error(Code::Missing, start_of(root), message)
                .label("`service:` with `pipelines:` says what runs"),
        );
        return Written::default();
    };
    let path = SERVICE.to_owned();
    Section::read(reading, path, entry.key_span, &entry.node, Written::read)
}

/// Every component of the file, in its order.
pub(super) fn components<'a>(
    root: &'a Node,
    service: &Written,
    is_strict: bool,
    reading: &Reading,
) -> Vec<Declared<'a>> {
    let log = &reading.log;
    let mut declared = Vec::new();
    for entry in root.entries() {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.section() == entry.key);
        if let Some(kind) = kind {
            declare_section(kind, entry, &mut declared, reading);
        } else if entry.key != SERVICE {
            match stray(root, entry, service) {
                Some((component, id)) => {
                    remark_stray(root, component.kind, entry, is_strict, log);
                    declare(component.kind, id, entry, &mut declared, reading);
                }
                None => refuse_section(entry, log),
            }
        }
    }
    for kind in [Kind::Receiver, Kind::Exporter] {
        if !declared.iter().any(|declared| declared.kind == kind) {
            let span = root
                .find(kind.section())
                .map_or(start_of(root), |entry| entry.key_span);
            let message = format!("there are no {}", kind.section());
            let label = format!("`{}:` with at least one", kind.section());
            log.push(Diagnostic::error(Code::Missing, span, message).label(label));
        }
    }
    declared
}

fn start_of(root: &Node) -> Span {
    root.entries()
        .first()
        .map_or(root.span, |entry| entry.key_span)
}

fn declare_section<'a>(
    kind: Kind,
    section: &'a Entry,
    declared: &mut Vec<Declared<'a>>,
    reading: &Reading,
) {
    if !matches!(section.node.value, Value::Map(_)) {
        // Says what was found instead of a map.
        let path = section.key.clone();
        Section::read(reading, path, section.key_span, &section.node, |_| ());
    }
    for entry in section.node.entries() {
        let Some(id) = ids::parse(&entry.key, entry.key_span, &reading.log) else {
            continue;
        };
        let twin = declared
            .iter()
            .find(|other| other.kind == kind && other.id == id);
        if let Some(twin) = twin {
            reading.log.push(
                Diagnostic::error(
                    Code::DuplicateKey,
                    entry.key_span,
                    format!("`{id}` stands twice"),
                )
                .label("here again")
                .context(twin.span, "first here"),
            );
            continue;
        }
        declare(kind, id, entry, declared, reading);
    }
}

fn declare<'a>(
    kind: Kind,
    id: ComponentId,
    entry: &'a Entry,
    declared: &mut Vec<Declared<'a>>,
    reading: &Reading,
) {
    let component = components::find(kind, &id.kind);
    if component.is_none() {
        refuse_component(kind, &id, entry.key_span, &reading.log);
    }
    let component = component.map(|component| {
        let path = format!("{}.{id}", kind.section());
        let options = Section::read(reading, path, entry.key_span, &entry.node, component.read);
        (component, options)
    });
    declared.push(Declared {
        kind,
        id,
        span: entry.key_span,
        node: &entry.node,
        component,
    });
}

fn refuse_component(kind: Kind, id: &ComponentId, span: Span, log: &Log) {
    let word = kind.word();
    let name = &id.kind;
    let diagnostic = if let Some(instead) = elsewhere::instead(kind, name) {
        let message = format!("the {word} `{name}` exists in the Collector, not here");
        Diagnostic::error(Code::Elsewhere, span, message).label(instead)
    } else {
        let names = || {
            COMPONENTS
                .iter()
                .filter(|component| component.kind == kind)
                .map(|component| component.name)
        };
        let other = COMPONENTS.iter().find(|component| component.name == name);
        let label = match (nearest(name, names()), other) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(other)) => format!("it belongs under `{}`", other.kind.section()),
            (None, None) => {
                let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                format!("the {} are {}", kind.section(), all.join(", "))
            }
        };
        let message = format!("there is no {word} `{name}`");
        Diagnostic::error(Code::UnknownComponent, span, message).label(label)
    };
    log.push(diagnostic);
}

/// What a top-level entry is, if it can only be a component that lost its indentation.
fn stray(
    root: &Node,
    entry: &Entry,
    service: &Written,
) -> Option<(&'static Component, ComponentId)> {
    let id = ids::parse(&entry.key, entry.key_span, &Log::default())?;
    let mut candidates = Kind::ALL
        .into_iter()
        .filter_map(|kind| components::find(kind, &id.kind));
    let component = candidates.next()?;
    let is_only = candidates.next().is_none();
    let is_named = service.references().any(|reference| reference.id == id);
    let is_absent = root
        .find(component.kind.section())
        .is_none_or(|section| section.node.find(&entry.key).is_none());
    (is_only && is_named && is_absent).then_some((component, id))
}

fn remark_stray(root: &Node, kind: Kind, entry: &Entry, is_strict: bool, log: &Log) {
    let section = kind.section();
    let make = if is_strict {
        Diagnostic::error
    } else {
        Diagnostic::warning
    };
    let message = format!(
        "`{}` stands at the top level and belongs under `{section}`",
        entry.key
    );
    let diagnostic = make(Code::Indentation, entry.key_span, message);
    log.push(match root.find(section) {
        Some(place) => diagnostic
            .label("indent this line and its block by two spaces")
            .context(place.key_span, "below this line"),
        None => diagnostic.label(format!("write `{section}:` above and indent the block")),
    });
}

fn refuse_section(entry: &Entry, log: &Log) {
    let sections = Kind::ALL.map(Kind::section).into_iter().chain([SERVICE]);
    let component = COMPONENTS
        .iter()
        .find(|component| entry.key.split('/').next() == Some(component.name));
    let label = match (nearest(&entry.key, sections), component) {
        (Some(section), _) => format!("did you mean `{section}`?"),
        (None, Some(component)) => format!("it belongs under `{}`", component.kind.section()),
        (None, None) => "`receivers`, `processors`, `exporters`, `connectors`, `extensions` or \
                         `service`"
            .to_owned(),
    };
    let message = format!("`{}` is no section of the configuration", entry.key);
    log.push(Diagnostic::error(Code::UnknownSection, entry.key_span, message).label(label));
}
