//! CPU of a worker per request, from the socket to the station and back, by protocol, coding and size.
//!
//! Real sockets on loopback and a station that only counts. What is timed is the CPU of the worker's
//! thread as the scheduler accounts it, not the wall clock, so the client does not count. The floor
//! is a thread that reads as many bytes from a socket and writes as short an answer, without any
//! protocol; the naive version of the gzip rows is the same body inflated into a fresh vector.
//!
//! `cargo bench --bench receive`; a name is `receive/PROTOCOL/CODING/BYTES/IN_FLIGHT`.

#[path = "../tests/receiver_harness/mod.rs"]
mod receiver_harness;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use receiver_harness::{
    Call, call, connect, framed, gzip, http_head, message, read_reply, runtime, start, tcp,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 10, 100 and 1,000 spans of 400 bytes.
const BODY_BYTES: [usize; 3] = [4_000, 40_000, 400_000];

const IN_FLIGHT: [usize; 2] = [1, 8];

/// Bytes that compress about as well as spans do: random ids among words that repeat.
fn body(bytes: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(bytes + 400);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    while body.len() < bytes {
        for _ in 0..4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            body.extend(random.to_le_bytes());
        }
        let route = random % 20;
        body.extend(
            format!(
                "GET /api/v1/items/{route}http.method\x12\x05\n\x03GETJ1\n\x0bhttp.route\x12\"\n /api/v1/\
                 items/{{id}}/{route}J\x1e\n\x19http.response.status_code\x12\x01\x18\x02J0\n\tuser.id\x12#\n!\
                 user-{}J*\n\x0enet.peer.name\x12\x18\n\x16checkout.svc.localJ&\n\x0c\
                 thread.name\x12\x16\n\x14pool-1-thread-{route}",
                random % 1000
            )
            .bytes(),
        );
    }
    body.truncate(bytes);
    body
}

/// CPU time of the thread of this name in this process; exact while the thread sleeps.
fn cpu_of(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    for task in tasks.flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() == name {
            let ran = read("schedstat");
            let ran = ran.split(' ').next().and_then(|ns| ns.parse().ok());
            return Duration::from_nanos(ran.expect("a number"));
        }
    }
    panic!("no thread is named {name}");
}

/// The CPU that a thread takes for `work`.
fn cpu_during(name: &str, work: impl FnOnce()) -> Duration {
    let before = cpu_of(name);
    work();
    cpu_of(name).saturating_sub(before)
}

fn grpc(criterion: &mut Criterion, coding: &str, bytes: usize, in_flight: usize) {
    let server = start(|setup| setup.workers = 1);
    let body = body(bytes);
    let export = if coding == "gzip" {
        Call::of(&[&framed(1, &gzip(&body))]).with("grpc-encoding", "gzip")
    } else {
        Call::of(&[&message(&body)])
    };
    let runtime = runtime();
    let client = runtime.block_on(connect(server.grpc));
    let reply = runtime.block_on(call(&client, &export)).expect("an answer");
    assert_eq!(reply.code(), "0");
    let labels = [("transport", "grpc")];
    let spans = server.count("otelcol_receiver_accepted_spans", &labels);
    assert_eq!(spans, bytes as u64, "the station saw the body");
    let id = BenchmarkId::new(format!("grpc/{coding}"), format!("{bytes}/{in_flight}"));
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|requests| {
            cpu_during("worker-0", || {
                runtime.block_on(async {
                    let mut calls = tokio::task::JoinSet::new();
                    for lane in 0..in_flight as u64 {
                        let (client, export) = (client.clone(), export.clone());
                        let share = (requests + lane) / in_flight as u64;
                        calls.spawn(async move {
                            for _ in 0..share {
                                call(&client, &export).await.expect("an answer");
                            }
                        });
                    }
                    while calls.join_next().await.is_some() {}
                });
            })
        });
    });
    group.finish();
    server.stop();
}

