//! A listener that takes OTLP from anybody, answers success and records the bodies as they came.
//!
//! gRPC and HTTP on the same port, told apart by the first bytes of a connection. Nothing is decoded:
//! a broken body is recorded, too. When the file is full, requests are refused as retryable.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::WithTrailers;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::{CaptureSummary, Captured, Recorded, Recorder};
use crate::generate::coding::{GRPC_PREFIX_BYTES, Protocol};
use crate::generate::error::GenerateError;
use crate::generate::options::CaptureOptions;
use crate::generate::signal::Signal;

/// Of one request.
const BODY_BYTES_MAX: usize = 64 << 20;
const CONNECTIONS_MAX: usize = 1_000;
/// What an HTTP/2 connection begins with, and no request of HTTP/1.
const HTTP2_BEGIN: &[u8; 3] = b"PRI";
/// Until the rest of these bytes may have come. Nothing tells, while the first ones are there.
const PEEK_PAUSE: Duration = Duration::from_millis(5);
/// A client that takes longer for them speaks neither.
const PEEKS_MAX: usize = 2_000;
/// After a failed accept, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Trailers = Ready<Option<Result<HeaderMap, Infallible>>>;
type Answer = Response<WithTrailers<Full<Bytes>, Trailers>>;

/// Listeners that record.
pub struct Listening {
    pub addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

struct Shared {
    recorder: Recorder,
    full: Notify,
    connections: Arc<Semaphore>,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Recorded,
    /// The file is full.
    Full,
    TooLarge,
    NotFound,
}

impl Listening {
    /// Binds all addresses; serves until the runtime ends.
    ///
    /// # Errors
    /// When an address cannot be bound or the file cannot be made.
    pub async fn start(
        addresses: &[String],
        options: &CaptureOptions,
    ) -> Result<Self, GenerateError> {
        let mut bound = Vec::new();
        let mut listeners = Vec::new();
        for address in addresses {
            let cannot = |source| GenerateError::Listen {
                address: address.clone(),
                source,
            };
            let listener = TcpListener::bind(address).await.map_err(cannot)?;
            bound.push(listener.local_addr().map_err(cannot)?);
            listeners.push(listener);
        }
        let shared = Arc::new(Shared {
            recorder: Recorder::create(options)?,
            full: Notify::new(),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        });
        for listener in listeners {
            tokio::spawn(Arc::clone(&shared).accept(listener));
        }
        Ok(Self {
            addresses: bound,
            shared,
        })
    }

    #[must_use]
    pub fn summary(&self) -> CaptureSummary {
        self.shared.recorder.summary()
    }

    /// Returns when a request did not fit the file any more.
    pub async fn full(&self) {
        self.shared.full.notified().await;
    }

    /// Ends the file. Whatever comes later is not in it.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(&self) -> Result<CaptureSummary, GenerateError> {
        self.shared.recorder.finish()
    }
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let permits = Arc::clone(&self.connections);
            let Ok(permit) = permits.acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let shared = Arc::clone(&self);
            tokio::spawn(async move {
                // A client that breaks off has nobody to be told of.
                drop(shared.serve(stream).await);
                drop(permit);
            });
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) -> Result<(), hyper::Error> {
        let is_http2 = is_http2(&stream).await;
        let stream = TokioIo::new(stream);
        let service = service_fn(move |request| Arc::clone(&self).answer(request));
        if is_http2 {
            let server = http2::Builder::new(TokioExecutor::new());
            server.serve_connection(stream, service).await
        } else {
            http1::Builder::new()
                .serve_connection(stream, service)
                .await
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, body) = request.into_parts();
        let text = |name| {
            let value: Option<&HeaderValue> = head.headers.get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let content_type = text(CONTENT_TYPE).unwrap_or_default().to_owned();
        // Whatever it calls its content.
        let path = head.uri.path().to_owned();
        let is_grpc = Signal::is_grpc_path(&path);
        let encoding = text(if is_grpc {
            super::GRPC_ENCODING
        } else {
            CONTENT_ENCODING
        });
        let encoding = encoding.map(str::to_owned);
        let ending = if Signal::of_path(&path).is_none() {
            Ending::NotFound
        } else if let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await {
            self.record(Captured {
                at: Duration::ZERO,
                is_grpc,
                path,
                content_type: content_type.clone(),
                encoding,
                body: body.to_bytes(),
            })
        } else {
            Ending::TooLarge
        };
        Ok(if is_grpc {
            answer_grpc(ending)
        } else {
            answer_http(ending, &content_type)
        })
    }

    fn record(&self, captured: Captured) -> Ending {
        match self.recorder.record(captured) {
            Recorded::Written => Ending::Recorded,
            Recorded::TooLong => Ending::TooLarge,
            Recorded::Full => {
                self.full.notify_one();
                Ending::Full
            }
        }
    }
}

