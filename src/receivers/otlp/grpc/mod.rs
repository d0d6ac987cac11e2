//! gRPC calls in, messages handed to the worker, the Collector's statuses out.
//!
//! Framing is done here by hand on HTTP/2 streams (decision 0002): a message takes its permit when
//! its five-byte prefix is there and is joined at most once. Answers to refusals are trailers only.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};

use super::body::{Chunks, read_message};
use super::compression::Coding;
use super::error::{Reason, ReceiveError};
use super::front::{Front, Tools};
use super::options::Keepalive;
use super::status::{Status, code};
use crate::workers::{Outcome, Signal, Worker};

mod connection;

pub(super) use connection::serve;

const GRPC: &str = "application/grpc";
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// A framed `ExportTraceServiceResponse` with an empty but present `partial_success`.
const ACCEPTED: &[u8] = &[0, 0, 0, 0, 2, 0x0a, 0];

/// Read on, behind the answer to a refused call: what the largest message may have.
const DISCARD_BYTES_MAX: u64 = 4 << 20;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(1);

const SERVICES: [(&str, Signal); 3] = [
    (
        "opentelemetry.proto.collector.trace.v1.TraceService",
        Signal::Traces,
    ),
    (
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        Signal::Metrics,
    ),
    (
        "opentelemetry.proto.collector.logs.v1.LogsService",
        Signal::Logs,
    ),
];

/// The gRPC side of a receiver.
pub(super) struct GrpcServer {
    pub(super) front: Front,
    pub(super) keepalive: Keepalive,
}

impl AsRef<Front> for GrpcServer {
    fn as_ref(&self) -> &Front {
        &self.front
    }
}

/// Why a call is refused, and how that is said.
struct Refusal {
    http: StatusCode,
    status: Status,
    reason: Reason,
}

impl Refusal {
    fn new(reason: Reason, code: u8, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            http: StatusCode::OK,
            status: Status::new(code, message),
            reason,
        }
    }
}

/// A message that could not be had, in the words of gRPC.
impl From<ReceiveError> for Refusal {
    fn from(error: ReceiveError) -> Self {
        let (code, message) = match error {
            ReceiveError::TooLarge { bytes, bytes_max } => (
                code::RESOURCE_EXHAUSTED,
                format!("grpc: received message larger than max ({bytes} vs. {bytes_max})"),
            ),
            ReceiveError::TooLargeInflated { bytes_max } => (
                code::RESOURCE_EXHAUSTED,
                format!("grpc: received message after decompression larger than max {bytes_max}"),
            ),
            ReceiveError::NeverFits { .. } | ReceiveError::NoRoom => {
                (code::RESOURCE_EXHAUSTED, error.to_string())
            }
            ReceiveError::Inflate(cause) => {
                let step = if cause.is_first_header() {
                    "decompress the message"
                } else {
                    "read decompressed data"
                };
                (code::INTERNAL, format!("grpc: failed to {step}: {cause}"))
            }
            ReceiveError::Stalled(_) | ReceiveError::Slow(_) => {
                (code::DEADLINE_EXCEEDED, error.to_string())
            }
            ReceiveError::Cut => (code::CANCELLED, error.to_string()),
            ReceiveError::NoMessage { .. } => (code::UNKNOWN, error.to_string()),
            ReceiveError::MessageFlag(_)
            | ReceiveError::SeveralMessages
            | ReceiveError::FlagWithoutEncoding => (code::INTERNAL, format!("grpc: {error}")),
        };
        let mut refusal = Self::new(error.reason(), code, message);
        refusal.status.retry = error == ReceiveError::NoRoom;
        refusal
    }
}

impl GrpcServer {
    /// Answers a call. False: the client took it back.
    async fn answer(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        worker: &Rc<Worker>,
        tools: &Tools,
    ) -> bool {
        let (call, body) = request.into_parts();
        let mut chunks = Chunks::new(StreamBody::new(body), self.front.pace());
        let taken = self.take(&call, &mut chunks, worker, tools).await;
        let shard = worker.index();
        let Err(refusal) = taken else {
            self.front.counters.answered(shard, u16::from(code::OK));
            return accept(&mut respond).is_ok();
        };
        // How a run ended is counted with the run.
        if refusal.reason != Reason::Pipeline {
            self.front.counters.refusal(shard, refusal.reason);
        }
        if refusal.reason == Reason::Cut {
            return false;
        }
        self.front
            .counters
            .answered(shard, u16::from(refusal.status.code));
        let sent = refuse(&mut respond, &refusal);
        // Dropping a body that is still coming would be counted by h2 as a reset of ours, and
        // enough of those would end the whole connection.
        let discard = chunks.discard(DISCARD_BYTES_MAX);
        let _ = tokio::time::timeout(DISCARD_TIME_MAX, discard).await;
        sent.is_ok()
    }

