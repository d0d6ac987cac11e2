//! One mistake or remark about a configuration, and the list of them.
//!
//! A reader of options never stops at a mistake: it adds a [`Diagnostic`] to the [`Log`], goes on
//! with a default, and whoever asked looks at the log in the end.

use std::cell::{Cell, RefCell};

use super::source::Span;

/// More errors than this, and more remarks than this, are counted, not kept: nobody reads them.
const KEPT_MAX: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, and probably does not do what was meant.
    Warning,
    /// It can be used; something about it is worth knowing.
    Note,
}

/// What kind of mistake, as a fixed word that a person can search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    BareNumber,
    Conflict,
    Deprecated,
    DuplicateKey,
    Elsewhere,
    EnvEmpty,
    EnvName,
    EnvScheme,
    EnvSyntax,
    EnvUnset,
    Id,
    Indentation,
    Limit,
    Missing,
    NotYet,
    OutOfRange,
    Renamed,
    UndefinedReference,
    UnknownComponent,
    UnknownGate,
    UnknownKey,
    UnknownSection,
    UnusedConnector,
    Utf8,
    Value,
    WrongSignal,
    WrongType,
    Yaml,
}

#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub span: Span,
    /// The fact, in one line.
    pub message: String,
    /// Beside the caret: what is allowed, or what to do.
    pub label: String,
    /// Other places that explain it.
    pub context: Vec<(Span, String)>,
    /// A longer hint below the excerpt.
    pub help: Option<String>,
}

/// Mistakes in the order they were found.
#[derive(Debug, Default)]
pub struct Log {
    kept: RefCell<Vec<Diagnostic>>,
    errors: Cell<usize>,
    /// Warnings and notes.
    remarks: Cell<usize>,
    /// Blocks that were read, by path, with the keys they have: what documentation is held against.
    #[cfg(test)]
    pub(crate) known: RefCell<Vec<(String, Vec<&'static str>)>>,
}

impl Code {
    /// `config::` and a fixed word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BareNumber => "config::bare_number",
            Self::Conflict => "config::conflict",
            Self::Deprecated => "config::deprecated",
            Self::DuplicateKey => "config::duplicate_key",
            Self::Elsewhere => "config::elsewhere",
            Self::EnvEmpty => "config::env_empty",
            Self::EnvName => "config::env_name",
            Self::EnvScheme => "config::env_scheme",
            Self::EnvSyntax => "config::env_syntax",
            Self::EnvUnset => "config::env_unset",
            Self::Id => "config::id",
            Self::Indentation => "config::indentation",
            Self::Limit => "config::limit",
            Self::Missing => "config::missing",
            Self::NotYet => "config::not_yet",
            Self::OutOfRange => "config::out_of_range",
            Self::Renamed => "config::renamed",
            Self::UndefinedReference => "config::undefined_reference",
            Self::UnknownComponent => "config::unknown_component",
            Self::UnknownGate => "config::unknown_gate",
            Self::UnknownKey => "config::unknown_key",
            Self::UnknownSection => "config::unknown_section",
            Self::UnusedConnector => "config::unused_connector",
            Self::Utf8 => "config::utf8",
            Self::Value => "config::value",
            Self::WrongSignal => "config::wrong_signal",
            Self::WrongType => "config::wrong_type",
            Self::Yaml => "config::yaml",
        }
    }
}

impl Diagnostic {
    #[must_use]
    pub fn new(severity: Severity, code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            span,
            message: message.into(),
            label: String::new(),
            context: Vec::new(),
            help: None,
        }
    }

    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message)
    }

    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message)
    }

    #[must_use]
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, span, message)
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        self.context.push((span, label.into()));
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Log {
    pub fn push(&self, diagnostic: Diagnostic) {
        let count = if diagnostic.severity == Severity::Error {
            &self.errors
        } else {
            &self.remarks
        };
        if count.get() < KEPT_MAX {
            self.kept.borrow_mut().push(diagnostic);
        }
        count.set(count.get() + 1);
    }

    /// Whether anything forbids the use of the configuration, kept or not.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors.get() > 0
    }

    /// What was kept, in the order of the file, and how many more there were.
    #[must_use]
    pub fn into_sorted(self) -> (Vec<Diagnostic>, usize) {
        let mut kept = self.kept.into_inner();
        kept.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        let dropped = self.errors.get() + self.remarks.get() - kept.len();
        (kept, dropped)
    }
}
