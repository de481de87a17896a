//! Ports at which no server accepts a connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// A loopback port at which no server accepts a connection, as long as this lives.
pub struct Unreachable {
    address: SocketAddr,
    _sockets: (Option<TcpSocket>, Option<TcpListener>, Vec<TcpStream>),
}

impl Unreachable {
    /// A port that refuses connections.
    pub fn closed() -> Self {
        let socket = bound();
        Self {
            address: socket.local_addr().expect("a loopback port"),
            _sockets: (Some(socket), None, Vec::new()),
        }
    }

    /// A port whose connections are established, and never accepted by the program.
    pub fn unaccepted() -> Self {
        let listener = bound().listen(1024).expect("a loopback port");
        let address = listener.local_addr().expect("a loopback port");
        Self { address, _sockets: (None, Some(listener), Vec::new()) }
    }

    /// A port that answers no attempt to connect, since its backlog is full.
    pub async fn full() -> Self {
        let listener = bound().listen(1).expect("a loopback port");
        let address = listener.local_addr().expect("a loopback port");
        let mut waiting = Vec::new();
        while let Ok(stream) =
            timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(stream.expect("a loopback port"));
            assert!(waiting.len() < 16, "the backlog of {address} is never full");
        }
        Self { address, _sockets: (None, Some(listener), waiting) }
    }

    /// The port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A socket on a free loopback port, which another one can share as long as this one does not listen.
pub fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a loopback port");
    socket.set_reuseaddr(true).expect("a loopback port");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a loopback port");
    socket
}
