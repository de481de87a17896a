//! Requests that are made and not sent.

use crate::Error;
use reqwest::Request;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    /// Whether the method that this thread is polling is to leave its request here.
    static DRAFTING: Cell<bool> = const { Cell::new(false) };
    static DRAFT: Cell<Option<Request>> = const { Cell::new(None) };
}

/// The request that a method of [`Client`](crate::Client) would send, for callers that want to send it in
/// their own way. Nothing is sent; the call ends before it would wait. An error is why there is no request.
///
/// `call` is the future of such a method, and nothing else. The headers of the request hold the token.
///
/// ```
/// use datafy_api::{Client, draft, hooks::Hooks};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hooks = Hooks::bearer("a token")?;
/// let client = Client::new_with_client("https://api.datafy.io", reqwest::Client::new(), hooks);
///
/// let request = draft(client.deactivate_autoscaling("vol-0b9176567fe16f0bc", None))?;
/// assert_eq!(request.url().path(), "/api/v1/volumes/vol-0b9176567fe16f0bc/deactivate-autoscaling");
/// # Ok(())
/// # }
/// ```
#[expect(clippy::result_large_err, reason = "it is the error of the generated methods")]
#[inline]
pub fn draft<T, E>(call: impl Future<Output = Result<T, Error<E>>>) -> Result<Request, Error<E>> {
    let _drafting = Drafting::begin();
    let ended = pin!(call).poll(&mut Context::from_waker(Waker::noop()));
    match (DRAFT.take(), ended) {
        (Some(request), _) => Ok(request),
        (None, Poll::Ready(Err(error))) => Err(error),
        (None, _) => Err(Error::Custom("the call has made no request".to_owned())),
    }
}

/// Keeps `request` if its method is being drafted, and gives it back to be sent if not.
pub(crate) fn keep(request: Request) -> Option<Request> {
    if !DRAFTING.get() {
        return Some(request);
    }
    DRAFT.set(Some(request));
    None
}

/// The time in which a thread drafts. It ends also when the call panics, and leaves no request behind then.
struct Drafting {
    before: bool,
}

impl Drafting {
    fn begin() -> Self {
        Self { before: DRAFTING.replace(true) }
    }
}

impl Drop for Drafting {
    fn drop(&mut self) {
        DRAFTING.set(self.before);
        DRAFT.take();
    }
}
