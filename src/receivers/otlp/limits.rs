//! Every limit of the receiver, its default, and the reason under which crossing it is counted.
//!
//! What the user sets in `receivers.otlp` takes the place of a default here; the limits on a body
//! come from there alone.

use std::time::Duration;

/// | limit | counted as |
/// |---|---|
/// | `connections_max` | `connections_max` |
/// | `requests_max`, the byte budget | `no_room` |
/// | `header_time_max`, `handshake_time_max`, `body_stall_max`, `body_time_max` | `timed_out` |
/// | `resets_max` | `resets_max` |
/// | `streams_max`, `header_bytes_max`, `idle_time_max` | not: the protocol says so to the client |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections of all receivers; a further one is closed at once.
    pub connections_max: u64,
    /// Requests in progress of all receivers, whatever their size.
    pub requests_max: u64,
    /// Streams of one HTTP/2 connection, unless `max_concurrent_streams` is set.
    pub streams_max: u32,
    /// Of one request's header fields.
    pub header_bytes_max: u32,
    /// HTTP/2: from accept to the end of the preface.
    pub handshake_time_max: Duration,
    /// HTTP/1.1: from the first byte of a header to its last.
    pub header_time_max: Duration,
    /// Between two bytes of a body.
    pub body_stall_max: Duration,
    /// From a header to the last byte of its body.
    pub body_time_max: Duration,
    /// A connection without a request.
    pub idle_time_max: Duration,
    /// Streams that one client may cancel beyond those it lets be answered.
    pub resets_max: u32,
    /// For a connection that was told to end, until it is dropped.
    pub close_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            requests_max: 16_384,
            streams_max: 200,
            header_bytes_max: 16 << 10,
            handshake_time_max: Duration::from_secs(10),
            header_time_max: Duration::from_secs(10),
            body_stall_max: Duration::from_secs(30),
            body_time_max: Duration::from_mins(2),
            idle_time_max: Duration::from_mins(10),
            resets_max: 200,
            close_time_max: Duration::from_secs(5),
        }
    }
}
