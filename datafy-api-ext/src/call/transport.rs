//! What a request that got no answer proves: whether it was written, and whether another attempt can do better.

use crate::call::attempt::Failure;
use std::error::Error as StdError;
use std::io;

/// Classifies the error of a request that got no answer.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    let text = root_cause(error);
    if error.is_connect() {
        let (kind, transient) = connecting(error);
        Failure::not_sent(kind, text, transient)
    } else if error.is_builder() {
        Failure::not_sent("request", text, false)
    } else if never_written(error) {
        Failure::not_sent("connection_closed", text, true)
    } else {
        Failure::unknown("connection_lost", text)
    }
}

/// What went wrong before there was a connection, and whether it may pass within a call. A certificate that is
/// not valid, TLS versions without overlap and refused credentials of a proxy don't get better in seconds.
fn connecting(error: &reqwest::Error) -> (&'static str, bool) {
    for source in sources(error) {
        if is_tls(source) {
            return ("tls", false);
        }
        // The types of these are private to the crates that make them.
        let text = source.to_string();
        if text.starts_with("dns error") {
            return ("dns", true);
        }
        if text.starts_with("tunnel error") {
            return ("proxy", !text.ends_with("proxy authorization required"));
        }
    }
    ("connect", true)
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

/// What an error comes down to, without the URL and without the layers that only pass it on.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = sources(error)
        .map(ToString::to_string)
        .filter(|text| !text.starts_with("client error ("))
        .collect();
    texts.dedup();
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |source| (**source).source())
}
