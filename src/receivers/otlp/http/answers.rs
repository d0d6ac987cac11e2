//! The Collector's answers over HTTP, status by status.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::super::BindError;
use super::super::error::{Reason, ReceiveError};
use super::super::status::{RETRY_SECONDS, Status, code};
use super::{HttpServer, JSON, PROTOBUF};
use crate::workers::Outcome;

pub(super) type Answer = Response<Full<Bytes>>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
const TEXT_UTF8: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// `ExportTraceServiceResponse` with an empty but present `partial_success`.
const ACCEPTED: &[u8] = &[0x0a, 0];

/// What the reference says when it has an error and no type to put it in.
const NO_TYPE: &[u8] = b"{\"code\": 13, \"message\": \"failed to marshal error message\"}";

/// The type that a status body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyType {
    Protobuf,
    Json,
    Other,
}

/// Why a request is refused, and how that is said.
pub(super) enum Refusal {
    Plain(StatusCode, &'static str, Reason),
    Moved(String),
    Status(StatusCode, Status, Reason),
}

/// A body that could not be had, in the words of HTTP.
impl From<ReceiveError> for Refusal {
    fn from(error: ReceiveError) -> Self {
        let (status, body) = match error {
            ReceiveError::TooLarge { .. } | ReceiveError::TooLargeInflated { .. } => (
                StatusCode::BAD_REQUEST,
                Status::new(code::INVALID_ARGUMENT, "http: request body too large"),
            ),
            ReceiveError::NoRoom => (
                StatusCode::SERVICE_UNAVAILABLE,
                Status::new(code::UNAVAILABLE, error.to_string()).with_retry(),
            ),
            other => (
                StatusCode::BAD_REQUEST,
                Status::new(code::INVALID_ARGUMENT, other.to_string()),
            ),
        };
        Self::Status(status, body, error.reason())
    }
}

impl HttpServer {
    pub(super) fn outcome(&self, outcome: Option<Outcome>) -> Answer {
        let refused = |status, code, message: Cow<'static, str>| {
            let body = Status::new(code, message).to_proto();
            self.respond(status, PROTOBUF, Bytes::from(body))
        };
        match outcome {
            Some(Outcome::Accepted { .. }) => {
                self.respond(StatusCode::OK, PROTOBUF, Bytes::from_static(ACCEPTED))
            }
            Some(Outcome::Malformed { reason } | Outcome::TooLarge { reason }) => refused(
                StatusCode::BAD_REQUEST,
                code::INVALID_ARGUMENT,
                reason.into(),
            ),
            Some(Outcome::Refused { reason, .. }) => refused(
                StatusCode::SERVICE_UNAVAILABLE,
                code::UNAVAILABLE,
                reason.into(),
            ),
            None => refused(
                StatusCode::SERVICE_UNAVAILABLE,
                code::UNAVAILABLE,
                "request was not run".into(),
            ),
        }
    }

    pub(super) fn refusal(&self, refusal: Refusal, body_type: BodyType, shard: usize) -> Answer {
        let (answer, reason) = match refusal {
            Refusal::Plain(status, text, reason) => {
                let not_found = status == StatusCode::NOT_FOUND;
                let text_type = if not_found { TEXT_UTF8 } else { TEXT };
                let mut answer =
                    self.respond(status, text_type, Bytes::from_static(text.as_bytes()));
                if not_found {
                    let nosniff = HeaderValue::from_static("nosniff");
                    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, nosniff);
                }
                (answer, reason)
            }
            Refusal::Moved(path) => {
                let mut answer = self.respond(StatusCode::TEMPORARY_REDIRECT, TEXT, Bytes::new());
                answer.headers_mut().remove(CONTENT_TYPE);
                if let Ok(path) = HeaderValue::from_str(&path) {
                    answer.headers_mut().insert(LOCATION, path);
                }
                (answer, Reason::NotFound)
            }
            Refusal::Status(status, body, reason) => {
                let mut answer = match body_type {
                    BodyType::Protobuf => {
                        self.respond(status, PROTOBUF, Bytes::from(body.to_proto()))
                    }
                    BodyType::Json => self.respond(status, JSON, Bytes::from(body.to_json())),
                    BodyType::Other => {
                        let status = StatusCode::INTERNAL_SERVER_ERROR;
                        self.respond(status, JSON, Bytes::from_static(NO_TYPE))
                    }
                };
                if body.retry {
                    answer
                        .headers_mut()
                        .insert(RETRY_AFTER, u16::from(RETRY_SECONDS).into());
                }
                (answer, reason)
            }
        };
        self.front.counters.refusal(shard, reason);
        answer
    }

    fn respond(&self, status: StatusCode, content_type: HeaderValue, body: Bytes) -> Answer {
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = status;
        if !self.response_headers.is_empty() {
            answer.headers_mut().clone_from(&self.response_headers);
        }
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
        answer
    }
}

/// Header fields from the user's file.
pub(in super::super) fn response_headers(
    fields: &[(String, String)],
) -> Result<HeaderMap, BindError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let field = HeaderName::try_from(name)
            .ok()
            .zip(HeaderValue::try_from(value).ok());
        let (field, value) =
            field.ok_or_else(|| BindError::ResponseHeader { name: name.clone() })?;
        headers.insert(field, value);
    }
    Ok(headers)
}
