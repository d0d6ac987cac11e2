//! A receiver on real loopback sockets with a station that only counts, and plain clients for it.
//!
//! The clients are made of sockets and frames, so that they can do what no proper client does.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, Method, Request};
use spanmill::receivers::otlp::options::{GrpcOptions, HttpOptions, OtlpOptions};
use spanmill::receivers::otlp::{Admission, Limits, OtlpReceiver, Wiring};
use spanmill::telemetry::counters::Registry;
use spanmill::telemetry::log::{Encoding, Level, Logger};
use spanmill::workers::{
    BuildStation, Outcome, Request as Ready, Signal, Station, WorkerOptions, Workers,
    WorkersPanicked,
};

pub const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the stations of a server saw.
#[derive(Default)]
pub struct Seen {
    pub bodies: AtomicU64,
    pub bytes: AtomicU64,
    /// The largest share of the budget that any run found taken.
    pub budget_bytes_max: AtomicU64,
    gate: Mutex<bool>,
    opened: Condvar,
    pub waiting: AtomicU64,
}

impl Seen {
    pub fn open(&self) {
        *self.gate.lock().expect("no panic") = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let gate = self.gate.lock().expect("no panic");
        let opened = self
            .opened
            .wait_timeout_while(gate, PATIENCE, |open| !*open);
        drop(opened.expect("no panic"));
    }
}

/// Accepts each body as one span per byte, but for a few that say otherwise.
struct Counting {
    seen: Arc<Seen>,
    admission: Admission,
}

impl Station for Counting {
    fn run(&mut self, ready: &mut Vec<Ready>) {
        for request in ready.drain(..) {
            let taken = self.admission.bytes.bytes_taken();
            self.seen
                .budget_bytes_max
                .fetch_max(taken, Ordering::SeqCst);
            let items = u32::try_from(request.body.len()).expect("bounded");
            let outcome = match request.body.as_ref() {
                b"malformed" => Outcome::Malformed {
                    reason: "unexpected EOF".to_owned(),
                },
                b"refused" => Outcome::Refused {
                    items,
                    reason: "data refused due to high memory usage",
                },
                // Its reply is dropped.
                b"forgotten" => continue,
                body => {
                    if body == b"wait" {
                        self.seen.wait();
                    }
                    self.seen.bodies.fetch_add(1, Ordering::SeqCst);
                    self.seen
                        .bytes
                        .fetch_add(u64::from(items), Ordering::SeqCst);
                    Outcome::Accepted { items }
                }
            };
            request.reply.send(outcome);
        }
    }
}

/// How a server differs from the usual.
pub struct Setup {
    pub limits: Limits,
    pub grpc: GrpcOptions,
    pub http: HttpOptions,
    pub budget_bytes: u64,
    pub workers: usize,
    pub signals: Vec<Signal>,
}