/// Whether the client, who speaks first, in pieces of whatever length, speaks HTTP/2.
async fn is_http2(stream: &TcpStream) -> bool {
    let mut begin = [0; HTTP2_BEGIN.len()];
    for _ in 0..PEEKS_MAX {
        let peeked = stream.peek(&mut begin).await.unwrap_or_default();
        if peeked == 0 || begin[..peeked] != HTTP2_BEGIN[..peeked] {
            return false;
        }
        if peeked == begin.len() {
            return true;
        }
        tokio::time::sleep(PEEK_PAUSE).await;
    }
    false
}

fn answer_grpc(ending: Ending) -> Answer {
    let (status, body) = match ending {
        // An empty message.
        Ending::Recorded => ("0", Bytes::from_static(&[0; GRPC_PREFIX_BYTES])),
        Ending::Full => ("14", Bytes::new()),
        Ending::TooLarge => ("8", Bytes::new()),
        Ending::NotFound => ("12", Bytes::new()),
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    let trailers = ready(Some(Ok(trailers)));
    let mut answer = Response::new(Full::new(body).with_trailers(trailers));
    let content_type = HeaderValue::from_static(Protocol::Grpc.content_type());
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

/// An answer has the type of its request.
fn answer_http(ending: Ending, content_type: &str) -> Answer {
    let is_json = content_type.starts_with(Protocol::HttpJson.content_type());
    let protocol = if is_json {
        Protocol::HttpJson
    } else {
        Protocol::Http
    };
    let body = match ending {
        Ending::Recorded if is_json => Bytes::from_static(b"{}"),
        _ => Bytes::new(),
    };
    let mut answer = Response::new(Full::new(body).with_trailers(ready(None)));
    *answer.status_mut() = match ending {
        Ending::Recorded => StatusCode::OK,
        Ending::Full => StatusCode::SERVICE_UNAVAILABLE,
        Ending::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Ending::NotFound => StatusCode::NOT_FOUND,
    };
    let content_type = HeaderValue::from_static(protocol.content_type());
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn protocol_is_told_only_when_enough_has_come() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        for (pieces, is_wanted) in [
            (["P", "OST /v1/logs"], false),
            (["P", "RI * HTTP/2.0"], true),
            (["PR", "OPFIND /"], false),
            (["PR", "I"], true),
        ] {
            let mut client = TcpStream::connect(address).await.expect("a listener");
            let (server, _) = listener.accept().await.expect("a client");
            client.write_all(pieces[0].as_bytes()).await.expect("open");
            server.readable().await.expect("open");
            let mut telling = Box::pin(is_http2(&server));
            let early = tokio::time::timeout(Duration::ZERO, &mut telling).await;
            assert!(early.is_err(), "{pieces:?} was told by its first piece");
            client.write_all(pieces[1].as_bytes()).await.expect("open");
            assert_eq!(telling.await, is_wanted, "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn other_first_letters_are_told_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let mut client = TcpStream::connect(address).await.expect("a listener");
        let (server, _) = listener.accept().await.expect("a client");
        client.write_all(b"G").await.expect("open");
        assert!(!is_http2(&server).await);
    }
}
