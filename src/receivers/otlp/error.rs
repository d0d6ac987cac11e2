//! Why a request is not taken, in numbers; each protocol puts it in its own words.

use std::time::Duration;

use super::compression::InflateError;

/// The label of `spanmill_receiver_refused_requests_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    ConnectionsMax,
    ResetsMax,
    SignalNotSupported,
    EncodingNotSupported,
    TypeNotSupported,
    NotFound,
    TooLarge,
    NoRoom,
    Malformed,
    TimedOut,
    Cut,
    /// The pipeline had no room.
    Pipeline,
    /// The client left while its request was run; it may be counted.
    Unanswered,
}

impl Reason {
    pub(super) const ALL: [(Self, &str); 13] = [
        (Self::ConnectionsMax, "connections_max"),
        (Self::ResetsMax, "resets_max"),
        (Self::SignalNotSupported, "signal_not_supported"),
        (Self::EncodingNotSupported, "encoding_not_supported"),
        (Self::TypeNotSupported, "type_not_supported"),
        (Self::NotFound, "not_found"),
        (Self::TooLarge, "too_large"),
        (Self::NoRoom, "no_room"),
        (Self::Malformed, "malformed"),
        (Self::TimedOut, "timed_out"),
        (Self::Cut, "cut"),
        (Self::Pipeline, "pipeline"),
        (Self::Unanswered, "unanswered"),
    ];
}

/// A body that could not be had whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReceiveError {
    #[error("body is {bytes} bytes, limit is {bytes_max}")]
    TooLarge { bytes: u64, bytes_max: u64 },
    #[error("inflated body is more than {bytes_max} bytes")]
    TooLargeInflated { bytes_max: u64 },
    /// It would not even fit if it were alone.
    #[error("body is {bytes} bytes, the budget grants at most {budget_bytes}")]
    NeverFits { bytes: u64, budget_bytes: u64 },
    #[error("no room for the request at the moment")]
    NoRoom,
    #[error(transparent)]
    Inflate(#[from] InflateError),
    #[error("no byte of the body for {}s", .0.as_secs_f32())]
    Stalled(Duration),
    #[error("body was not complete after {}s", .0.as_secs_f32())]
    Slow(Duration),
    /// The client took its request back, or its connection is gone.
    #[error("body was cut")]
    Cut,
    /// The stream ended before a gRPC message was complete.
    #[error("{}", if *.begun { "unexpected EOF" } else { "EOF" })]
    NoMessage { begun: bool },
    #[error("received unexpected payload format {0}")]
    MessageFlag(u8),
    #[error("more than one message in a unary call")]
    SeveralMessages,
    #[error("compressed flag set with identity or empty encoding")]
    FlagWithoutEncoding,
}

impl ReceiveError {
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::TooLarge { .. } | Self::TooLargeInflated { .. } | Self::NeverFits { .. } => {
                Reason::TooLarge
            }
            Self::NoRoom => Reason::NoRoom,
            Self::Stalled(_) | Self::Slow(_) => Reason::TimedOut,
            Self::Cut => Reason::Cut,
            Self::Inflate(_)
            | Self::NoMessage { .. }
            | Self::MessageFlag(_)
            | Self::SeveralMessages
            | Self::FlagWithoutEncoding => Reason::Malformed,
        }
    }
}
