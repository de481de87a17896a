//! Reports an effect whose result nobody received.

use super::Call;
use super::operation::{Operation, Recorded};
use crate::abandoned::Abandoned;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};

/// Reports the effect of a call when it is dropped, unless somebody has received the result.
pub(crate) struct Unreceived<O: Operation> {
    pub(super) call: Call<O>,
    pub(super) started: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    created_id: Option<Untrusted>,
}

impl<O: Operation> Unreceived<O> {
    /// A call that is started now, and has no effect yet.
    pub(crate) fn new(call: Call<O>) -> Self {
        let started = call.clock().date().into();
        Self { call, started, outcome: Outcome::NotSent, created_id: None }
    }

    /// The call has ended with this result.
    pub(crate) fn ended(mut self, result: &Result<O::Answer, Error>) -> Self {
        let (outcome, id) = match result {
            Ok(answer) => (Outcome::Applied, answer.created_id()),
            Err(error) => (error.outcome(), error.created_id()),
        };
        (self.outcome, self.created_id) = (outcome, id.map(Untrusted::local));
        self
    }

    /// What is known of the call, if its effect has this outcome.
    pub(super) fn abandoned(&self, outcome: Outcome) -> Abandoned {
        Abandoned {
            operation: O::FACTS.name,
            subject: self.call.subject(),
            outcome,
            created_id: self.created_id.clone(),
            marker: self.call.operation.marker().map(str::to_owned),
            started: self.started,
        }
    }

    /// Reports the effect, if there may be one.
    pub(super) fn report(&mut self) {
        if self.outcome >= Outcome::Unknown {
            let abandoned = self.abandoned(self.outcome);
            self.outcome = Outcome::NotSent;
            abandoned.report(self.call.datafy.inner().on_abandoned.as_ref());
        }
    }

    /// Reports nothing: the caller has the result.
    pub(crate) fn received(mut self) {
        self.outcome = Outcome::NotSent;
    }
}

impl<O: Operation> Drop for Unreceived<O> {
    fn drop(&mut self) {
        self.report();
    }
}
