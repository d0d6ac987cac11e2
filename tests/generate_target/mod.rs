//! A tiny OTLP target on a real socket: what it was sent is decoded by prost, counted the obvious
//! way under the sidecar guide's configuration, and shown as text 0.0.4.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{Iter, iter};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

const BOUNDS_MS: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1e3, 5e3, 1e4];
const KINDS: [&str; 6] = [
    "UNSPECIFIED",
    "INTERNAL",
    "SERVER",
    "CLIENT",
    "PRODUCER",
    "CONSUMER",
];
const STATUS: [&str; 3] = ["UNSET", "OK", "ERROR"];
const DELETED: [&str; 13] = [
    "process.runtime.description",
    "process.command_args",
    "telemetry.distro.version",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "service.instance.id",
    "process.runtime.name",
    "process.pid",
    "process.executable.path",
    "process.command.args",
    "os.description",
    "instance",
    "container.id",
];

/// What becomes of the n-th request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Count,
    /// 503 or UNAVAILABLE, nothing counted.
    Refuse,
    /// Counted, and the stream or connection breaks instead of an answer.
    CountAndBreak,
    /// Counted, and the answer never comes.
    CountAndHang,
}

type Script = Arc<dyn Fn(u64) -> Answer + Send + Sync>;

#[derive(Default)]
struct Counted {
    requests: u64,
    /// Labels -> durations in nanoseconds.
    spans: BTreeMap<String, Vec<u64>>,
    events: BTreeMap<String, u64>,
}

#[derive(Clone)]
pub struct TestTarget {
    pub grpc: SocketAddr,
    /// Also answers scrapes.
    pub http: SocketAddr,
    counted: Arc<Mutex<Counted>>,
    script: Script,
}

impl TestTarget {
    /// Serves until the runtime ends.
    pub async fn start(script: impl Fn(u64) -> Answer + Send + Sync + 'static) -> Self {
        let grpc = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let http = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let target = Self {
            grpc: grpc.local_addr().expect("bound"),
            http: http.local_addr().expect("bound"),
            counted: Arc::default(),
            script: Arc::new(script),
        };
        tokio::spawn(target.clone().accept(grpc, true));
        tokio::spawn(target.clone().accept(http, false));
        target
    }

    /// Spans counted.
    pub fn spans(&self) -> usize {
        let counted = self.counted.lock().expect("not poisoned");
        counted.spans.values().map(Vec::len).sum()
    }

