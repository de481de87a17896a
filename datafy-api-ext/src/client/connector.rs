//! What an attempt adds to the opening of its connection.
//!
//! reqwest has one connect timeout per client, but each attempt has its own limit. The connector runs in the task of the
//! attempt, so the limit is passed to it in a task-local variable. If another attempt takes over a connection that is
//! being opened, the limit stays that of the first.

use super::BoxError;
use std::future::Future;
use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static CONNECTING: Connecting;
}

/// How an attempt opens its connection.
#[derive(Clone, Copy)]
pub(crate) struct Connecting {
    /// When the connection must be established.
    pub(crate) by: Instant,
    /// Whether the connection is closed again, so that no request is sent: connecting then fails with [`Opened`].
    pub(crate) only: bool,
}

impl Connecting {
    /// Runs an attempt that opens its connection in this way.
    pub(crate) fn scope<F: Future>(self, attempt: F) -> impl Future<Output = F::Output> {
        CONNECTING.scope(self, attempt)
    }
}

/// Connecting took too long.
#[derive(Debug, thiserror::Error)]
#[error("no connection within the connect timeout")]
struct TooSlow;

/// There was a connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed again")]
pub(crate) struct Opened;

/// Waits for a connector, in the way of the attempt in which it runs.
pub(crate) async fn connected<C>(
    connecting: impl Future<Output = Result<C, BoxError>>,
) -> Result<C, BoxError> {
    let Ok(Connecting { by, only }) = CONNECTING.try_with(|it| *it) else {
        return connecting.await;
    };
    let connection = timeout_at(by, connecting).await.map_err(|_| TooSlow)??;
    if only { Err(Opened.into()) } else { Ok(connection) }
}
