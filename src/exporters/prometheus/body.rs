//! A rendering in, the body of a response out: plain or gzip, piece by piece.
//!
//! Between two pieces other tasks of the thread run, and other threads of its core, so a scrape of any
//! size holds them for no more than one piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Full};

use super::gzip::Gzip;
use super::render::Rendering;
use crate::workers::web::Body;

/// Text that is rendered at once.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Compressed bytes that are worth a write.
const COMPRESSED_BYTES_MIN: usize = 16 * 1024;

/// Text that fits one piece is a whole body with its length; more is sent as it is rendered.
pub(super) fn body(rendering: Rendering, gzip: bool) -> Body {
    let mut compressed = Vec::new();
    let mut pieces = Pieces {
        rendering,
        ready: Vec::new(),
        gzip: gzip.then(|| Gzip::new(&mut compressed)),
        compressed,
        more: true,
        ended: false,
        rest: false,
    };
    let first = pieces.next();
    if pieces.more {
        pieces.ready = first;
        pieces.boxed_unsync()
    } else {
        Full::new(first.into()).boxed_unsync()
    }
}

struct Pieces {
    rendering: Rendering,
    /// To be written before any other.
    ready: Vec<u8>,
    gzip: Option<Gzip>,
    /// Not yet worth a write.
    compressed: Vec<u8>,
    /// The rendering has more.
    more: bool,
    ended: bool,
    /// Others run before the next piece.
    rest: bool,
}

impl Pieces {
    /// The next piece as it is written; of a compressed one nothing until it is worth it.
    fn next(&mut self) -> Vec<u8> {
        let Some(gzip) = &mut self.gzip else {
            // Whole series: the last one may reach over the end of the piece.
            let mut text = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
            self.more = self.rendering.fill(&mut text, PIECE_BYTES);
            return text;
        };
        let text = gzip.text();
        let end = text.len() + PIECE_BYTES;
        self.more = self.rendering.fill(text, end);
        gzip.encode(&mut self.compressed, !self.more);
        if self.more && self.compressed.len() < COMPRESSED_BYTES_MIN {
            return Vec::new();
        }
        std::mem::take(&mut self.compressed)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut text = std::mem::take(&mut self.ready);
        if text.is_empty() && self.more {
            if self.rest {
                self.rest = false;
                // A worker may have this core too.
                std::thread::yield_now();
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
