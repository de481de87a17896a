//! Connections that are opened and closed again: no request is sent on one.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Has connectors close each connection that they have opened, and fail. The flag says that there was one.
#[derive(Clone)]
pub(crate) struct OnlyConnect(pub(crate) Arc<AtomicBool>);

impl<S> Layer<S> for OnlyConnect {
    type Service = Connector<S>;

    fn layer(&self, connector: S) -> Connector<S> {
        Connector { connector, opened: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(crate) struct Connector<S> {
    connector: S,
    opened: Arc<AtomicBool>,
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let opened = Arc::clone(&self.opened);
        let connecting = self.connector.call(request);
        Box::pin(async move {
            drop(connecting.await.map_err(Into::into)?);
            opened.store(true, Ordering::Relaxed);
            Err("the connection was closed again".into())
        })
    }
}
