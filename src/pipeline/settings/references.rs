//! Whether what `service` names exists, fits its place, and is connected on both sides.

use crate::config::{Code, Diagnostic, Log, nearest};
use crate::pipeline::components::{Component, Kind};
use crate::workers::Signal;

use super::ComponentId;
use super::sections::Declared;
use super::service::{Reference, Written, WrittenPipeline};

/// A side of a pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    In,
    Middle,
    Out,
}

/// Reports every reference that does not hold.
pub(super) fn check(service: &Written, declared: &[Declared], log: &Log) {
    for extension in &service.extensions {
        if !is_declared(declared, Kind::Extension, &extension.id) {
            refuse_undefined(extension, &[Kind::Extension], declared, log);
        }
    }
    for (index, pipeline) in service.pipelines.iter().enumerate() {
        check_pipeline(pipeline, declared, log);
        let twin = service.pipelines[..index]
            .iter()
            .find(|other| other.signal == pipeline.signal && other.name == pipeline.name);
        if let Some(twin) = twin.filter(|twin| twin.signal.is_some()) {
            log.push(
                Diagnostic::error(
                    Code::DuplicateKey,
                    pipeline.span,
                    format!("the pipeline `{}` stands twice", pipeline.title),
                )
                .label("here again")
                .context(twin.span, "first here"),
            );
        }
    }
    for connector in declared
        .iter()
        .filter(|declared| declared.kind == Kind::Connector)
    {
        check_connector(connector, service, declared, log);
    }
}

fn check_pipeline(pipeline: &WrittenPipeline, declared: &[Declared], log: &Log) {
    for reference in &pipeline.receivers {
        check_reference(reference, Side::In, pipeline, declared, log);
    }
    for (index, reference) in pipeline.processors.iter().enumerate() {
        check_reference(reference, Side::Middle, pipeline, declared, log);
        let first = pipeline.processors[..index]
            .iter()
            .find(|other| other.id == reference.id);
        if let Some(first) = first {
            let message = format!(
                "the pipeline `{}` has the processor `{}` twice",
                pipeline.title, reference.id
            );
            log.push(
                Diagnostic::error(Code::Conflict, reference.span, message)
                    .label("leave it out, or give the second one a name of its own")
                    .context(first.span, "first here"),
            );
        }
    }
    for reference in &pipeline.exporters {
        check_reference(reference, Side::Out, pipeline, declared, log);
    }
}

fn check_reference(
    reference: &Reference,
    side: Side,
    pipeline: &WrittenPipeline,
    declared: &[Declared],
    log: &Log,
) {
    let kinds: &[Kind] = match side {
        Side::In => &[Kind::Receiver, Kind::Connector],
        Side::Middle => &[Kind::Processor],
        Side::Out => &[Kind::Exporter, Kind::Connector],
    };
    let found = declared
        .iter()
        .find(|declared| kinds.contains(&declared.kind) && declared.id == reference.id);
    let Some(found) = found else {
        refuse_undefined(reference, kinds, declared, log);
        return;
    };
    if let (Some((component, _)), Some(signal)) = (&found.component, pipeline.signal) {
        let fits = signals(component, side);
        if !fits.contains(&signal) {
            let message = format!(
                "the {} `{}` does not {} {}",
                found.kind.word(),
                reference.id,
                if side == Side::In { "bring" } else { "take" },
                word(signal)
            );
            let all: Vec<&str> = fits.iter().map(|signal| word(*signal)).collect();
            let label = format!("only {}", all.join(", "));
            log.push(Diagnostic::error(Code::WrongSignal, reference.span, message).label(label));
        }
    }
}

/// What a component deals with on a side of a pipeline.
fn signals(component: &Component, side: Side) -> &'static [Signal] {
    if component.kind == Kind::Connector && side == Side::In {
        component.gives
    } else {
        component.takes
    }
}

/// `traces`
pub(super) fn word(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "traces",
        Signal::Metrics => "metrics",
        Signal::Logs => "logs",
    }
}

fn is_declared(declared: &[Declared], kind: Kind, id: &ComponentId) -> bool {
    declared
        .iter()
        .any(|declared| declared.kind == kind && declared.id == *id)
}

fn refuse_undefined(reference: &Reference, kinds: &[Kind], declared: &[Declared], log: &Log) {
    let id = reference.id.to_string();
    let near: Vec<String> = declared
        .iter()
        .filter(|declared| kinds.contains(&declared.kind))
        .map(|declared| declared.id.to_string())
        .collect();
    let elsewhere = declared.iter().find(|declared| declared.id == reference.id);
    let kind = kinds[0];
    let label = if let Some(name) = nearest(&id, near.iter().map(String::as_str)) {
        format!("did you mean `{name}`?")
    } else if let Some(other) = elsewhere {
        let word = other.kind.word();
        let article = if word.starts_with(['a', 'e']) {
            "an"
        } else {
            "a"
        };
        format!("`{id}` is {article} {word}")
    } else {
        format!("write `{id}:` under `{}`, or leave it out", kind.section())
    };
    let message = format!("there is no {} `{id}` in the configuration", kind.word());
    log.push(Diagnostic::error(Code::UndefinedReference, reference.span, message).label(label));
}

/// A connector is the end of one pipeline and the start of another, and nothing else's namesake.
fn check_connector(connector: &Declared, service: &Written, declared: &[Declared], log: &Log) {
    let id = &connector.id;
    for kind in [Kind::Exporter, Kind::Receiver] {
        let twin = declared
            .iter()
            .find(|other| other.kind == kind && other.id == *id);
        if let Some(twin) = twin {
            let message = format!("`{id}` is both a connector and an {}", kind.word());
            log.push(
                Diagnostic::error(Code::Conflict, connector.span, message)
                    .label(format!("rename one of them: `{id}/connector`"))
                    .context(twin.span, format!("the {}", kind.word())),
            );
        }
    }
    let named = |references: fn(&WrittenPipeline) -> &Vec<Reference>| {
        service.pipelines.iter().find_map(move |pipeline| {
            references(pipeline)
                .iter()
                .find(|reference| reference.id == *id)
        })
    };
    let as_exporter = named(|pipeline| &pipeline.exporters);
    let as_receiver = named(|pipeline| &pipeline.receivers);
    let (used, missing) = match (as_exporter, as_receiver) {
        (Some(used), None) => (used, "receiver"),
        (None, Some(used)) => (used, "exporter"),
        _ => return,
    };
    let Some((component, _)) = &connector.component else {
        return;
    };
    let (does, side, signals) = if missing == "receiver" {
        ("puts out nothing", "receivers", component.gives)
    } else {
        ("gets nothing", "exporters", component.takes)
    };
    let signals: Vec<&str> = signals.iter().map(|signal| word(*signal)).collect();
    let message = format!("the connector `{id}` {does}: no pipeline has it as {missing}");
    let label = format!(
        "list it in the `{side}` of a {} pipeline too",
        signals.join(" or ")
    );
    log.push(Diagnostic::error(Code::UnusedConnector, used.span, message).label(label));
}
