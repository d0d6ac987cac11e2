//! Requests that no target may accept, for a share of the run, and the answers that are right.
//!
//! Which request is broken, and how, is a function of seed and number. Each defect makes a request
//! wrong for every reader: none leaves room for an opinion about unknown fields. What is in it must
//! not be counted by the target, and is in no total and no count here.

use std::fmt;

use bytes::Bytes;

use super::client::Refusal;
use super::coding::{Compression, GRPC_PREFIX_BYTES, Protocol};
use super::options::RunOptions;
use super::random::Random;
use super::signal::Signal;

/// Keeps these draws apart from all others of the seed.
const DEFECT_STREAMS: u64 = 3 << 40;
/// A field 1 of the wire type 7, which there is not.
const TAG_OF_NO_TYPE: u8 = 1 << 3 | 7;
const TAG_OF_FIELD_1: u8 = 1 << 3 | 2;
/// A varint has at most ten bytes.
const VARINT_BYTES_TOO_MANY: usize = 11;
/// A content type that OTLP does not have.
pub(super) const WRONG_CONTENT_TYPE: &str = "text/plain";

/// Which requests of a run are broken, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defects {
    seed: u64,
    share: f64,
    protocol: Protocol,
}

/// How a request is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// The message lacks its last byte.
    Truncated,
    /// Protobuf: a wire type that there is not; JSON: a number instead of the list.
    WrongType,
    OverlongVarint,
    /// The gRPC prefix announces a byte more than comes.
    PrefixLength,
    /// The gRPC prefix says compressed, no header says how.
    PrefixFlag,
    /// What is called gzip is none.
    NoGzip,
    ContentType,
}

impl Defects {
    /// What is replayed is never broken here.
    pub(super) fn of(options: &RunOptions) -> Self {
        let is_replay = options.replay.is_some();
        Self {
            seed: options.seed(),
            share: if is_replay {
                0.0
            } else {
                options.malformed_share
            },
            protocol: options.protocol,
        }
    }

    /// The defect of request `number`, if it has one.
    pub(super) fn draw(&self, number: u64) -> Option<Defect> {
        if self.share <= 0.0 {
            return None;
        }
        let mut random = Random::stream(self.seed, DEFECT_STREAMS + number);
        if !random.chance(self.share) {
            return None;
        }
        let defects: &[Defect] = match self.protocol {
            Protocol::Grpc => &Defect::OF_GRPC,
            Protocol::Http => &Defect::OF_HTTP,
            Protocol::HttpJson => &Defect::OF_JSON,
        };
        Some(defects[random.below(defects.len() as u32) as usize])
    }
}

