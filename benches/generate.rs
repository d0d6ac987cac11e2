//! What a span costs the generator: processor time of its thread, against a sink that only answers.
//!
//! `prepared` is the closed loop of a load test, `fresh` encodes each request as it is sent. The sink
//! runs on a thread of its own, and its time is not counted; nor is the waiting for it.

use std::convert::Infallible;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::stream::iter;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use spanmill::generate::scenario::builtin;
use spanmill::generate::verify::exposition;
use spanmill::generate::{LoadOptions, Pace, Protocol, RunOptions, Scenario, Target, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SPANS_PER_REQUEST: u32 = 512;
/// A flow-control window that never holds the generator up.
const WINDOW_BYTES: u32 = 16 << 20;

/// Serves until the process ends.
fn sink(protocol: Protocol) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    let address = listener.local_addr().expect("bound");
    listener.set_nonblocking(true).expect("a socket");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::from_std(listener).expect("a socket");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                match protocol {
                    Protocol::Http | Protocol::HttpJson => tokio::spawn(swallow_http(stream)),
                    Protocol::Grpc => tokio::spawn(swallow_grpc(stream)),
                };
            }
        });
    });
    address
}

/// Finds the length in each head, skips the body, answers.
async fn swallow_http(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 18];
    let mut filled = 0;
    loop {
        let Some(end) = memchr::memmem::find(&buffer[..filled], b"\r\n\r\n") else {
            match stream.read(&mut buffer[filled..]).await {
                Ok(count) if count > 0 => filled += count,
                _ => return,
            }
            continue;
        };
        let head = buffer[..end].to_ascii_lowercase();
        let at = memchr::memmem::find(&head, b"content-length: ").expect("a length") + 16;
        let digits = head[at..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        let mut left = (end + 4 + length).saturating_sub(filled);
        while left > 0 {
            let most = left.min(buffer.len());
            match stream.read(&mut buffer[..most]).await {
                Ok(count) if count > 0 => left -= count,
                _ => return,
            }
        }
        // One request at a time: nothing of the next one has come.
        filled = 0;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

async fn swallow_grpc(stream: TcpStream) {
    let service = service_fn(|request: http::Request<Incoming>| async {
        let mut body = request.into_body();
        while let Some(frame) = body.frame().await {
            black_box(frame.expect("a whole body"));
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 5]))),
            Ok(Frame::trailers(trailers)),
        ];
        Ok::<_, Infallible>(Response::new(StreamBody::new(iter(frames))))
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_frame_size(1 << 20)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    drop(served);
}

/// A load that has only a size.
fn sized(span_bytes: usize) -> Scenario {
    LoadOptions {
        span_bytes,
        spans_per_request: SPANS_PER_REQUEST,
        ..LoadOptions::default()
    }
    .into()
}

fn options(address: SocketAddr, protocol: Protocol, load: Scenario, requests: u64) -> RunOptions {
    RunOptions {
        protocol,
        pace: Pace::closed(None, Some(requests * u64::from(SPANS_PER_REQUEST))),
        prepared_bytes_max: 64 << 20,
        items_per_request: SPANS_PER_REQUEST,
        load,
        ..RunOptions::new(Target::parse(&address.to_string(), 0).expect("an address"))
    }
}

fn send(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(u64::from(SPANS_PER_REQUEST)));
    let mut bench = |id: BenchmarkId, address, protocol, prepared, load: &Scenario| {
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|requests| {
                let mut options = options(address, protocol, load.clone(), requests);
                options.prepared = prepared;
                let mut running = start(options).expect("threads");
                runtime.block_on(running.ended());
                let finished = running.finish();
                assert_eq!(finished.tally.acknowledged().requests, requests);
                finished.cpu()
            });
        });
    };
    for (name, protocol) in [("http", Protocol::Http), ("grpc", Protocol::Grpc)] {
        let address = sink(protocol);
        for (kind, prepared) in [("prepared", 64), ("fresh", 0)] {
            for span_bytes in [300, 800] {
                let id = BenchmarkId::new(format!("{name}/{kind}"), format!("{span_bytes}_bytes"));
                bench(id, address, protocol, prepared, &sized(span_bytes));
            }
        }
    }
    let address = sink(Protocol::Http);
    for (scenario, _) in builtin::ALL {
        let load = Scenario {
            span_bytes: 300,
            ..builtin::scenario(scenario).expect("built in")
        };
        let id = BenchmarkId::new("http/fresh", scenario);
        bench(id, address, Protocol::Http, 0, &load);
    }
    group.finish();
}

/// Reading a scrape is what a verification waits for.
fn read_exposition(criterion: &mut Criterion) {
    let label = |index: usize| format!("label_{index:02}=\"value-{index}\"");
    let labels: Vec<String> = (0..20).map(label).collect();
    let line = format!(
        "acs_traces_span_metrics_calls{{{}}} 12345 1700000000000\n",
        labels.join(",")
    );
    let text = line.repeat(1_000);
    let mut group = criterion.benchmark_group("exposition");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("read/1000_lines", |bencher| {
        bencher.iter(|| {
            let mut sum = 0.0;
            exposition::read(&text, exposition::Format::Text, |sample| {
                sum += sample.value;
                Ok(())
            })
            .expect("well-formed");
            assert_eq!(sum as u64, 12_345_000);
        });
    });
    group.finish();
}

criterion_group!(benches, send, read_exposition);
criterion_main!(benches);