/// `requests` over these connections, one on each at a time.
fn http_requests(streams: &mut [TcpStream], request: &[u8], requests: u64) {
    let mut left = requests;
    while left > 0 {
        let lanes = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(streams.len());
        for stream in &mut streams[..lanes] {
            stream.write_all(request).expect("a socket");
        }
        for stream in &mut streams[..lanes] {
            assert_eq!(read_reply(stream, "POST").expect("an answer").status, 200);
        }
        left -= lanes as u64;
    }
}

fn http(criterion: &mut Criterion, coding: &str, bytes: usize, in_flight: usize) {
    let server = start(|setup| setup.workers = 1);
    let mut headers = vec![("content-type", "application/x-protobuf")];
    let mut body = body(bytes);
    if coding == "gzip" {
        headers.push(("content-encoding", "gzip"));
        body = gzip(&body);
    }
    let mut request = http_head("POST", "/v1/traces", &headers, body.len());
    request.extend_from_slice(&body);
    let mut streams: Vec<_> = (0..in_flight).map(|_| tcp(server.http)).collect();
    http_requests(&mut streams, &request, 1);
    let labels = [("transport", "http")];
    let spans = server.count("otelcol_receiver_accepted_spans", &labels);
    assert_eq!(spans, bytes as u64, "the station saw the body");
    let id = BenchmarkId::new(format!("http/{coding}"), format!("{bytes}/{in_flight}"));
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|requests| {
            cpu_during("worker-0", || {
                http_requests(&mut streams, &request, requests);
            })
        });
    });
    group.finish();
    drop(streams);
    server.stop();
}

/// A name of its own, since the thread of the size before may still be there.
fn floor_name(bytes: usize, in_flight: usize) -> String {
    format!("floor-{bytes}-{in_flight}")
}

/// Reads `bytes` and answers with two, until the client goes.
fn floor_server(bytes: usize, in_flight: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let thread = std::thread::Builder::new().name(floor_name(bytes, in_flight));
    let spawned = thread.spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_nodelay(true).expect("a socket");
        let mut body = vec![0; bytes];
        while stream.read_exact(&mut body).is_ok() {
            stream.write_all(&[0x0a, 0]).expect("a socket");
        }
    });
    drop(spawned.expect("a thread"));
    address
}

/// What the kernel asks of any program. So many requests go out together and are answered one by one.
fn floor(criterion: &mut Criterion, bytes: usize, in_flight: usize) {
    let mut stream = tcp(floor_server(bytes, in_flight));
    let body = body(bytes);
    let mut requests = |count: u64| {
        for _ in 0..count {
            stream.write_all(&body).expect("a socket");
        }
        for _ in 0..count {
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).expect("an answer");
            assert_eq!(answer, [0x0a, 0]);
        }
    };
    requests(1);
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Bytes(bytes as u64));
    let id = BenchmarkId::new("floor", format!("{bytes}/{in_flight}"));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|count| {
            cpu_during(&floor_name(bytes, in_flight), || {
                let mut left = count;
                while left > 0 {
                    let together = left.min(in_flight as u64);
                    requests(together);
                    left -= together;
                }
            })
        });
    });
    group.finish();
}

/// What gzip costs by itself, into a fresh vector each time.
fn naive_gunzip(criterion: &mut Criterion, bytes: usize) {
    let body = body(bytes);
    let compressed = gzip(&body);
    let gunzip = || {
        let mut inflated = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(compressed.as_slice());
        decoder.read_to_end(&mut inflated).expect("gzip");
        inflated
    };
    assert_eq!(gunzip(), body);
    println!("{bytes} bytes compress to {}", compressed.len());
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(BenchmarkId::new("naive_gunzip", bytes), |bencher| {
        bencher.iter(gunzip);
    });
    group.finish();
}

fn receive(criterion: &mut Criterion) {
    for bytes in BODY_BYTES {
        for in_flight in IN_FLIGHT {
            floor(criterion, bytes, in_flight);
        }
        naive_gunzip(criterion, bytes);
        for coding in ["plain", "gzip"] {
            for in_flight in IN_FLIGHT {
                grpc(criterion, coding, bytes, in_flight);
                http(criterion, coding, bytes, in_flight);
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = receive
}
criterion_main!(benches);
