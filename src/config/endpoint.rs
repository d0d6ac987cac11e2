//! `host:port`, checked as written. Names are not resolved here.

use thiserror::Error;

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
