//! Reports an effect whose result nobody received.

use super::Call;
use super::operation::{Operation, sealed::Answer};
use crate::abandoned::Abandoned;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::borrow::Borrow;
use std::marker::PhantomData;

/// Reports the effect of a call when it is dropped, unless somebody has received the result.
///
/// `C` is `&Call<O>` within the call, where nothing is allocated, and `Call<O>` where it outlives the call: in a detached
/// call, and in a job.
pub(crate) struct Unreceived<C: Borrow<Call<O>>, O: Operation> {
    call: C,
    pub(super) started: DateTime<Utc>,
    outcome: Outcome,
    created_id: Option<Untrusted>,
    operation: PhantomData<fn(O)>,
}

impl<C: Borrow<Call<O>>, O: Operation> Unreceived<C, O> {
    /// A call that is started now, and has no effect yet.
    pub(crate) fn new(call: C) -> Self {
        let started = call.borrow().clock().date().into();
        Self { call, started, outcome: Outcome::NotSent, created_id: None, operation: PhantomData }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.outcome = outcome;
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

    pub(crate) fn created_id(&self) -> Option<&str> {
        self.created_id.as_deref()
    }

    /// What is known of the call, if its effect has this outcome.
    pub(super) fn abandoned(&self, outcome: Outcome) -> Abandoned {
        let call = self.call.borrow();
        Abandoned {
            operation: O::FACTS.name,
            subject: call.subject(),
            outcome,
            created_id: self.created_id.clone(),
            marker: call.marker().map(str::to_owned),
            started: self.started,
        }
    }

    /// Reports the effect, if there may be one.
    pub(super) fn report(&mut self) {
        if self.outcome >= Outcome::Unknown {
            let abandoned = self.abandoned(self.outcome);
            self.outcome = Outcome::NotSent;
            self.call.borrow().datafy.inner().on_abandoned.report(&abandoned);
        }
    }

    /// Reports nothing: the caller has the result.
    pub(crate) fn received(mut self) {
        self.outcome = Outcome::NotSent;
    }
}

impl<C: Borrow<Call<O>>, O: Operation> Drop for Unreceived<C, O> {
    fn drop(&mut self) {
        self.report();
    }
}

/// The guard of a call of any operation.
pub(crate) trait Effect: Send {
    fn received(self: Box<Self>);
}

impl<O: Operation> Effect for Unreceived<Call<O>, O> {
    fn received(self: Box<Self>) {
        (*self).received();
    }
}
