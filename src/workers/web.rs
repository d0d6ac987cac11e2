//! A small HTTP/1.1 server for what people and scrapers read: the scrape, our own metrics, zpages.
//!
//! Requests come in without a body, a handler gives an answer, and the answer's receipt learns
//! whether it was written to its end. Runs as tasks of whatever runtime it is started on. Everything
//! is bounded: connections (at the limit the one idle for longest makes room), the time for a head,
//! the time without progress and the whole time of a response.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::web_io::{Idle, TimedIo, Watch, Watched};

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one request of the peer.
pub type Handler = Arc<
    dyn Fn(Request<()>, SocketAddr) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync,
>;

/// Called with what became of an answer; dropped without a call when it was cut.
pub type Receipt = Box<dyn FnMut(Delivery) + Send>;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All bytes were handed to the kernel.
    Written,
    /// After that and before another request the peer reset the connection: soon after, it had bytes
    /// unread.
    Reset,
}

/// A response, and who wants to know whether it was written.
pub struct Answer {
    pub response: Response<Body>,
    pub receipt: Option<Receipt>,
}

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

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Pause after a failed accept (no file descriptors, usually).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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

impl Answer {
    /// An answer nobody waits for.
    #[must_use]
    pub fn new(response: Response<Body>) -> Self {
        Self {
            response,
            receipt: None,
        }
    }
}

/// A page that is all there.
#[must_use]
pub fn page(
    status: StatusCode,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// What the Collector says of any path it does not have.
#[must_use]
pub fn not_found() -> Response<Body> {
    let mut response = page(
        StatusCode::NOT_FOUND,
        "text/plain; charset=utf-8",
        "404 page not found\n",
    );
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Serves until `stop` becomes true, then lets responses under way end.
pub async fn serve(
    listener: TcpListener,
    handler: Handler,
    limits: WebLimits,
    mut stop: watch::Receiver<bool>,
) {
    let idle = Arc::new(Idle::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            // An owner that is gone cannot stop it any more.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if connections.len() >= limits.connections_max && !idle.close_oldest() {
            continue;
        }
        let connection = Connection {
            handler: Arc::clone(&handler),
            idle: Arc::clone(&idle),
            limits,
            peer,
        };
        connections.spawn(connection.run(stream, stop.clone()));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // What does not end in time is dropped with the set.
    let _ = tokio::time::timeout(limits.stop_max, ended).await;
}

struct Connection {
    handler: Handler,
    idle: Arc<Idle>,
    limits: WebLimits,
    peer: SocketAddr,
}

impl Connection {
    async fn run(self, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        // A head and a short body are one packet or two; waiting for an ack gains nothing.
        let _ = stream.set_nodelay(true);
        let close = Arc::new(Notify::new());
        let watch = Arc::new(Watch::new(Arc::clone(&self.idle), Arc::clone(&close)));
        let io = TimedIo::new(stream, Arc::clone(&watch), self.limits);
        let service = service_fn(|request: Request<Incoming>| {
            watch.request_begins();
            let (head, _no_body) = request.into_parts();
            let answer = (self.handler)(Request::from_parts(head, ()), self.peer);
            let watch = Arc::clone(&watch);
            async move {
                let Answer { response, receipt } = answer.await;
                let body = |body| Watched::new(body, watch, receipt);
                Ok::<_, Infallible>(response.map(body))
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                // As the Collector writes them: some readers look for `Content-Encoding` by letter.
                .title_case_headers(true)
                .header_read_timeout(None)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(io), service)
        );
        let mut stopping = false;
        loop {
            tokio::select! {
                // How a connection ends is its peer's business; receipts know about answers.
                _ = connection.as_mut() => return,
                () = close.notified() => return,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
