//! Opens a connection, and makes no call.

use super::transport;
use crate::client::connector::{Connecting, Opened};
use crate::client::proxy::Route;
use crate::client::{Datafy, Inner};
use crate::error::{Error, ErrorKind, Report};
use tokio::time::Instant;

impl Datafy {
    /// The proxy that requests go through, if any: its URL without credentials, and the environment variable that names it.
    pub fn proxy(&self) -> Option<String> {
        match &self.inner().http.route {
            Route::Direct => None,
            Route::Variable(proxy) => Some(proxy.to_string()),
            Route::Configured => Some("one that the program has configured".to_owned()),
        }
    }

    /// Opens a connection as a call does, and closes it: checks the token's source, the name resolution, the proxy and
    /// TLS. No request is sent.
    ///
    /// It proves neither that the service accepts the token, nor, if a proxy reads the requests to a plain `http`
    /// endpoint, that the proxy reaches the endpoint. There is one attempt, within the connect timeout.
    #[doc(alias("ping", "check"))]
    pub async fn connect(&self) -> Result<(), Error> {
        let (begun, started) = (Instant::now(), self.clock().date().into());
        let not_sent = |mut report: Box<Report>| {
            report.operation = "connect";
            report.elapsed = begun.elapsed();
            report.object = "a request".into();
            report.endpoint = self.endpoint().into();
            report.started = started;
            Error(report)
        };
        let Inner { tokens, http, options, .. } = self.inner();
        let not_ready = |kind| move |error| not_sent(transport::not_ready(kind, &error));
        let credential = tokens.current().await.map_err(not_ready(ErrorKind::Token))?;
        let limit = options.timeouts.connect;
        let client = http.client(limit, limit).map_err(not_ready(ErrorKind::Request))?;
        let connecting = Connecting { by: begun + limit, only: true };
        // The connector never hands a connection over, so there is no answer.
        let Err(error) = connecting.scope(client.get(self.endpoint()).send()).await else {
            return Ok(());
        };
        if transport::sources(&error).any(<dyn std::error::Error>::is::<Opened>) {
            return Ok(());
        }
        Err(not_sent(transport::failure(&error, &http.route, &credential)))
    }
}
