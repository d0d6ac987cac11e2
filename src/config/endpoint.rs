//! `host:port`, checked as written. Names are not resolved here.

use thiserror::Error;

use super::diagnostic::Code;
use super::section::Section;
use super::value::shown;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    #[error("the port is missing")]
    MissingPort,
    #[error("the port is not a number from 0 to 65535")]
    Port,
    #[error("an IPv6 address needs brackets")]
    Brackets,
    #[error("the host has a character that no host has")]
    Host,
}

/// Host and port of an address to listen on. The host may be empty: every address of the machine.
pub fn split(text: &str) -> Result<(&str, u16), EndpointError> {
    let (host, port) = text.rsplit_once(':').ok_or(EndpointError::MissingPort)?;
    let bare = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or(EndpointError::Brackets)?,
        None if host.contains(':') => return Err(EndpointError::Brackets),
        None => host,
    };
    if port.is_empty() {
        return Err(EndpointError::MissingPort);
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EndpointError::Port);
    }
    let port = port.parse().map_err(|_| EndpointError::Port)?;
    if bare.contains(|character: char| character.is_whitespace() || "/[]@".contains(character)) {
        return Err(EndpointError::Host);
    }
    Ok((bare, port))
}

impl Section<'_> {
    /// The key `endpoint` of a server, as written. What is no address is reported.
    pub fn listen_endpoint(&mut self, default: &str) -> String {
        let text = self.string("endpoint", default);
        let path = self.path_of("endpoint");
        if text.trim().is_empty() {
            self.refuse(
                "endpoint",
                Code::Missing,
                format!("`{path}` is missing"),
                "an address to listen on: `host:port`",
            );
        } else if let Err(error) = split(&text) {
            // Nothing else says what a variable held.
            let message = format!("`{path}` cannot be `{}`: {error}", shown(&text));
            self.refuse(
                "endpoint",
                Code::Value,
                message,
                "an address to listen on: `host:port`",
            );
        }
        text
    }
}
