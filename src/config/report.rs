//! All remarks about a configuration as text for a person: place, excerpt, caret, reason.
//!
//! The look is rustc's, without colour. Errors, warnings and notes stand in the order of the file.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::diagnostic::{Code, Diagnostic, Log, Severity};
use super::source::{Source, Span};

/// Columns of the terminal; longer lines of the file are cut around the caret.
const WIDTH_COLUMNS: usize = 120;

/// What was found in each text: the command line's gates, the file.
#[derive(Debug, Default)]
pub struct Report {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    source: Source,
    diagnostics: Vec<Diagnostic>,
    /// Found and not kept.
    dropped: usize,
    has_errors: bool,
}

impl Report {
    /// Adds what was found in one text.
    pub fn add(&mut self, source: Source, log: Log) {
        let has_errors = log.has_errors();
        let (diagnostics, dropped) = log.into_sorted();
        self.parts.push(Part {
            source,
            diagnostics,
            dropped,
            has_errors,
        });
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.parts.iter().any(|part| part.has_errors)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.diagnostics.is_empty())
    }

    /// Every remark with the text it is about.
    pub fn iter(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        self.parts.iter().flat_map(|part| {
            part.diagnostics
                .iter()
                .map(|diagnostic| (&part.source, diagnostic))
        })
    }

    /// The report as text, with a line feed at its end; empty when there is nothing to say. Beside
    /// errors only what may explain them is shown: what will not run needs no remarks.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let has_errors = self.has_errors();
        for part in &self.parts {
            let shown = part.diagnostics.iter().filter(|diagnostic| {
                !has_errors
                    || diagnostic.severity == Severity::Error
                    || diagnostic.code == Code::EnvUnset
            });
            for diagnostic in shown {
                text.push_str(&render(&part.source, diagnostic));
                text.push_str("\n\n");
            }
            if part.dropped > 0 {
                // Writing to a string cannot fail.
                let _ = write!(text, "and {} more\n\n", part.dropped);
            }
        }
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

fn render(source: &Source, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut excerpt = Snippet::source(source.text())
        .path(source.name())
        .annotation(
            AnnotationKind::Primary
                .span(range(source, diagnostic.span))
                .label(label(&diagnostic.label)),
        );
    for (span, text) in &diagnostic.context {
        excerpt = excerpt.annotation(
            AnnotationKind::Context
                .span(range(source, *span))
                .label(label(text)),
        );
    }
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str())
        .element(excerpt);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Renderer::plain().term_width(WIDTH_COLUMNS).render(&[group])
}

fn label(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The part of a span on its first line, without blanks at its end.
fn range(source: &Source, span: Span) -> std::ops::Range<usize> {
    let start = span.start as usize;
    let line = source.slice(span).lines().next().unwrap_or_default();
    start..start + line.trim_end().len()
}
