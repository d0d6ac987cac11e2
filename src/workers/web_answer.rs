//! What a handler of the small web server gives: a response, and who learns whether it was written.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one request of the peer.
pub type Handler = Arc<
    dyn Fn(Request<()>, SocketAddr) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync,
>;

/// Called with what became of an answer; dropped without a call when it was cut.
pub type Receipt = Box<dyn FnMut(Delivery) + Send>;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All bytes were handed to the kernel.
    Written,
    /// After that and before another request the peer reset the connection: soon after, it had bytes
    /// unread.
    Reset,
}

/// A response, and who wants to know whether it was written.
pub struct Answer {
    pub response: Response<Body>,
    pub receipt: Option<Receipt>,
}

impl Answer {
    /// An answer nobody waits for.
    #[must_use]
    pub fn new(response: Response<Body>) -> Self {
        Self {
            response,
            receipt: None,
        }
    }
}

/// A page that is all there.
#[must_use]
pub fn page(
    status: StatusCode,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// What the Collector says of any path it does not have.
#[must_use]
pub fn not_found() -> Response<Body> {
    let mut response = page(
        StatusCode::NOT_FOUND,
        "text/plain; charset=utf-8",
        "404 page not found\n",
    );
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
