//! Listens for connections, and can stop listening for a while.

use super::connection::serve;
use super::state::{Shared, locked};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long the fake waits after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// A port, the task that serves its connections unless there is an outage, and what it serves.
pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) address: SocketAddr,
    /// Never listens: it reserves the port while there is no listener.
    _reservation: TcpSocket,
    task: Mutex<Option<JoinHandle<()>>>,
    runtime: Handle,
    /// The number of open connections.
    pub(super) open: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn start(address: SocketAddr) -> io::Result<Self> {
        let reservation = socket(address)?;
        let server = Self {
            shared: Arc::default(),
            address: reservation.local_addr()?,
            _reservation: reservation,
            task: Mutex::default(),
            runtime: Handle::current(),
            open: Arc::default(),
        };
        server.listen()?;
        Ok(server)
    }

    /// Accepts connections, unless it does so already.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut task = locked(&self.task);
        if task.is_none() {
            let _runtime = self.runtime.enter();
            let listener = socket(self.address)?.listen(BACKLOG)?;
            let run = run(listener, Arc::clone(&self.shared), Arc::clone(&self.open));
            *task = Some(tokio::spawn(run));
        }
        Ok(())
    }

    /// Closes the listener and all connections.
    pub(super) async fn stop(&self) {
        let task = locked(&self.task).take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
            self.open.store(0, Ordering::Relaxed);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        locked(&self.task).take().inspect(JoinHandle::abort);
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

/// Serves all connections in one task, so that they end with it.
async fn run(listener: TcpListener, shared: Arc<Shared>, open: Arc<AtomicUsize>) {
    let mut connections = FuturesUnordered::new();
    let mut accepted = 0;
    loop {
        open.store(connections.len(), Ordering::Relaxed);
        tokio::select! {
            incoming = listener.accept() => match incoming {
                Ok((stream, _)) => {
                    accepted += 1;
                    connections.push(serve(stream, accepted, Arc::clone(&shared)));
                }
                // Mostly because there are no file descriptors left.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(()) = connections.next() => {}
        }
    }
}
