//! One HTTP/1.1 connection: its requests, its watch, its end.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::super::connections::{Activity, Watched};
use super::super::error::Reason;
use super::super::front::Tools;
use super::HttpServer;
use crate::workers::{Worker, clock};

/// Of a connection, for headers and chunks of bodies: its share of the budget.
const BUFFER_BYTES_MIN: usize = 16 << 10;
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// Read on after the last answer of a connection whose client is still sending, so that the kernel
/// does not reset it before the client has read that answer.
const LINGER_BYTES_MAX: usize = 32 << 20;
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

pub(in super::super) fn serve(
    server: Arc<HttpServer>,
    stream: TcpStream,
    worker: Rc<Worker>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(serve_connection(server, stream, worker))
}

async fn serve_connection(server: Arc<HttpServer>, stream: TcpStream, worker: Rc<Worker>) {
    let activity = Activity::new();
    let tools = worker.local::<Tools>();
    let io = TokioIo::new(Watched::new(stream, &activity));
    let unread = Cell::new(false);
    let service = service_fn(|request| {
        let open = activity.request();
        let (server, worker, tools, unread) = (&server, &worker, &tools, &unread);
        async move {
            let (answer, whole) = server.answer(request, worker, tools).await;
            unread.set(!whole);
            drop(open);
            Ok::<_, Infallible>(answer)
        }
    });
    let limits = &server.front.limits;
    let share = server.front.share_bytes();
    let share = usize::try_from(share).unwrap_or(usize::MAX);
    let buffer_bytes = share.clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX);
    let mut connection = http1::Builder::new()
        // As the Collector writes them: some clients look for `Content-Type` by letter.
        .title_case_headers(true)
        .max_buf_size(buffer_bytes)
        .max_header_size(limits.header_bytes_max as usize)
        .serve_connection(io, service);
    let mut drain = worker.drain();
    let mut draining = false;
    loop {
        // Nothing tells when a header begins, so this looks again within the time of one: a header
        // that drips is cut after once to twice its time.
        let look = clock::monotonic() + limits.header_time_max;
        let deadline = deadline(&server, &activity).min(look);
        tokio::select! {
            biased;
            // First, so that an answer in the same turn says that the connection closes.
            _ = drain.wait_for(|draining| *draining), if !draining => {
                draining = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            ended = Pin::new(&mut connection) => {
                if ended.is_ok() && unread.get() {
                    linger(connection.into_parts().io.into_inner()).await;
                }
                return;
            }
            () = tokio::time::sleep_until(deadline.into()) => {
                if self::deadline(&server, &activity) > clock::monotonic() {
                    continue;
                }
                if activity.header_since().is_some() {
                    server.front.counters.refusal(worker.index(), Reason::TimedOut);
                }
                return;
            }
        }
    }
}

/// When a connection that goes on as it is must end. A request in progress has its own limits.
fn deadline(server: &HttpServer, activity: &Activity) -> Instant {
    let limits = &server.front.limits;
    let header = activity
        .header_since()
        .map(|since| since + limits.header_time_max);
    let idle = activity
        .idle_since()
        .map(|since| since + limits.idle_time_max);
    header
        .or(idle)
        .unwrap_or_else(|| clock::monotonic() + limits.idle_time_max)
}

/// The connection's last answer is written and its write side closed: reads on until the client
/// closes too.
async fn linger(mut stream: Watched) {
    let mut waste = [0; 8 << 10];
    let discard = async {
        let mut bytes = 0;
        while let Ok(read @ 1..) = stream.read(&mut waste).await {
            bytes += read;
            if bytes > LINGER_BYTES_MAX {
                break;
            }
        }
    };
    // Whether it took too long makes no difference.
    let _ = tokio::time::timeout(LINGER_TIME_MAX, discard).await;
}
