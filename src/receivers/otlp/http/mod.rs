//! HTTP/1.1 requests in, bodies handed to the worker, the Collector's answers out.
//!
//! The order of the checks is the one that clients can see: coding, path, method, type, body. A
//! body that is refused is read on for a little while, so that the client gets to read its answer;
//! after that the connection closes.

use std::rc::Rc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;

use super::body::{Chunks, read_body};
use super::compression::Coding;
use super::error::{Reason, ReceiveError};
use super::front::{Front, Tools};
use super::status::{Status, code};
use crate::workers::{Outcome, Signal, Worker};
use answers::{Answer, BodyType, Refusal};

mod answers;
mod connection;

pub(super) use answers::response_headers;
pub(super) use connection::serve;

/// Read on after a refusal, so that an ordinary client need not connect again.
const DISCARD_BYTES_MAX: u64 = 256 << 10;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(1);

/// Codings that the Collector has and we do not yet: 415 says that only the coding is wrong. What the
/// Collector does not have either is refused as there.
const CODINGS_LATER: [&[u8]; 6] = [
    b"zstd",
    b"zlib",
    b"deflate",
    b"snappy",
    b"x-snappy-framed",
    b"lz4",
];

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The HTTP side of a receiver.
pub(super) struct HttpServer {
    pub(super) front: Front,
    /// The path of each signal.
    pub(super) paths: [(String, Signal); 3],
    /// On every answer.
    pub(super) response_headers: HeaderMap,
}

impl AsRef<Front> for HttpServer {
    fn as_ref(&self) -> &Front {
        &self.front
    }
}

impl HttpServer {
    /// Answers a request. False: its body was not read whole, so the connection must close.
    async fn answer(
        &self,
        request: Request<Incoming>,
        worker: &Rc<Worker>,
        tools: &Tools,
    ) -> (Answer, bool) {
        let shard = worker.index();
        let body_type = body_type(request.headers());
        let (head, body) = request.into_parts();
        let mut chunks = Chunks::new(body, self.front.pace());
        let taken = self.take(&head, &mut chunks, worker, tools).await;
        let (mut answer, whole) = match taken {
            Ok(outcome) => (self.outcome(outcome), true),
            Err(refusal) => {
                // Asking for a body that waits for "100 Continue" would make the client send it.
                let whole = !head.headers.contains_key(EXPECT) && discard(&mut chunks).await;
                (self.refusal(refusal, body_type, shard), whole)
            }
        };
        if !whole {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        self.front
            .counters
            .answered(shard, answer.status().as_u16());
        (answer, whole)
    }

    async fn take(
        &self,
        head: &Parts,
        chunks: &mut Chunks<Incoming>,
        worker: &Rc<Worker>,
        tools: &Tools,
    ) -> Result<Option<Outcome>, Refusal> {
        let coding = self.coding(&head.headers)?;
        let signal = self.signal(head)?;
        let request = self.front.admission.requests.try_take(1);
        let _in_progress = request.ok_or(ReceiveError::NoRoom)?;
        let room = self.front.room();
        let body = read_body(chunks, chunks.declared(), room, &tools.buffers).await?;
        let body = self.front.inflate(body, coding, tools).await?;
        Ok(self.front.run(worker, signal, body).await)
    }

    fn coding(&self, headers: &HeaderMap) -> Result<Coding, Refusal> {
        let coding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
        match coding.unwrap_or_default() {
            b"" => Ok(Coding::Identity),
            b"gzip" => Ok(Coding::Gzip),
            other => {
                let status = if CODINGS_LATER.contains(&other) {
                    StatusCode::UNSUPPORTED_MEDIA_TYPE
                } else {
                    StatusCode::BAD_REQUEST
                };
                let other = String::from_utf8_lossy(other);
                self.front.say_encoding(&other);
                let message = format!("unsupported Content-Encoding: {other}");
                Err(Refusal::Status(
                    status,
                    Status::new(code::INVALID_ARGUMENT, message),
                    Reason::EncodingNotSupported,
                ))
            }
        }
    }

    /// The signal that path, method and type stand for.
    fn signal(&self, head: &http::request::Parts) -> Result<Signal, Refusal> {
        let path = head.uri.path();
        if let Some(clean) = clean_path(path) {
            let query = head.uri.query().map(|query| format!("?{query}"));
            return Err(Refusal::Moved(clean + &query.unwrap_or_default()));
        }
        let not_found =
            |reason| Refusal::Plain(StatusCode::NOT_FOUND, "404 page not found\n", reason);
        let known = self.paths.iter().find(|(known, _)| known == path);
        let (_, signal) = known.ok_or_else(|| not_found(Reason::NotFound))?;
        if !self.front.takes(*signal) {
            self.front.say_once(
                &self.front.said.signal,
                "refused a request of a signal that no pipeline takes",
                ("path", path),
            );
            return Err(not_found(Reason::SignalNotSupported));
        }
        if head.method != Method::POST {
            return Err(Refusal::Plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 method not allowed, supported: [POST]",
                Reason::NotFound,
            ));
        }
        let text = match body_type(&head.headers) {
            BodyType::Protobuf => return Ok(*signal),
            BodyType::Json => {
                self.front.say_once(
                    &self.front.said.content_type,
                    "refused a request in JSON, which is not supported yet",
                    ("path", path),
                );
                "415 unsupported media type, supported: [application/x-protobuf]"
            }
            BodyType::Other => {
                "415 unsupported media type, supported: [application/json, application/x-protobuf]"
            }
        };
        Err(Refusal::Plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            text,
            Reason::TypeNotSupported,
        ))
    }
}

/// The media type without its parameters.
fn media_type(headers: &HeaderMap) -> &[u8] {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let value = value.unwrap_or_default();
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    value[..end].trim_ascii()
}

fn body_type(headers: &HeaderMap) -> BodyType {
    let media_type = media_type(headers);
    if media_type.eq_ignore_ascii_case(PROTOBUF.as_bytes()) {
        BodyType::Protobuf
    } else if media_type.eq_ignore_ascii_case(JSON.as_bytes()) {
        BodyType::Json
    } else {
        BodyType::Other
    }
}

/// Reads on after a refusal. True: up to the end of the body.
async fn discard(chunks: &mut Chunks<Incoming>) -> bool {
    let discard = chunks.discard(DISCARD_BYTES_MAX);
    let discarded = tokio::time::timeout(DISCARD_TIME_MAX, discard).await;
    discarded.unwrap_or(false)
}

/// The path without empty, `.` and `..` parts, if it has any. A slash at the end stays.
fn clean_path(path: &str) -> Option<String> {
    if !path.starts_with('/') || !(path.contains("//") || path.contains("/.")) {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = if path.ends_with('/') && !parts.is_empty() {
        "/"
    } else {
        ""
    };
    let clean = format!("/{}{slash}", parts.join("/"));
    (clean != path).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::clean_path;

    #[test]
    fn unclean_paths_are_cleaned_and_clean_ones_left_alone() {
        for (path, clean) in [
            ("/v1/traces", None),
            ("/v1/traces/", None),
            ("/", None),
            ("*", None),
            ("/.well/..x", None),
            ("//v1/traces", Some("/v1/traces")),
            ("/v1/./traces", Some("/v1/traces")),
            ("/v1//traces", Some("/v1/traces")),
            ("/v1/x/../traces", Some("/v1/traces")),
            ("/v1/traces//", Some("/v1/traces/")),
            ("/..", Some("/")),
            ("//", Some("/")),
            ("/.", Some("/")),
        ] {
            assert_eq!(clean_path(path).as_deref(), clean, "{path}");
        }
    }
}
