//! Where requests go: `host:port` or `http://host:port[/path][?query]`, taken apart once.

use std::fmt;
use std::time::Duration;

use super::error::GenerateError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `host:port`.
    pub authority: String,
    /// Without a trailing slash, with its query; empty for the root.
    pub path: String,
}

impl Target {
    /// # Errors
    /// When `text` names no address, asks for TLS, or has a fragment, which would never be sent.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, GenerateError> {
        let refused = || GenerateError::Address {
            text: text.to_owned(),
        };
        if text.starts_with("https://") {
            return Err(GenerateError::Tls {
                text: text.to_owned(),
            });
        }
        if text.contains('#') {
            return Err(GenerateError::Fragment {
                text: text.to_owned(),
            });
        }
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let parsed: http::uri::Authority = authority.parse().map_err(|_| refused())?;
        if parsed.host().is_empty() || authority.contains('@') {
            return Err(refused());
        }
        // A port that is out of range is none for the parser, so it is read here.
        let port = match &authority[parsed.host().len()..] {
            "" => default_port,
            port => port[1..].parse().map_err(|_| refused())?,
        };
        Ok(Self {
            authority: format!("{}:{port}", parsed.host()),
            path: match path.split_once('?') {
                None => path.trim_end_matches('/').to_owned(),
                Some((path, query)) => format!("/{}?{query}", path.trim_matches('/')),
            },
        })
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        let port = self.authority.rsplit(':').next();
        port.and_then(|port| port.parse().ok())
            .expect("`parse` ends the authority with a port")
    }

    /// Connects once and closes again: a target that is not there is said before a run begins.
    ///
    /// # Errors
    /// When nobody listens, or nobody has answered after `timeout`.
    pub async fn probe(&self, timeout: Duration) -> Result<(), GenerateError> {
        let connecting = tokio::net::TcpStream::connect(&self.authority);
        let connected = tokio::time::timeout(timeout, connecting).await;
        connected
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
            .map(drop)
            .map_err(|source| GenerateError::Connect {
                authority: self.authority.clone(),
                source,
            })
    }

    /// Of this target, with `path` after its own, and its query behind that.
    pub(super) fn uri(&self, path: &str) -> Result<http::Uri, GenerateError> {
        let authority = &self.authority;
        let text = match self.path.split_once('?') {
            None => format!("http://{authority}{}{path}", self.path),
            Some((own, query)) => {
                let own = own.trim_end_matches('/');
                format!("http://{authority}{own}{path}?{query}")
            }
        };
        text.parse().map_err(|_| GenerateError::Address { text })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String)> {
        let target = Target::parse(text, 4317).ok()?;
        Some((target.authority, target.path))
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (text, authority, path) in [
            ("127.0.0.1:4317", "127.0.0.1:4317", ""),
            ("localhost", "localhost:4317", ""),
            ("http://[::1]:4318", "[::1]:4318", ""),
            (
                "http://localhost:1234/metrics",
                "localhost:1234",
                "/metrics",
            ),
            ("http://localhost:1234/", "localhost:1234", ""),
            ("http://localhost:1234?a=/b", "localhost:1234", "/?a=/b"),
            ("localhost:1234/x/y/?a=b", "localhost:1234", "/x/y?a=b"),
        ] {
            let want = (authority.to_owned(), path.to_owned());
            assert_eq!(parsed(text), Some(want), "{text}");
            let port = Target::parse(text, 4317).map(|target| target.port());
            assert_eq!(
                port.ok(),
                authority
                    .rsplit(':')
                    .next()
                    .and_then(|port| port.parse().ok())
            );
        }
    }

    #[test]
    fn query_stands_behind_the_path_of_a_request() {
        for (text, uri) in [
            ("localhost:1", "http://localhost:1/v1/logs"),
            ("localhost:1/x/", "http://localhost:1/x/v1/logs"),
            ("localhost:1/?t=5", "http://localhost:1/v1/logs?t=5"),
            (
                "http://localhost:1/x?t=5&u=/",
                "http://localhost:1/x/v1/logs?t=5&u=/",
            ),
        ] {
            let target = Target::parse(text, 1).expect(text);
            assert_eq!(target.uri("/v1/logs").expect(text).to_string(), uri);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "localhost:1/x#y",
            "localhost:1#y",
            "",
            ":4317",
            "a b:1",
            "host:99999",
            "host:",
            "u@host:1",
            "https://host:1",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
