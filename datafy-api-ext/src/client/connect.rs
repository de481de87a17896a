//! The connect timeout of a single call.
//!
//! reqwest has one connect timeout per client, but each call may set another. The connector runs in the task of the
//! call, so the timeout is passed to it in a task-local variable. If another call takes over a connection that is being
//! opened, the timeout stays that of the first call.

use futures_util::future::Either;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, timeout_at};
use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

tokio::task_local! {
    static LIMIT: Instant;
}

/// Runs `call`. A connection that it opens must be established by `limit`, if there is one.
pub(crate) fn limited<F: Future>(
    limit: Option<Instant>,
    call: F,
) -> impl Future<Output = F::Output> {
    match limit {
        Some(limit) => Either::Left(LIMIT.scope(limit, call)),
        None => Either::Right(call),
    }
}

/// Connecting took too long.
#[derive(Debug, thiserror::Error)]
#[error("no connection within the connect timeout")]
struct TooSlow;

/// Applies to connectors the limit of the call that they run in.
#[derive(Clone)]
pub(crate) struct LimitConnect;

impl<S> Layer<S> for LimitConnect {
    type Service = Limited<S>;

    fn layer(&self, connector: S) -> Limited<S> {
        Limited(connector)
    }
}

#[derive(Clone)]
pub(crate) struct Limited<S>(S);

impl<S, R> Service<R> for Limited<S>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let limit = LIMIT.try_with(|limit| *limit).ok();
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = match limit {
                Some(limit) => timeout_at(limit, connecting).await.map_err(|_| TooSlow)?,
                None => connecting.await,
            };
            connected.map_err(Into::into)
        })
    }
}
