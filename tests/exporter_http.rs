//! Requests of the recorded negotiation cases (68, 69) over a socket: status, headers, bodies.

mod exporter_support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use exporter_support::{Harness, Pairs, Table, block_on, count, options, snapshot, stream};
use spanmill::exporters::prometheus::Source;
use spanmill::store::window::Layout;
use spanmill::workers::web::{WebLimits, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

struct Response {
    status: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn served() -> (SocketAddr, watch::Sender<bool>) {
    let mut options = options();
    options.response_headers = vec![
        ("X-Test".to_owned(), "yes".to_owned()),
        ("Content-Type".to_owned(), "mine".to_owned()),
    ];
    let source = Source {
        table: 0,
        stream: stream(vec![count("c")]),
    };
    let harness = Harness::new(options, false, vec![source]);
    let mut table = Table::new(Layout::Counter);
    table.born(&Pairs::new(), &Pairs::new(), vec![3], 0);
    harness.show(snapshot(1, 1, &mut [table]));
    let (stop, stopped) = watch::channel(false);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let handler = harness.exporter.handler();
            serve(listener, handler, WebLimits::default(), stopped).await;
        });
    });
    (told.recv().unwrap(), stop)
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap()["HTTP/1.1 ".len()..][..3].to_owned();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Response {
        status,
        headers,
        body: all[end + 4..].to_vec(),
    }
}

const BODY: &str = "# HELP c_total \n# TYPE c_total counter\nc_total{otel_scope_name=\"spanmetricsconnector\",otel_scope_schema_url=\"\",otel_scope_version=\"\"} 3\n";

#[test]
fn every_method_is_answered_like_get_and_head_without_a_body() {
    let (address, _stop) = served();
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
        for path in ["/metrics", "/metrics?name[]=x"] {
            let response = ask(address, method, path, "accept: text/plain\r\n");
            assert_eq!(response.status, "200", "{method}");
            assert_eq!(response.headers["content-type"], TEXT);
            assert_eq!(response.headers["x-test"], "yes");
            assert_eq!(response.body, BODY.as_bytes());
        }
    }
    let response = ask(address, "HEAD", "/metrics", "accept: text/plain\r\n");
    assert_eq!(response.headers["content-length"], BODY.len().to_string());
    assert_eq!(response.body, b"");
}

#[test]
fn other_paths_are_not_found_and_unclean_ones_are_redirected() {
    let (address, _stop) = served();
    for path in ["/", "/metrics/", "/-/healthy"] {
        let response = ask(address, "GET", path, "");
        assert_eq!(response.status, "404", "{path}");
        assert_eq!(
            response.headers["content-type"],
            "text/plain; charset=utf-8"
        );
        assert_eq!(response.headers["x-content-type-options"], "nosniff");
        assert_eq!(response.headers["x-test"], "yes");
        assert_eq!(response.body, b"404 page not found\n");
    }
    for (path, to) in [
        ("//metrics", "/metrics"),
        ("/x/../metrics?a=1&b", "/metrics?a=1&b"),
    ] {
        let response = ask(address, "GET", path, "");
        assert_eq!(response.status, "307", "{path}");
        assert_eq!(response.headers["location"], to);
        let text = format!(
            "<a href=\"{}\">Temporary Redirect</a>.\n\n",
            to.replace('&', "&amp;")
        );
        assert_eq!(response.body, text.as_bytes());
    }
}

#[test]
fn gzip_is_said_and_read_back() {
    let (address, _stop) = served();
    let response = ask(address, "GET", "/metrics", "accept-encoding: gzip\r\n");
    assert_eq!(response.headers["content-encoding"], "gzip");
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&*response.body);
    decoder.read_to_string(&mut text).unwrap();
    assert_eq!(text, BODY);
    let response = ask(address, "GET", "/metrics", "accept-encoding: br\r\n");
    assert!(!response.headers.contains_key("content-encoding"));
}
