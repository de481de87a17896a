//! Reports an effect whose result nobody received.

use super::Call;
use super::operation::{Operation, Recorded};
use crate::abandoned::Abandoned;
use crate::client::Stopwatch;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use tracing::Span;

/// The guard of an effect: reports it when it is dropped, unless somebody has received the result of its call.
///
/// It belongs to the call in flight, and then to whoever holds the result: a detached call, or the steps of a job.
pub(crate) struct Unreceived {
    pub(super) span: Span,
    pub(super) time: Stopwatch,
    pub(crate) call: Abandoned,
}

impl Unreceived {
    /// A call that is started now, after others of the same step with this outcome.
    pub(super) fn new<O: Operation>(call: &Call<O>, span: Span, earlier: Outcome) -> Self {
        Self { span, time: Stopwatch::start(&call.datafy), call: call.abandoned(earlier) }
    }

    /// Reports nothing: somebody has received the result.
    pub(crate) fn received(mut self) {
        self.call.outcome = Outcome::NotSent;
    }
}

/// How a call ended, and the guard of its effect.
pub(crate) struct Ended<A> {
    pub(crate) result: Result<A, Error>,
    pub(crate) unreceived: Unreceived,
}

impl<A: Recorded> Ended<A> {
    pub(super) fn new(result: Result<A, Error>, mut unreceived: Unreceived) -> Self {
        unreceived.call.outcome = result.as_ref().map_or_else(Error::outcome, |_| Outcome::Applied);
        // Otherwise the span would last until somebody receives the result.
        unreceived.span = Span::none();
        Self { result, unreceived }
    }

    /// Returns the result to the caller.
    pub(super) fn received(self) -> Result<A, Error> {
        self.unreceived.received();
        self.result
    }

    /// Keeps the result for somebody who may never receive it.
    pub(crate) fn kept(mut self) -> Self {
        let id = self.result.as_ref().map_or_else(Error::created_id, Recorded::created_id);
        self.unreceived.call.created_id = id.map(Untrusted::local);
        self
    }
}

impl Drop for Unreceived {
    fn drop(&mut self) {
        if self.call.outcome >= Outcome::Unknown {
            [self.call.started, _] = self.time.dates();
            self.span.record("datafy.outcome", self.call.outcome.as_str());
            let function = self.time.datafy.inner().on_abandoned.as_ref();
            self.span.in_scope(|| self.call.report(function));
        }
    }
}
