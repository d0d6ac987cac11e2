//! `google.rpc.Status` in the forms that clients expect: protobuf, JSON, gRPC header fields.
//!
//! Written by hand: three fields and one kind of detail, the same for every refusal.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// When a client that is told to retry may come back. `Retry-After` says the same in HTTP.
pub(super) const RETRY_SECONDS: u8 = 1;

/// Codes of gRPC, as far as they are used.
pub(super) mod code {
    pub(in super::super) const OK: u8 = 0;
    pub(in super::super) const CANCELLED: u8 = 1;
    pub(in super::super) const UNKNOWN: u8 = 2;
    pub(in super::super) const INVALID_ARGUMENT: u8 = 3;
    pub(in super::super) const DEADLINE_EXCEEDED: u8 = 4;
    pub(in super::super) const RESOURCE_EXHAUSTED: u8 = 8;
    pub(in super::super) const UNIMPLEMENTED: u8 = 12;
    pub(in super::super) const INTERNAL: u8 = 13;
    pub(in super::super) const UNAVAILABLE: u8 = 14;
}

/// How a request ended, for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u8,
    pub(super) message: Cow<'static, str>,
    /// Whether it carries `google.rpc.RetryInfo`.
    pub(super) retry: bool,
}

const RETRY_TYPE: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `RetryInfo { retry_delay { seconds: 1 } }`
const RETRY_INFO: [u8; 4] = [0x0a, 2, 0x08, RETRY_SECONDS];

impl Status {
    pub(super) fn new(code: u8, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry: false,
        }
    }

    pub(super) fn with_retry(self) -> Self {
        Self {
            retry: true,
            ..self
        }
    }

    pub(super) fn to_proto(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len() + 64);
        if self.code != 0 {
            out.extend([0x08, self.code]);
        }
        if !self.message.is_empty() {
            put_bytes(&mut out, 0x12, self.message.as_bytes());
        }
        if self.retry {
            let mut detail = Vec::with_capacity(64);
            put_bytes(&mut detail, 0x0a, RETRY_TYPE.as_bytes());
            put_bytes(&mut detail, 0x12, &RETRY_INFO);
            put_bytes(&mut out, 0x1a, &detail);
        }
        out
    }

    /// Compact, zero values left out, `<`, `>` and `&` escaped: as the reference writes it.
    pub(super) fn to_json(&self) -> String {
        let mut fields = Vec::with_capacity(3);
        if self.code != 0 {
            fields.push(format!("\"code\":{}", self.code));
        }
        if !self.message.is_empty() {
            let message = serde_json::Value::from(self.message.as_ref()).to_string();
            let message = message
                .replace('<', "\\u003c")
                .replace('>', "\\u003e")
                .replace('&', "\\u0026");
            fields.push(format!("\"message\":{message}"));
        }
        if self.retry {
            let value = STANDARD.encode(RETRY_INFO);
            fields.push(format!(
                "\"details\":[{{\"typeUrl\":\"{RETRY_TYPE}\",\"value\":\"{value}\"}}]"
            ));
        }
        format!("{{{}}}", fields.join(","))
    }

    /// The value of `grpc-message`: percent-encoded, so always a valid header value.
    pub(super) fn grpc_message(&self) -> String {
        let mut out = String::with_capacity(self.message.len());
        for byte in self.message.bytes() {
            if matches!(byte, b' '..=b'~') && byte != b'%' {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    }

    /// The value of `grpc-status-details-bin`, if there are details.
    pub(super) fn grpc_details(&self) -> Option<String> {
        self.retry.then(|| STANDARD_NO_PAD.encode(self.to_proto()))
    }
}

/// A length-delimited field. `batch` has another, which is not for receivers to know.
fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(seven_bits(length) | 0x80);
        length >>= 7;
    }
    out.push(seven_bits(length));
    out.extend_from_slice(bytes);
}

fn seven_bits(number: usize) -> u8 {
    (number & 0x7f).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::{Status, code};

    /// What an independent reader makes of the bytes.
    #[derive(Message)]
    struct Read {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(bytes, repeated, tag = "3")]
        details: Vec<Vec<u8>>,
    }

    #[test]
    fn protobuf_is_read_back_at_every_length_of_its_length() {
        for bytes in [0, 1, 127, 128, 20_000] {
            let status = Status::new(code::UNAVAILABLE, "m".repeat(bytes)).with_retry();
            let read = Read::decode(status.to_proto().as_slice()).expect("protobuf");
            assert_eq!((read.code, read.message.len()), (14, bytes));
            assert_eq!(read.details.len(), 1);
        }
        assert_eq!(
            Status::new(3, "unexpected EOF").to_proto(),
            b"\x08\x03\x12\x0eunexpected EOF"
        );
    }

    #[test]
    fn json_leaves_zero_values_out_and_escapes_as_the_reference_does() {
        for (status, json) in [
            (Status::new(0, ""), "{}"),
            (
                Status::new(14, "data refused due to high memory usage"),
                r#"{"code":14,"message":"data refused due to high memory usage"}"#,
            ),
            (
                Status::new(3, "<a>&\"\u{0}\u{e9}"),
                "{\"code\":3,\"message\":\"\\u003ca\\u003e\\u0026\\\"\\u0000\u{e9}\"}",
            ),
            (
                Status::new(14, "").with_retry(),
                concat!(
                    r#"{"code":14,"details":[{"typeUrl":"type.googleapis.com/google.rpc.RetryInfo","#,
                    r#""value":"CgIIAQ=="}]}"#
                ),
            ),
        ] {
            assert_eq!(status.to_json(), json);
        }
    }

    #[test]
    fn grpc_message_is_percent_encoded() {
        let status = Status::new(12, "method No\"th%i\u{e9}\n");
        assert_eq!(status.grpc_message(), "method No\"th%25i%C3%A9%0A");
    }
}
