//! Every answer of the receiver, over real sockets, in the words of the Collector.

mod receiver_harness;

use http::Method;
use receiver_harness::{
    Call, EXPORT, Reply, framed, grpc, gzip, http, http_head, message, post, read_reply, start, tcp,
};
use std::io::Write;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn grpc_success_is_an_empty_but_present_partial_success() {
    let server = start(|_| {});
    let whole = message(&vec![7; 100_000]);
    let (first, second) = whole.split_at(3);
    let gzipped = framed(1, &gzip(&vec![7; 100_000]));
    let mut unended = Call::of(&[&message(b"unended")]);
    unended.ends = false;
    for call in [
        Call::of(&[&message(b"")]),
        Call::of(&[&whole]),
        Call::of(&[first, second]),
        Call::of(&[&message(b"plain")]).with("grpc-encoding", "identity"),
        Call::of(&[&message(b"plain")]).with("grpc-encoding", "gzip"),
        Call::of(&[&gzipped]).with("grpc-encoding", "gzip"),
        Call {
            content_type: "application/grpc+proto",
            ..Call::of(&[&message(b"x")])
        },
        unended,
    ] {
        let reply = grpc(server.grpc, &call);
        assert_eq!((reply.status, reply.code()), (200, "0"), "{reply:?}");
        assert_eq!(reply.body, [0, 0, 0, 0, 2, 0x0a, 0]);
        assert_eq!(reply.headers["content-type"], "application/grpc");
        assert!(reply.trailers.is_some());
    }
    assert_eq!(server.bodies(), 8);
    let spans = 300_000 + 5 + 5 + 1 + 7;
    let labels = [("receiver", "otlp"), ("transport", "grpc")];
    assert_eq!(
        server.count("otelcol_receiver_accepted_spans", &labels),
        spans
    );
    let labels = [("transport", "grpc"), ("code", "0")];
    assert_eq!(server.count("spanmill_receiver_requests_total", &labels), 8);
    server.stop();
}

#[test]
fn grpc_calls_that_are_not_implemented_say_so_like_the_collector() {
    let server = start(|_| {});
    let path = |path: &str| Call {
        path: path.to_owned(),
        ..Call::of(&[&message(b"")])
    };
    let metrics = "opentelemetry.proto.collector.metrics.v1.MetricsService";
    let traces = "opentelemetry.proto.collector.trace.v1.TraceService";
    for (call, words) in [
        (
            path(&format!("/{metrics}/Export")),
            &*format!("unknown service {metrics}"),
        ),
        (
            path("/grpc.health.v1.Health/Check"),
            "unknown service grpc.health.v1.Health",
        ),
        (path("/a.b.C/D/E"), "unknown service a.b.C/D"),
        (path("/x"), "malformed method name: \"/x\""),
        (
            path(&format!("/{traces}/Nothing")),
            &*format!("unknown method Nothing for service {traces}"),
        ),
        (
            Call::of(&[&message(b"")]).with("grpc-encoding", "deflate"),
            "grpc: Decompressor is not installed for grpc-encoding \"deflate\"",
        ),
    ] {
        assert_refused(&grpc(server.grpc, &call), "12", words);
    }
    for (reason, count) in [
        ("signal_not_supported", 1),
        ("not_found", 4),
        ("encoding_not_supported", 1),
    ] {
        assert_eq!(server.refusals(reason), count, "{reason}");
    }
    assert_eq!(server.bodies(), 0);
    server.stop();
}

fn assert_refused(reply: &Reply, code: &str, words: &str) {
    let told = (reply.status, reply.code(), reply.message());
    assert_eq!(told, (200, code, words));
    assert!(reply.trailers.is_none(), "trailers only");
    assert_eq!(reply.details(), None);
}

