//! What the small web server sees of a connection: time limits on its reads and writes, and the
//! moment when the last byte of a response has left.
//!
//! hyper polls a body to its end, puts the rest into its buffer, writes that out and only then
//! flushes the socket. So the first flush after a body's end means that the kernel has all of the
//! response.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep};

use super::web_answer::{Body, Delivery, Receipt};

/// Limits of one server.
#[derive(Clone, Copy, Debug)]
pub struct WebLimits {
    pub connections_max: usize,
    /// For a complete head, from its first byte or the start of the connection.
    pub head_max: Duration,
    /// Between two requests. Longer than any usual scrape interval, so that scrapers need not connect
    /// anew.
    pub idle_max: Duration,
    /// Without progress while a response is written.
    pub stall_max: Duration,
    /// For a whole response, however slowly it is read.
    pub response_max: Duration,
    /// What is under way at a stop may end within this time.
    pub stop_max: Duration,
}

/// Connections that serve no request, in the order in which they became idle.
#[derive(Default)]
pub(super) struct Idle {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    by_age: BTreeMap<u64, Arc<Notify>>,
}

/// One connection's state, shared by its I/O, its bodies and its service.
pub(super) struct Watch {
    idle: Arc<Idle>,
    close: Arc<Notify>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// The body has ended: the next flush completes the response.
    ended: bool,
    receipt: Option<Receipt>,
    /// Of the last complete response, until the next request.
    delivered: Option<Receipt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for a request; the ticket among the idle ones.
    Idle {
        ticket: u64,
    },
    Busy,
}

/// A response's body. Tells the watch when it has ended.
pub(super) struct Watched {
    body: Body,
    watch: Arc<Watch>,
    receipt: Option<Receipt>,
    ended: bool,
}

/// A socket with limits.
pub(super) struct TimedIo {
    stream: TcpStream,
    watch: Arc<Watch>,
    limits: WebLimits,
    /// Ends the wait for a request, or for the rest of its head.
    read_deadline: Pin<Box<Sleep>>,
    head_begun: bool,
    /// Ends a write that makes no progress, and a response that takes too long.
    stall: Option<Pin<Box<Sleep>>>,
    response: Option<Pin<Box<Sleep>>>,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            head_max: Duration::from_secs(10),
            idle_max: Duration::from_mins(5),
            stall_max: Duration::from_secs(30),
            response_max: Duration::from_mins(2),
            stop_max: Duration::from_secs(5),
        }
    }
}

impl Idle {
    /// Closes the connection that has been idle for longest; false: all are busy.
    pub(super) fn close_oldest(&self) -> bool {
        let oldest = self.lock().by_age.pop_first();
        if let Some((_, close)) = &oldest {
            close.notify_one();
        }
        oldest.is_some()
    }

    fn enter(&self, close: &Arc<Notify>) -> u64 {
        let mut waiting = self.lock();
        let ticket = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(ticket, Arc::clone(close));
        ticket
    }

    fn leave(&self, ticket: u64) {
        self.lock().by_age.remove(&ticket);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    pub(super) fn new(idle: Arc<Idle>, close: Arc<Notify>) -> Self {
        let ticket = idle.enter(&close);
        Self {
            idle,
            close,
            state: Mutex::new(State {
                phase: Phase::Idle { ticket },
                ended: false,
                receipt: None,
                delivered: None,
            }),
        }
    }

    pub(super) fn request_begins(&self) {
        let mut state = self.lock();
        if let Phase::Idle { ticket } = state.phase {
            self.idle.leave(ticket);
        }
        state.phase = Phase::Busy;
        state.ended = false;
        state.delivered = None;
    }

    fn body_ended(&self, receipt: Option<Receipt>) {
        let mut state = self.lock();
        state.ended = true;
        state.receipt = receipt;
    }

    /// True when the flush completed a response.
    fn flushed(&self) -> bool {
        let mut state = self.lock();
        if !state.ended {
            return false;
        }
        state.ended = false;
        state.phase = Phase::Idle {
            ticket: self.idle.enter(&self.close),
        };
        let mut receipt = state.receipt.take();
        if let Some(receipt) = &mut receipt {
            receipt(Delivery::Written);
        }
        state.delivered = receipt;
        true
    }

    fn reset(&self) {
        if let Some(mut receipt) = self.lock().delivered.take() {
            receipt(Delivery::Reset);
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.lock().phase, Phase::Idle { .. })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Phase::Idle { ticket } = self.lock().phase {
            self.idle.leave(ticket);
        }
    }
}

impl Watched {
    pub(super) fn new(body: Body, watch: Arc<Watch>, receipt: Option<Receipt>) -> Self {
        let mut watched = Self {
            body,
            watch,
            receipt,
            ended: false,
        };
        // A body without bytes is never polled.
        if watched.body.is_end_stream() {
            watched.end();
        }
        watched
    }

    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            self.watch.body_ended(self.receipt.take());
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        // hyper does not poll again when the last frame says that it is the last.
        if matches!(frame, Poll::Ready(None)) || (frame.is_ready() && self.body.is_end_stream()) {
            self.end();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    /// The answer to HEAD: hyper drops the body and writes the head. A cut response comes here too;
    /// nobody is told that it was written.
    fn drop(&mut self) {
        self.receipt = None;
        self.end();
    }
}

impl TimedIo {
    pub(super) fn new(stream: TcpStream, watch: Arc<Watch>, limits: WebLimits) -> Self {
        Self {
            stream,
            watch,
            limits,
            read_deadline: Box::pin(sleep(limits.head_max)),
            head_begun: true,
            stall: None,
            response: None,
        }
    }

    fn wait_for_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.is_idle() && self.read_deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn wait_for_write<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let limits = self.limits;
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(sleep(limits.stall_max)));
        let stalled = stall.as_mut().poll(cx).is_ready();
        let response = self
            .response
            .get_or_insert_with(|| Box::pin(sleep(limits.response_max)));
        if stalled || response.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn after_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            return self.wait_for_write(cx);
        }
        self.stall = None;
        written
    }
}

impl AsyncRead for TimedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Pending => self.wait_for_read(cx),
            Poll::Ready(Err(error)) => {
                if error.kind() == io::ErrorKind::ConnectionReset {
                    self.watch.reset();
                }
                Poll::Ready(Err(error))
            }
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() > before && !self.head_begun && self.watch.is_idle() {
                    self.head_begun = true;
                    let deadline = Instant::now() + self.limits.head_max;
                    self.read_deadline.as_mut().reset(deadline);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for TimedIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.after_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.watch.flushed() {
            self.head_begun = false;
            self.response = None;
            let deadline = Instant::now() + self.limits.idle_max;
            self.read_deadline.as_mut().reset(deadline);
            // hyper may have polled the read of the next request already: register anew.
            if self.read_deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        self.after_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.after_write(cx, shut)
    }
}
