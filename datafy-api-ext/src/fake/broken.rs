//! The answers that hyper can't send: bytes, and what follows them.

use super::fault::Fault;
use super::reply::Reply;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The interim answers of a flood.
const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                       HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";

/// Bytes in place of an answer of hyper. As the error of a service it makes hyper give back the connection.
#[derive(Debug, thiserror::Error)]
#[error("an answer that hyper doesn't send")]
pub(super) struct Broken {
    bytes: Vec<u8>,
    then: Then,
}

/// What follows the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The next request is served.
    Serve,
    /// As [`Serve`](Self::Serve), and the bytes are sent one at a time.
    Drip,
    Close,
    Reset,
    /// Nothing, until the client closes the connection.
    Hold,
    /// The same bytes again after this time. Then the next request is served.
    Again(Duration),
    /// The same bytes again, until the client closes the connection.
    Flood,
}

impl Broken {
    /// No answer, since the client has not sent all of its request.
    pub(super) fn closed() -> Self {
        Self { bytes: Vec::new(), then: Then::Close }
    }

    /// How this fault sends the reply, unless hyper can send it.
    pub(super) fn new(fault: Option<&Fault>, reply: &Reply) -> Option<Self> {
        let head = reply.head(&format!("content-length: {}", reply.body.len()));
        let whole = || [&head[..], &reply.body].concat();
        let half = || [&head[..], &reply.body[..reply.body.len() / 2]].concat();
        let (bytes, then) = match fault? {
            Fault::ReadThenReset | Fault::ApplyThenReset => (Vec::new(), Then::Reset),
            Fault::ReadThenHang | Fault::ApplyThenHang => (Vec::new(), Then::Hold),
            Fault::ReadThenSend(text) | Fault::ApplyThenSend(text) => {
                (text.clone().into(), Then::Close)
            }
            Fault::ApplyThenCutHeaders => (head[..head.len() / 2].into(), Then::Close),
            Fault::ApplyThenCutBody => (half(), Then::Close),
            Fault::ApplyThenStallBody => (half(), Then::Hold),
            Fault::ApplyThenFlood => (INTERIM.into(), Then::Flood),
            Fault::Drip => (whole(), Then::Drip),
            Fault::TinyChunks(least) => (tiny_chunks(reply, *least), Then::Serve),
            Fault::LateDuplicate(delay) => (whole(), Then::Again(*delay)),
            Fault::CloseIdle => (whole(), Then::Close),
            // After a 101 the connection doesn't speak HTTP.
            Fault::Answer(_) | Fault::ApplyThenAnswer(_) if reply.status.is_informational() => {
                (reply.head("upgrade: websocket"), Then::Hold)
            }
            Fault::Answer(_)
            | Fault::ApplyThenAnswer(_)
            | Fault::ApplyThenNameVolume(_)
            | Fault::Delay(_) => return None,
        };
        Some(Self { bytes, then })
    }

    /// Sends the bytes and does what follows. Returns whether the next request is served.
    pub(super) async fn send(&self, stream: &mut TcpStream) -> io::Result<bool> {
        let at_a_time = if self.then == Then::Drip { 1 } else { self.bytes.len().max(1) };
        for bytes in self.bytes.chunks(at_a_time) {
            stream.write_all(bytes).await?;
            tokio::task::yield_now().await;
        }
        match self.then {
            Then::Serve | Then::Drip => return Ok(true),
            Then::Close => {}
            Then::Reset => stream.set_zero_linger()?,
            Then::Hold => while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {},
            Then::Again(delay) => {
                tokio::time::sleep(delay).await;
                stream.write_all(&self.bytes).await?;
                return Ok(true);
            }
            Then::Flood => loop {
                stream.write_all(&self.bytes).await?;
                tokio::task::yield_now().await;
            },
        }
        Ok(false)
    }
}

/// The reply in chunks of one byte, with so many spaces behind it that there are at least `least` chunks.
fn tiny_chunks(reply: &Reply, least: usize) -> Vec<u8> {
    let spaces = std::iter::repeat_n(&b' ', least.saturating_sub(reply.body.len()));
    let mut bytes = reply.head("transfer-encoding: chunked");
    for byte in reply.body.iter().chain(spaces) {
        bytes.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
