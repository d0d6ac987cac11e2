//! Where requests go: `host:port` or `http://host:port[/path]`, taken apart once.

use std::fmt;

use super::error::GenerateError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `host:port`.
    pub authority: String,
    /// Without a trailing slash; empty for the root.
    pub path: String,
}

impl Target {
    /// # Errors
    /// When `text` names no address or asks for TLS.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, GenerateError> {
        let refused = || GenerateError::Address {
            text: text.to_owned(),
        };
        if text.starts_with("https://") {
            return Err(GenerateError::Tls {
                text: text.to_owned(),
            });
        }
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
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
            path: path.trim_end_matches('/').to_owned(),
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
    /// When nobody listens.
    pub async fn probe(&self) -> Result<(), GenerateError> {
        let connected = tokio::net::TcpStream::connect(&self.authority).await;
        connected
            .map(drop)
            .map_err(|source| GenerateError::Connect {
                authority: self.authority.clone(),
                source,
            })
    }

    /// Of this target, with `path` after its own.
    pub(super) fn uri(&self, path: &str) -> Result<http::Uri, GenerateError> {
        let text = format!("http://{}{}{path}", self.authority, self.path);
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
    fn what_is_no_address_is_refused() {
        for text in [
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
