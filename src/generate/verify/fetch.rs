//! One GET of a target: the answer's head at once, its body piece by piece.
//!
//! Nothing is kept: an exposition of a hundred thousand label sets is more than half a gigabyte. A
//! body that is coded with gzip is inflated as it comes, whether or not it was asked for.

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzDecoder;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::generate::target::Target;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    /// Empty: there is none.
    pub(super) content_type: String,
    body: Incoming,
    gzip: Option<GzDecoder<Vec<u8>>>,
    bytes: usize,
}

/// `path` with its query, behind the target's own path.
pub(super) async fn get(target: &Target, path: &str, accept: &str) -> Result<Answer, BoxError> {
    let request = http::Request::get(path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, "spanmill-generate")
        .header(ACCEPT, accept)
        .body(Empty::<Bytes>::new())?;
    let stream = TcpStream::connect(&target.authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the body: nothing else is asked for on this connection.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let header = |name| {
        let value = response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    let gzip = match header(CONTENT_ENCODING) {
        "" | "identity" => None,
        "gzip" => Some(GzDecoder::new(Vec::new())),
        other => return Err(format!("a body coded with {other}").into()),
    };
    Ok(Answer {
        status: response.status(),
        content_type: header(CONTENT_TYPE).to_owned(),
        gzip,
        body: response.into_body(),
        bytes: 0,
    })
}

impl Answer {
    /// The next piece of the body, inflated; `None`: that was all. `bytes_max` of the whole.
    pub(super) async fn piece(&mut self, bytes_max: usize) -> Result<Option<Bytes>, BoxError> {
        loop {
            let piece = match (self.body.frame().await, &mut self.gzip) {
                (Some(frame), gzip) => match (frame?.into_data(), gzip) {
                    (Err(_), _) => continue,
                    (Ok(piece), None) => piece,
                    (Ok(piece), Some(gzip)) => {
                        gzip.write_all(&piece)?;
                        std::mem::take(gzip.get_mut()).into()
                    }
                },
                (None, Some(_)) => {
                    let gzip = self.gzip.take().expect("it is there");
                    gzip.finish()?.into()
                }
                (None, None) => return Ok(None),
            };
            self.bytes += piece.len();
            if self.bytes > bytes_max {
                return Err(format!("more than {bytes_max} bytes").into());
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// All of the body that is left.
    pub(super) async fn whole(&mut self, bytes_max: usize) -> Result<Vec<u8>, BoxError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece(bytes_max).await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}
