//! Listening sockets in, connections dealt to workers out; and the watch over each connection.
//!
//! A connection is watched by what it does: bytes read, requests in progress. So an idle one costs
//! a timer that fires once per idle time, and no request pays for a timer of its connection.

use std::cell::Cell;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::error::Reason;
use super::front::Front;
use crate::workers::budget::Permit;
use crate::workers::{Connection, Dealer, Worker, clock};

/// Before accepting again when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves one connection of `S` on a worker.
pub(super) type Serve<S> = fn(Arc<S>, TcpStream, Rc<Worker>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Accepts until the drain and deals each connection to a worker. The listener closes on return.
pub(super) async fn accept<S: AsRef<Front> + Send + Sync + 'static>(
    server: Arc<S>,
    listener: TcpListener,
    serve: Serve<S>,
    service_shard: usize,
    dealer: Dealer,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut drain = dealer.drain();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = drain.wait_for(|draining| *draining) => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let front: &Front = (*server).as_ref();
        let stream = match accepted.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => stream,
            Err(error) => {
                if is_out_of_descriptors(&error) {
                    front.say_once(
                        &front.said.accept,
                        "cannot accept connections",
                        ("error", &error.to_string()),
                    );
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        let Some(permit) = front.admission.connections.try_take(1) else {
            front
                .counters
                .refusal(service_shard, Reason::ConnectionsMax);
            continue;
        };
        if !dealer
            .deal(connection(Arc::clone(&server), stream, serve, permit))
            .await
        {
            return Ok(());
        }
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error);
    matches!(
        code,
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE)
    )
}

fn connection<S: Send + Sync + 'static>(
    server: Arc<S>,
    stream: std::net::TcpStream,
    serve: Serve<S>,
    permit: Permit,
) -> Connection {
    Box::new(move |worker| {
        Box::pin(async move {
            let _permit = permit;
            // Answers are small and must not wait for more.
            let stream = stream
                .set_nodelay(true)
                .and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                serve(server, stream, worker).await;
            }
        })
    })
}

/// What a connection is doing, as its watch sees it.
pub(super) struct Activity {
    requests_open: Cell<u32>,
    /// When the last request ended, or the connection began.
    idle_since: Cell<Instant>,
    /// When the first byte came after that.
    header_since: Cell<Option<Instant>>,
    last_read: Cell<Instant>,
}

impl Activity {
    pub(super) fn new() -> Rc<Self> {
        let now = clock::monotonic();
        Rc::new(Self {
            requests_open: Cell::new(0),
            idle_since: Cell::new(now),
            header_since: Cell::new(None),
            last_read: Cell::new(now),
        })
    }

    /// Marks a request in progress until the guard is dropped.
    pub(super) fn request(self: &Rc<Self>) -> RequestOpen {
        self.requests_open.set(self.requests_open.get() + 1);
        RequestOpen(Rc::clone(self))
    }

    /// Since when no request is in progress.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.requests_open.get() == 0).then(|| self.idle_since.get())
    }

    /// Since when a header is on its way.
    pub(super) fn header_since(&self) -> Option<Instant> {
        self.idle_since().and(self.header_since.get())
    }

    pub(super) fn last_read(&self) -> Instant {
        self.last_read.get()
    }

    fn read(&self) {
        let now = clock::monotonic();
        self.last_read.set(now);
        if self.requests_open.get() == 0 && self.header_since.get().is_none() {
            self.header_since.set(Some(now));
        }
    }
}

pub(super) struct RequestOpen(Rc<Activity>);

impl Drop for RequestOpen {
    fn drop(&mut self) {
        let activity = &self.0;
        activity.requests_open.set(activity.requests_open.get() - 1);
        activity.idle_since.set(clock::monotonic());
        activity.header_since.set(None);
    }
}

/// A stream that tells its reads to the watch.
pub(super) struct Watched {
    stream: TcpStream,
    activity: Rc<Activity>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, activity: &Rc<Activity>) -> Self {
        Self {
            stream,
            activity: Rc::clone(activity),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
