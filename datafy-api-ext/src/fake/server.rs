//! The socket side of the fake: listening, the connections, and the faults of the wire.

use super::fault::{Answer, Fault};
use super::handler;
use super::state::Shared;
use super::wire;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long the fake waits before it tries again to accept a connection.
const BREATHER: Duration = Duration::from_millis(5);

/// The listening task. It ends, and its connections with it, when this is dropped.
pub(super) struct Server {
    address: SocketAddr,
    commands: mpsc::UnboundedSender<Command>,
    task: AbortHandle,
    connections: Arc<AtomicUsize>,
}

enum Command {
    Close(oneshot::Sender<()>),
    Open(oneshot::Sender<()>),
}

impl Server {
    pub(super) fn start(port: u16, shared: Shared) -> io::Result<Self> {
        // Bound and never listening: it keeps the port ours while the listener is gone.
        let reservation = socket((Ipv4Addr::LOCALHOST, port).into())?;
        let address = reservation.local_addr()?;
        let listener = socket(address)?.listen(BACKLOG)?;
        let (commands, receiver) = mpsc::unbounded_channel();
        let connections = Arc::default();
        let run = run(reservation, listener, shared, receiver, Arc::clone(&connections));
        let task = tokio::spawn(run).abort_handle();
        Ok(Self { address, commands, task, connections })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) async fn outage(&self) -> Outage {
        ask(&self.commands, Command::Close).await;
        Outage { commands: self.commands.clone() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The time in which a [`Fake`](super::Fake) refuses connections. It lasts until it is ended.
#[derive(Debug)]
#[must_use = "an outage lasts until it is ended"]
pub struct Outage {
    commands: mpsc::UnboundedSender<Command>,
}

impl Outage {
    /// Takes connections again.
    pub async fn end(self) {
        ask(&self.commands, Command::Open).await;
    }
}

async fn ask(
    commands: &mpsc::UnboundedSender<Command>,
    command: impl FnOnce(oneshot::Sender<()>) -> Command,
) {
    let (done, answer) = oneshot::channel();
    // Both fail only once the fake is gone, and then nothing listens anyway.
    if commands.send(command(done)).is_ok() {
        let _ = answer.await;
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Outside Linux the former doesn't let two sockets share a port.
    #[cfg(any(
        target_os = "macos",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn run(
    reservation: TcpSocket,
    listener: TcpListener,
    shared: Shared,
    mut commands: mpsc::UnboundedReceiver<Command>,
    open: Arc<AtomicUsize>,
) -> io::Result<()> {
    let address = reservation.local_addr()?;
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        open.store(connections.len(), Ordering::Relaxed);
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accept => {
                match accepted {
                    Ok((stream, _)) => drop(connections.spawn(serve(stream, shared.clone()))),
                    // Out of file descriptors, mostly. Others will be given back.
                    Err(_) => tokio::time::sleep(BREATHER).await,
                }
            }
            Some(_) = connections.join_next() => {}
            Some(command) = commands.recv() => match command {
                Command::Close(done) => {
                    listener = None;
                    connections.shutdown().await;
                    open.store(0, Ordering::Relaxed);
                    let _ = done.send(());
                }
                Command::Open(done) => {
                    if listener.is_none() {
                        listener = Some(socket(address)?.listen(BACKLOG)?);
                    }
                    let _ = done.send(());
                }
            },
        }
    }
}

/// Serves one connection to its end. How it ended is of no interest.
async fn serve(mut stream: TcpStream, shared: Shared) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    loop {
        if buffer.is_empty() && !matches!(stream.peek(&mut [0]).await, Ok(1..)) {
            return;
        }
        let fault = shared.next_fault();
        if fault == Some(Fault::ResetBeforeReading) {
            let _ = stream.set_zero_linger();
            return;
        }
        let request = match wire::read(&mut stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(error) => {
                let answer = handler::refusal(400, &error.to_string());
                let _ = send(&mut stream, &answer).await;
                return;
            }
        };
        let last = request.header("connection") == Some("close");
        let answer = {
            let mut state = shared.lock();
            let answer = match &fault {
                Some(Fault::Answer(answer)) => answer.clone(),
                Some(Fault::ReadThenReset | Fault::ReadThenHang) => Answer::status(500),
                Some(Fault::ApplyThenAnswer(answer)) => {
                    handler::serve(&mut state, &request);
                    answer.clone()
                }
                _ => handler::serve(&mut state, &request),
            };
            state.requests.push(request);
            answer
        };
        match answer_with(&mut stream, &answer, fault).await {
            Ok(true) if !last => {}
            _ => return,
        }
    }
}

/// Sends the answer as the fault has it, and says whether the connection lives on.
async fn answer_with(
    stream: &mut TcpStream,
    answer: &Answer,
    fault: Option<Fault>,
) -> io::Result<bool> {
    let head = answer.head();
    match fault {
        Some(Fault::ReadThenReset | Fault::ApplyThenReset) => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Some(Fault::ReadThenHang | Fault::ApplyThenHang) => {
            gone(stream).await;
            return Ok(false);
        }
        Some(Fault::ApplyThenCutHeaders) => {
            stream.write_all(&head[..head.len() / 2]).await?;
            return Ok(false);
        }
        Some(cut @ (Fault::ApplyThenCutBody | Fault::ApplyThenStallBody)) => {
            stream.write_all(&head).await?;
            stream.write_all(&answer.body[..answer.body.len() / 2]).await?;
            if cut == Fault::ApplyThenStallBody {
                gone(stream).await;
            }
            return Ok(false);
        }
        Some(Fault::Drip) => {
            for byte in head.iter().chain(&answer.body) {
                stream.write_all(&[*byte]).await?;
                tokio::task::yield_now().await;
            }
            return Ok(true);
        }
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    send(stream, answer).await?;
    Ok(fault != Some(Fault::CloseIdle))
}

async fn send(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    let mut bytes = answer.head();
    bytes.extend_from_slice(&answer.body);
    stream.write_all(&bytes).await
}

/// Waits until the other side gives up.
async fn gone(stream: &mut TcpStream) {
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}
