//! The server behind a gateway: it counts effects, and fails on demand.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// How long [`Fault::Late`] waits before it answers: longer than every gateway waits.
const LATE: Duration = Duration::from_millis(1500);

/// What follows a request that has been read in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The answer: no fault.
    Healthy,
    /// The connection is closed.
    Close,
    /// [`Close`](Self::Close) for the first request of a call, [`Healthy`](Self::Healthy) for the others.
    CloseOnce,
    /// The connection is reset.
    Reset,
    /// Half of the answer's head, then the connection is closed.
    HalfHead,
    /// The head and half of the body, then the connection is closed.
    HalfBody,
    /// Nothing, until the gateway closes the connection.
    Hang,
    /// Bytes that are not HTTP, then the connection is closed.
    Garbage,
    /// The answer, but later than the gateway waits for it.
    Late,
}

/// What the requests of one call meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) fault: Fault,
    /// Whether a request has its effect before the fault.
    pub(crate) applies: bool,
}

impl Fault {
    /// The fault after the effect.
    pub(crate) const fn after(self) -> Script {
        Script { fault: self, applies: true }
    }

    /// The fault in place of the effect.
    pub(crate) const fn instead(self) -> Script {
        Script { fault: self, applies: false }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.fault, if self.applies { "" } else { ", no effect" })
    }
}

/// What the requests of one call did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) effects: usize,
    /// How many of the requests came on a connection that had served another one.
    pub(crate) reused: usize,
}

/// A server on a free loopback port. It ends, and its connections with it, when this is dropped.
pub(crate) struct Origin {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

#[derive(Default)]
struct State {
    scripts: HashMap<usize, Script>,
    seen: HashMap<usize, Seen>,
}

impl State {
    /// Records a request, and returns what follows it.
    fn enter(&mut self, number: usize, reused: bool) -> Fault {
        let script = self.scripts[&number];
        let seen = self.seen.entry(number).or_default();
        seen.requests += 1;
        seen.effects += usize::from(script.applies);
        seen.reused += usize::from(reused);
        match script.fault {
            Fault::CloseOnce if seen.requests == 1 => Fault::Close,
            Fault::CloseOnce => Fault::Healthy,
            fault => fault,
        }
    }
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::default();
        let task = tokio::spawn(run(listener, Arc::clone(&state))).abort_handle();
        Self { address, state, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what requests meet that are about the volume or the snapshot of this number.
    pub(crate) fn script(&self, number: usize, script: Script) {
        lock(&self.state).scripts.insert(number, script);
    }

    /// What the requests about the volume or the snapshot of this number did.
    pub(crate) fn seen(&self, number: usize) -> Seen {
        lock(&self.state).seen.get(&number).copied().unwrap_or_default()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(connections.spawn(serve(stream, Arc::clone(&state)))),
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection to its end. How it ended is of no interest.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut served = 0;
    while let Some(request) = read(&mut stream).await? {
        // The request that asks whether a gateway is ready has no number.
        let Some(number) = number(&request) else {
            return stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n").await;
        };
        let fault = lock(&state).enter(number, served > 0);
        served += 1;
        if !answer(&mut stream, fault, &body(&request, number)).await? || is_last(&request) {
            break;
        }
    }
    Ok(())
}

/// Answers as the fault has it. Returns whether the connection serves further requests.
async fn answer(stream: &mut TcpStream, fault: Fault, body: &str) -> io::Result<bool> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    match fault {
        Fault::Healthy => stream.write_all(format!("{head}{body}").as_bytes()).await?,
        Fault::Close | Fault::CloseOnce => {}
        Fault::Reset => stream.set_zero_linger()?,
        Fault::HalfHead => stream.write_all(&head.as_bytes()[..head.len() / 2]).await?,
        Fault::HalfBody => {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body.as_bytes()[..length / 2]).await?;
        }
        Fault::Hang => while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {},
        Fault::Garbage => stream.write_all(b"220 mail.example ESMTP\r\n\r\n").await?,
        Fault::Late => {
            tokio::time::sleep(LATE).await;
            stream.write_all(format!("{head}{body}").as_bytes()).await?;
        }
    }
    Ok(fault == Fault::Healthy)
}

/// The answer to this request.
fn body(request: &str, number: usize) -> String {
    let line = request.lines().next().unwrap_or_default();
    if line.contains("/create-snapshot ") {
        format!(
            r#"{{"datafySnapshotId":"dsnap-{number}","volumeId":"vol-seed{number}","status":"pending"}}"#
        )
    } else if line.contains("/create-from-snapshots ") {
        let size_gb = number + 1; // as in the stage, by which a call checks that the answer is its own
        format!(r#"{{"volumeId":"vol-created{number}","volumeSizeGB":{size_gb}}}"#)
    } else {
        r#"{"message":""}"#.to_owned()
    }
}

/// The number of the volume in the request's path, or of the snapshot in its body.
fn number(request: &str) -> Option<usize> {
    let (_, after) = request.split_once("-seed")?;
    after.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Whether the gateway expects the connection to be closed after the answer to this request.
fn is_last(request: &str) -> bool {
    request.lines().next().is_some_and(|line| line.ends_with("HTTP/1.0"))
}

/// The head and the body of the next request, or `None` if the connection ends first.
async fn read(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            assert!(!head.contains("transfer-encoding"), "this server reads no chunks: {head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Ok(Some(text));
            }
        }
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            count => text.push_str(&String::from_utf8_lossy(&chunk[..count])),
        }
    }
}

/// A loopback port at which no server accepts a connection, as long as this lives.
pub(crate) struct Unreachable {
    address: SocketAddr,
    _sockets: (Option<TcpSocket>, Option<TcpListener>, Vec<TcpStream>),
}

impl Unreachable {
    /// A port that refuses connections.
    pub(crate) fn closed() -> Self {
        let socket = bound();
        Self { address: socket.local_addr().unwrap(), _sockets: (Some(socket), None, Vec::new()) }
    }

    /// A port whose connections are established, and never accepted by the program.
    pub(crate) fn unaccepted() -> Self {
        let listener = bound().listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, _sockets: (None, Some(listener), Vec::new()) }
    }

    /// A port that answers no attempt to connect, since its backlog is full.
    pub(crate) async fn full() -> Self {
        let listener = bound().listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) =
            timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(stream.unwrap());
            assert!(waiting.len() < 16, "the backlog of {address} is never full");
        }
        Self { address, _sockets: (None, Some(listener), waiting) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A socket on a free loopback port, which another one can share as long as this one does not listen.
pub(crate) fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    socket
}
