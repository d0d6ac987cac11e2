//! A rendering in, the body of a response out: plain or gzip, piece by piece.
//!
//! Between two pieces other tasks of the thread run, so a scrape of any size holds it for no more
//! than one piece.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;
use http_body_util::{BodyExt, Full};

use super::render::Rendering;
use crate::workers::web::Body;

/// Text that is rendered at once.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Compressed bytes that are worth a write.
const COMPRESSED_BYTES_MIN: usize = 16 * 1024;

/// Higher levels cost three times as much for a third fewer bytes.
const GZIP_LEVEL: u32 = 1;

/// Text that fits one piece is a whole body with its length; more is sent as it is rendered.
pub(super) fn body(mut rendering: Rendering, gzip: bool) -> Body {
    let mut text = Vec::new();
    let more = rendering.fill(&mut text, PIECE_BYTES);
    let mut pieces = Pieces {
        rendering,
        text: Vec::new(),
        encoder: gzip.then(|| GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
        more,
        ended: false,
        rest: false,
    };
    let first = pieces.encode(text);
    if more {
        pieces.text = first;
        pieces.boxed_unsync()
    } else {
        Full::new(first.into()).boxed_unsync()
    }
}

struct Pieces {
    rendering: Rendering,
    /// Ready to be written.
    text: Vec<u8>,
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// The rendering has more.
    more: bool,
    ended: bool,
    /// Others run before the next piece.
    rest: bool,
}

impl Pieces {
    /// Compressed, as far as it is worth it; all of it at the end.
    fn encode(&mut self, text: Vec<u8>) -> Vec<u8> {
        let Some(encoder) = &mut self.encoder else {
            return text;
        };
        let memory = "writing to memory does not fail";
        encoder.write_all(&text).expect(memory);
        if !self.more {
            let encoder = self.encoder.take().expect("it was just used");
            return encoder.finish().expect(memory);
        }
        if encoder.get_ref().len() < COMPRESSED_BYTES_MIN {
            return Vec::new();
        }
        std::mem::take(encoder.get_mut())
    }

    fn next(&mut self) -> Vec<u8> {
        let mut text = Vec::with_capacity(if self.encoder.is_some() {
            PIECE_BYTES
        } else {
            // Whole series: the last one may reach over the end of the piece.
            PIECE_BYTES + PIECE_BYTES / 4
        });
        self.more = self.rendering.fill(&mut text, PIECE_BYTES);
        self.encode(text)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut text = std::mem::take(&mut self.text);
        if text.is_empty() && self.more {
            if self.rest {
                self.rest = false;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            text = self.next();
            self.rest = true;
        }
        if !text.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(text.into()))));
        }
        if self.more {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ended = true;
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
