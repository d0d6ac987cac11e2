//! The text of a configuration, its name, and places in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A configuration larger than this is refused; the guide's file has 2.5 KB.
pub(super) const FILE_BYTES_MAX: usize = 1 << 20;

/// A range of bytes in a [`Source`]; both ends lie on character borders and inside the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// A file that could not be read.
#[derive(Debug, Error)]
#[error("cannot read {}", path.display())]
pub struct ReadError {
    pub path: PathBuf,
    #[source]
    pub cause: io::Error,
}

/// A text with a name. Text beyond the size limit is not read; the parser reports it.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Where the file stopped being UTF-8; the text holds a replacement character there.
    broken_at: Option<Span>,
}

impl Source {
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            broken_at: None,
        }
    }

    /// Reads a file. A leading `file:` is understood, as the Collector's command line does.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let path = match path.to_str().and_then(|text| text.strip_prefix("file:")) {
            Some(bare) => Path::new(bare),
            None => path,
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
            .map_err(|cause| ReadError {
                path: path.to_owned(),
                cause,
            })?;
        Ok(Self::from_bytes(path.display().to_string(), &bytes))
    }

    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Self {
        let broken_at = std::str::from_utf8(bytes).err().map(|error| {
            let start = error.valid_up_to() as u32;
            Span {
                start,
                end: start + char::REPLACEMENT_CHARACTER.len_utf8() as u32,
            }
        });
        Self {
            name: name.into(),
            text: String::from_utf8_lossy(bytes).into_owned(),
            broken_at,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn broken_at(&self) -> Option<Span> {
        self.broken_at
    }

    /// The text under a span.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// `file:line:column`, both counted from 1, columns in characters.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        let before = self.text.get(..span.start as usize).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }
}
