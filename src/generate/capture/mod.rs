//! Requests as they were sent or came, in a file: written here, read again by `replay`.
//!
//! The file opens with the line `MAGIC`. Each request is one line of JSON, then the body as it was
//! on the wire (a gRPC body with its prefix), then a line feed:
//!
//! ```text
//! {"at_ns":0,"bytes":4,"content_type":"application/json","encoding":null,"path":"/v1/logs","transport":"http"}
//! ```
//!
//! `at_ns` counts from the first request, `transport` is `http` or `grpc`, `encoding` is that of the
//! header `content-encoding` or `grpc-encoding`. A file is bounded when it is written; whoever reads
//! it holds it in memory, so that is bounded, too.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::client::GRPC_ENCODING;
use super::error::GenerateError;
use super::options::CaptureOptions;

pub mod listen;

const MAGIC: &str = "spanmill capture 1\n";
/// A capture that is read; it is held in memory.
const READ_BYTES_MAX: u64 = 4 << 30;
/// The line in front of a body, with its end: neither written nor read beyond it.
const HEAD_BYTES_MAX: usize = 1 << 12;
/// Between the program and the file.
const BUFFER_BYTES: usize = 1 << 18;

/// A request as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Since the first request of the file.
    pub at: Duration,
    pub is_grpc: bool,
    pub path: String,
    pub content_type: String,
    pub encoding: Option<String>,
    pub body: Bytes,
}

/// What a file holds in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureSummary {
    pub requests: u64,
    pub bytes: u64,
    /// Requests that did not fit any more, or whose head is too long to be read again.
    pub left_out: u64,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    Written,
    /// Left out: the file has no room for it, or cannot be written.
    Full,
    /// Left out: nobody could read its head again.
    TooLong,
}

/// Writes requests from any thread, in the order in which they come.
#[derive(Debug)]
pub(super) struct Recorder {
    options: CaptureOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: BufWriter<File>,
    begun: Option<Instant>,
    summary: CaptureSummary,
    /// The first; nothing is written after it.
    failed: Option<io::Error>,
}

impl Recorder {
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn create(options: &CaptureOptions) -> Result<Self, GenerateError> {
        let begin = |path: &Path| {
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
            file.write_all(MAGIC.as_bytes())?;
            Ok(file)
        };
        let file = begin(&options.path).map_err(|source| GenerateError::Capture {
            path: options.path.clone(),
            source,
        })?;
        Ok(Self {
            options: options.clone(),
            state: Mutex::new(State {
                file,
                begun: None,
                summary: CaptureSummary {
                    bytes: MAGIC.len() as u64,
                    ..CaptureSummary::default()
                },
                failed: None,
            }),
        })
    }

    /// Writes a request that is sent or has come now; its `at` is set here.
    pub(super) fn record(&self, mut captured: Captured) -> Recorded {
        let mut state = self.state();
        let now = Instant::now();
        captured.at = now - *state.begun.get_or_insert(now);
        let head = captured.head() + "\n";
        let bytes = (head.len() + captured.body.len() + 1) as u64;
        if head.len() > HEAD_BYTES_MAX {
            state.summary.left_out += 1;
            return Recorded::TooLong;
        }
        if state.failed.is_some() || state.summary.bytes + bytes > self.options.bytes_max {
            state.summary.left_out += 1;
            return Recorded::Full;
        }
        let file = &mut state.file;
        let written = file
            .write_all(head.as_bytes())
            .and_then(|()| file.write_all(&captured.body))
            .and_then(|()| file.write_all(b"\n"));
        match written {
            Ok(()) => {
                state.summary.requests += 1;
                state.summary.bytes += bytes;
                Recorded::Written
            }
            Err(error) => {
                state.summary.left_out += 1;
                state.failed = Some(error);
                Recorded::Full
            }
        }
    }

    pub(super) fn summary(&self) -> CaptureSummary {
        self.state().summary
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When anything could not be written.
    pub(super) fn finish(&self) -> Result<CaptureSummary, GenerateError> {
        let mut state = self.state();
        let failed = state.failed.take();
        let written = failed.map_or(Ok(()), Err).and_then(|()| state.file.flush());
        written.map_err(|source| GenerateError::Capture {
            path: self.options.path.clone(),
            source,
        })?;
        Ok(state.summary)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Captured {
    fn head(&self) -> String {
        let transport = if self.is_grpc { "grpc" } else { "http" };
        json!({
            "at_ns": u64::try_from(self.at.as_nanos()).unwrap_or(u64::MAX),
            "transport": transport,
            "path": self.path,
            "content_type": self.content_type,
            "encoding": self.encoding,
            "bytes": self.body.len(),
        })
        .to_string()
    }

    /// What a line says, and how many bytes of body follow it.
    fn of_head(line: &[u8]) -> Option<(Self, usize)> {
        let head: Value = serde_json::from_slice(line).ok()?;
        let text = |key: &str| Some(head[key].as_str()?.to_owned());
        let encoding = match &head["encoding"] {
            Value::Null => None,
            encoding => Some(encoding.as_str()?.to_owned()),
        };
        let captured = Self {
            at: Duration::from_nanos(head["at_ns"].as_u64()?),
            is_grpc: match head["transport"].as_str()? {
                "grpc" => true,
                "http" => false,
                _ => return None,
            },
            path: text("path")?,
            content_type: text("content_type")?,
            encoding,
            body: Bytes::new(),
        };
        Some((captured, usize::try_from(head["bytes"].as_u64()?).ok()?))
    }
}

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read, is no capture, or ends in the middle of a request.
pub fn read(path: &Path) -> Result<Vec<Captured>, GenerateError> {
    let cannot = |source| GenerateError::Capture {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(cannot)?.len();
    if bytes > READ_BYTES_MAX {
        let reason = format!("{bytes} bytes are more than {READ_BYTES_MAX}");
        return Err(cannot(io::Error::other(reason)));
    }
    let bytes = Bytes::from(std::fs::read(path).map_err(cannot)?);
    parse(&bytes).map_err(|reason| cannot(io::Error::new(io::ErrorKind::InvalidData, reason)))
}

fn parse(bytes: &Bytes) -> Result<Vec<Captured>, String> {
    if !bytes.starts_with(MAGIC.as_bytes()) {
        return Err(format!("does not begin with `{}`", MAGIC.trim_end()));
    }
    let mut requests = Vec::new();
    let mut at = MAGIC.len();
    while at < bytes.len() {
        let place = format!("request {} at byte {at}", requests.len());
        let window = &bytes[at..bytes.len().min(at + HEAD_BYTES_MAX)];
        let line = memchr::memchr(b'\n', window).map(|end| &window[..end]);
        let head = line.and_then(|line| Some((line.len(), Captured::of_head(line)?)));
        let Some((line_bytes, (mut captured, body_bytes))) = head else {
            return Err(format!("{place}: not a head of a request"));
        };
        let begin = at + line_bytes + 1;
        let end = begin
            .checked_add(body_bytes)
            .filter(|end| *end < bytes.len());
        let Some(end) = end.filter(|end| bytes[*end] == b'\n') else {
            return Err(format!("{place}: the body is not {body_bytes} bytes long"));
        };
        captured.body = bytes.slice(begin..end);
        requests.push(captured);
        at = end + 1;
    }
    Ok(requests)
}

#[cfg(test)]
mod tests;