pub struct Server {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub seen: Arc<Seen>,
    pub admission: Admission,
    pub registry: Registry,
    log: Arc<Mutex<Vec<u8>>>,
    workers: Option<Workers>,
    acceptor: Option<std::thread::JoinHandle<()>>,
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Starts a server that is set up by `change`.
pub fn start(change: impl FnOnce(&mut Setup)) -> Server {
    let mut setup = Setup {
        limits: Limits::default(),
        grpc: GrpcOptions {
            endpoint: "127.0.0.1:0".to_owned(),
            ..GrpcOptions::default()
        },
        http: HttpOptions {
            endpoint: "127.0.0.1:0".to_owned(),
            ..HttpOptions::default()
        },
        budget_bytes: 64 << 20,
        workers: 2,
        signals: vec![Signal::Traces],
    };
    change(&mut setup);
    let registry = Registry::new(setup.workers);
    let log = Arc::new(Mutex::new(Vec::new()));
    let admission = Admission::new(setup.budget_bytes, &setup.limits, &registry);
    let wiring = Wiring {
        id: "otlp".to_owned(),
        index: 0,
        signals: setup.signals,
        limits: setup.limits,
        admission: admission.clone(),
        logger: Logger::new(
            Box::new(Shared(Arc::clone(&log))),
            Level::Info,
            Encoding::Console,
        ),
    };
    let options = OtlpOptions {
        grpc: Some(setup.grpc),
        http: Some(setup.http),
    };
    let receiver = OtlpReceiver::bind(&options, &wiring, &registry).expect("free ports");
    let seen = Arc::new(Seen::default());
    let stations = (0..setup.workers).map(|_| {
        let station = Counting {
            seen: Arc::clone(&seen),
            admission: admission.clone(),
        };
        Box::new(move || Box::new(station) as Box<dyn Station>) as BuildStation
    });
    let workers = Workers::start(stations.collect(), WorkerOptions::default()).expect("threads");
    let (grpc, http) = (receiver.grpc_address(), receiver.http_address());
    let dealer = workers.dealer();
    let acceptor = std::thread::spawn(move || {
        runtime().block_on(receiver.serve(dealer)).expect("sockets");
    });
    Server {
        grpc: grpc.expect("bound"),
        http: http.expect("bound"),
        seen,
        admission,
        registry,
        log,
        workers: Some(workers),
        acceptor: Some(acceptor),
    }
}

impl Server {
    pub fn workers(&self) -> &Workers {
        self.workers.as_ref().expect("not stopped")
    }

    /// Drains and checks that nothing of any budget is left taken.
    pub fn stop(mut self) {
        self.join().expect("no worker panicked");
        assert_eq!(self.admission.bytes.bytes_taken(), 0, "bytes");
        assert_eq!(self.admission.requests.bytes_taken(), 0, "requests");
        assert_eq!(self.admission.connections.bytes_taken(), 0, "connections");
    }

    fn join(&mut self) -> Result<(), WorkersPanicked> {
        let joined = self.workers.take().map_or(Ok(()), Workers::join);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().expect("the acceptor does not panic");
        }
        joined
    }

    /// The sum of a counter's series with these labels.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let mut sum = 0.0;
        self.registry.for_each(|series| {
            let has = |(name, value): &(&str, &str)| {
                series.labels.iter().any(|(n, v)| n == name && v == value)
            };
            if series.name == name && labels.iter().all(has) {
                sum += (series.read)();
            }
        });
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts are small and whole"
        )]
        let sum = sum as u64;
        sum
    }

    pub fn refusals(&self, reason: &str) -> u64 {
        self.count(
            "spanmill_receiver_refused_requests_total",
            &[("reason", reason)],
        )
    }

    pub fn bodies(&self) -> u64 {
        self.seen.bodies.load(Ordering::SeqCst)
    }

    pub fn log(&self) -> String {
        String::from_utf8(self.log.lock().expect("no panic").clone()).expect("text")
    }

    /// Waits until `condition` holds; fails after `PATIENCE`.
    pub fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(std::time::Instant::now() < deadline, "{what}");
            std::thread::yield_now();
        }
    }

    /// A proper client on a new connection is served, by both protocols.
    pub fn assert_healthy(&self) {
        let reply = grpc(self.grpc, &Call::of(&[&message(b"healthy")]));
        assert_eq!(reply.code(), "0", "{reply:?}");
        let reply = post(self.http, &[], b"healthy");
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.join();
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// A framed gRPC message.
pub fn message(body: &[u8]) -> Vec<u8> {
    framed(0, body)
}

pub fn framed(flag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("small").to_be_bytes();
    [&[flag], length.as_slice(), body].concat()
}

/// One gRPC call as it goes over the wire.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub chunks: Vec<Bytes>,
    /// Whether the last chunk ends the stream.
    pub ends: bool,
}

