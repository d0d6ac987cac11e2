//! What independent decoders make of the generator's bytes; for the tests of its encoders.
//!
//! prost reads the protobuf and serde the JSON, both by the published messages of OTLP.

use prost::Message;
use serde::de::DeserializeOwned;

use super::json::transcode;
use super::signal::Signal;

/// The request that stands in the bytes.
///
/// # Panics
/// When a field is not that of the messages, when it is not written as proto3 writes it, or when
/// the same request as JSON says something else.
pub(super) fn decode<T>(signal: Signal, bytes: &[u8]) -> T
where
    T: Message + Default + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let request = T::decode(bytes).expect("well-formed");
    // An unknown field, or a default written out, would be lost on the way.
    assert_eq!(request.encoded_len(), bytes.len(), "every byte is known");
    let json = transcode(signal, bytes);
    let from_json: T = serde_json::from_slice(&json)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&json)));
    assert!(from_json == request, "{from_json:?}\nis not\n{request:?}");
    request
}
