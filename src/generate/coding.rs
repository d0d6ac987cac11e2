//! A message in, a request body out: format, compression, frame.
//!
//! The makers append protobuf behind a hole for the prefix that gRPC wants, so that a plain body is
//! never copied. Decoding is not here: nothing that was sent is read again.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;

use super::error::GenerateError;

/// Prefix of a gRPC message: one byte of flags, four of length.
pub(super) const GRPC_PREFIX_BYTES: usize = 5;
/// As the Collector's own exporter compresses.
const ZSTD_LEVEL: i32 = 3;

/// OTLP's three ways over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Grpc,
    /// Protobuf over HTTP/1.1.
    Http,
    HttpJson,
}

impl Protocol {
    /// As `OTEL_EXPORTER_OTLP_PROTOCOL` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http/protobuf",
            Self::HttpJson => "http/json",
        }
    }

    #[must_use]
    pub fn is_grpc(self) -> bool {
        self == Self::Grpc
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::Http => "application/x-protobuf",
            Self::HttpJson => "application/json",
        }
    }

    /// Bytes in front of the message.
    pub(super) fn prefix_bytes(self) -> usize {
        match self {
            Self::Grpc => GRPC_PREFIX_BYTES,
            Self::Http | Self::HttpJson => 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// As headers name it.
    pub(super) fn encoding(self) -> Option<&'static str> {
        (self != Self::None).then(|| self.name())
    }
}

/// One thread's maker of bodies out of messages.
pub(super) struct Packer {
    protocol: Protocol,
    compression: Compression,
    /// Kept, since its tables are larger than most messages.
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new(protocol: Protocol, compression: Compression) -> Result<Self, GenerateError> {
        let zstd = (compression == Compression::Zstd)
            .then(|| zstd::bulk::Compressor::new(ZSTD_LEVEL))
            .transpose()
            .map_err(|source| GenerateError::Zstd { source })?;
        Ok(Self {
            protocol,
            compression,
            zstd,
        })
    }

    /// What a message is appended to: empty but for the hole.
    pub(super) fn hole(&self) -> Vec<u8> {
        vec![0; self.protocol.prefix_bytes()]
    }

    /// `plain` is a hole with the message behind it.
    pub(super) fn pack(&mut self, plain: Vec<u8>) -> Bytes {
        let prefix_bytes = self.protocol.prefix_bytes();
        let mut body = match self.compression {
            Compression::None => plain,
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(self.hole(), Level::default());
                gzip.write_all(&plain[prefix_bytes..])
                    .and_then(|()| gzip.finish())
                    .expect("writing to memory does not fail")
            }
            Compression::Zstd => {
                let zstd = self.zstd.as_mut().expect("made with this compression");
                let packed = zstd
                    .compress(&plain[prefix_bytes..])
                    .expect("the room that is asked for holds any message");
                let mut body = self.hole();
                body.extend_from_slice(&packed);
                body
            }
        };
        if self.protocol.is_grpc() {
            write_prefix(&mut body, self.compression != Compression::None);
        }
        body.into()
    }
}

/// Fills the hole in front of a gRPC message.
pub(super) fn write_prefix(body: &mut [u8], is_compressed: bool) {
    let length = u32::try_from(body.len() - GRPC_PREFIX_BYTES).expect(
        "a scenario bounds its requests, and a capture its size, far below 32 bits of length",
    );
    body[0] = u8::from(is_compressed);
    body[1..GRPC_PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
}
