//! How a job ended.

use super::not_done::NotDone;
use crate::error::Error;
use crate::id::VolumeId;
use crate::journal::{Step, StepState, unattached};
use crate::outcome::Outcome;

/// How the job of an item ended: its result, and what is known of its steps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished<T, D, E = Error> {
    /// The item of the fleet; `()` if there is none.
    pub item: T,
    /// What the job returned, or why it was not done.
    pub result: Result<D, NotDone<E>>,
    /// Whether earlier runs did all of it, so that nothing was sent.
    pub before: bool,
    /// What is known of each step, of this run and earlier ones, in the order in which they were begun. It says what was
    /// created, also by a job that failed.
    pub steps: Vec<Step>,
}

impl<T, D, E> Finished<T, D, E> {
    /// The outcome of the job according to its steps, whatever its function returned. Progress and exit codes count it.
    ///
    /// [`Unknown`](Outcome::Unknown) if that of any step is, [`Applied`](Outcome::Applied) if the job succeeded, otherwise
    /// the outcome of the last step: at most [`Refused`](Outcome::Refused), since the job isn't done.
    pub fn outcome(&self) -> Outcome {
        if self.steps.iter().any(|step| step.state == StepState::Unknown) {
            return Outcome::Unknown;
        }
        match (&self.result, self.steps.last().map(|step| step.state)) {
            (Ok(_), _) => Outcome::Applied,
            (Err(_), None | Some(StepState::NotSent)) => Outcome::NotSent,
            (Err(_), Some(_)) => Outcome::Refused,
        }
    }

    /// The volumes that the job has created and not attached. They are billed.
    ///
    /// The API can't delete one: see [how to find and delete it](crate::guide::steps#unattached-volumes).
    pub fn unattached(&self) -> Vec<VolumeId> {
        unattached(&self.steps)
    }
}
