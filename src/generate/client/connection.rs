//! One connection to the target, opened when it is first needed and again when it broke.
//!
//! HTTP/2 takes any number of requests at once; HTTP/1.1 one, and a request that is given up in the
//! middle takes its connection with it. Whoever finds it being opened waits for the outcome, good or
//! bad, and does not try again itself.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::Outcome;
use super::answer::{self, Broken};
use super::head::Head;
use crate::generate::target::Target;

pub(in crate::generate) struct Connection {
    authority: String,
    is_grpc: bool,
    /// An attempt to open it that takes longer has failed.
    open_timeout: Duration,
    /// Attempts that failed.
    failures: Cell<u64>,
    sender: Mutex<Option<Sender>>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(h2::client::SendRequest<Bytes>),
}

impl Connection {
    pub(in crate::generate) fn new(target: &Target, is_grpc: bool, open_timeout: Duration) -> Self {
        Self {
            authority: target.authority.clone(),
            is_grpc,
            open_timeout,
            failures: Cell::new(0),
            sender: Mutex::new(None),
        }
    }

    /// Opens the connection if it is not open; gives up when `ended` returns. False: nothing can be
    /// sent.
    pub(in crate::generate) async fn open(&self, ended: impl Future<Output = ()>) -> bool {
        let failures = self.failures.get();
        let mut sender = self.sender.lock().await;
        if let Some(open) = sender.as_mut()
            && open.is_open().await
        {
            return true;
        }
        if self.failures.get() != failures {
            // Somebody has tried while this one waited.
            return false;
        }
        let opening = Sender::open(&self.authority, self.is_grpc);
        *sender = tokio::select! {
            biased;
            opened = tokio::time::timeout(self.open_timeout, opening) => {
                opened.ok().and_then(Result::ok)
            }
            () = ended => None,
        };
        if sender.is_none() {
            self.failures.set(self.failures.get() + 1);
        }
        sender.is_some()
    }

    pub(in crate::generate) async fn send(&self, head: &Head, body: Bytes) -> Outcome {
        let sender = match &mut *self.sender.lock().await {
            Some(Sender::Http2(sender)) => Some(Sender::Http2(sender.clone())),
            of_one_request => of_one_request.take(),
        };
        let Some(mut sender) = sender else {
            return Outcome::Unanswered;
        };
        let Ok(outcome) = sender.exchange(head, body).await else {
            return Outcome::Unanswered;
        };
        if let Sender::Http1(_) = sender {
            *self.sender.lock().await = Some(sender);
        }
        outcome
    }
}

impl Sender {
    async fn open(authority: &str, is_grpc: bool) -> Result<Self, Broken> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        // How the connection ends is seen by the requests that it had under way.
        Ok(if is_grpc {
            let (sender, driver) = h2::client::handshake(stream).await?;
            tokio::task::spawn_local(driver);
            Self::Http2(sender)
        } else {
            let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::task::spawn_local(driver);
            Self::Http1(sender)
        })
    }

    /// Also notices that the server has closed the connection meanwhile.
    async fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.clone().ready().await.is_ok(),
        }
    }

    async fn exchange(&mut self, head: &Head, body: Bytes) -> Result<Outcome, Broken> {
        match self {
            Self::Http1(sender) => {
                let request = head.request().map(|()| Full::new(body));
                answer::of_http(sender.send_request(request).await?).await
            }
            Self::Http2(sender) => {
                let mut sender = sender.clone().ready().await?;
                let (response, mut stream) = sender.send_request(head.request(), false)?;
                // Before the driver comes to run: head and message leave in one write, as clients of
                // the field send them. What the server's window has no room for waits in the stream.
                stream.send_data(body, true)?;
                answer::of_grpc(response.await?).await
            }
        }
    }
}

#[cfg(test)]
mod tests;
