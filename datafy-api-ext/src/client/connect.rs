//! The limit on making a connection.
//!
//! reqwest knows one limit a client; a call may have its own. The connector runs within the call's own
//! task, so the limit reaches it there. A connection that another call takes over keeps the limit
//! that it was begun with.

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

/// Runs `call`; a connection that it begins must stand by `limit`, if there is one.
pub(crate) fn limited<F: Future>(
    limit: Option<Instant>,
    call: F,
) -> impl Future<Output = F::Output> {
    match limit {
        Some(limit) => Either::Left(LIMIT.scope(limit, call)),
        None => Either::Right(call),
    }
}

/// Making the connection took too long.
#[derive(Debug, thiserror::Error)]
#[error("no connection within the connect timeout")]
struct TooSlow;

/// Holds connectors to the limit of the call that they run in.
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