#[test]
fn grpc_messages_are_refused_with_code_and_words_of_the_collector() {
    let server = start(|setup| setup.grpc.message_bytes_max = 1 << 20);
    let plain = |body: &[u8]| Call::of(&[&message(body)]);
    let gzipped = |body: &[u8]| Call::of(&[&framed(1, body)]).with("grpc-encoding", "gzip");
    let mut corrupt = gzip(b"body");
    *corrupt.last_mut().expect("bytes") ^= 1;
    let larger = "grpc: received message after decompression larger than max 1048576";
    for (call, code, words) in [
        (
            Call::of(&[&framed(1, &gzip(b""))]),
            "13",
            "grpc: compressed flag set with identity or empty encoding",
        ),
        (
            Call::of(&[&framed(2, b"")]),
            "13",
            "grpc: received unexpected payload format 2",
        ),
        (Call::of(&[b""]), "2", "EOF"),
        (Call::of(&[]), "2", "EOF"),
        (Call::of(&[b"\0\0"]), "2", "EOF"),
        (Call::of(&[b"\0\0\0\0\x09abc"]), "2", "unexpected EOF"),
        (
            Call::of(&[&[message(b"a"), message(b"b")].concat()]),
            "13",
            "grpc: more than one message in a unary call",
        ),
        (
            plain(&vec![0; 1_200_086]),
            "8",
            "grpc: received message larger than max (1200086 vs. 1048576)",
        ),
        (gzipped(&gzip(&vec![0; 1_200_086])), "8", larger),
        (
            gzipped(b""),
            "13",
            "grpc: failed to decompress the message: EOF",
        ),
        (
            gzipped(b"hello hello hello"),
            "13",
            "grpc: failed to decompress the message: gzip: invalid header",
        ),
        (
            gzipped(&corrupt),
            "13",
            "grpc: failed to read decompressed data: gzip: invalid checksum",
        ),
        (
            plain(b"malformed"),
            "13",
            "grpc: error unmarshalling request: unexpected EOF",
        ),
        (
            plain(b"refused"),
            "14",
            "data refused due to high memory usage",
        ),
        (plain(b"forgotten"), "14", "request was not run"),
    ] {
        assert_refused(&grpc(server.grpc, &call), code, words);
    }
    assert_eq!(server.bodies(), 0);
    for (reason, count) in [("too_large", 2), ("malformed", 11), ("pipeline", 2)] {
        assert_eq!(server.refusals(reason), count, "{reason}");
    }
    assert_eq!(
        server.count("otelcol_receiver_refused_spans", &[("transport", "grpc")]),
        7
    );
    server.stop();
}

#[test]
fn what_is_no_grpc_call_gets_a_status_of_http_too() {
    let server = start(|_| {});
    let call = |method, content_type| Call {
        method,
        content_type,
        ..Call::of(&[&message(b"")])
    };
    for (call, status, code, words) in [
        (
            call(Method::GET, "application/grpc"),
            405,
            "13",
            "Received a HEADERS frame with :method \"GET\" which should be POST",
        ),
        (
            call(Method::POST, "application/grpc-web"),
            415,
            "3",
            "invalid gRPC request content-type \"application/grpc-web\"",
        ),
    ] {
        let reply = grpc(server.grpc, &call);
        assert_eq!(
            (reply.status, reply.code(), reply.message()),
            (status, code, words)
        );
    }
    server.stop();
}

#[test]
fn http_success_is_an_empty_but_present_partial_success() {
    let server = start(|_| {});
    let large = vec![7; 300_000];
    for reply in [
        post(server.http, &[], b""),
        post(server.http, &[], &large),
        post(server.http, &[("content-encoding", "gzip")], &gzip(&large)),
        post(server.http, &[("expect", "100-continue")], b"body"),
        http(
            server.http,
            "POST",
            "/v1/traces?x=1",
            &[
                ("content-type", "APPLICATION/x-protobuf; a=b"),
                ("content-encoding", ""),
            ],
            b"body",
        ),
    ] {
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (200, [0x0a, 0].as_slice())
        );
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
    }
    let labels = [("receiver", "otlp"), ("transport", "http")];
    assert_eq!(
        server.count("otelcol_receiver_accepted_spans", &labels),
        600_008
    );
    assert_eq!(server.bodies(), 5);
    server.stop();
}

#[test]
fn one_connection_serves_chunked_and_pipelined_requests() {
    let server = start(|_| {});
    let mut stream = tcp(server.http);
    let mut requests = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n\
        content-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\n\
        3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        .to_vec();
    requests.extend(http_head("POST", "/v1/traces", &[PROTOBUF], 2));
    requests.extend(b"hi");
    requests.extend(http_head("POST", "/v1/nothing", &[PROTOBUF], 2));
    requests.extend(b"hi");
    requests.extend(http_head("POST", "/v1/traces", &[PROTOBUF], 0));
    stream.write_all(&requests).expect("a socket");
    for status in [200, 200, 404, 200] {
        let reply = read_reply(&mut stream, "POST").expect("an answer");
        assert_eq!(reply.status, status);
    }
    assert_eq!(server.count("otelcol_receiver_accepted_spans", &[]), 9);
    drop(stream);
    server.stop();
}

