//! An endpoint as the user wrote it in, a listening socket out.
//!
//! As in the reference, no host, `0.0.0.0` and `[::]` listen on every address of both families;
//! `localhost` and other names take one address, IPv4 first.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel completes before we accept them.
const BACKLOG_MAX: i32 = 1024;

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("endpoint \"{endpoint}\" is not host:port")]
    Endpoint { endpoint: String },
    #[error("host of endpoint \"{endpoint}\" cannot be resolved")]
    Resolve { endpoint: String, source: io::Error },
    #[error("cannot listen on \"{endpoint}\"")]
    Listen { endpoint: String, source: io::Error },
}

/// Binds and listens; nothing is accepted yet.
pub fn listen(endpoint: &str) -> Result<TcpListener, ListenError> {
    let (host, port) = split(endpoint).ok_or_else(|| ListenError::Endpoint {
        endpoint: endpoint.to_owned(),
    })?;
    let listening = if matches!(host, "" | "0.0.0.0" | "::") {
        // A kernel without IPv6 refuses the first.
        bind((Ipv6Addr::UNSPECIFIED, port).into())
            .or_else(|_| bind((Ipv4Addr::UNSPECIFIED, port).into()))
    } else {
        bind(resolve(host, port).map_err(|source| ListenError::Resolve {
            endpoint: endpoint.to_owned(),
            source,
        })?)
    };
    listening.map_err(|source| ListenError::Listen {
        endpoint: endpoint.to_owned(),
        source,
    })
}

/// `host:port`, `:port`, `[v6]:port`.
fn split(endpoint: &str) -> Option<(&str, u16)> {
    let (host, port) = endpoint.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .map_or(Some(host), |host| host.strip_suffix(']'))?;
    let bracketed = bare.len() != host.len();
    (bracketed || !bare.contains(':')).then_some((bare, port.parse().ok()?))
}

fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok((address, port).into());
    }
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let first = addresses.iter().find(|address| address.is_ipv4());
    first
        .or(addresses.first())
        .copied()
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for old connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_MAX)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::{ListenError, listen, split};

    #[test]
    fn endpoints_are_split_into_host_and_port() {
        for (endpoint, parts) in [
            ("localhost:4317", Some(("localhost", 4317))),
            (":4317", Some(("", 4317))),
            ("[::]:4317", Some(("::", 4317))),
            ("[::1]:0", Some(("::1", 0))),
            ("::1:4317", None),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:99999", None),
            ("[::1:4317", None),
        ] {
            assert_eq!(split(endpoint), parts, "{endpoint}");
        }
    }

    #[test]
    fn every_address_means_both_families() {
        for endpoint in ["0.0.0.0:0", "[::]:0", ":0"] {
            let listener = listen(endpoint).expect("a free port");
            let address = listener.local_addr().expect("bound");
            TcpStream::connect(("127.0.0.1", address.port())).expect("IPv4");
            // Without IPv6 on the machine the listener is one of IPv4.
            if address.is_ipv6() {
                TcpStream::connect(("::1", address.port())).expect("IPv6");
            }
        }
    }

    #[test]
    fn localhost_is_one_loopback_address() {
        let listener = listen("localhost:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        assert!(address.ip().is_loopback() && address.is_ipv4(), "{address}");
    }

    #[test]
    fn taken_port_names_the_endpoint() {
        let taken = listen("127.0.0.1:0").expect("a free port");
        let endpoint = taken.local_addr().expect("bound").to_string();
        let error = listen(&endpoint).expect_err("it is taken");
        assert!(matches!(error, ListenError::Listen { .. }));
        assert_eq!(
            error.to_string(),
            format!("cannot listen on \"{endpoint}\"")
        );
    }
}
