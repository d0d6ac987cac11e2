//! A target that does not answer costs each attempt its time once, and nobody more.

use std::net::Ipv4Addr;

use super::*;

/// Takes no connection beside the one it has: further ones wait in vain, as those to an address that
/// nobody has.
struct Deaf {
    target: Target,
    _listener: socket2::Socket,
    _pending: Vec<TcpStream>,
}

impl Deaf {
    async fn new() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let listener = listener.expect("a socket");
        let any = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).expect("loopback");
        listener.listen(0).expect("a socket");
        let address = listener.local_addr().expect("bound").as_socket();
        let address = address.expect("of IPv4").to_string();
        let mut pending = Vec::new();
        // Nothing is accepted: the backlog is full when a connection does not come about at once.
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(&address)).await
        {
            pending.push(stream.expect("a listener"));
            assert!(pending.len() < 50, "the backlog is bounded");
        }
        Self {
            target: Target::parse(&address, 0).expect("an address"),
            _listener: listener,
            _pending: pending,
        }
    }
}

#[tokio::test]
async fn attempt_ends_with_its_time() {
    let deaf = Deaf::new().await;
    let connection = Connection::new(&deaf.target, true, Duration::from_millis(1));
    assert!(!connection.open(std::future::pending()).await);
    assert_eq!(connection.failures.get(), 1);
}

#[tokio::test]
async fn attempt_ends_with_the_run() {
    let deaf = Deaf::new().await;
    let connection = Connection::new(&deaf.target, true, Duration::from_hours(1));
    assert!(!connection.open(std::future::ready(())).await);
}

#[tokio::test]
async fn those_that_wait_for_an_attempt_do_not_try_again_when_it_fails() {
    let deaf = Deaf::new().await;
    let connection = Connection::new(&deaf.target, true, Duration::from_millis(5));
    let open = || connection.open(std::future::pending());
    let opened = tokio::join!(open(), open(), open(), open());
    assert_eq!(opened, (false, false, false, false));
    assert_eq!(connection.failures.get(), 1);
    // The next one does.
    assert!(!open().await);
    assert_eq!(connection.failures.get(), 2);
}
