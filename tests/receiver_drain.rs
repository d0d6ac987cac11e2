//! The end of a receiver: what is in flight is answered, what is idle is closed, nobody new comes.

mod receiver_harness;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use receiver_harness::{
    Call, call, connect, http_head, is_closed, message, read_reply, runtime, start, tcp,
};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

#[test]
fn requests_in_flight_are_answered_then_connections_close_and_new_ones_are_refused() {
    // One for each connection, since a waiting station holds its worker.
    let server = start(|setup| setup.workers = 3);
    let mut idle = tcp(server.http);
    let mut http = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], 4);
    http.write_all(&[&head, b"wait".as_slice()].concat())
        .expect("a socket");
    let address = server.grpc;
    let grpc = std::thread::spawn(move || {
        runtime().block_on(async {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .expect("a listener");
            let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
            let connection = tokio::spawn(connection);
            let reply = call(&client, &Call::of(&[&message(b"wait")])).await;
            // The server ends the connection, although the client would go on.
            connection.await.expect("no panic").expect("a graceful end");
            reply.expect("an answer")
        })
    });
    server.until("one is in flight", |server| {
        server.seen.waiting.load(Ordering::SeqCst) > 0
            && server.admission.requests.bytes_taken() == 2
    });
    server.workers().stop();
    // Each listener closes in its own time.
    server.until("nobody listens", |server| {
        TcpStream::connect(server.http).is_err() && TcpStream::connect(server.grpc).is_err()
    });
    server.seen.open();
    let reply = read_reply(&mut http, "POST").expect("an answer");
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
    assert!(is_closed(&mut http));
    assert!(is_closed(&mut idle));
    assert_eq!(grpc.join().expect("no panic").code(), "0");
    assert_eq!(server.bodies(), 2);
    server.stop();
}

#[test]
fn body_that_is_still_coming_at_the_drain_is_taken() {
    let server = start(|_| {});
    let mut stream = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], 6);
    stream
        .write_all(&[&head, b"abc".as_slice()].concat())
        .expect("a socket");
    server.until("it has begun", |server| {
        server.admission.requests.bytes_taken() == 1
    });
    server.workers().stop();
    server.until("nobody listens", |server| {
        TcpStream::connect(server.http).is_err()
    });
    stream.write_all(b"def").expect("a socket");
    assert_eq!(
        read_reply(&mut stream, "POST").expect("an answer").status,
        200
    );
    assert!(is_closed(&mut stream));
    assert_eq!(server.bodies(), 1);
    server.stop();
}

#[test]
fn connection_of_great_age_is_ended_gracefully() {
    let server = start(|setup| {
        setup.grpc.keepalive.connection_age_max = Some(Duration::from_millis(50));
    });
    runtime().block_on(async {
        let stream = tokio::net::TcpStream::connect(server.grpc)
            .await
            .expect("a listener");
        let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let reply = call(&client, &Call::of(&[&message(b"x")]))
            .await
            .expect("an answer");
        assert_eq!(reply.code(), "0");
        connection.await.expect("no panic").expect("a graceful end");
    });
    server.stop();
}

#[test]
fn silent_client_is_pinged_and_dropped_only_if_it_does_not_answer() {
    let server = start(|setup| {
        setup.grpc.keepalive.time = Some(Duration::from_millis(20));
        setup.grpc.keepalive.timeout = Some(Duration::from_millis(100));
    });
    // It sends its preface and never reads, so never answers.
    let mut silent = tcp(server.grpc);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    silent.write_all(preface).expect("a socket");
    runtime().block_on(async {
        let client = connect(server.grpc).await;
        // The connection task answers pings while the silent client runs into its time-out.
        let closed = tokio::task::spawn_blocking(move || is_closed(&mut silent));
        assert!(closed.await.expect("no panic"));
        let reply = call(&client, &Call::of(&[&message(b"x")]))
            .await
            .expect("still open");
        assert_eq!(reply.code(), "0");
    });
    server.stop();
}

/// Its spans may be counted, and the number of such requests is known.
#[test]
fn client_that_leaves_while_its_request_runs_is_counted_as_unanswered() {
    let server = start(|setup| setup.workers = 1);
    let mut stream = tcp(server.http);
    let head = http_head("POST", "/v1/traces", &[PROTOBUF], 4);
    let request = [&head, b"wait".as_slice()].concat();
    stream.write_all(&request).expect("a socket");
    server.until("it runs", |server| {
        server.seen.waiting.load(Ordering::SeqCst) == 1
    });
    stream.shutdown(std::net::Shutdown::Both).expect("a socket");
    drop(stream);
    server.seen.open();
    server.until("it is over", |server| {
        server.admission.connections.bytes_taken() == 0
    });
    let accepted = server.count("otelcol_receiver_accepted_spans", &[]);
    assert_eq!(accepted / 4 + server.refusals("unanswered"), 1);
    assert_eq!(server.bodies(), 1);
    server.stop();
}