#[test]
fn http_refusals_carry_status_type_and_words_of_the_collector() {
    let server = start(|setup| setup.http.body_bytes_max = 100_000);
    let both = "415 unsupported media type, supported: [application/json, application/x-protobuf]";
    let one = "415 unsupported media type, supported: [application/x-protobuf]";
    let method = "405 method not allowed, supported: [POST]";
    let not_found = "404 page not found\n";
    let text = "text/plain";
    let utf8 = "text/plain; charset=utf-8";
    for (request, status, content_type, words) in [
        (("POST", "/v1/traces", vec![JSON]), 415, text, one),
        (
            ("POST", "/v1/traces", vec![("content-type", "text/plain")]),
            415,
            text,
            both,
        ),
        (
            ("POST", "/v1/traces", vec![("content-type", "application/")]),
            415,
            text,
            both,
        ),
        (("POST", "/v1/traces", vec![]), 415, text, both),
        (("GET", "/v1/traces", vec![]), 405, text, method),
        (("PUT", "/v1/traces", vec![PROTOBUF]), 405, text, method),
        (("OPTIONS", "/v1/traces", vec![]), 405, text, method),
        (("HEAD", "/v1/traces", vec![]), 405, text, ""),
        (
            ("POST", "/v1/metrics", vec![PROTOBUF]),
            404,
            utf8,
            not_found,
        ),
        (
            ("POST", "/v1/nothing", vec![PROTOBUF]),
            404,
            utf8,
            not_found,
        ),
        (("POST", "/", vec![PROTOBUF]), 404, utf8, not_found),
        (
            ("POST", "/v1/traces/", vec![PROTOBUF]),
            404,
            utf8,
            not_found,
        ),
        (
            ("POST", "/v1/traces", vec![JSON, ("content-encoding", "br")]),
            400,
            "application/json",
            "{\"code\":3,\"message\":\"unsupported Content-Encoding: br\"}",
        ),
        (
            ("POST", "/v1/nothing", vec![("content-encoding", "br")]),
            500,
            "application/json",
            "{\"code\": 13, \"message\": \"failed to marshal error message\"}",
        ),
    ] {
        let (verb, path, headers) = request;
        let reply = http(server.http, verb, path, &headers, b"x");
        let shown = (reply.status, reply.header("content-type"), reply.text());
        assert_eq!(
            shown,
            (status, Some(content_type), words),
            "{verb} {path} {headers:?}"
        );
        let nosniff = (status == 404).then_some("nosniff");
        assert_eq!(reply.header("x-content-type-options"), nosniff);
        assert_eq!(reply.header("allow"), None);
        assert_eq!(reply.header("connection"), None, "the connection goes on");
    }
    for path in ["//v1/traces", "/v1/./traces"] {
        let reply = http(server.http, "POST", path, &[PROTOBUF], b"x");
        assert_eq!((reply.status, reply.body.len()), (307, 0));
        assert_eq!(reply.header("location"), Some("/v1/traces"));
    }
    assert_eq!(server.bodies(), 0);
    server.stop();
}

#[test]
fn http_body_refusals_are_a_status_in_protobuf() {
    let server = start(|setup| setup.http.body_bytes_max = 100_000);
    let gzip_of = |body: &[u8]| (vec![("content-encoding", "gzip")], gzip(body));
    let gzip_raw = |body: &[u8]| (vec![("content-encoding", "gzip")], body.to_vec());
    let coded = |coding| (vec![("content-encoding", coding)], b"x".to_vec());
    let too_large = "http: request body too large";
    let cut = gzip(&[7; 1000]);
    for ((headers, body), status, code, words) in [
        ((vec![], vec![0; 200_000]), 400, 3, too_large),
        (gzip_of(&vec![0; 200_000]), 400, 3, too_large),
        (gzip_raw(b"plain body here"), 400, 3, "gzip: invalid header"),
        (gzip_raw(&cut[..cut.len() - 3]), 400, 3, "unexpected EOF"),
        (gzip_raw(b""), 400, 3, "EOF"),
        (
            coded("identity"),
            400,
            3,
            "unsupported Content-Encoding: identity",
        ),
        (coded("GZIP"), 400, 3, "unsupported Content-Encoding: GZIP"),
        (
            coded("gzip, gzip"),
            400,
            3,
            "unsupported Content-Encoding: gzip, gzip",
        ),
        ((vec![], b"malformed".to_vec()), 400, 3, "unexpected EOF"),
        (
            (vec![], b"refused".to_vec()),
            503,
            14,
            "data refused due to high memory usage",
        ),
        (
            (vec![], b"forgotten".to_vec()),
            503,
            14,
            "request was not run",
        ),
    ] {
        let reply = post(server.http, &headers, &body);
        let mut expected = vec![0x08, code, 0x12, u8::try_from(words.len()).expect("short")];
        expected.extend(words.as_bytes());
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (status, expected.as_slice()),
            "{words}"
        );
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(reply.header("retry-after"), None);
    }
    assert_eq!(
        server.count("otelcol_receiver_refused_spans", &[("transport", "http")]),
        7
    );
    server.stop();
}

