//! A capture made ready to be sent again: bodies as they came, in their order.
//!
//! Bodies are never decoded or coded anew. What came over gRPC can go over HTTP and the other way
//! round, since only the prefix and the headers differ; JSON cannot go over gRPC.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::capture::Captured;
use super::client::Head;
use super::coding::{GRPC_PREFIX_BYTES, Protocol, write_prefix};
use super::error::GenerateError;
use super::signal::Signal;
use super::target::Target;

#[derive(Debug)]
pub struct Replay {
    requests: Vec<Request>,
    /// From the first request of one round to that of the next.
    period: Duration,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) signal: Signal,
    pub(super) head: Arc<Head>,
    pub(super) body: Bytes,
    at: Duration,
}

impl Replay {
    /// Whether the first request of a capture came over gRPC.
    #[must_use]
    pub fn came_by_grpc(captured: &[Captured]) -> bool {
        captured.first().is_some_and(|first| first.is_grpc)
    }

    /// Makes a capture, which was read from `path`, ready for `target`.
    ///
    /// # Errors
    /// When it is empty, or holds what cannot go over the asked transport.
    pub fn new(
        path: &Path,
        captured: Vec<Captured>,
        target: &Target,
        is_grpc: bool,
    ) -> Result<Self, GenerateError> {
        let wrong = |number: usize, reason| GenerateError::Replay {
            path: path.to_owned(),
            number,
            reason,
        };
        let Some(last) = captured.last() else {
            return Err(wrong(0, "is not there: the capture is empty"));
        };
        // After the last request comes one gap more, the mean one.
        let gaps = u32::try_from(captured.len() - 1).unwrap_or(u32::MAX);
        let mean_gap = last.at / gaps.max(1);
        let period = last.at + mean_gap.max(Duration::from_nanos(1));
        let requests = captured.into_iter().enumerate().map(|(number, captured)| {
            let at = captured.at;
            let signal = Signal::of_path(&captured.path);
            let signal =
                signal.ok_or_else(|| wrong(number, "has a path that OTLP does not know"))?;
            let path = if is_grpc {
                signal.grpc_path()
            } else {
                signal.http_path()
            };
            let sent = converted(captured, is_grpc).map_err(|reason| wrong(number, reason))?;
            let encoding = sent.encoding.as_deref();
            let head = Head::new(target, is_grpc, path, &sent.content_type, encoding)?;
            Ok(Request {
                signal,
                head: Arc::new(head),
                body: sent.body,
                at,
            })
        });
        Ok(Self {
            requests: requests.collect::<Result<_, _>>()?,
            period,
        })
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Never: a capture without requests is not replayed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The n-th request, from the start again after the last.
    pub(super) fn request(&self, number: u64) -> &Request {
        &self.requests[self.index(number)]
    }

    /// When it is due, from the start, with the times of the capture.
    pub(super) fn due(&self, number: u64) -> Duration {
        let round = number / self.requests.len() as u64;
        let round = u32::try_from(round).unwrap_or(u32::MAX);
        self.period.saturating_mul(round) + self.request(number).at
    }

    fn index(&self, number: u64) -> usize {
        // The remainder is below a length.
        (number % self.requests.len() as u64) as usize
    }
}

/// As it goes over the asked transport.
fn converted(captured: Captured, is_grpc: bool) -> Result<Captured, &'static str> {
    match (captured.is_grpc, is_grpc) {
        (true, false) => unframed(captured),
        (false, true) => framed(captured),
        _ => Ok(captured),
    }
}

/// gRPC to HTTP.
fn unframed(captured: Captured) -> Result<Captured, &'static str> {
    let body = &captured.body;
    let is_whole = body.len() >= GRPC_PREFIX_BYTES
        && body[1..GRPC_PREFIX_BYTES] == ((body.len() - GRPC_PREFIX_BYTES) as u32).to_be_bytes();
    let encoding = match (body.first(), &captured.encoding) {
        (Some(0), _) if is_whole => None,
        (Some(1), Some(encoding)) if is_whole => Some(encoding.clone()),
        _ => return Err("is no whole gRPC message, so it cannot go over HTTP"),
    };
    Ok(Captured {
        is_grpc: false,
        content_type: Protocol::Http.content_type().to_owned(),
        encoding,
        body: body.slice(GRPC_PREFIX_BYTES..),
        ..captured
    })
}

/// HTTP to gRPC.
fn framed(captured: Captured) -> Result<Captured, &'static str> {
    if captured.content_type != Protocol::Http.content_type() {
        return Err("is not protobuf, so it cannot go over gRPC");
    }
    let mut body = vec![0; GRPC_PREFIX_BYTES];
    body.extend_from_slice(&captured.body);
    write_prefix(&mut body, captured.encoding.is_some());
    Ok(Captured {
        is_grpc: true,
        content_type: Protocol::Grpc.content_type().to_owned(),
        body: body.into(),
        ..captured
    })
}