    async fn accept(self, listener: TcpListener, is_grpc: bool) {
        while let Ok((stream, _)) = listener.accept().await {
            let target = self.clone();
            let service = service_fn(move |request| target.clone().serve(request));
            let stream = TokioIo::new(stream);
            // A client that goes away is no failure of the target.
            tokio::spawn(async move {
                if is_grpc {
                    let builder = http2::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(stream, service).await);
                } else {
                    let builder = http1::Builder::new();
                    drop(builder.serve_connection(stream, service).await);
                }
            });
        }
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
        let (head, body) = request.into_parts();
        if head.method == Method::GET {
            return Ok(Response::new(body_of(self.exposition().into(), None)));
        }
        let body = body.collect().await.expect("a whole body").to_bytes();
        let (is_grpc, message) = match head.uri.path() {
            "/v1/traces" => {
                let is_gzip = head.headers.contains_key("content-encoding");
                (false, inflated(&body, is_gzip))
            }
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
                let length = u32::from_be_bytes(body[1..5].try_into().expect("a prefix"));
                assert_eq!(length as usize, body.len() - 5);
                assert_eq!(body[0] == 1, head.headers.contains_key("grpc-encoding"));
                (true, inflated(&body[5..], body[0] == 1))
            }
            other => panic!("no such path: {other}"),
        };
        let request = ExportTraceServiceRequest::decode(message.as_slice()).expect("well-formed");
        let answer = self.count(&request);
        match answer {
            Answer::Count | Answer::Refuse => {}
            Answer::CountAndBreak => return Err(Broken::other("as the script says")),
            Answer::CountAndHang => std::future::pending().await,
        }
        let is_refused = answer == Answer::Refuse;
        let mut response = if is_grpc {
            let status = if is_refused { "14" } else { "0" };
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(status));
            // An empty message, as a success has it.
            Response::new(body_of(Bytes::from_static(&[0; 5]), Some(trailers)))
        } else {
            Response::new(body_of(Bytes::new(), None))
        };
        if is_refused && !is_grpc {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(response)
    }

    fn count(&self, request: &ExportTraceServiceRequest) -> Answer {
        let mut counted = self.counted.lock().expect("not poisoned");
        let answer = (self.script)(counted.requests);
        counted.requests += 1;
        if answer == Answer::Refuse {
            return answer;
        }
        for of_resource in &request.resource_spans {
            let resource = of_resource.resource.as_ref().expect("a resource");
            let mut resource = texts(&resource.attributes);
            resource.retain(|key, _| !DELETED.contains(&key.as_str()));
            for span in of_resource
                .scope_spans
                .iter()
                .flat_map(|scope| &scope.spans)
            {
                let nanos = span.end_time_unix_nano - span.start_time_unix_nano;
                let set = labels(&resource, span, None);
                counted.spans.entry(set).or_default().push(nanos);
                for _ in &span.events {
                    *counted
                        .events
                        .entry(labels(&resource, span, Some("GET")))
                        .or_default() += 1;
                }
            }
        }
        answer
    }

    fn exposition(&self) -> String {
        let counted = self.counted.lock().expect("not poisoned");
        let mut lines = vec!["# TYPE acs_traces_span_metrics_calls counter".to_owned()];
        let metric = "acs_traces_span_metrics";
        for (labels, nanos) in &counted.spans {
            let count = nanos.len();
            lines.push(format!("{metric}_calls{{{labels}}} {count} 1700000000000"));
            let ms: Vec<f64> = nanos.iter().map(|nanos| *nanos as f64 / 1e6).collect();
            for bound in BOUNDS_MS {
                let below = ms.iter().filter(|ms| **ms <= bound).count();
                lines.push(format!(
                    "{metric}_duration_bucket{{{labels},le=\"{bound}\"}} {below}"
                ));
            }
            lines.push(format!(
                "{metric}_duration_bucket{{{labels},le=\"+Inf\"}} {count}"
            ));
            lines.push(format!(
                "{metric}_duration_sum{{{labels}}} {}",
                ms.iter().sum::<f64>()
            ));
            lines.push(format!("{metric}_duration_count{{{labels}}} {count}"));
        }
        for (labels, count) in &counted.events {
            lines.push(format!("{metric}_events{{{labels}}} {count}"));
        }
        lines.join("\n") + "\n"
    }
}

type Broken = std::io::Error;
type Body = StreamBody<Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

fn body_of(bytes: Bytes, trailers: Option<HeaderMap>) -> Body {
    let mut frames = vec![Ok(Frame::data(bytes))];
    frames.extend(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
    StreamBody::new(iter(frames))
}

fn inflated(body: &[u8], is_gzip: bool) -> Vec<u8> {
    let mut message = Vec::new();
    if is_gzip {
        let mut decoder = flate2::read::GzDecoder::new(body);
        decoder.read_to_end(&mut message).expect("gzip");
    } else {
        message.extend_from_slice(body);
    }
    message
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => Some("deleted".to_owned()),
    };
    attributes
        .iter()
        .filter_map(|pair| Some((pair.key.clone(), text(pair)?)))
        .collect()
}

fn labels(resource: &BTreeMap<String, String>, span: &Span, of_event: Option<&str>) -> String {
    let status = span.status.as_ref().map_or(0, |status| status.code);
    let mut labels = resource.clone();
    labels.insert(
        "job".to_owned(),
        format!(
            "{}/{}",
            resource["service.namespace"], resource["service.name"]
        ),
    );
    labels.insert("label1".to_owned(), "value1".to_owned());
    labels.insert(
        "otel_scope_name".to_owned(),
        "spanmetricsconnector".to_owned(),
    );
    labels.insert("span_name".to_owned(), span.name.clone());
    labels.insert(
        "span_kind".to_owned(),
        format!("SPAN_KIND_{}", KINDS[span.kind as usize]),
    );
    labels.insert(
        "status_code".to_owned(),
        format!("STATUS_CODE_{}", STATUS[status as usize]),
    );
    let attributes = texts(&span.attributes);
    for key in ["http.response.status_code", "http.route", "user.id"] {
        if let Some(value) = attributes.get(key) {
            labels.insert(key.to_owned(), value.clone());
        }
    }
    let method = attributes.get("http.method").map_or("GET", String::as_str);
    labels.insert("http.method".to_owned(), method.to_owned());
    if let Some(default) = of_event {
        labels.insert("default".to_owned(), default.to_owned());
    }
    let lines: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{}=\"{value}\"", key.replace('.', "_")))
        .collect();
    lines.join(",")
}
