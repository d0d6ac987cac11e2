//! Why a request is refused. Small and `Copy`: a malformed request costs no allocation here.

use thiserror::Error;

use crate::batch::proto::Malformed;

/// Bytes of all bodies of a batch. Arrow's views count positions in 31 bits.
pub(super) const BATCH_BYTES_MAX: u64 = i32::MAX as u64;

/// The bytes of a request are not the message; nothing of it was added to the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("trace id at byte {at} has {bytes} bytes, must have 16 or none")]
    TraceId { bytes: u32, at: u32 },
    #[error("span id at byte {at} has {bytes} bytes, must have 8 or none")]
    SpanId { bytes: u32, at: u32 },
    #[error("batch would be {bytes} bytes, limit is {BATCH_BYTES_MAX}")]
    BatchBytes { bytes: u64 },
    #[error("request has more than {rows_max} spans, events and resources")]
    Rows { rows_max: u32 },
}

impl DecodeError {
    /// Whether the bytes are in order and only too many.
    #[must_use]
    pub const fn is_too_large(self) -> bool {
        matches!(self, Self::BatchBytes { .. } | Self::Rows { .. })
    }

    /// A fixed word for the label of a counter.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(Malformed::Truncated { .. }) => "truncated",
            Self::Malformed(Malformed::Varint { .. }) => "varint",
            Self::Malformed(Malformed::FieldNumber { .. }) => "field_number",
            Self::Malformed(Malformed::WireType { .. }) => "wire_type",
            Self::Malformed(Malformed::Group { .. }) => "group",
            Self::Malformed(Malformed::Nesting { .. }) => "nesting",
            Self::TraceId { .. } => "trace_id",
            Self::SpanId { .. } => "span_id",
            Self::BatchBytes { .. } => "batch_bytes",
            Self::Rows { .. } => "rows",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DecodeError;
    use crate::batch::proto::Malformed;

    #[test]
    fn errors_are_small_and_say_where() {
        assert!(size_of::<DecodeError>() <= 24);
        for (error, code, text) in [
            (
                DecodeError::from(Malformed::Truncated { at: 7 }),
                "truncated",
                "field at byte 7 goes on past the end of its message",
            ),
            (
                DecodeError::from(Malformed::Varint { at: 1 }),
                "varint",
                "varint at byte 1 does not fit 64 bits",
            ),
            (
                DecodeError::from(Malformed::FieldNumber { tag: 2, at: 3 }),
                "field_number",
                "tag 2 at byte 3 has a field number of 0 or above 536870911",
            ),
            (
                DecodeError::from(Malformed::WireType {
                    field: 5,
                    wire_type: 0,
                    at: 9,
                }),
                "wire_type",
                "field 5 before byte 9 has wire type 0",
            ),
            (
                DecodeError::from(Malformed::Group { field: 5, at: 9 }),
                "group",
                "group of field 5 before byte 9 has no end of its own",
            ),
            (
                DecodeError::from(Malformed::Nesting { at: 9 }),
                "nesting",
                "message at byte 9 is nested deeper than 100 levels",
            ),
            (
                DecodeError::TraceId { bytes: 4, at: 2 },
                "trace_id",
                "trace id at byte 2 has 4 bytes, must have 16 or none",
            ),
            (
                DecodeError::SpanId { bytes: 4, at: 2 },
                "span_id",
                "span id at byte 2 has 4 bytes, must have 8 or none",
            ),
            (
                DecodeError::BatchBytes { bytes: 1 << 32 },
                "batch_bytes",
                "batch would be 4294967296 bytes, limit is 2147483647",
            ),
        ] {
            assert_eq!((error.code(), &*error.to_string()), (code, text));
        }
    }
}
