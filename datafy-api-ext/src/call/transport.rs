//! What a request that got no answer proves: whether it was written, and whether another attempt can do better.

use super::failure::Failure;
use crate::error::{Cause, ErrorKind};
use std::error::Error as StdError;
use std::io;

/// Classifies the error of a request that got no answer.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
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
    failure.because(cause(error))
}

/// What went wrong before there was a connection, and whether it may pass within a call. A certificate that is
/// not valid, TLS versions without overlap and refused credentials of a proxy don't get better in seconds.
fn connecting(error: &reqwest::Error) -> Failure {
    for source in sources(error) {
        if is_tls(source) {
            return Failure::not_sent(ErrorKind::Tls, "the TLS handshake failed", false);
        }
        // The types of these are private to the crates that make them.
        let text = source.to_string();
        if text.starts_with("dns error") {
            return Failure::not_sent(ErrorKind::Dns, "the host name was not resolved", true);
        }
        if text.starts_with("tunnel error") {
            let transient = !text.ends_with("proxy authorization required");
            return Failure::not_sent(ErrorKind::Proxy, "the proxy let nothing through", transient);
        }
    }
    Failure::not_sent(ErrorKind::Connect, "no connection was made", true)
}

/// rustls reports each failed handshake as invalid data; one that is cut off is another kind.
fn is_tls(source: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "native-tls")]
    if source.is::<native_tls::Error>() {
        return true;
    }
    // An I/O error in another one is not among its sources.
    let outermost = source.downcast_ref::<io::Error>();
    std::iter::successors(outermost, |error| error.get_ref()?.downcast_ref())
        .any(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// Whether the connection was gone before any of the request was written. Those are the only meanings
/// that a cancellation and a closed channel have while the call itself is still waiting.
fn never_written(error: &reqwest::Error) -> bool {
    sources(error)
        .filter_map(|source| source.downcast_ref::<hyper::Error>())
        .any(|error| error.is_canceled() || error.is_closed())
}

/// The causes of an error, without the URL and without the layers that only pass it on.
pub(crate) fn cause(error: &reqwest::Error) -> Option<Cause> {
    let mut texts: Vec<String> = sources(error)
        .map(ToString::to_string)
        .filter(|text| !text.starts_with("client error ("))
        .collect();
    texts.dedup();
    Cause::chain(texts)
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |source| (**source).source())
}
