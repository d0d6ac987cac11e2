use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{Answer, Delivery, Handler, WebLimits, serve};

/// What a receipt learnt; `None`: it was dropped.
type Learnt = Option<Delivery>;

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    learnt: mpsc::Receiver<Learnt>,
    task: JoinHandle<()>,
}

/// Pieces without end: no client takes it all.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16384])))))
    }
}

struct Tell(mpsc::Sender<Learnt>);

impl Drop for Tell {
    fn drop(&mut self) {
        let _ = self.0.try_send(None);
    }
}

fn limits() -> WebLimits {
    // Long enough never to be reached where a test is not about it.
    WebLimits {
        connections_max: 2,
        head_max: Duration::from_mins(1),
        idle_max: Duration::from_mins(1),
        stall_max: Duration::from_mins(1),
        response_max: Duration::from_mins(1),
        stop_max: Duration::from_mins(1),
    }
}

async fn start(limits: WebLimits) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let (tell, learnt) = mpsc::channel(64);
    let handler: Handler = Arc::new(move |request, _| {
        let body = match request.uri().path() {
            "/endless" => Endless.boxed_unsync(),
            "/empty" => Full::default().boxed_unsync(),
            _ => Full::new(Bytes::from_static(b"hello")).boxed_unsync(),
        };
        let tell = Tell(tell.clone());
        Box::pin(async move {
            Answer {
                response: Response::new(body),
                receipt: Some(Box::new(move |delivery| {
                    let _ = tell.0.try_send(Some(delivery));
                })),
            }
        })
    });
    Server {
        address,
        stop,
        learnt,
        task: tokio::spawn(serve(listener, handler, limits, stopped)),
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn learns(&mut self) -> Learnt {
        self.learnt.recv().await.unwrap()
    }
}

async fn ask(stream: &mut TcpStream, method: &str, path: &str) {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Up to and with `end`.
async fn read_to(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut got = Vec::new();
    while !got.ends_with(end) {
        got.push(stream.read_u8().await.unwrap());
    }
    got
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            tokio::time::timeout(Duration::from_secs(30), test)
                .await
                .expect("the test hangs")
        })
}

#[test]
fn complete_answers_of_one_connection_are_each_reported_as_written() {
    run(async {
        let mut server = start(limits()).await;
        let mut client = server.connect().await;
        for path in ["/", "/empty", "/"] {
            ask(&mut client, "GET", path).await;
            assert_eq!(server.learns().await, Some(Delivery::Written), "{path}");
            let end = if path == "/" { "hello" } else { "\r\n\r\n" };
            read_to(&mut client, end.as_bytes()).await;
            // The receipt is let go when the next request begins.
            ask(&mut client, "HEAD", "/").await;
            assert_eq!(server.learns().await, None, "{path}");
            read_to(&mut client, b"\r\n\r\n").await;
            assert_eq!(server.learns().await, None, "HEAD");
        }
    });
}

#[test]
fn answer_that_a_client_does_not_take_is_never_reported_as_written() {
    run(async {
        let mut server = start(limits()).await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/endless").await;
        read_to(&mut client, b"xxxx").await;
        drop(client);
        assert_eq!(server.learns().await, None);
    });
}

#[test]
fn client_that_stops_reading_is_let_go() {
    run(async {
        let mut server = start(WebLimits {
            stall_max: Duration::from_millis(20),
            ..limits()
        })
        .await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/endless").await;
        assert_eq!(server.learns().await, None);
    });
}

#[test]
fn client_that_reads_slowly_for_ever_is_let_go() {
    run(async {
        let mut server = start(WebLimits {
            response_max: Duration::from_millis(50),
            ..limits()
        })
        .await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/endless").await;
        let mut buffer = vec![0; 65536];
        let slow = async {
            while client.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            learnt = server.learns() => assert_eq!(learnt, None),
            () = slow => assert_eq!(server.learns().await, None),
        }
    });
}

#[test]
fn head_that_does_not_end_closes_the_connection() {
    run(async {
        for begun in ["", "GET / HTTP/1.1\r\nhost: "] {
            let server = start(WebLimits {
                head_max: Duration::from_millis(20),
                ..limits()
            })
            .await;
            let mut client = server.connect().await;
            client.write_all(begun.as_bytes()).await.unwrap();
            assert_eq!(client.read(&mut [0; 64]).await.unwrap_or(0), 0, "{begun:?}");
        }
    });
}

#[test]
fn idle_connection_is_closed_in_time_after_any_kind_of_answer() {
    run(async {
        for (method, path) in [("GET", "/"), ("HEAD", "/"), ("GET", "/empty")] {
            let server = start(WebLimits {
                idle_max: Duration::from_millis(20),
                ..limits()
            })
            .await;
            let mut client = server.connect().await;
            ask(&mut client, method, path).await;
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            assert!(all.starts_with(b"HTTP/1.1 200 OK"), "{method} {path}");
        }
    });
}

#[test]
fn at_the_limit_the_longest_idle_connection_makes_room() {
    run(async {
        let mut server = start(limits()).await;
        let mut first = server.connect().await;
        ask(&mut first, "GET", "/").await;
        assert_eq!(server.learns().await, Some(Delivery::Written));
        let mut busy = server.connect().await;
        ask(&mut busy, "GET", "/endless").await;
        read_to(&mut busy, b"xxxx").await;

        let mut third = server.connect().await;
        ask(&mut third, "GET", "/").await;
        read_to(&mut third, b"hello").await;
        read_to(&mut first, b"hello").await;
        assert_eq!(first.read(&mut [0; 1]).await.unwrap_or(0), 0);
    });
}

#[test]
fn reset_of_a_connection_takes_the_written_answer_back() {
    run(async {
        let mut server = start(limits()).await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/").await;
        assert_eq!(server.learns().await, Some(Delivery::Written));
        // Closing with bytes unread sends a reset.
        drop(client);
        assert_eq!(server.learns().await, Some(Delivery::Reset));
    });
}

#[test]
fn stop_ends_idle_connections_and_the_server() {
    run(async {
        let mut server = start(limits()).await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/").await;
        assert_eq!(server.learns().await, Some(Delivery::Written));
        server.stop.send(true).unwrap();
        server.task.await.unwrap();
        read_to(&mut client, b"hello").await;
        assert!(TcpStream::connect(server.address).await.is_err());
    });
}

#[test]
fn stop_does_not_wait_for_ever_for_a_response_under_way() {
    run(async {
        let server = start(WebLimits {
            stop_max: Duration::from_millis(20),
            ..limits()
        })
        .await;
        let mut client = server.connect().await;
        ask(&mut client, "GET", "/endless").await;
        read_to(&mut client, b"xxxx").await;
        server.stop.send(true).unwrap();
        server.task.await.unwrap();
    });
}
