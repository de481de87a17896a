//! Why a job was not done.

use crate::error::Error;
use crate::journal::{JournalError, Step};
use crate::one_line::OneLine;
use crate::with_cause::with_cause;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::convert::Infallible;
use std::fmt;

/// Why the job of an item was not done, as far as is known.
///
/// `{error}` is one line; `{error:#}` adds the causes. As JSON it is an object with the [`state`](Self::state) and a
/// `text`; a failure also has the `error`, and what is unknown or in conflict has the `step`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone<E = Error> {
    /// The job failed with this error.
    #[error(transparent)]
    Failed(E),
    /// Not attempted, or continued: the run is a [plan](crate::jobs::Fleet::plan), in which the next call is not sent. A
    /// run that was stopped lists its items apart: see [`Run::not_attempted`](crate::jobs::Run::not_attempted).
    #[error("not attempted: the run is a plan, or was stopped")]
    NotAttempted,
    /// Not continued: the journal can't be written any more.
    #[error(fmt = journal)]
    Journal(#[source] JournalError),
    /// Not attempted: an item with the same key came before.
    #[error("not attempted: an item with the same key came before")]
    Duplicate,
    /// Not continued: a step may have been applied, and sending it again may have a second effect. Look for its effect,
    /// and [settle](crate::journal::Journal::settle) it.
    #[error("not continued: {}", unknown(step))]
    Unknown {
        /// What is known of the step.
        step: Box<Step>,
    },
    /// Not continued: the key was used for something else, which was or may have been done. Either its arguments have
    /// changed, or the function asks for other steps than before.
    #[error("not continued: {} of {}{} was done under the same key; finish that, or use another key or journal", step.operation, step.subject, with(", which created ", step.created_id.as_deref()))]
    Conflict {
        /// What is known of the step.
        step: Box<Step>,
    },
    /// Not attempted: another job, of this run or of an earlier one with the journal, has
    /// [claimed](crate::jobs::Steps::claim) the same place.
    #[error("not attempted: another job has claimed {}", OneLine(place))]
    Claimed {
        /// The name of the place. For a restore: the instance, a colon, and the device.
        place: String,
    },
}

/// Why a job is not continued. The function never sees it: its future is dropped, and the run reports the reason.
pub(super) type Halt = NotDone<Infallible>;

impl Halt {
    pub(super) fn into_not_done<E>(self) -> NotDone<E> {
        match self {
            Self::Failed(never) => match never {},
            Self::NotAttempted => NotDone::NotAttempted,
            Self::Journal(error) => NotDone::Journal(error),
            Self::Duplicate => NotDone::Duplicate,
            Self::Unknown { step } => NotDone::Unknown { step },
            Self::Conflict { step } => NotDone::Conflict { step },
            Self::Claimed { place } => NotDone::Claimed { place },
        }
    }
}

impl<E> NotDone<E> {
    /// Returns the kind of reason in snake case: `failed`, `not_attempted`, `journal`, `duplicate`, `unknown`,
    /// `conflict` or `claimed`.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::NotAttempted => "not_attempted",
            Self::Journal(_) => "journal",
            Self::Duplicate => "duplicate",
            Self::Unknown { .. } => "unknown",
            Self::Conflict { .. } => "conflict",
            Self::Claimed { .. } => "claimed",
        }
    }
}

impl<E: std::error::Error + Serialize + 'static> Serialize for NotDone<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("NotDone", 3)?;
        object.serialize_field("state", self.state())?;
        object.serialize_field("text", &format!("{self:#}"))?;
        match self {
            Self::Failed(error) => object.serialize_field("error", error)?,
            Self::Unknown { step } | Self::Conflict { step } => {
                object.serialize_field("step", step)?;
            }
            _ => {}
        }
        object.end()
    }
}

fn journal(error: &JournalError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause("not continued: the journal can't be used", error, f)
}

/// Returns `detail` after `lead`, or nothing without a detail.
fn with(lead: &str, detail: Option<&str>) -> String {
    detail.map(|detail| format!("{lead}{}", OneLine(detail))).unwrap_or_default()
}

/// Says what a step may have done, and how to find it.
fn unknown(step: &Step) -> String {
    let Step { operation, subject, begun, .. } = step;
    let effect = match &step.created_id {
        Some(id) => format!("created {id}, which is no usable ID"),
        None if step.lacks_id() => {
            "was applied, and the ID of what it created is missing".to_owned()
        }
        None => "may have been applied".to_owned(),
    };
    let marker = with("; look for ", step.marker.as_deref());
    let reason = with("; EC2: ", step.looked_up.as_deref());
    format!(
        "{operation} of {subject} at {begun:?} {effect}{marker}{reason}; settle it in the journal"
    )
}
