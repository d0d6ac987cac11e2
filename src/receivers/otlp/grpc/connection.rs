//! One HTTP/2 connection: its streams, its watch, its end.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::Connection;
use h2::{Ping, PingPong, Reason as Goaway};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::super::connections::{Activity, Watched};
use super::super::error::Reason;
use super::super::front::{Front, Tools};
use super::GrpcServer;
use crate::workers::{Worker, clock};

/// Bytes that a client may send before we have looked at them, per connection: its share of the
/// budget. More than the maximum gains nothing (decision 0002).
const WINDOW_BYTES_MIN: u32 = 64 << 10;
const WINDOW_BYTES_MAX: u32 = 1 << 20;

/// Larger frames cost less, but a frame is buffered whole before its bytes are accounted.
const FRAME_BYTES_MIN: u32 = 16 << 10;
const FRAME_BYTES_MAX: u32 = 256 << 10;

/// Answers are a few bytes each.
const SEND_BUFFER_BYTES_MAX: usize = 64 << 10;

/// Streams that were reset and are still remembered; and that were reset before we saw them.
const RESET_STREAMS_MAX: usize = 50;
const PENDING_RESET_STREAMS_MAX: usize = 20;

/// The reference's wait for the answer to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

pub(in super::super) fn serve(
    server: Arc<GrpcServer>,
    stream: TcpStream,
    worker: Rc<Worker>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(serve_connection(server, stream, worker))
}

async fn serve_connection(server: Arc<GrpcServer>, stream: TcpStream, worker: Rc<Worker>) {
    let jitter = jitter(&stream);
    let activity = Activity::new();
    let front = &server.front;
    let io = Watched::new(stream, &activity);
    let window_bytes = window_bytes(front);
    let handshake = builder(front, window_bytes).handshake::<_, Bytes>(io);
    let connection = match timeout(front.limits.handshake_time_max, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) => return,
        Err(_) => {
            front.counters.refusal(worker.index(), Reason::TimedOut);
            return;
        }
    };
    let mut watch = Watch::new(&server, connection, activity, window_bytes, jitter);
    let resets = Rc::new(Cell::new(0));
    let tools = worker.local::<Tools>();
    let mut drain = worker.drain();
    let mut draining = pin!(drain.wait_for(|draining| *draining));
    // PERF: re-armed when it fires, not with each stream.
    let mut timer = pin!(sleep_until(watch.deadline().into()));
    loop {
        tokio::select! {
            biased;
            accepted = watch.connection.accept() => {
                let Some(Ok((request, respond))) = accepted else {
                    return;
                };
                if resets.get() > front.limits.resets_max && watch.closing.is_none() {
                    front.counters.refusal(worker.index(), Reason::ResetsMax);
                    watch.connection.abrupt_shutdown(Goaway::ENHANCE_YOUR_CALM);
                    watch.close(front.limits.close_time_max);
                    timer.as_mut().reset(watch.deadline().into());
                    continue;
                }
                watch.fit_window(self::window_bytes(front));
                let open = watch.activity.request();
                let (server, worker) = (Arc::clone(&server), Rc::clone(&worker));
                let (tools, resets) = (Rc::clone(&tools), Rc::clone(&resets));
                tokio::task::spawn_local(async move {
                    let answered = server.answer(request, respond, &worker, &tools).await;
                    resets.set(if answered {
                        resets.get().saturating_sub(1)
                    } else {
                        resets.get() + 1
                    });
                    drop(open);
                });
            }
            _ = &mut draining, if !watch.draining => {
                watch.draining = true;
                watch.connection.graceful_shutdown();
            }
            () = &mut timer => {
                if !watch.act() {
                    return;
                }
                timer.as_mut().reset(watch.deadline().into());
            }
        }
    }
}

fn window_bytes(front: &Front) -> u32 {
    let share = u32::try_from(front.share_bytes()).unwrap_or(u32::MAX);
    share.clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX)
}

fn builder(front: &Front, window_bytes: u32) -> h2::server::Builder {
    let frame_bytes = (window_bytes / 4).clamp(FRAME_BYTES_MIN, FRAME_BYTES_MAX);
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(window_bytes)
        .initial_connection_window_size(window_bytes)
        .max_frame_size(frame_bytes)
        .max_concurrent_streams(front.limits.streams_max)
        .max_header_list_size(front.limits.header_bytes_max)
        .max_concurrent_reset_streams(RESET_STREAMS_MAX)
        .max_pending_accept_reset_streams(PENDING_RESET_STREAMS_MAX)
        .max_send_buffer_size(SEND_BUFFER_BYTES_MAX);
    builder
}

