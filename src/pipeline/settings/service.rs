//! `service`: which components run, in which pipelines, and how spanmill reports on itself.
//!
//! References are read with their places and not yet resolved.

use std::time::Duration;

use crate::config::{Code, Diagnostic, Entry, Log, Section, Span, nearest};
use crate::workers::Signal;

use super::{ComponentId, Telemetry, ids, telemetry};

/// How long a drain waits for the last scrape.
const DRAIN_SCRAPE_WAIT: Duration = Duration::from_secs(10);

/// The section as written.
pub(super) struct Written {
    pub extensions: Vec<Reference>,
    pub pipelines: Vec<WrittenPipeline>,
    pub telemetry: Telemetry,
    pub drain_scrape_wait: Duration,
    pub pin_workers: bool,
}

/// A component named by `service`.
#[derive(Clone)]
pub(super) struct Reference {
    pub id: ComponentId,
    pub span: Span,
}

pub(super) struct WrittenPipeline {
    /// As in the file: `metrics/2`.
    pub title: String,
    /// The title's place.
    pub span: Span,
    /// `None`: there is no such signal, which is reported.
    pub signal: Option<Signal>,
    pub name: String,
    pub receivers: Vec<Reference>,
    pub processors: Vec<Reference>,
    pub exporters: Vec<Reference>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            extensions: Vec::new(),
            pipelines: Vec::new(),
            telemetry: telemetry::defaults(),
            drain_scrape_wait: DRAIN_SCRAPE_WAIT,
            pin_workers: false,
        }
    }
}

impl Written {
    pub(super) fn read(section: &mut Section) -> Self {
        let pipelines = section
            .section("pipelines", |pipelines| {
                let entries = pipelines.all_entries();
                entries
                    .iter()
                    .map(|entry| {
                        let path = pipelines.path_of(&entry.key);
                        pipelines.nested(path, entry, |pipeline| {
                            WrittenPipeline::read(pipeline, entry)
                        })
                    })
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default();
        if pipelines.is_empty() {
            let message = "there are no pipelines";
            let label = "`pipelines:` with at least one, such as `traces:`";
            section.refuse("pipelines", Code::Missing, message, label);
        }
        Self {
            extensions: references(section, "extensions"),
            pipelines,
            telemetry: section
                .section("telemetry", telemetry::read)
                .unwrap_or_else(telemetry::defaults),
            drain_scrape_wait: section.duration("drain_scrape_wait", DRAIN_SCRAPE_WAIT),
            pin_workers: section.bool("pin_workers", false),
        }
    }

    /// Every component that is named, with the place of the name.
    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        let in_pipelines = self.pipelines.iter().flat_map(|pipeline| {
            [
                &pipeline.receivers,
                &pipeline.processors,
                &pipeline.exporters,
            ]
            .into_iter()
            .flatten()
        });
        self.extensions.iter().chain(in_pipelines)
    }
}

impl WrittenPipeline {
    fn read(section: &mut Section, entry: &Entry) -> Self {
        let id = ids::parse(&entry.key, entry.key_span, section.log());
        let signal = id
            .as_ref()
            .and_then(|id| signal(&id.kind, entry.key_span, section.log()));
        let title = entry.key.trim();
        let receivers = references(section, "receivers");
        let processors = references(section, "processors");
        let exporters = references(section, "exporters");
        for (key, references) in [("receivers", &receivers), ("exporters", &exporters)] {
            if references.is_empty() {
                let message = format!("the pipeline `{title}` has no {key}");
                let label = format!("`{key}: [...]` with {key} or connectors");
                section.refuse(key, Code::Missing, message, &label);
            }
        }
        Self {
            title: title.to_owned(),
            span: entry.key_span,
            signal,
            name: id.map(|id| id.name).unwrap_or_default(),
            receivers,
            processors,
            exporters,
        }
    }
}

fn references(section: &mut Section, key: &'static str) -> Vec<Reference> {
    let log = section.log();
    let Some(items) = section.items(key) else {
        return Vec::new();
    };
    items
        .filter_map(|item| {
            let id = ids::parse(&item.text(log)?, item.span, log)?;
            let span = item.span;
            Some(Reference { id, span })
        })
        .collect()
}

/// `None`: there is no such signal, which is reported.
fn signal(word: &str, span: Span, log: &Log) -> Option<Signal> {
    match word {
        "traces" => return Some(Signal::Traces),
        "metrics" => return Some(Signal::Metrics),
        "logs" => return Some(Signal::Logs),
        _ => {}
    }
    let label = match nearest(word, ["traces", "metrics", "logs"]) {
        Some(signal) => format!("did you mean `{signal}`?"),
        None if word == "profiles" => "profiles are not here yet".to_owned(),
        None => "`traces`, `metrics` or `logs`, perhaps with `/name`".to_owned(),
    };
    let message = format!("`{word}` is no signal");
    log.push(Diagnostic::error(Code::Value, span, message).label(label));
    None
}
