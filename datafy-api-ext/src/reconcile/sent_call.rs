//! A call whose effect is looked up.

use super::query::Query;
use super::target::Target;
use crate::abandoned::Abandoned;
use crate::error::Error;
use crate::id::check_created;
use crate::journal::Step;
use crate::outcome::Outcome;
use crate::subject::Subject;
use chrono::{DateTime, Utc};

/// A call: one whose effect is looked up, or one whose known effect explains an object.
///
/// Made from a [`Step`] of a journal, an [`Error`], or an [`Abandoned`] call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentCall {
    /// The name of the operation, as in [`datafy_api::operations`].
    pub operation: String,
    /// What the call is about.
    pub subject: Subject,
    /// The marker that [`traceable`](crate::Call::traceable) appended to the description, if any.
    pub marker: Option<String>,
    /// A time before which no request was sent.
    pub begun: DateTime<Utc>,
    /// A time after which no request was sent, or `None` if it is unknown.
    pub ended: Option<DateTime<Utc>>,
    /// What is known about the effect.
    pub outcome: Outcome,
    /// The ID of the object that was created, if it is known.
    pub created_id: Option<String>,
}

impl SentCall {
    /// Returns a call about whose effect nothing is known.
    pub fn new(operation: impl Into<String>, subject: Subject, begun: DateTime<Utc>) -> Self {
        Self {
            operation: operation.into(),
            subject,
            marker: None,
            begun,
            ended: None,
            outcome: Outcome::Unknown,
            created_id: None,
        }
    }

    /// What the operation creates or changes.
    pub(super) fn target(&self) -> Option<Target> {
        Target::of(&self.operation)
    }

    /// The value of the tag by which the objects of the call are found.
    pub(super) fn key(&self) -> Option<&str> {
        match self.target()? {
            Target::VOLUME => self.subject.snapshot.as_ref().map(AsRef::as_ref),
            _ => self.subject.volume.as_ref().map(AsRef::as_ref),
        }
    }

    /// Whether something remains to be found out: the effect, or the ID of what was created.
    pub(super) fn is_open(&self) -> bool {
        match self.outcome {
            Outcome::Unknown => true,
            Outcome::Applied => check_created(&self.operation, self.created_id.as_deref()).is_err(),
            Outcome::NotSent | Outcome::Refused => false,
        }
    }
}

impl From<&Step> for SentCall {
    fn from(step: &Step) -> Self {
        Self {
            marker: step.marker.as_deref().map(str::to_owned),
            // With the same key twice in a run, one call may have ended, and another one not.
            ended: step.ended.filter(|_| !step.is_open()),
            outcome: if step.lacks_id() { Outcome::Applied } else { step.outcome() },
            created_id: step.created_id.as_deref().map(str::to_owned),
            ..Self::new(step.operation, step.subject.clone(), step.begun)
        }
    }
}

impl From<&Error> for SentCall {
    fn from(error: &Error) -> Self {
        Self {
            marker: error.marker().map(str::to_owned),
            ended: error.ended(),
            outcome: error.outcome(),
            created_id: error.created_id().map(str::to_owned),
            ..Self::new(error.operation(), error.subject().clone(), error.started())
        }
    }
}

impl From<&Abandoned> for SentCall {
    fn from(abandoned: &Abandoned) -> Self {
        Self {
            marker: abandoned.marker.clone(),
            outcome: abandoned.outcome,
            created_id: abandoned.created_id.as_deref().map(str::to_owned),
            ..Self::new(abandoned.operation, abandoned.subject.clone(), abandoned.started)
        }
    }
}

impl Error {
    /// The command that lists what the call may have created or attached, if its outcome is
    /// [`Unknown`](Outcome::Unknown).
    ///
    /// `None` for any other outcome, and for an operation whose effect EC2 doesn't show. Run it in the account and the
    /// region of the volume.
    pub fn how_to_find(&self) -> Option<String> {
        let is_unknown = self.outcome() == Outcome::Unknown;
        let query = is_unknown.then(|| Query::of(&SentCall::from(self)))?;
        query.map(|query| query.to_string())
    }
}
