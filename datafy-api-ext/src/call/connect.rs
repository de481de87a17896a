//! Opens a connection, and makes no call.

use super::transport;
use crate::client::Datafy;
use crate::client::proxy::Route;
use crate::error::{About, Cause, Error, ErrorKind, Report};
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
        let begun = Instant::now();
        let opened = Arc::new(AtomicBool::new(false));
        let not_sent = |kind, text, cause| {
            Error::new(Report {
                kind,
                text,
                cause,
                elapsed: begun.elapsed(),
                about: Some(About {
                    object: "a request".to_owned(),
                    endpoint: self.endpoint().to_owned(),
                    subject: Subject::default(),
                }),
                ..Report::new("connect", Outcome::NotSent)
            })
        };
        let credential = self.inner().tokens.current().await.map_err(|error| {
            let cause = error.source().and_then(Cause::of);
            not_sent(ErrorKind::Token, Untrusted::local(error.to_string()), cause)
        })?;
        let http = &self.inner().http;
        let client = http.without_requests(Arc::clone(&opened)).map_err(|error| {
            let cause = error.source().and_then(Cause::of);
            not_sent(ErrorKind::Request, Untrusted::local(error.to_string()), cause)
        })?;
        let result = client.get(self.endpoint()).send().await;
        match result {
            Err(error) if !opened.load(Ordering::Relaxed) => {
                let failure = transport::failure(&error, &http.route, &credential);
                Err(not_sent(failure.kind, failure.text, failure.cause))
            }
            // The connector never hands a connection over, so there is no answer.
            _ => Ok(()),
        }
    }
}
