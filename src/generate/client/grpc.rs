//! OTLP over gRPC: one HTTP/2 connection, any number of requests in flight.
//!
//! By hand on hyper, not through a gRPC client: bodies come framed from the source, so nothing is
//! copied or encoded here, and what a request costs is what HTTP/2 costs.

use bytes::{Buf, Bytes};
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use tokio::sync::Mutex;

use super::{LocalExecutor, Outcome, Refusal, answer, connect, is_partial, request};
use crate::generate::error::GenerateError;
use crate::generate::signal::Signal;
use crate::generate::target::Target;

/// Prefix of a message: one byte of flags, four of length.
const PREFIX_BYTES: usize = 5;
/// A status that the server did not send: the answer was no gRPC.
const UNKNOWN: i32 = 2;

pub(in crate::generate) struct Connection {
    authority: String,
    request: http::Request<Full<Bytes>>,
    sender: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Connection {
    pub(super) fn new(target: &Target, is_gzip: bool) -> Result<Self, GenerateError> {
        let mut headers = vec![
            (http::header::CONTENT_TYPE, "application/grpc"),
            (http::header::TE, "trailers"),
        ];
        if is_gzip {
            headers.push((http::HeaderName::from_static("grpc-encoding"), "gzip"));
        }
        Ok(Self {
            authority: target.authority.clone(),
            request: request(target.uri(Signal::Traces.grpc_path())?, &headers),
            sender: Mutex::new(None),
        })
    }

    pub(super) async fn open(&self) -> std::io::Result<()> {
        let mut sender = self.sender.lock().await;
        if sender.as_ref().is_some_and(|open| !open.is_closed()) {
            return Ok(());
        }
        let stream = connect(&self.authority).await?;
        let (opened, driver) = http2::handshake(LocalExecutor, stream)
            .await
            .map_err(std::io::Error::other)?;
        tokio::task::spawn_local(driver);
        *sender = Some(opened);
        Ok(())
    }

    pub(super) async fn send(&self, body: Bytes) -> Outcome {
        let Some(mut sender) = self.sender.lock().await.clone() else {
            return Outcome::Unanswered;
        };
        let mut request = self.request.clone();
        *request.body_mut() = Full::new(body);
        match exchange(&mut sender, request).await {
            Ok(ending) => ending,
            Err(_) => Outcome::Unanswered,
        }
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    if head.status != http::StatusCode::OK {
        return Ok(Outcome::Refused(Refusal::Http(head.status.as_u16())));
    }
    let (mut message, trailers) = answer(body).await?;
    // A refusal without a body may carry its status in the headers.
    let status = trailers
        .as_ref()
        .and_then(|trailers| trailers.get("grpc-status"))
        .or_else(|| head.headers.get("grpc-status"));
    let code = status
        .and_then(|status| status.to_str().ok()?.parse::<i32>().ok())
        .unwrap_or(UNKNOWN);
    if code != 0 {
        return Ok(Outcome::Refused(Refusal::Grpc(code)));
    }
    message.advance(PREFIX_BYTES.min(message.len()));
    Ok(if is_partial(&message) {
        Outcome::Refused(Refusal::Partial)
    } else {
        Outcome::Acknowledged
    })
}
