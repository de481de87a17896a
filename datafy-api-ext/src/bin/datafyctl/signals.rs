//! Ctrl-C, and the signals that ask a program to end.

use std::future::Future;
use std::io;

/// Listens for Ctrl-C, and on Unix for SIGTERM and SIGHUP, from now on.
pub(crate) struct Signals {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    signals: (tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlBreak),
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| signal(kind);
        Ok(Self {
            signals: [
                of(SignalKind::interrupt())?,
                of(SignalKind::terminate())?,
                of(SignalKind::hangup())?,
            ],
        })
    }

    #[cfg(windows)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Self { signals: (ctrl_c()?, ctrl_break()?) })
    }

    /// Waits for the next one.
    pub(crate) fn next(&mut self) -> impl Future<Output = ()> + Send + '_ {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.signals;
            async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
            }
        }
        #[cfg(windows)]
        {
            let (ctrl_c, ctrl_break) = &mut self.signals;
            async move {
                tokio::select! {
                    _ = ctrl_c.recv() => {}
                    _ = ctrl_break.recv() => {}
                }
            }
        }
    }
}
