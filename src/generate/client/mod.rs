//! Sends one body over a connection and tells how the request ended. Never sends twice.
//!
//! A request that got an answer is acknowledged or refused; one whose answer did not come, in time
//! or at all, is unanswered. A connection that broke is opened again for the next request.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::{BodyExt, Full, Limited};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::source::{Compression, Framing, Protocol};
use super::target::Target;

mod grpc;
mod http1;

/// An answer is read up to here; a longer one is none.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const USER_AGENT: HeaderValue = HeaderValue::from_static("spanmill-generate");

/// Status codes by number, as the gRPC specification names them.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Acknowledged,
    Refused(Refusal),
    Unanswered,
}

/// The code that a request was refused with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    Grpc(i32),
    Http(u16),
    /// Success, but the answer says that some spans were rejected.
    Partial,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Grpc(code) => {
                let known = usize::try_from(*code)
                    .ok()
                    .and_then(|at| GRPC_CODES.get(at));
                write!(f, "grpc {code} {}", known.unwrap_or(&"of no name"))
            }
            Self::Http(status) => write!(f, "http {status}"),
            Self::Partial => f.write_str("partial success"),
        }
    }
}

/// A connection that is opened when it is first needed.
pub(super) enum Connection {
    Grpc(grpc::Connection),
    Http1(http1::Connection),
}

impl Connection {
    pub(super) fn new(target: &Target, framing: Framing) -> Result<Self, super::GenerateError> {
        let is_gzip = framing.compression == Compression::Gzip;
        Ok(match framing.protocol {
            Protocol::Grpc => Self::Grpc(grpc::Connection::new(target, is_gzip)?),
            Protocol::Http => Self::Http1(http1::Connection::new(target, is_gzip)?),
        })
    }

    /// Opens the connection if it is not open. An error means that nothing can be sent.
    pub(super) async fn open(&self) -> std::io::Result<()> {
        match self {
            Self::Grpc(connection) => connection.open().await,
            Self::Http1(connection) => connection.open().await,
        }
    }

    pub(super) async fn send(&self, body: Bytes) -> Outcome {
        match self {
            Self::Grpc(connection) => connection.send(body).await,
            Self::Http1(connection) => connection.send(body).await,
        }
    }
}

/// Runs hyper's tasks on the thread that asked.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

async fn connect(authority: &str) -> std::io::Result<TokioIo<TcpStream>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

/// A request's parts but its body.
fn request(
    uri: http::Uri,
    headers: &[(http::HeaderName, &'static str)],
) -> http::Request<Full<Bytes>> {
    let mut request = http::Request::new(Full::default());
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri;
    let map = request.headers_mut();
    map.insert(http::header::USER_AGENT, USER_AGENT);
    for (name, value) in headers {
        map.insert(name.clone(), HeaderValue::from_static(value));
    }
    request
}

/// The whole body of an answer, with its trailers.
async fn answer(
    body: hyper::body::Incoming,
) -> Result<(Bytes, Option<http::HeaderMap>), Box<dyn std::error::Error + Send + Sync>> {
    let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
    let trailers = collected.trailers().cloned();
    Ok((collected.to_bytes(), trailers))
}

/// Whether an `ExportTraceServiceResponse` says that spans were rejected.
///
/// `partial_success` is field 1, `rejected_spans` its field 1, a varint. Anything that is not this
/// message counts as no rejection: the status has said that the request was accepted.
fn is_partial(message: &[u8]) -> bool {
    match message {
        [0x0a, _, 0x08, rejected, ..] => *rejected != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_number_and_name() {
        for (code, text) in [
            (0, "grpc 0 OK"),
            (8, "grpc 8 RESOURCE_EXHAUSTED"),
            (14, "grpc 14 UNAVAILABLE"),
            (16, "grpc 16 UNAUTHENTICATED"),
            (17, "grpc 17 of no name"),
            (-1, "grpc -1 of no name"),
        ] {
            assert_eq!(Refusal::Grpc(code).to_string(), text);
        }
    }

    #[test]
    fn rejected_spans_make_a_success_partial() {
        assert!(!is_partial(&[]));
        assert!(!is_partial(&[0x0a, 0]));
        assert!(!is_partial(&[0x0a, 4, 0x12, 2, b'h', b'i']));
        assert!(is_partial(&[0x0a, 2, 0x08, 7]));
    }
}
