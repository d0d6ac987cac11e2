//! OTLP over HTTP/1.1: one request at a time on a connection that is kept open.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::sync::Mutex;

use super::{Outcome, Refusal, answer, connect, is_partial, request};
use crate::generate::error::GenerateError;
use crate::generate::signal::Signal;
use crate::generate::target::Target;

pub(in crate::generate) struct Connection {
    authority: String,
    request: http::Request<Full<Bytes>>,
    sender: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Connection {
    pub(super) fn new(target: &Target, is_gzip: bool) -> Result<Self, GenerateError> {
        let mut headers = vec![(http::header::CONTENT_TYPE, "application/x-protobuf")];
        if is_gzip {
            headers.push((http::header::CONTENT_ENCODING, "gzip"));
        }
        // HTTP/1.1 sends the path alone and names the host in a header.
        let uri = target.uri(Signal::Traces.http_path())?;
        let mut request = request(uri.path().parse().expect("a path is a URI"), &headers);
        request.headers_mut().insert(
            http::header::HOST,
            target
                .authority
                .parse()
                .expect("an authority is a header value"),
        );
        Ok(Self {
            authority: target.authority.clone(),
            request,
            sender: Mutex::new(None),
        })
    }

    pub(super) async fn open(&self) -> std::io::Result<()> {
        let mut sender = self.sender.lock().await;
        if let Some(open) = sender.as_mut() {
            // Also notices that the server has closed the connection meanwhile.
            if open.ready().await.is_ok() {
                return Ok(());
            }
        }
        let stream = connect(&self.authority).await?;
        let (opened, driver) = http1::handshake(stream)
            .await
            .map_err(std::io::Error::other)?;
        tokio::task::spawn_local(driver);
        *sender = Some(opened);
        Ok(())
    }

    /// A request that is given up in the middle takes its connection with it.
    pub(super) async fn send(&self, body: Bytes) -> Outcome {
        let Some(mut sender) = self.sender.lock().await.take() else {
            return Outcome::Unanswered;
        };
        let mut request = self.request.clone();
        *request.body_mut() = Full::new(body);
        match exchange(&mut sender, request).await {
            Ok(ending) => {
                *self.sender.lock().await = Some(sender);
                ending
            }
            Err(_) => Outcome::Unanswered,
        }
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
    let response = sender.send_request(request).await?;
    let status = response.status();
    let (message, _) = answer(response.into_body()).await?;
    Ok(if !status.is_success() {
        Outcome::Refused(Refusal::Http(status.as_u16()))
    } else if is_partial(&message) {
        Outcome::Refused(Refusal::Partial)
    } else {
        Outcome::Acknowledged
    })
}
