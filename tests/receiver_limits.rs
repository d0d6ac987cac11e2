//! Clients that want too much, or nothing but harm: each is bounded, and a proper client is served.

mod receiver_harness;

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::prelude::{any, proptest};
use proptest::test_runner::{Config, TestRunner};
use receiver_harness::{
    Call, EXPORT, call, close_write, connect, framed, grpc, gzip, http_head, is_closed, message,
    post, read_reply, runtime, start, tcp,
};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

const NO_ROOM: &str = "no room for the request at the moment";

const SHORT: Duration = Duration::from_millis(100);

/// Holds `bytes` of the budget by a body that does not come, until the stream is dropped.
fn hold(server: &receiver_harness::Server, bytes: usize) -> std::net::TcpStream {
    let before = server.admission.bytes.bytes_taken();
    let mut stream = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], bytes);
    stream.write_all(&head).expect("a socket");
    server.until("the permit is taken", |server| {
        server.admission.bytes.bytes_taken() == before + bytes as u64
    });
    stream
}

#[test]
fn exhausted_budget_refuses_retryably_and_recovers() {
    let server = start(|setup| setup.budget_bytes = 1 << 20);
    // An eighth is kept for small bodies: these two take all that large ones can have.
    let held = [hold(&server, 7 << 16), hold(&server, 7 << 16)];
    server.assert_healthy();
    let large = vec![0; 100_000];
    let reply = grpc(server.grpc, &Call::of(&[&message(&large)]));
    assert_eq!((reply.code(), reply.message()), ("8", NO_ROOM));
    let details = reply.details().expect("retry information");
    let details = STANDARD_NO_PAD.decode(details);
    let details = details.expect("base64");
    assert!(
        details.ends_with(&[0x0a, 2, 0x08, 1]),
        "a delay of one second: {details:?}"
    );
    let reply = post(server.http, &[], &large);
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(reply.header("connection"), None, "the connection goes on");
    assert_eq!(server.refusals("no_room"), 2);
    drop(held);
    server.until("permits are back", |server| {
        server.admission.bytes.bytes_taken() == 0
    });
    // Counted after the permit has gone back.
    server.until("both are counted", |server| server.refusals("cut") == 2);
    server.assert_healthy();
    server.stop();
}

#[test]
fn body_that_can_never_fit_is_refused_for_good_with_the_limit_named() {
    let server = start(|setup| setup.budget_bytes = 100_000);
    let words = "body is 200000 bytes, the budget grants at most 87500";
    let reply = grpc(server.grpc, &Call::of(&[&message(&vec![0; 200_000])]));
    assert_eq!(
        (reply.code(), reply.message(), reply.details()),
        ("8", words, None)
    );
    let reply = post(server.http, &[], &vec![0; 200_000]);
    assert_eq!((reply.status, reply.header("retry-after")), (400, None));
    assert!(reply.body.ends_with(words.as_bytes()));
    server.assert_healthy();
    server.stop();
}

/// Sixteen times the budget is wanted at a time; who is refused comes again.
#[test]
fn many_clients_share_a_small_budget_and_every_body_arrives_once() {
    const CLIENTS: usize = 32;
    const BODIES: usize = 4;
    let body = vec![7; 512 << 10];
    let server = start(|setup| setup.budget_bytes = 1 << 20);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, body) = (&server, &body);
            scope.spawn(move || {
                for _ in 0..BODIES {
                    if client % 2 == 0 {
                        while post(server.http, &[], body).status != 200 {}
                    } else {
                        let call = Call::of(&[&message(body)]);
                        while grpc(server.grpc, &call).code() != "0" {}
                    }
                }
            });
        }
    });
    assert_eq!(server.bodies(), (CLIENTS * BODIES) as u64);
    assert!(
        server.refusals("no_room") > 0,
        "the budget was never exhausted"
    );
    assert!(server.seen.budget_bytes_max.load(Ordering::SeqCst) <= 1 << 20);
    server.stop();
}

#[test]
fn late_data_of_refused_calls_does_not_end_the_connection() {
    let server = start(|setup| setup.grpc.message_bytes_max = 1000);
    let large = message(&vec![0; 100_000]);
    let chunks: Vec<_> = large.chunks(16_000).collect();
    let refused = Call::of(&chunks);
    runtime().block_on(async {
        let client = connect(server.grpc).await;
        for _ in 0..1500 {
            let reply = call(&client, &refused)
                .await
                .expect("the connection goes on");
            assert_eq!(reply.code(), "8");
        }
        let reply = call(&client, &Call::of(&[&message(b"x")]))
            .await
            .expect("an answer");
        assert_eq!(reply.code(), "0");
    });
    assert_eq!(server.refusals("too_large"), 1500);
    server.stop();
}

fn resident_bytes_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.expect("a peak").trim().trim_end_matches("kB").trim();
    kib.parse::<u64>().expect("a number") << 10
}

