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

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// Of a capture whose requests, often a single one, all came at the same time.
const PERIOD_OF_A_MOMENT: Duration = Duration::from_secs(1);

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

    /// Whether a capture, which was read from `path`, can go as the protocol that was asked for:
    /// nothing is coded anew, so JSON stays JSON, and protobuf stays protobuf.
    ///
    /// # Errors
    /// When a body is not in that format.
    pub fn check_format(
        path: &Path,
        captured: &[Captured],
        protocol: Protocol,
    ) -> Result<(), GenerateError> {
        let (is_json, reason) = match protocol {
            Protocol::Grpc => return Ok(()),
            Protocol::Http => (false, "is JSON, so it cannot go as http/protobuf"),
            Protocol::HttpJson => (true, "is not JSON, so it cannot go as http/json"),
        };
        let json = Protocol::HttpJson.content_type();
        let wrong = captured
            .iter()
            .position(|captured| captured.content_type.starts_with(json) != is_json);
        wrong.map_or(Ok(()), |number| {
            Err(GenerateError::Replay {
                path: path.to_owned(),
                number,
                reason,
            })
        })
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
        let period = period(captured.len(), last.at);
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

    /// When it is due, from the start, with the times of the capture. `None`: after all ages.
    pub(super) fn due(&self, number: u64) -> Option<Duration> {
        let round = u128::from(number / self.requests.len() as u64);
        let nanos = self.period.as_nanos().checked_mul(round)?;
        let seconds = u64::try_from(nanos / NANOS_PER_SECOND).ok()?;
        // The remainder is below a billion.
        let begun = Duration::new(seconds, (nanos % NANOS_PER_SECOND) as u32);
        begun.checked_add(self.request(number).at)
    }

    fn index(&self, number: u64) -> usize {
        // The remainder is below a length.
        (number % self.requests.len() as u64) as usize
    }
}

/// From the start of a capture of so many requests, the last of them at `last`, to its next start.
fn period(requests: usize, last: Duration) -> Duration {
    if last.is_zero() {
        return PERIOD_OF_A_MOMENT;
    }
    // After the last request comes one gap more, the mean one.
    let gaps = u32::try_from(requests - 1).unwrap_or(u32::MAX);
    last + last / gaps.max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(at_millis: &[u64]) -> Replay {
        let captured = at_millis
            .iter()
            .map(|at| captured(*at, "application/x-protobuf"));
        let target = Target::parse("localhost", 4318).expect("an address");
        Replay::new(Path::new("c"), captured.collect(), &target, false).expect("a capture")
    }

    fn captured(at_millis: u64, content_type: &str) -> Captured {
        Captured {
            at: Duration::from_millis(at_millis),
            is_grpc: content_type == "application/grpc",
            path: "/v1/traces".to_owned(),
            content_type: content_type.to_owned(),
            encoding: None,
            body: Bytes::new(),
        }
    }

    #[test]
    fn capture_begins_again_one_gap_after_its_end() {
        let dues = |replay: &Replay| -> Vec<u128> {
            let dues = (0..7).map(|number| replay.due(number).expect("in this age"));
            dues.map(|due| due.as_millis()).collect()
        };
        let two_gaps = replay(&[0, 10, 40]);
        assert_eq!(dues(&two_gaps), [0, 10, 40, 60, 70, 100, 120]);
        assert_eq!(
            dues(&replay(&[0])),
            [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]
        );
        assert_eq!(
            dues(&replay(&[0, 0, 0])),
            [0, 0, 0, 1_000, 1_000, 1_000, 2_000]
        );
    }

    #[test]
    fn due_times_rise_as_far_as_there_is_time() {
        let replay = replay(&[0, 1]);
        let far = replay.due(1 << 62).expect("in this age");
        assert!(far > Duration::from_secs(1 << 50));
        let ages = Replay {
            period: Duration::MAX,
            ..replay
        };
        assert_eq!(ages.due(u64::MAX), None);
    }

    #[test]
    fn format_that_was_asked_for_is_that_of_the_capture() {
        let json = captured(0, "application/json; charset=utf-8");
        let protobuf = captured(0, "application/x-protobuf");
        let grpc = captured(0, "application/grpc");
        let said = |captured: &[Captured], protocol| {
            let checked = Replay::check_format(Path::new("c"), captured, protocol);
            checked.err().map(|error| error.to_string())
        };
        let mixed = [json, protobuf, grpc];
        assert_eq!(
            said(&mixed, Protocol::HttpJson).as_deref(),
            Some("capture c: request 1 is not JSON, so it cannot go as http/json")
        );
        assert_eq!(
            said(&mixed, Protocol::Http).as_deref(),
            Some("capture c: request 0 is JSON, so it cannot go as http/protobuf")
        );
        assert_eq!(said(&mixed[..1], Protocol::HttpJson), None);
        assert_eq!(said(&mixed[1..], Protocol::Http), None);
    }
}
