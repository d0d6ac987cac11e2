//! Asks a target for its exposition, as text 0.0.4.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::generate::error::GenerateError;
use crate::generate::target::Target;

/// A million label sets of 13 lines of 500 bytes would be more; nobody scrapes that.
const EXPOSITION_BYTES_MAX: usize = 2 << 30;
const SCRAPE_TIMEOUT: Duration = Duration::from_mins(1);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The text that the target answers with. Without a path, `/metrics` is asked for.
///
/// # Errors
/// When there is no such text within a minute.
pub async fn scrape(target: &Target) -> Result<String, GenerateError> {
    let refused = |reason: String| GenerateError::Scrape {
        url: target.to_string(),
        reason,
    };
    match tokio::time::timeout(SCRAPE_TIMEOUT, fetch(target)).await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(_) => Err(refused(format!("no answer in {SCRAPE_TIMEOUT:?}"))),
    }
}

async fn fetch(target: &Target) -> Result<String, BoxError> {
    let path = if target.path.is_empty() {
        "/metrics"
    } else {
        &target.path
    };
    let request = http::Request::get(path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, "spanmill-generate")
        .header(ACCEPT, "text/plain;version=0.0.4")
        .body(Empty::<Bytes>::new())?;
    let stream = TcpStream::connect(&target.authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        if status != http::StatusCode::OK {
            return Err(format!("HTTP status {status}").into());
        }
        let body = Limited::new(response.into_body(), EXPOSITION_BYTES_MAX);
        let bytes = body.collect().await?.to_bytes();
        Ok(String::from_utf8(bytes.into())?)
    };
    // The connection moves only while it is polled; it ends when the exchange drops its end.
    let (text, _) = tokio::join!(exchange, connection);
    text
}