/// 1 MiB that inflates to 1 GiB, with a trailer that announces little.
#[test]
fn compressed_bomb_is_stopped_at_the_limit_and_memory_stays_bounded() {
    let server = start(|setup| setup.budget_bytes = 32 << 20);
    let member = gzip(&vec![0; 1 << 20]);
    let mut bomb: Vec<u8> = member.repeat(1024);
    bomb.extend(gzip(b"small"));
    let before = resident_bytes_max();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let call = Call::of(&[&framed(1, &bomb[..2 << 20])]);
                let reply = grpc(server.grpc, &call.with("grpc-encoding", "gzip"));
                assert_eq!(reply.code(), "8", "{reply:?}");
                let reply = post(server.http, &[("content-encoding", "gzip")], &bomb);
                assert!(matches!(reply.status, 400 | 503), "{reply:?}");
            });
        }
    });
    let grown = resident_bytes_max() - before;
    assert!(grown < 256 << 20, "{grown} bytes more");
    assert_eq!(server.bodies(), 0);
    server.assert_healthy();
    server.stop();
}

#[test]
fn connections_beyond_the_limit_are_closed_at_once_and_counted() {
    let server = start(|setup| setup.limits.connections_max = 3);
    let open: Vec<_> = (0..3).map(|_| tcp(server.http)).collect();
    server.until("all are open", |server| {
        server.admission.connections.bytes_taken() == 3
    });
    assert!(is_closed(&mut tcp(server.http)));
    assert!(is_closed(&mut tcp(server.grpc)));
    assert_eq!(server.refusals("connections_max"), 2);
    drop(open);
    server.until("all are closed", |server| {
        server.admission.connections.bytes_taken() == 0
    });
    server.assert_healthy();
    server.stop();
}

#[test]
fn requests_beyond_the_limit_are_refused_retryably() {
    let server = start(|setup| setup.limits.requests_max = 1);
    let held = hold(&server, 100);
    let reply = grpc(server.grpc, &Call::of(&[&message(b"x")]));
    assert_eq!((reply.code(), reply.message()), ("8", NO_ROOM));
    assert!(reply.details().is_some());
    assert_eq!(post(server.http, &[], b"x").status, 503);
    drop(held);
    server.until("it is cut", |server| {
        server.admission.requests.bytes_taken() == 0
    });
    server.assert_healthy();
    server.stop();
}

/// Writes a byte at a time until the server has enough; true if it closed the connection.
fn drip(stream: &mut std::net::TcpStream, bytes: &[u8]) -> bool {
    stream.set_nodelay(true).expect("a socket");
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).is_err() {
            return true;
        }
        // The pace of the attack, well within the time between two bytes.
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn dripping_headers_are_cut_and_hold_nothing() {
    let server = start(|setup| {
        setup.limits.header_time_max = SHORT;
        setup.limits.handshake_time_max = SHORT;
    });
    let mut http = tcp(server.http);
    http.write_all(b"POST /v1/traces HTTP/1.1\r\n")
        .expect("a socket");
    // One name that never ends: a busy machine must not see the bound on fields first.
    assert!(drip(&mut http, b"x"));
    let mut grpc = tcp(server.grpc);
    grpc.write_all(b"PRI * HTTP/2.0\r\n").expect("a socket");
    assert!(is_closed(&mut grpc));
    server.until("both are counted", |server| {
        server.refusals("timed_out") == 2
    });
    assert_eq!(server.admission.bytes.bytes_taken(), 0);
    server.assert_healthy();
    server.stop();
}

#[test]
fn stalled_bodies_are_cut_and_their_bytes_returned() {
    let server = start(|setup| setup.limits.body_stall_max = SHORT);
    let mut stream = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], 1 << 20);
    stream
        .write_all(&[&head, b"abc".as_slice()].concat())
        .expect("a socket");
    let reply = read_reply(&mut stream, "POST").expect("an answer");
    assert_eq!(
        (reply.status, reply.header("connection")),
        (400, Some("close"))
    );
    assert!(is_closed(&mut stream));
    let mut stalled = Call::of(&[b"\0\0\x10\0\0abc"]);
    stalled.ends = false;
    let reply = grpc(server.grpc, &stalled);
    assert_eq!(
        (reply.code(), reply.message()),
        ("4", "no byte of the body for 0.1s")
    );
    assert_eq!(server.refusals("timed_out"), 2);
    assert_eq!(server.admission.bytes.bytes_taken(), 0);
    server.assert_healthy();
    server.stop();
}

#[test]
fn dripping_body_is_cut_after_its_whole_time() {
    let server = start(|setup| setup.limits.body_time_max = SHORT);
    let mut stream = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], 1 << 20);
    stream.write_all(&head).expect("a socket");
    assert!(drip(&mut stream, b"x"));
    assert_eq!(server.refusals("timed_out"), 1);
    server.stop();
}

