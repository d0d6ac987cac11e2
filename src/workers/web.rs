//! A small HTTP/1.1 server for what people and scrapers read: the scrape, our own metrics, zpages.
//!
//! Requests come in without a body, a handler gives an answer, and the answer's receipt learns
//! whether it was written to its end. Runs as tasks of whatever runtime it is started on. Everything
//! is bounded: connections (at the limit the one idle for longest makes room), the time for a head,
//! the time without progress and the whole time of a response.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::web_io::{Idle, TimedIo, Watch, Watched};

pub use super::web_answer::{Answer, Body, Delivery, Handler, Receipt, not_found, page};
pub use super::web_io::WebLimits;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Pause after a failed accept (no file descriptors, usually).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