#[test]
fn own_paths_and_response_headers_are_used_everywhere() {
    let server = start(|setup| {
        setup.http.traces_url_path = "/otlp/t".to_owned();
        setup.http.response_headers = vec![
            ("X-Custom".to_owned(), "v".to_owned()),
            ("Server".to_owned(), "golden".to_owned()),
        ];
    });
    for (path, status) in [("/otlp/t", 200), ("/v1/traces", 404)] {
        let reply = http(server.http, "POST", path, &[PROTOBUF], b"x");
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-custom"), Some("v"));
        assert_eq!(reply.header("server"), Some("golden"));
    }
    server.stop();
}

#[test]
fn encodings_that_come_later_are_an_unsupported_type_and_not_a_bad_request() {
    let server = start(|_| {});
    for coding in [
        "zstd",
        "zlib",
        "deflate",
        "snappy",
        "x-snappy-framed",
        "lz4",
    ] {
        let reply = post(server.http, &[("content-encoding", coding)], b"x");
        assert_eq!(reply.status, 415, "{coding}");
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
        let words = format!("unsupported Content-Encoding: {coding}");
        assert!(reply.text().ends_with(&words), "{}", reply.text());
    }
    assert_eq!(server.refusals("encoding_not_supported"), 6);
    assert_eq!(server.bodies(), 0);
    server.stop();
}

#[test]
fn refused_signals_and_encodings_are_said_once_each() {
    let server = start(|_| {});
    let logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    for _ in 0..3 {
        http(server.http, "POST", "/v1/logs", &[PROTOBUF], b"x");
        http(server.http, "POST", "/v1/traces", &[JSON], b"{}");
        post(server.http, &[("content-encoding", "zstd")], b"x");
        let call = Call {
            path: logs.to_owned(),
            ..Call::of(&[&message(b"x")])
        };
        grpc(server.grpc, &call);
        grpc(
            server.grpc,
            &Call::of(&[&message(b"x")]).with("grpc-encoding", "zstd"),
        );
    }
    let log = server.log();
    let lines: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("\twarn\t"))
        .collect();
    let said: Vec<_> = lines.iter().map(|(_, said)| *said).collect();
    assert_eq!(
        said,
        [
            "refused a request of a signal that no pipeline takes\t\
             {\"receiver\": \"otlp\", \"path\": \"/v1/logs\"}",
            "refused a request in JSON, which is not supported yet\t\
             {\"receiver\": \"otlp\", \"path\": \"/v1/traces\"}",
            "refused a request with an encoding that is not supported\t\
             {\"receiver\": \"otlp\", \"encoding\": \"zstd\"}",
            "refused a request of a signal that no pipeline takes\t{\"receiver\": \"otlp\", \
             \"service\": \"opentelemetry.proto.collector.logs.v1.LogsService\"}",
            "refused a request with an encoding that is not supported\t\
             {\"receiver\": \"otlp\", \"encoding\": \"zstd\"}",
        ]
    );
    assert_eq!(server.refusals("signal_not_supported"), 6);
    assert_eq!(server.bodies(), 0);
    server.stop();
}

#[test]
fn tonic_client_is_served() {
    let server = start(|_| {});
    let address = server.grpc;
    receiver_harness::runtime().block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}"));
        let channel = channel.expect("a URL").connect().await.expect("a listener");
        let mut client = tonic::client::Grpc::new(channel);
        for body in [b"first".as_slice(), &vec![1; 500_000]] {
            client.ready().await.expect("connected");
            let request = tonic::Request::new(bytes::Bytes::copy_from_slice(body));
            let path = http::uri::PathAndQuery::from_static(EXPORT);
            let reply = client.unary(request, path, Raw).await.expect("accepted");
            assert_eq!(reply.into_inner().as_ref(), [0x0a, 0]);
        }
    });
    assert_eq!(server.bodies(), 2);
    server.stop();
}

/// Messages are bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = bytes::Bytes;
    type Decode = bytes::Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = bytes::Bytes;
    type Error = tonic::Status;

    fn encode(
        &mut self,
        item: bytes::Bytes,
        buffer: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), tonic::Status> {
        bytes::BufMut::put(buffer, item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = bytes::Bytes;
    type Error = tonic::Status;

    fn decode(
        &mut self,
        buffer: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<bytes::Bytes>, tonic::Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length)))
    }
}