/// A tenth of a connection's age more or less, so that clients that came together do not go
/// together: -10 to 10.
fn jitter(stream: &TcpStream) -> i32 {
    let port = stream.peer_addr().map_or(0, |address| address.port());
    i32::from(port % 21) - 10
}

/// The watch over one connection: what it may no longer do, and since when.
struct Watch {
    connection: Connection<Watched, Bytes>,
    activity: Rc<Activity>,
    window_bytes: u32,
    /// Told to end because of the drain; the workers bound how long that takes.
    draining: bool,
    /// Told to end by the watch: when it will be dropped.
    closing: Option<Instant>,
    idle_time_max: Duration,
    ends: Option<Instant>,
    end_grace: Duration,
    pinger: Option<Pinger>,
}

impl Watch {
    fn new(
        server: &GrpcServer,
        mut connection: Connection<Watched, Bytes>,
        activity: Rc<Activity>,
        window_bytes: u32,
        jitter: i32,
    ) -> Self {
        let (limits, keepalive) = (&server.front.limits, &server.keepalive);
        let age_max = keepalive.connection_age_max.map(|age| {
            let tenth = age / 100 * jitter.unsigned_abs();
            if jitter < 0 {
                age.saturating_sub(tenth)
            } else {
                age + tenth
            }
        });
        let pinger = keepalive.time.and_then(|time| {
            Some(Pinger {
                ping: connection.ping_pong()?,
                time,
                timeout: keepalive.timeout.unwrap_or(PING_TIMEOUT),
                sent: None,
            })
        });
        Self {
            connection,
            activity,
            window_bytes,
            draining: false,
            closing: None,
            idle_time_max: keepalive
                .connection_idle_max
                .unwrap_or(limits.idle_time_max),
            ends: age_max.map(|age| clock::monotonic() + age),
            end_grace: keepalive
                .connection_age_grace
                .unwrap_or(limits.close_time_max),
            pinger,
        }
    }

    /// Follows the share of the budget as connections come and go.
    fn fit_window(&mut self, share_bytes: u32) {
        let window_bytes = self.window_bytes;
        if share_bytes < window_bytes / 2 || share_bytes / 2 > window_bytes {
            self.connection.set_target_window_size(share_bytes);
            // Fails while the client has not confirmed the change before: the next stream tries.
            if self.connection.set_initial_window_size(share_bytes).is_ok() {
                self.window_bytes = share_bytes;
            }
        }
    }

    /// When to look again.
    fn deadline(&self) -> Instant {
        if let Some(closing) = self.closing {
            return closing;
        }
        let idle = self.activity.idle_since().unwrap_or_else(clock::monotonic) + self.idle_time_max;
        let ping = self.pinger.as_ref();
        let ping = ping.map(|pinger| pinger.deadline(self.activity.last_read()));
        [Some(idle), self.ends, ping]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(idle)
    }

    /// Does what is due. False: the connection is to be dropped.
    fn act(&mut self) -> bool {
        let now = clock::monotonic();
        if let Some(closing) = self.closing {
            return closing > now;
        }
        let idle_since = self.activity.idle_since();
        let idle = idle_since.is_some_and(|since| now - since >= self.idle_time_max);
        if idle || self.ends.is_some_and(|ends| ends <= now) {
            self.connection.graceful_shutdown();
            self.close(self.end_grace);
            return true;
        }
        let last_read = self.activity.last_read();
        self.pinger
            .as_mut()
            .is_none_or(|pinger| pinger.act(now, last_read))
    }

    fn close(&mut self, grace: Duration) {
        self.closing = Some(clock::monotonic() + grace);
    }
}

/// Pings a silent client, and finds out whether it is still there.
struct Pinger {
    ping: PingPong,
    /// Silence before a ping.
    time: Duration,
    /// Silence after one.
    timeout: Duration,
    sent: Option<Instant>,
}

impl Pinger {
    /// The ping that nothing was read after.
    fn unanswered(&self, last_read: Instant) -> Option<Instant> {
        self.sent.filter(|sent| *sent > last_read)
    }

    fn deadline(&self, last_read: Instant) -> Instant {
        match self.unanswered(last_read) {
            Some(sent) => sent + self.timeout,
            None => last_read + self.time,
        }
    }

    /// False: the client is gone.
    fn act(&mut self, now: Instant, last_read: Instant) -> bool {
        if self.deadline(last_read) > now {
            return true;
        }
        if self.unanswered(last_read).is_some() {
            return false;
        }
        // Takes in the answer to the ping before, if there was one.
        let _ = self.ping.poll_pong(&mut Context::from_waker(Waker::noop()));
        self.sent = Some(now);
        self.ping.send_ping(Ping::opaque()).is_ok()
    }
}
