//! Readings of a server that answers what the test says.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::generate::load::Load;
use crate::generate::scenario::LoadOptions;
use crate::generate::totals::Sent;
use crate::generate::verify::{Expectation, Verifier};

/// Answers each request by its path and its number; `None` breaks the connection.
async fn server(
    answer: impl Fn(&str, usize) -> Option<Vec<u8>> + Send + 'static,
    path: &str,
) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else {
                return;
            };
            let mut request = vec![0; 8 << 10];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            if let Some(answer) = answer(path, number) {
                // A client that has gone is no failure of the server.
                drop(stream.write_all(&answer).await);
            }
        }
    });
    Target::parse(&format!("http://{address}{path}"), 0).expect("an address")
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn text(body: &str) -> Vec<u8> {
    http(
        "200 OK",
        "content-type: text/plain; version=0.0.4\r\n",
        body.as_bytes(),
    )
}

fn json(result: &str) -> Vec<u8> {
    let body =
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#);
    http(
        "200 OK",
        "content-type: application/json\r\n",
        body.as_bytes(),
    )
}

fn watch() -> Watch {
    Watch::new(&[Expectation::default()], false).expect("names")
}

const CALLS: &str = "acs_traces_span_metrics_calls{job=\"shop\"} 7\n";

async fn calls(target: &Target) -> Result<Option<f64>, GenerateError> {
    let source = Source::find(&target.clone().into()).await?;
    let read = source.read(&watch()).await?;
    let shown = read.observed.groups[0].spans.get("{job=\"shop\"}");
    Ok(shown.and_then(|series| series.calls))
}

#[tokio::test]
async fn exposition_is_read_plain_coded_and_as_openmetrics() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(CALLS.as_bytes()).expect("to memory");
    let gzip = gzip.finish().expect("to memory");
    let openmetrics = "content-type: application/openmetrics-text; version=1.0.0\r\n";
    let ended = format!("{CALLS}# EOF\n");
    for answer in [
        text(CALLS),
        http("200 OK", "content-encoding: gzip\r\n", &gzip),
        http("200 OK", openmetrics, ended.as_bytes()),
    ] {
        let target = server(move |_, _| Some(answer.clone()), "/metrics").await;
        assert_eq!(calls(&target).await.expect("readable"), Some(7.0));
    }
}

#[tokio::test]
async fn what_answers_queries_is_an_api_and_anything_else_an_exposition() {
    let api = |path: &str, _| {
        let is_calls = path.contains("_calls_total");
        let calls = r#"{"metric":{"__name__":"acs_traces_span_metrics_calls","job":"shop"},"value":[1,"9"]}"#;
        let number = r#"{"metric":{},"value":[1,"1"]}"#;
        Some(match path {
            _ if path.starts_with("/api/v1/query?nocache=1&query=vector") => json(number),
            _ if path.starts_with("/api/v1/query?") && is_calls => json(calls),
            _ if path.starts_with("/api/v1/query?") => json(""),
            _ => text(CALLS),
        })
    };
    assert_eq!(
        calls(&server(api, "").await).await.expect("readable"),
        Some(9.0)
    );
    let with_path = server(api, "/metrics").await;
    assert_eq!(calls(&with_path).await.expect("readable"), Some(7.0));
    let exposition = |path: &str, _| {
        let is_known = path == "/metrics";
        Some(if is_known {
            text(CALLS)
        } else {
            http("404 Not Found", "", b"")
        })
    };
    assert_eq!(
        calls(&server(exposition, "").await)
            .await
            .expect("readable"),
        Some(7.0)
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_its_reason() {
    let long = format!("{CALLS}x{{a=\"{}\"}} 1\n", "y".repeat(2 * LINE_BYTES_MAX));
    for (answer, reason) in [
        (http("500 Internal Server Error", "", b""), "500"),
        (text("acs{ 1\n"), "line 1 of the exposition"),
        (text("acs 1"), "the last line has no end"),
        (text(&long), "a line of more than 1048576 bytes"),
        (
            http("200 OK", "content-encoding: br\r\n", b""),
            "coded with br",
        ),
        (
            http("200 OK", "content-encoding: gzip\r\n", b"no gzip"),
            "did not answer",
        ),
        (http("200 OK", "", &[b'x', 0xff, b'\n']), "utf-8"),
    ] {
        let target = server(move |_, _| Some(answer.clone()), "/metrics").await;
        let error = calls(&target).await.expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// The first reading shows an empty target, the next two break, then it has nothing to show.
#[tokio::test]
async fn reading_that_fails_is_tried_again_until_the_time_is_over() {
    let answers = |_: &str, number| match number {
        1 | 2 => None,
        _ => Some(text("")),
    };
    let target = server(answers, "/metrics").await;
    let verifier = Verifier::begin(target, vec![Expectation::default()]).await;
    let verifier = verifier.expect("a reading");
    let load = Arc::new(Load::new(LoadOptions::default()));
    let sent = Sent::new(&verifier.bounds_ns());
    let at_once = verifier
        .settle(&load, &sent, Duration::ZERO)
        .await
        .expect("defined");
    assert!(!at_once.passed() && at_once.unread.is_some());
    let settled = verifier
        .settle(&load, &sent, SCRAPE_TIMEOUT)
        .await
        .expect("defined");
    assert!(settled.passed(), "{settled:?}");
    assert_eq!(settled.scrapes, 2);
}
