//! What a receiver hands to a worker, and what it gets back.

use bytes::Bytes;

/// The OTLP signal of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// A complete, inflated request body and the way to answer it.
///
/// Dropping a request without an answer means that its client gets UNAVAILABLE / 503.
pub struct Request {
    /// Which receiver's graph it belongs to: index into the pipeline's table of receivers.
    pub receiver: u16,
    pub signal: Signal,
    pub body: Bytes,
    /// Holds the request's share of the byte budget until it is answered.
    pub permit: super::budget::Permit,
    pub reply: Reply,
}

/// Answers one request, from whichever worker ran it.
pub struct Reply(tokio::sync::oneshot::Sender<Outcome>);

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything in it is counted: it is in a window.
    Accepted { items: u32 },
    /// The bytes are not the message; nothing was counted. gRPC 13, HTTP 400.
    Malformed { reason: String },
    /// In order, and more than fits at any time; nothing was counted. gRPC 8, HTTP 400.
    TooLarge { reason: String },
    /// No room now; nothing was counted. gRPC 14, HTTP 503.
    Refused { items: u32, reason: &'static str },
}

impl Reply {
    /// A reply and the receiver's end of it.
    #[must_use]
    pub fn channel() -> (Self, tokio::sync::oneshot::Receiver<Outcome>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers. A client that went away meanwhile is no error: its spans are counted.
    pub fn send(self, outcome: Outcome) {
        drop(self.0.send(outcome));
    }
}

/// Runs requests to completion on a worker: decode, processors, connectors, window.
///
/// Owned by one worker, called with what was ready together, oldest first. Every request must be
/// answered by the call. Never blocks, never awaits.
pub trait Station: 'static {
    fn run(&mut self, ready: &mut Vec<Request>);
}
