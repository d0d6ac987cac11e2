//! An answer in, whether the request was acknowledged or refused out.

use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::{Outcome, Refusal};
use crate::generate::coding::GRPC_PREFIX_BYTES;

/// An answer is read up to here; a longer one is none.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// A status that the server did not send: the answer was no gRPC.
const UNKNOWN: i32 = 2;
/// `Export...ServiceResponse.partial_success`, a message.
const TAG_PARTIAL_SUCCESS: u64 = 0x0a;
/// Of all three signals: `rejected_...`, a varint, and `error_message`.
const TAG_REJECTED: u64 = 0x08;
const TAG_ERROR_MESSAGE: u64 = 0x12;

/// The connection or the stream broke before the answer was whole.
pub(super) type Broken = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn of_http(response: Response<Incoming>) -> Result<Outcome, Broken> {
    let (head, body) = response.into_parts();
    let message = Limited::new(body, ANSWER_BYTES_MAX)
        .collect()
        .await?
        .to_bytes();
    if !head.status.is_success() {
        return Ok(Outcome::Refused(Refusal::Http(head.status.as_u16())));
    }
    let content_type = head.headers.get(CONTENT_TYPE);
    let is_json = content_type.is_some_and(|name| name.as_bytes().starts_with(b"application/json"));
    Ok(success(if is_json {
        is_partial_json(&message)
    } else {
        is_partial(&message)
    }))
}

pub(super) async fn of_grpc(response: Response<RecvStream>) -> Result<Outcome, Broken> {
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Ok(Outcome::Refused(Refusal::Http(head.status.as_u16())));
    }
    let (mut message, trailers) = read(body).await?;
    // A refusal without a body may carry its status in the headers.
    let status = trailers
        .as_ref()
        .and_then(|trailers| trailers.get("grpc-status"))
        .or_else(|| head.headers.get("grpc-status"));
    let code = status
        .and_then(|status| status.to_str().ok()?.parse::<i32>().ok())
        .unwrap_or(UNKNOWN);
    if code != 0 {
        return Ok(Outcome::Refused(Refusal::Grpc(code)));
    }
    message.advance(GRPC_PREFIX_BYTES.min(message.len()));
    Ok(success(is_partial(&message)))
}

fn success(is_partial: bool) -> Outcome {
    if is_partial {
        Outcome::Refused(Refusal::Partial)
    } else {
        Outcome::Acknowledged
    }
}

/// The whole body of an answer, with its trailers.
async fn read(mut body: RecvStream) -> Result<(Bytes, Option<HeaderMap>), Broken> {
    let mut message = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        if message.len() + data.len() > ANSWER_BYTES_MAX {
            return Err("an answer without end".into());
        }
        body.flow_control().release_capacity(data.len())?;
        message.extend_from_slice(&data);
    }
    Ok((message.freeze(), body.trailers().await?))
}

/// Whether an `Export...ServiceResponse` says that items were rejected. Anything that is not this
/// message counts as no rejection: the status has said that the request was accepted.
fn is_partial(message: &[u8]) -> bool {
    rejected(message).is_some_and(|count| count != 0)
}

fn rejected(mut message: &[u8]) -> Option<u64> {
    if varint(&mut message)? != TAG_PARTIAL_SUCCESS {
        return None;
    }
    // Its length; nothing follows it.
    varint(&mut message)?;
    loop {
        match varint(&mut message)? {
            TAG_REJECTED => return varint(&mut message),
            TAG_ERROR_MESSAGE => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                message = message.get(length..)?;
            }
            _ => return None,
        }
    }
}

/// The same in JSON, where the count is a number or, as 64 bits are written, a text.
fn is_partial_json(message: &[u8]) -> bool {
    let answer: serde_json::Value = serde_json::from_slice(message).unwrap_or_default();
    let Some(partial) = answer["partialSuccess"].as_object() else {
        return false;
    };
    partial
        .iter()
        .filter(|(key, _)| key.starts_with("rejected"))
        .any(|(_, count)| count != 0 && count != "0")
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_items_make_a_success_partial() {
        assert!(!is_partial(&[]));
        assert!(!is_partial(&[0x0a, 0]));
        assert!(!is_partial(&[0x0a, 4, 0x12, 2, b'h', b'i']));
        assert!(!is_partial(&[0x0a, 2, 0x08, 0]));
        assert!(is_partial(&[0x0a, 2, 0x08, 7]));
        assert!(is_partial(&[0x0a, 6, 0x12, 2, b'h', b'i', 0x08, 7]));
    }

    #[test]
    fn long_reason_does_not_hide_what_was_rejected() {
        let mut message = vec![0x0a, 0xcf, 0x01, 0x08, 0x80, 0x01, 0x12, 0xc8, 0x01];
        message.extend_from_slice(&[b'x'; 200]);
        assert!(is_partial(&message));
        message[4..6].copy_from_slice(&[0x80, 0x00]);
        assert!(!is_partial(&message));
    }

    #[test]
    fn json_answers_are_partial_for_every_signal() {
        for (text, partial) in [
            ("", false),
            ("{}", false),
            (r#"{"partialSuccess":{}}"#, false),
            (r#"{"partialSuccess":{"errorMessage":"careful"}}"#, false),
            (r#"{"partialSuccess":{"rejectedSpans":"0"}}"#, false),
            (r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, true),
            (r#"{"partialSuccess":{"rejectedDataPoints":3}}"#, true),
            (r#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#, true),
        ] {
            assert_eq!(is_partial_json(text.as_bytes()), partial, "{text}");
        }
    }
}
