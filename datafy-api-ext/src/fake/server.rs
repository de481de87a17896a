//! Listens for connections, and can stop listening for a while.

use super::connection::serve;
use super::state::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long the fake waits after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// The listening task. It and its connections end when this is dropped.
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
    pub(super) fn start(address: SocketAddr, shared: Shared) -> io::Result<Self> {
        // Never listens: it reserves the port while there is no listener.
        let reservation = socket(address)?;
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

/// A time in which a [`Fake`](super::Fake) refuses connections. Lasts until [`end`](Self::end) is called, or this is
/// dropped.
#[derive(Debug)]
#[must_use = "the outage ends when this is dropped"]
pub struct Outage {
    commands: mpsc::UnboundedSender<Command>,
}

impl Outage {
    /// Accepts connections again. They are accepted when this returns; after a drop, soon.
    pub async fn end(self) {
        ask(&self.commands, Command::Open).await;
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        let _ = self.commands.send(Command::Open(done));
    }
}

async fn ask(
    commands: &mpsc::UnboundedSender<Command>,
    command: impl FnOnce(oneshot::Sender<()>) -> Command,
) {
    let (done, answer) = oneshot::channel();
    // Both fail only after the fake was dropped. Then nothing listens any more.
    if commands.send(command(done)).is_ok() {
        let _ = answer.await;
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Outside Linux, `SO_REUSEADDR` alone doesn't let two sockets share a port.
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
                    // Mostly because there are no file descriptors left.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
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
