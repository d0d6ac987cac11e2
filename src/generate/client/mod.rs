//! Sends one body over a connection and tells how the request ended. Never sends twice.
//!
//! | file | purpose |
//! |---|---|
//! | `head` | everything of a request but its body, made once |
//! | `connection` | a connection that is opened when it is needed, HTTP/1.1 or HTTP/2 |
//! | `answer` | an answer in, acknowledged or refused out |
//!
//! A request that got an answer is acknowledged or refused; one whose answer did not come, in time
//! or at all, is unanswered. By hand on hyper and h2, not through a gRPC client: bodies come framed from the
//! source, so nothing is copied or encoded here, and a request costs what HTTP costs.

use std::fmt;

mod answer;
mod connection;
mod head;

pub(super) use connection::Connection;
pub(super) use head::{GRPC_ENCODING, Head};

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
    /// Success, but the answer says that some items were rejected.
    Partial,
}

impl Refusal {
    /// Whether OTLP wants the client to send the same request again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Grpc(code) => matches!(code, 1 | 4 | 8 | 10 | 11 | 14 | 15),
            Self::Http(status) => matches!(status, 429 | 502 | 503 | 504),
            Self::Partial => false,
        }
    }
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
}