    async fn take(
        &self,
        call: &Parts,
        chunks: &mut Chunks<StreamBody>,
        worker: &Rc<Worker>,
        tools: &Tools,
    ) -> Result<(), Refusal> {
        check_call(call)?;
        let signal = self.signal(call.uri.path())?;
        let coding = self.coding(&call.headers)?;
        let request = self.front.admission.requests.try_take(1);
        let _in_progress = request.ok_or(ReceiveError::NoRoom)?;
        let message = read_message(chunks, self.front.room(), &tools.buffers).await?;
        let coding = match (message.compressed, coding) {
            (true, Coding::Identity) => return Err(ReceiveError::FlagWithoutEncoding.into()),
            (true, coding) => coding,
            (false, _) => Coding::Identity,
        };
        let held = self.front.inflate(message.held, coding, tools).await?;
        match self.front.run(worker, signal, held).await {
            Some(Outcome::Accepted { .. }) => Ok(()),
            Some(Outcome::Malformed { reason }) => Err(Refusal::new(
                Reason::Pipeline,
                code::INTERNAL,
                format!("grpc: error unmarshalling request: {reason}"),
            )),
            Some(Outcome::TooLarge { reason }) => Err(Refusal::new(
                Reason::Pipeline,
                code::RESOURCE_EXHAUSTED,
                reason,
            )),
            Some(Outcome::Refused { reason, .. }) => {
                Err(Refusal::new(Reason::Pipeline, code::UNAVAILABLE, reason))
            }
            None => Err(Refusal::new(
                Reason::Pipeline,
                code::UNAVAILABLE,
                "request was not run",
            )),
        }
    }

    /// The signal that the path `/service/method` stands for.
    fn signal(&self, path: &str) -> Result<Signal, Refusal> {
        let unimplemented =
            |reason, message| Err(Refusal::new(reason, code::UNIMPLEMENTED, message));
        let call = path.strip_prefix('/').unwrap_or(path);
        let Some((service, method)) = call.rsplit_once('/') else {
            let message = format!("malformed method name: {path:?}");
            return unimplemented(Reason::NotFound, message);
        };
        let known = SERVICES.iter().find(|(name, _)| *name == service);
        match known {
            Some((_, signal)) if self.front.takes(*signal) => {
                if method == "Export" {
                    Ok(*signal)
                } else {
                    let message = format!("unknown method {method} for service {service}");
                    unimplemented(Reason::NotFound, message)
                }
            }
            known => {
                let reason = if known.is_some() {
                    self.front.say_once(
                        &self.front.said.signal,
                        "refused a request of a signal that no pipeline takes",
                        ("service", service),
                    );
                    Reason::SignalNotSupported
                } else {
                    Reason::NotFound
                };
                unimplemented(reason, format!("unknown service {service}"))
            }
        }
    }

    fn coding(&self, headers: &HeaderMap) -> Result<Coding, Refusal> {
        let coding = headers.get(GRPC_ENCODING).map(HeaderValue::as_bytes);
        match coding.unwrap_or_default() {
            b"" | b"identity" => Ok(Coding::Identity),
            b"gzip" => Ok(Coding::Gzip),
            other => {
                let other = String::from_utf8_lossy(other);
                self.front.say_encoding(&other);
                Err(Refusal::new(
                    Reason::EncodingNotSupported,
                    code::UNIMPLEMENTED,
                    format!("grpc: Decompressor is not installed for grpc-encoding \"{other}\""),
                ))
            }
        }
    }
}

/// Whether a request is a gRPC call at all.
fn check_call(call: &Parts) -> Result<(), Refusal> {
    let content_type = call.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content_type = content_type.unwrap_or_default();
    let rest = content_type.strip_prefix(GRPC.as_bytes());
    let (http, status) = if call.method != Method::POST {
        let method = call.method.as_str();
        let message =
            format!("Received a HEADERS frame with :method \"{method}\" which should be POST");
        (
            StatusCode::METHOD_NOT_ALLOWED,
            Status::new(code::INTERNAL, message),
        )
    } else if !matches!(rest, Some([] | [b'+' | b';', ..])) {
        let content_type = String::from_utf8_lossy(content_type);
        let message = format!("invalid gRPC request content-type {content_type:?}");
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Status::new(code::INVALID_ARGUMENT, message),
        )
    } else {
        return Ok(());
    };
    Err(Refusal {
        http,
        status,
        reason: Reason::TypeNotSupported,
    })
}

fn head(http: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = http;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    response
}

fn accept(respond: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut stream: SendStream<Bytes> = respond.send_response(head(StatusCode::OK), false)?;
    stream.send_data(Bytes::from_static(ACCEPTED), false)?;
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    stream.send_trailers(trailers)
}

#[cold]
fn refuse(respond: &mut SendResponse<Bytes>, refusal: &Refusal) -> Result<(), h2::Error> {
    let status = &refusal.status;
    let mut response = head(refusal.http);
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, u16::from(status.code).into());
    let fields = [
        (GRPC_MESSAGE, Some(status.grpc_message())),
        (GRPC_DETAILS, status.grpc_details()),
    ];
    for (name, value) in fields {
        // Both are printable ASCII by their making.
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
    respond.send_response(response, true).map(drop)
}

/// The data of a stream. A chunk's share of the window is given back when the next chunk is asked
/// for, so after its permit was taken.
struct StreamBody {
    stream: RecvStream,
    window_bytes_held: usize,
}

impl StreamBody {
    fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            window_bytes_held: 0,
        }
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let held = std::mem::take(&mut self.window_bytes_held);
        self.stream.flow_control().release_capacity(held)?;
        let chunk = ready!(self.stream.poll_data(context));
        Poll::Ready(chunk.map(|chunk| {
            let chunk = chunk?;
            self.window_bytes_held = chunk.len();
            Ok(Frame::data(chunk))
        }))
    }
}