impl Call {
    pub fn of(chunks: &[&[u8]]) -> Self {
        Self {
            method: Method::POST,
            path: EXPORT.to_owned(),
            content_type: "application/grpc",
            headers: Vec::new(),
            chunks: chunks
                .iter()
                .map(|chunk| Bytes::copy_from_slice(chunk))
                .collect(),
            ends: true,
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("http://localhost{}", self.path))
            .header("te", "trailers")
            .header("content-type", self.content_type);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(()).expect("a request")
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub trailers: Option<HeaderMap>,
    pub body: Vec<u8>,
}

impl Reply {
    fn field(&self, name: &str) -> Option<&str> {
        let trailers = self
            .trailers
            .as_ref()
            .and_then(|trailers| trailers.get(name));
        trailers.or_else(|| self.headers.get(name))?.to_str().ok()
    }

    pub fn code(&self) -> &str {
        self.field("grpc-status").unwrap_or("none")
    }

    pub fn message(&self) -> &str {
        self.field("grpc-message").unwrap_or("")
    }

    pub fn details(&self) -> Option<&str> {
        self.field("grpc-status-details-bin")
    }
}

/// One HTTP/2 connection, driven while its runtime runs.
pub type Client = h2::client::SendRequest<Bytes>;

pub async fn connect(address: SocketAddr) -> Client {
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("a listener");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(async move {
        // A connection that the server ends shows in its streams.
        let _ = connection.await;
    });
    client
}

pub async fn call(client: &Client, call: &Call) -> Result<Reply, h2::Error> {
    let mut client = client.clone().ready().await?;
    let no_body = call.chunks.is_empty() && call.ends;
    let (response, mut stream) = client.send_request(call.request(), no_body)?;
    for (index, chunk) in call.chunks.iter().enumerate() {
        let last = call.ends && index + 1 == call.chunks.len();
        // A server that has answered already may have closed the stream.
        if stream.send_data(chunk.clone(), last).is_err() {
            break;
        }
    }
    let (head, mut body) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        trailers: body.trailers().await?,
        body: bytes,
    })
}

/// One call on a connection of its own.
pub fn grpc(address: SocketAddr, one: &Call) -> Reply {
    runtime().block_on(async {
        let client = connect(address).await;
        let reply = tokio::time::timeout(PATIENCE, call(&client, one)).await;
        reply.expect("an answer in time").expect("an answer")
    })
}

#[derive(Debug)]
pub struct HttpReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpReply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known == name)?;
        Some(value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

pub fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a listener");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// The head of a request with a body of this length.
pub fn http_head(method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {length}\r\n\r\n");
    head.into_bytes()
}

/// Reads one response; `None` if the connection ended without one.
pub fn read_reply(stream: &mut TcpStream, method: &str) -> Option<HttpReply> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            Ok(_) => return None,
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "no answer in time");
                return None;
            }
        }
    }
    let head = String::from_utf8(bytes).expect("text");
    let mut lines = head.lines();
    let status = lines.next().expect("a status line");
    let status = status
        .split(' ')
        .nth(1)
        .expect("a status")
        .parse()
        .expect("a number");
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut reply = HttpReply {
        status,
        headers,
        body: Vec::new(),
    };
    if status == 100 {
        return read_reply(stream, method);
    }
    let length = reply
        .header("content-length")
        .map_or(0, |n| n.parse().expect("a number"));
    if method != "HEAD" {
        reply.body = vec![0; length];
        stream.read_exact(&mut reply.body).ok()?;
    }
    Some(reply)
}

/// Sends a request on a connection of its own.
pub fn http(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> HttpReply {
    let mut stream = tcp(address);
    let mut request = http_head(method, path, headers, body.len());
    request.extend_from_slice(body);
    // A refusal may come, and the connection close, before all is sent.
    let _ = stream.write_all(&request);
    read_reply(&mut stream, method).expect("an answer")
}

/// A protobuf body for `/v1/traces`.
pub fn post(address: SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> HttpReply {
    let mut all = vec![("content-type", "application/x-protobuf")];
    all.extend_from_slice(headers);
    http(address, "POST", "/v1/traces", &all, body)
}

/// Whether the server has closed this connection; waits for it.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    let mut waste = [0; 4096];
    loop {
        match stream.read(&mut waste) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

pub fn close_write(stream: &TcpStream) {
    // The server may have closed it already.
    let _ = stream.shutdown(Shutdown::Write);
}
