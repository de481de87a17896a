//! Classifies a request without an answer: whether it was written, and whether another attempt may succeed.

use crate::client::proxy::Route;
use crate::client::{ConfigError, Credential};
use crate::error::{Cause, ErrorKind, Report};
use std::error::Error as StdError;
use std::io;

/// The text of a timeout that a reqwest client sets. The type is private.
const REQWEST_TIMEOUT: &str = "operation timed out";

/// There is no token to send, or no HTTP client to send it with.
pub(crate) fn not_ready(kind: ErrorKind, error: &ConfigError) -> Box<Report> {
    let cause = error.source().and_then(Cause::of);
    Report::not_sent(kind, error.to_string(), error.transient).because(cause)
}

/// Classifies the error of a request without an answer, which took this way.
pub(crate) fn failure(
    error: &reqwest::Error,
    route: &Route,
    credential: &Credential,
) -> Box<Report> {
    let failure = if error.is_connect() {
        connecting(error, route)
    } else if error.is_builder() {
        Report::not_sent(ErrorKind::Request, "the request can't be built", false)
    } else if never_written(error) {
        let text = "the connection was closed before the request was written";
        Report::not_sent(ErrorKind::ConnectionLost, text, true)
    } else if sources(error).any(is_foreign_timeout) {
        Report::ambiguous(ErrorKind::Timeout, "timed out")
    } else {
        Report::ambiguous(ErrorKind::ConnectionLost, "the connection was lost")
    };
    failure.because(cause(error, credential))
}

/// Classifies a failure to connect.
///
/// An invalid certificate, TLS versions without overlap, proxy credentials that are refused and a proxy of a kind that
/// the build can't use are not transient: they stay the same for the duration of a call.
fn connecting(error: &reqwest::Error, route: &Route) -> Box<Report> {
    let (proxy, reads) = match route {
        Route::Variable(proxy) => (format!("the proxy {proxy}"), !proxy.tunnels),
        Route::Direct | Route::Configured => ("the proxy".to_owned(), false),
    };
    let unusable = |source: &(dyn StdError + 'static)| is_unknown_scheme(source) || is_tls(source);
    let transient = !sources(error).any(unusable);
    if sources(error).any(is_unknown_scheme) {
        let text =
            format!("{proxy} is of a kind for which reqwest lacks the feature, such as `socks`");
        return Report::not_sent(ErrorKind::Proxy, text, false);
    }
    if reads {
        let text = format!("no connection to {proxy} was made");
        return Report::not_sent(ErrorKind::Proxy, text, transient);
    }
    for source in sources(error) {
        if is_tls(source) {
            return Report::not_sent(ErrorKind::Tls, "the TLS handshake failed", false);
        }
        // The types of these errors are private to their crates, so only the texts can be compared.
        let text = source.to_string();
        if text.starts_with("dns error") {
            return Report::not_sent(ErrorKind::Dns, "the host name was not resolved", true);
        }
        if let Some(problem) = text.strip_prefix("tunnel error: ") {
            let text = match problem {
                "unsuccessful" | "proxy authorization required" => {
                    format!("{proxy} refused the connection")
                }
                _ => format!("no connection through {proxy} was made"),
            };
            let transient = transient && problem != "proxy authorization required";
            return Report::not_sent(ErrorKind::Proxy, text, transient);
        }
    }
    let text = match route {
        Route::Configured => "no connection was made, neither to the service nor to a proxy",
        Route::Direct | Route::Variable(_) => "no connection was made",
    };
    Report::not_sent(ErrorKind::Connect, text, true)
}

/// Whether the scheme of the proxy is none that the connector knows.
fn is_unknown_scheme(source: &(dyn StdError + 'static)) -> bool {
    let text = source.to_string();
    text.starts_with("unsupported scheme") || text == "invalid URL, scheme is not http"
}

/// Whether a timeout passed that reqwest has and the client doesn't set.
fn is_foreign_timeout(source: &(dyn StdError + 'static)) -> bool {
    source.to_string() == REQWEST_TIMEOUT
}

/// Whether the TLS handshake failed. rustls reports that as invalid data, except if the connection was lost.
fn is_tls(source: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "native-tls")]
    if source.is::<native_tls::Error>() {
        return true;
    }
    // An I/O error that wraps another one doesn't return it as its source.
    let outermost = source.downcast_ref::<io::Error>();
    std::iter::successors(outermost, |error| error.get_ref()?.downcast_ref())
        .any(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// Whether the connection was closed before any part of the request was written.
///
/// While the call is still waiting, that is the only meaning of hyper's "canceled" and "closed".
fn never_written(error: &reqwest::Error) -> bool {
    sources(error)
        .filter_map(|source| source.downcast_ref::<hyper::Error>())
        .any(|error| error.is_canceled() || error.is_closed())
}

/// Returns the causes of an error, without the URL and without layers that add nothing.
///
/// They may quote the other side: rustls names the hosts in a certificate.
pub(crate) fn cause(error: &reqwest::Error, credential: &Credential) -> Option<Cause> {
    let text = |source: &(dyn StdError + 'static)| {
        if is_foreign_timeout(source) && !error.is_connect() {
            "a timeout of reqwest ended the request, which `configure_reqwest` sets".to_owned()
        } else {
            source.to_string()
        }
    };
    let mut texts: Vec<String> =
        sources(error).map(text).filter(|text| !text.starts_with("client error (")).collect();
    texts.dedup();
    Cause::chain(texts.iter().map(|text| credential.received(text)))
}

pub(crate) fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |source| (**source).source())
}
