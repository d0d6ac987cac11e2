//! Where the values come from: the target's own exposition, or a Prometheus that has scraped it.
//!
//! The two are told apart by what answers: a path that ends in `/metrics` is an exposition, anything
//! else is asked whether it is a query API first.

use std::time::Duration;

use super::api::{self, Api};
use super::exposition::{Format, Reader};
use super::fetch::{Answer, BoxError, get};
use super::labels::LabelSet;
use super::observed::{Observed, Watch};
use crate::generate::error::GenerateError;
use crate::generate::target::Target;

/// A million label sets of 13 lines of 500 bytes would be more; nobody scrapes that.
const EXPOSITION_BYTES_MAX: usize = 4 << 30;
/// No line of a target that obeys limits is near it.
const LINE_BYTES_MAX: usize = 1 << 20;
const SCRAPE_TIMEOUT: Duration = Duration::from_mins(1);

const EXPOSITION_PATH: &str = "/metrics";
const ACCEPT_TEXT: &str = "text/plain;version=0.0.4";

/// What the user says of where to read.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub target: Target,
    /// It is a Prometheus API, whatever it answers.
    pub is_api: bool,
    /// More matchers of each query, as `job="shop"`; empty: none. For an API only.
    pub matchers: String,
    /// Series that differ only in labels that are left out of account are added up.
    pub is_summing: bool,
}

/// What is there.
#[derive(Debug)]
pub(super) enum Source {
    Exposition(Target),
    Api(Api),
}

/// One reading, and what a person should know about it.
pub(super) struct Read {
    pub(super) observed: Observed,
    /// Targets that Prometheus could not scrape last time.
    pub(super) down: Vec<String>,
}

impl From<Target> for Endpoint {
    fn from(target: Target) -> Self {
        Self {
            target,
            is_api: false,
            matchers: String::new(),
            is_summing: false,
        }
    }
}

impl Source {
    /// # Errors
    /// When nothing answers.
    pub(super) async fn find(endpoint: &Endpoint) -> Result<Self, GenerateError> {
        let Endpoint {
            target,
            is_api,
            matchers,
            ..
        } = endpoint;
        let may_be_api = !target.path.ends_with(EXPOSITION_PATH);
        if *is_api || may_be_api && api::answers(target).await? {
            Ok(Self::Api(Api::new(target.clone(), matchers.clone())))
        } else if matchers.is_empty() {
            Ok(Self::Exposition(target.clone()))
        } else {
            Err(GenerateError::Scrape {
                url: target.to_string(),
                reason: "an exposition takes no matchers".to_owned(),
            })
        }
    }

    pub(super) fn is_api(&self) -> bool {
        matches!(self, Self::Api(_))
    }

    pub(super) async fn read(&self, watch: &Watch) -> Result<Read, GenerateError> {
        let (target, reading) = match self {
            Self::Exposition(target) => {
                (target, within(target, read_exposition(target, watch)).await)
            }
            Self::Api(api) => (&api.target, within(&api.target, api.read(watch)).await),
        };
        reading?.map_err(|error| match error.downcast::<GenerateError>() {
            Ok(error) => *error,
            Err(error) => refused(target, error.to_string()),
        })
    }
}

pub(super) fn refused(target: &Target, reason: String) -> GenerateError {
    GenerateError::Scrape {
        url: target.to_string(),
        reason,
    }
}

/// What `reading` gives, unless it takes longer than a minute.
pub(super) async fn within<T>(
    target: &Target,
    reading: impl Future<Output = T>,
) -> Result<T, GenerateError> {
    tokio::time::timeout(SCRAPE_TIMEOUT, reading)
        .await
        .map_err(|_| refused(target, format!("no answer in {SCRAPE_TIMEOUT:?}")))
}

/// The whole text that the target answers a scrape with.
///
/// # Errors
/// When there is no such text within a minute.
pub async fn scrape(target: &Target) -> Result<String, GenerateError> {
    let reading = async {
        let bytes = ask(target).await?.whole(EXPOSITION_BYTES_MAX).await?;
        Ok::<_, BoxError>(String::from_utf8(bytes)?)
    };
    let text = within(target, reading).await?;
    text.map_err(|error| refused(target, error.to_string()))
}

/// Without a path, `/metrics` is asked for.
async fn ask(target: &Target) -> Result<Answer, BoxError> {
    let path = if target.path.is_empty() {
        EXPOSITION_PATH
    } else {
        &target.path
    };
    let answer = get(target, path, ACCEPT_TEXT).await?;
    if answer.status == http::StatusCode::OK {
        Ok(answer)
    } else {
        Err(format!("HTTP status {}", answer.status).into())
    }
}

async fn read_exposition(target: &Target, watch: &Watch) -> Result<Read, BoxError> {
    let mut answer = ask(target).await?;
    let mut lines = Lines::new(Format::of(&answer.content_type), watch);
    while let Some(piece) = answer.piece(EXPOSITION_BYTES_MAX).await? {
        lines.piece(&piece)?;
    }
    Ok(Read {
        observed: lines.end()?,
        down: Vec::new(),
    })
}

/// An exposition that comes in pieces.
pub(super) struct Lines<'a> {
    watch: &'a Watch,
    reader: Reader,
    observed: Observed,
    /// The begin of a line whose end has not come.
    open: Vec<u8>,
    set: LabelSet,
}

impl<'a> Lines<'a> {
    pub(super) fn new(format: Format, watch: &'a Watch) -> Self {
        Self {
            watch,
            reader: Reader::new(format),
            observed: Observed::new(watch),
            open: Vec::new(),
            set: LabelSet::new(),
        }
    }

    pub(super) fn piece(&mut self, mut piece: &[u8]) -> Result<(), BoxError> {
        if !self.open.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (rest, next) = piece.split_at(end.map_or(piece.len(), |at| at + 1));
            self.open.extend_from_slice(rest);
            if end.is_none() {
                return self.check_open();
            }
            let mut open = std::mem::take(&mut self.open);
            open.pop();
            self.line(&open)?;
            open.clear();
            self.open = open;
            piece = next;
        }
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.line(&piece[..end])?;
            piece = &piece[end + 1..];
        }
        self.open.extend_from_slice(piece);
        self.check_open()
    }

    fn check_open(&self) -> Result<(), BoxError> {
        if self.open.len() > LINE_BYTES_MAX {
            return Err(format!("a line of more than {LINE_BYTES_MAX} bytes").into());
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), BoxError> {
        let line = std::str::from_utf8(line)?;
        let (observed, watch, set) = (&mut self.observed, self.watch, &mut self.set);
        let mut add = |sample: &super::exposition::Sample| {
            let labels = sample.labels.iter();
            let mut labels = labels.map(|(name, value)| (*name, &**value)).collect();
            observed.add(watch, sample.name, &mut labels, sample.value, set)
        };
        Ok(self.reader.line(line, &mut add)?)
    }

    pub(super) fn end(self) -> Result<Observed, BoxError> {
        self.reader.end(std::str::from_utf8(&self.open)?)?;
        Ok(self.observed)
    }
}

#[cfg(test)]
mod tests;
