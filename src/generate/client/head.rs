//! Everything of a request but its body, made once and cloned for each.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, TE, USER_AGENT};
use http::{HeaderName, HeaderValue};

use crate::generate::error::GenerateError;
use crate::generate::target::Target;

const AGENT: HeaderValue = HeaderValue::from_static("spanmill-generate");
pub(in crate::generate) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A request without its body.
#[derive(Debug)]
pub(in crate::generate) struct Head {
    request: http::Request<()>,
    /// Below the endpoint's own path.
    pub(in crate::generate) path: String,
    pub(in crate::generate) content_type: String,
    pub(in crate::generate) encoding: Option<String>,
}

impl Head {
    pub(in crate::generate) fn new(
        target: &Target,
        is_grpc: bool,
        path: &str,
        content_type: &str,
        encoding: Option<&str>,
    ) -> Result<Self, GenerateError> {
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| GenerateError::Header {
                text: text.to_owned(),
            })
        };
        let mut request = http::Request::new(());
        *request.method_mut() = http::Method::POST;
        let uri = target.uri(path)?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, AGENT);
        headers.insert(CONTENT_TYPE, value(content_type)?);
        if is_grpc {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        } else {
            headers.insert(HOST, value(&target.authority)?);
        }
        if let Some(encoding) = encoding {
            let name = if is_grpc {
                GRPC_ENCODING
            } else {
                CONTENT_ENCODING
            };
            headers.insert(name, value(encoding)?);
        }
        *request.uri_mut() = if is_grpc {
            uri
        } else {
            // HTTP/1.1 sends path and query alone and names the host in a header.
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            path.parse().expect("a path is a URI")
        };
        Ok(Self {
            request,
            path: path.to_owned(),
            content_type: content_type.to_owned(),
            encoding: encoding.map(str::to_owned),
        })
    }

    pub(super) fn request(&self) -> http::Request<()> {
        self.request.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_of_the_endpoint_is_sent_and_not_captured() {
        let target = Target::parse("http://localhost:1/base?tenant=5", 1).expect("an address");
        let head = Head::new(&target, false, "/v1/traces", "text/plain", None).expect("fits");
        assert_eq!(head.request().uri(), "/base/v1/traces?tenant=5");
        assert_eq!(head.path, "/v1/traces");
    }
}