impl Defect {
    const OF_GRPC: [Self; 7] = [
        Self::Truncated,
        Self::WrongType,
        Self::OverlongVarint,
        Self::PrefixLength,
        Self::PrefixFlag,
        Self::NoGzip,
        Self::ContentType,
    ];
    const OF_HTTP: [Self; 5] = [
        Self::Truncated,
        Self::WrongType,
        Self::OverlongVarint,
        Self::NoGzip,
        Self::ContentType,
    ];
    const OF_JSON: [Self; 4] = [
        Self::Truncated,
        Self::WrongType,
        Self::NoGzip,
        Self::ContentType,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::WrongType => "wrong_type",
            Self::OverlongVarint => "overlong_varint",
            Self::PrefixLength => "prefix_length",
            Self::PrefixFlag => "prefix_flag",
            Self::NoGzip => "no_gzip",
            Self::ContentType => "content_type",
        }
    }

    /// What the request's headers call its compression, given what the run uses.
    pub(super) fn compression(self, of_run: Compression) -> Compression {
        match self {
            Self::NoGzip => Compression::Gzip,
            Self::PrefixFlag => Compression::None,
            _ => of_run,
        }
    }

    /// Breaks a message, before it is compressed. It stands at `begin`, and is not empty.
    pub(super) fn break_message(
        self,
        signal: Signal,
        protocol: Protocol,
        begin: usize,
        message: &mut Vec<u8>,
    ) {
        match self {
            Self::Truncated => {
                message.pop();
            }
            Self::WrongType if protocol == Protocol::HttpJson => {
                message.clear();
                let list = match signal {
                    Signal::Traces => "resourceSpans",
                    Signal::Metrics => "resourceMetrics",
                    Signal::Logs => "resourceLogs",
                };
                message.extend_from_slice(format!("{{\"{list}\":7}}").as_bytes());
            }
            Self::WrongType => message[begin] = TAG_OF_NO_TYPE,
            Self::OverlongVarint => {
                message.truncate(begin);
                message.push(TAG_OF_FIELD_1);
                message.extend_from_slice(&[0xff; VARINT_BYTES_TOO_MANY]);
            }
            Self::PrefixLength | Self::PrefixFlag | Self::NoGzip | Self::ContentType => {}
        }
    }

    /// Breaks a body that is ready for the socket.
    pub(super) fn break_body(self, protocol: Protocol, body: Bytes) -> Bytes {
        let mut body = Vec::from(body);
        match self {
            Self::PrefixLength => {
                let length = (body.len() - GRPC_PREFIX_BYTES) as u32 + 1;
                body[1..GRPC_PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
            }
            Self::PrefixFlag => body[0] = 1,
            Self::NoGzip => {
                // Neither of the first two bytes of gzip, whatever the message was.
                body[protocol.prefix_bytes()..].fill(b'?');
                if protocol.is_grpc() {
                    body[0] = 1;
                }
            }
            Self::Truncated | Self::WrongType | Self::OverlongVarint | Self::ContentType => {}
        }
        body.into()
    }

    /// Whether a target is right to refuse it so. A refusal that asks the client to come again is
    /// right for any request when there is no room.
    #[must_use]
    pub fn is_right(self, refusal: Refusal) -> bool {
        if refusal.is_retryable() {
            return true;
        }
        match refusal {
            // UNKNOWN, INVALID_ARGUMENT, UNIMPLEMENTED, INTERNAL
            Refusal::Grpc(code) => matches!(code, 2 | 3 | 12 | 13),
            Refusal::Http(415) => self == Self::ContentType,
            Refusal::Http(400) => self != Self::ContentType,
            Refusal::Http(_) | Refusal::Partial => false,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_of_requests_is_broken_in_every_way_and_always_the_same() {
        for (protocol, ways) in [
            (Protocol::Grpc, 7),
            (Protocol::Http, 5),
            (Protocol::HttpJson, 4),
        ] {
            let defects = Defects {
                seed: 9,
                share: 0.1,
                protocol,
            };
            let draw = || {
                let draws = (0..10_000).map(|number| defects.draw(number));
                draws.collect::<Vec<_>>()
            };
            let drawn = draw();
            let broken = drawn.iter().flatten().count();
            assert!((900..1_100).contains(&broken), "{broken}");
            let kinds: std::collections::BTreeSet<_> = drawn.iter().flatten().collect();
            assert_eq!(kinds.len(), ways);
            assert_eq!(drawn, draw());
        }
    }

    #[test]
    fn right_answers_are_final_or_for_lack_of_room() {
        for (defect, refusal, is_right) in [
            (Defect::Truncated, Refusal::Http(400), true),
            (Defect::Truncated, Refusal::Http(500), false),
            (Defect::Truncated, Refusal::Http(503), true),
            (Defect::ContentType, Refusal::Http(415), true),
            (Defect::ContentType, Refusal::Http(400), false),
            (Defect::PrefixLength, Refusal::Grpc(13), true),
            (Defect::PrefixLength, Refusal::Grpc(16), false),
            (Defect::NoGzip, Refusal::Grpc(8), true),
            (Defect::NoGzip, Refusal::Partial, false),
        ] {
            assert_eq!(defect.is_right(refusal), is_right, "{defect} {refusal}");
        }
    }
}
