//! Classifies a request without an answer: whether it was written, and whether another attempt may succeed.

use super::failure::Failure;
use crate::client::token::Credential;
use crate::error::{Cause, ErrorKind};
use crate::untrusted::Untrusted;
use std::error::Error as StdError;
use std::io;

/// Classifies the error of a request without an answer.
pub(crate) fn failure(error: &reqwest::Error, credential: &Credential) -> Failure {
    let failure = if error.is_connect() {
        connecting(error)
    } else if error.is_builder() {
        Failure::not_sent(ErrorKind::Request, "the request can't be built", false)
    } else if never_written(error) {
        let text = "the connection was closed before the request was written";
        Failure::not_sent(ErrorKind::ConnectionLost, text, true)
    } else {
        Failure::ambiguous(ErrorKind::ConnectionLost, "the connection was lost")
    };
    failure.because(cause(error, credential))
}

/// Classifies a failure to connect.
///
/// An invalid certificate, TLS versions without overlap and proxy credentials that are refused are not transient: they
/// stay the same for the duration of a call.
fn connecting(error: &reqwest::Error) -> Failure {
    for source in sources(error) {
        if is_tls(source) {
            return Failure::not_sent(ErrorKind::Tls, "the TLS handshake failed", false);
        }
        // The types of these errors are private to their crates, so only the texts can be compared.
        let text = source.to_string();
        if text.starts_with("dns error") {
            return Failure::not_sent(ErrorKind::Dns, "the host name was not resolved", true);
        }
        if let Some(problem) = text.strip_prefix("tunnel error: ") {
            let text = match problem {
                "unsuccessful" | "proxy authorization required" => {
                    "the proxy refused the connection"
                }
                _ => "no connection through the proxy was made",
            };
            let transient =
                problem != "proxy authorization required" && !sources(error).any(is_tls);
            return Failure::not_sent(ErrorKind::Proxy, text, transient);
        }
    }
    Failure::not_sent(ErrorKind::Connect, "no connection was made", true)
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
    let mut texts: Vec<String> = sources(error)
        .map(ToString::to_string)
        .filter(|text| !text.starts_with("client error ("))
        .collect();
    texts.dedup();
    Cause::chain(texts.iter().map(|text| Untrusted::received(text, credential)))
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |source| (**source).source())
}
