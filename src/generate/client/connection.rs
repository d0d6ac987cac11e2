//! One connection to the target, opened when it is first needed and again when it broke.
//!
//! HTTP/2 takes any number of requests at once; HTTP/1.1 one, and a request that is given up in the
//! middle takes its connection with it.

use std::future::Future;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::head::Head;
use super::{Outcome, answer};
use crate::generate::target::Target;

type Request = http::Request<Full<Bytes>>;

pub(in crate::generate) struct Connection {
    authority: String,
    is_grpc: bool,
    sender: Mutex<Option<Sender>>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    pub(in crate::generate) fn new(target: &Target, is_grpc: bool) -> Self {
        Self {
            authority: target.authority.clone(),
            is_grpc,
            sender: Mutex::new(None),
        }
    }

    /// Opens the connection if it is not open. An error means that nothing can be sent.
    pub(in crate::generate) async fn open(&self) -> std::io::Result<()> {
        let mut sender = self.sender.lock().await;
        if let Some(open) = sender.as_mut()
            && open.is_open().await
        {
            return Ok(());
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let opened = Sender::open(TokioIo::new(stream), self.is_grpc).await;
        *sender = Some(opened.map_err(std::io::Error::other)?);
        Ok(())
    }

    pub(in crate::generate) async fn send(&self, head: &Head, body: Bytes) -> Outcome {
        let sender = match &mut *self.sender.lock().await {
            Some(Sender::Http2(sender)) => Some(Sender::Http2(sender.clone())),
            of_one_request => of_one_request.take(),
        };
        let Some(mut sender) = sender else {
            return Outcome::Unanswered;
        };
        let Ok(outcome) = sender.exchange(head.with(body)).await else {
            return Outcome::Unanswered;
        };
        if let Sender::Http1(_) = sender {
            *self.sender.lock().await = Some(sender);
        }
        outcome
    }
}

impl Sender {
    async fn open(stream: TokioIo<TcpStream>, is_grpc: bool) -> hyper::Result<Self> {
        Ok(if is_grpc {
            let (sender, driver) = http2::handshake(LocalExecutor, stream).await?;
            tokio::task::spawn_local(driver);
            Self::Http2(sender)
        } else {
            let (sender, driver) = http1::handshake(stream).await?;
            tokio::task::spawn_local(driver);
            Self::Http1(sender)
        })
    }

    async fn is_open(&mut self) -> bool {
        match self {
            // Also notices that the server has closed the connection meanwhile.
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    async fn exchange(&mut self, request: Request) -> Result<Outcome, answer::Broken> {
        match self {
            Self::Http1(sender) => answer::of_http(sender.send_request(request).await?).await,
            Self::Http2(sender) => {
                sender.ready().await?;
                let response: http::Response<Incoming> = sender.send_request(request).await?;
                answer::of_grpc(response).await
            }
        }
    }
}

/// Runs hyper's tasks on the thread that asked.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