#[test]
fn idle_connections_are_closed() {
    let server = start(|setup| setup.limits.idle_time_max = SHORT);
    assert!(is_closed(&mut tcp(server.http)));
    let mut stream = tcp(server.http);
    stream
        .write_all(&http_head("POST", "/v1/traces", &[PROTOBUF], 0))
        .expect("a socket");
    assert_eq!(
        read_reply(&mut stream, "POST").expect("an answer").status,
        200
    );
    assert!(is_closed(&mut stream));
    runtime().block_on(async {
        let stream = tokio::net::TcpStream::connect(server.grpc)
            .await
            .expect("a listener");
        let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        connection.await.expect("a graceful end");
        drop(client);
    });
    assert_eq!(server.refusals("timed_out"), 0, "to be idle is no fault");
    server.stop();
}

#[test]
fn large_headers_are_refused_by_both_protocols() {
    let server = start(|_| {});
    let large = "x".repeat(20_000);
    let reply = post(server.http, &[("x-large", &large)], b"x");
    assert_eq!(reply.status, 431);
    let call_large = Call::of(&[&message(b"x")]).with("x-large", &large);
    runtime().block_on(async {
        let client = connect(server.grpc).await;
        let refused = call(&client, &call_large).await;
        assert!(refused.is_err() || refused.is_ok_and(|reply| reply.status == 431));
    });
    server.assert_healthy();
    assert_eq!(server.bodies(), 2);
    server.stop();
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The header block of an export, without Huffman codes and without the dynamic table.
fn export_headers() -> Vec<u8> {
    let mut block = vec![
        0x83,
        0x86,
        0x01,
        1,
        b'x',
        0x04,
        u8::try_from(EXPORT.len()).expect("short"),
    ];
    block.extend(EXPORT.as_bytes());
    block.extend([0x0f, 0x10, 16]);
    block.extend(b"application/grpc");
    block
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_HEADERS: u8 = 4;

/// Opens streams and takes them back, a hundred at a time, until the server has enough: before the
/// server can see them, or while their bodies are being read.
#[test]
fn rapid_reset_ends_its_connection_and_no_other() {
    for seen in [false, true] {
        let server = start(|_| {});
        let mut stream = tcp(server.grpc);
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(preface).expect("a socket");
        server.until("it is accepted", |server| {
            server.admission.connections.bytes_taken() == 1
        });
        let mut ended = false;
        for batch in 0..200 {
            let streams = (0..100).map(|n| 1 + 2 * (batch * 100 + n));
            let mut open = Vec::new();
            let mut reset = Vec::new();
            for id in streams {
                open.extend(frame(HEADERS, END_HEADERS, id, &export_headers()));
                open.extend(frame(DATA, 0, id, b"\0\0\0\x01\0abc"));
                reset.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
            }
            ended |= stream.write_all(&open).is_err();
            if seen && !ended {
                server.until("the streams are being read", |server| {
                    let open = server.admission.connections.bytes_taken() == 1;
                    server.admission.requests.bytes_taken() == 100 || !open
                });
            }
            ended |= stream.write_all(&reset).is_err();
            if seen && !ended {
                server.until("they were taken back", |server| {
                    server.admission.requests.bytes_taken() == 0
                });
            }
            ended |= server.admission.connections.bytes_taken() == 0;
            if ended {
                break;
            }
        }
        assert!(
            ended || is_closed(&mut stream),
            "20,000 resets were let pass"
        );
        assert_eq!(server.refusals("resets_max"), u64::from(seen));
        server.assert_healthy();
        server.stop();
    }
}

#[test]
fn foreign_bytes_at_both_ports_harm_nobody() {
    let server = start(|setup| {
        setup.limits.header_time_max = SHORT;
        setup.limits.body_stall_max = SHORT;
    });
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    let head = http_head(
        "POST",
        "/v1/traces",
        &[PROTOBUF, ("content-encoding", "gzip")],
        60,
    );
    let mut runner = TestRunner::new(Config::with_cases(150));
    let strategy = (
        proptest::collection::vec(any::<u8>(), 0..200),
        any::<bool>(),
    );
    let result = runner.run(&strategy, |(bytes, begun)| {
        for (address, beginning) in [(server.grpc, &preface), (server.http, &head)] {
            let mut stream = tcp(address);
            let beginning = if begun { beginning.as_slice() } else { b"" };
            // The server may have had enough before all is written.
            let _ = stream.write_all(&[beginning, &bytes].concat());
            close_write(&stream);
            assert!(is_closed(&mut stream), "the connection outlives its client");
        }
        Ok(())
    });
    result.expect("every connection ends");
    server.assert_healthy();
    server.stop();
}

proptest! {
    #![proptest_config(Config::with_cases(30))]

    /// Chunks of any kind on a proper stream are answered or refused, never worse.
    #[test]
    fn foreign_messages_are_answered(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..4),
        encoding in proptest::sample::select(vec!["gzip", "identity", "x"]),
    ) {
        let server = start(|setup| setup.workers = 1);
        let chunks: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
        let reply = grpc(server.grpc, &Call::of(&chunks).with("grpc-encoding", encoding));
        assert_ne!(reply.code(), "none", "{reply:?}");
        server.stop();
    }
}
