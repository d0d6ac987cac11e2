//! Chunks from a socket in, a whole body under its permit out.
//!
//! A body that arrives in one chunk is not copied. Otherwise its chunks are joined once, into a
//! buffer of the declared length. A body that stalls, or drips for too long, is given up and its
//! permit with it.
//!
//! Runs on a worker core, per chunk; no unsafe.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::admission::Room;
use super::buffers::Buffers;
use super::error::ReceiveError;
use crate::workers::budget::Permit;

/// The prefix of a gRPC message: a flag and the length of the rest.
const PREFIX_BYTES: usize = 5;

/// A body and the permit that covers it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) permit: Permit,
}

/// How long a body may take.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) stall_max: Duration,
    pub(super) time_max: Duration,
}

/// The chunks of one body, each within its time.
pub(super) struct Chunks<B> {
    body: B,
    pace: Pace,
    /// When the whole body must be there; settled when it is first waited for.
    until: Option<Instant>,
}

impl<B: Body<Data = Bytes> + Unpin> Chunks<B> {
    pub(super) fn new(body: B, pace: Pace) -> Self {
        Self {
            body,
            pace,
            until: None,
        }
    }

    /// The length of the whole body, if the client said so and nothing was read yet.
    pub(super) fn declared(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next chunk that is not empty; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        loop {
            let ready = poll_fn(|context| {
                let frame = Pin::new(&mut self.body).poll_frame(context);
                Poll::Ready(frame)
            });
            // PERF: most chunks are there when they are asked for, and need no clock and no timer.
            let frame = match ready.await {
                Poll::Ready(frame) => frame,
                Poll::Pending => self.wait().await?,
            };
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(ReceiveError::Cut),
                // Trailers carry nothing for us.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) if !chunk.is_empty() => return Ok(Some(chunk)),
                    _ => {}
                },
            }
        }
    }

    /// The next frame, within its time.
    async fn wait(&mut self) -> Result<Option<Result<Frame<Bytes>, B::Error>>, ReceiveError> {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + self.pace.time_max);
        let stalled = now + self.pace.stall_max;
        let waited = timeout_at(stalled.min(until), self.body.frame()).await;
        waited.map_err(|_| {
            if stalled < until {
                ReceiveError::Stalled(self.pace.stall_max)
            } else {
                ReceiveError::Slow(self.pace.time_max)
            }
        })
    }

    /// Reads on without keeping anything. True: the body ended within `bytes_max`.
    pub(super) async fn discard(&mut self, bytes_max: u64) -> bool {
        let mut bytes = 0;
        while bytes <= bytes_max {
            match self.next().await {
                Ok(Some(chunk)) => bytes += chunk.len() as u64,
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        false
    }
}

/// Reads a whole body, of `declared` length if the client said so.
pub(super) async fn read_body<B: Body<Data = Bytes> + Unpin>(
    chunks: &mut Chunks<B>,
    declared: Option<u64>,
    room: Room<'_>,
    buffers: &Buffers,
) -> Result<Held, ReceiveError> {
    let mut permit = room.take(declared.unwrap_or(0))?;
    let mut join = Join::new(buffers);
    while let Some(chunk) = chunks.next().await? {
        room.cover(&mut permit, (join.bytes() + chunk.len()) as u64)?;
        join.push(chunk, permit.bytes());
    }
    let bytes = join.finish();
    permit.shrink_to(bytes.len() as u64);
    Ok(Held { bytes, permit })
}

/// A gRPC message as it was framed.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) compressed: bool,
    pub(super) held: Held,
}

/// Reads the one message of a unary call. Bytes that come after it in the same chunk are refused;
/// what a client sends later is not waited for.
pub(super) async fn read_message<B: Body<Data = Bytes> + Unpin>(
    chunks: &mut Chunks<B>,
    room: Room<'_>,
    buffers: &Buffers,
) -> Result<Message, ReceiveError> {
    let mut prefix = [0; PREFIX_BYTES];
    let mut prefix_bytes = 0;
    let mut chunk = Bytes::new();
    while prefix_bytes < PREFIX_BYTES {
        chunk = chunks
            .next()
            .await?
            .ok_or(ReceiveError::NoMessage { begun: false })?;
        let part = chunk.len().min(PREFIX_BYTES - prefix_bytes);
        chunk.copy_to_slice(&mut prefix[prefix_bytes..prefix_bytes + part]);
        prefix_bytes += part;
    }
    let [flag, length @ ..] = prefix;
    let length = u32::from_be_bytes(length) as usize;
    let permit = room.take(length as u64)?;
    if flag > 1 {
        return Err(ReceiveError::MessageFlag(flag));
    }
    let mut join = Join::new(buffers);
    while join.bytes() + chunk.len() < length {
        join.push(chunk, length as u64);
        chunk = chunks
            .next()
            .await?
            .ok_or(ReceiveError::NoMessage { begun: true })?;
    }
    if join.bytes() + chunk.len() > length {
        return Err(ReceiveError::SeveralMessages);
    }
    join.push(chunk, length as u64);
    Ok(Message {
        compressed: flag == 1,
        held: Held {
            bytes: join.finish(),
            permit,
        },
    })
}

/// Joins chunks, if there is more than one.
struct Join<'a> {
    buffers: &'a Buffers,
    only: Bytes,
    joined: Vec<u8>,
}

impl<'a> Join<'a> {
    fn new(buffers: &'a Buffers) -> Self {
        Self {
            buffers,
            only: Bytes::new(),
            joined: Vec::new(),
        }
    }

    fn bytes(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    /// Adds a chunk. `covered_bytes` is what the permit covers, so what may be reserved.
    fn push(&mut self, chunk: Bytes, covered_bytes: u64) {
        debug_assert!((self.bytes() + chunk.len()) as u64 <= covered_bytes);
        if self.bytes() == 0 {
            self.only = chunk;
            return;
        }
        // Fits: a permit is bounded by the limit on a body.
        let covered_bytes = usize::try_from(covered_bytes).unwrap_or(usize::MAX);
        if !self.only.is_empty() {
            self.joined = self.buffers.take(covered_bytes);
            self.joined.extend_from_slice(&self.only);
            self.only = Bytes::new();
        }
        if self.joined.capacity() - self.joined.len() < chunk.len() {
            self.joined.reserve_exact(covered_bytes - self.joined.len());
        }
        self.joined.extend_from_slice(&chunk);
    }

    fn finish(self) -> Bytes {
        if self.joined.is_empty() {
            self.only
        } else {
            self.buffers.seal(self.joined)
        }
    }
}

#[cfg(test)]
mod tests;
