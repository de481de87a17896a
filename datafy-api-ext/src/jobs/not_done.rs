//! Why the job of an item was not done.

use super::job::Failure;
use super::journal::{JournalError, Step};
use crate::error::Error;
use crate::one_line::OneLine;
use crate::untrusted::Untrusted;
use crate::with_cause::with_cause;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// Why the job of an item was not done, as far as is known.
///
/// `{error}` is one line; `{error:#}` adds the causes. If a [resumed](crate::jobs::RestoreError::resume) restore was not
/// attempted, the volume that it brings along is reported as [`Abandoned`](crate::Abandoned), unless the journal has it.
///
/// As JSON it is an object with the [`state`](Self::state) and a `text`; a failure also has the `error`, and what an
/// earlier run did has the `created_id` or the `step`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone<E = Error> {
    /// It failed. The outcome of the error says whether it may have had an effect.
    #[error(transparent)]
    Failed(E),
    /// Not attempted: the run was [stopped](crate::jobs::Monitor::stop).
    #[error("not attempted: the run was stopped")]
    Stopped,
    /// Not attempted: the service refused the token in an earlier call of this run.
    #[error("not attempted: the service refuses the token")]
    TokenRefused,
    /// Not attempted: the journal can't be used.
    #[error(fmt = journal)]
    Journal(#[source] JournalError),
    /// Not attempted: an item with the same key came before.
    #[error("not attempted: an item with the same key came before")]
    Duplicate,
    /// Not attempted: according to the journal, an earlier run did the job.
    #[error("not attempted: an earlier run applied it{}", with(" and created ", created_id.as_deref()))]
    AppliedBefore {
        /// The ID of the object that was created, such as a snapshot, as the service sent it. For a restore it is the
        /// volume.
        created_id: Option<Untrusted>,
    },
    /// Not attempted: according to the journal, an earlier run may have had an effect. Look for it, and
    /// [settle](crate::jobs::journal::Journal::settle) it: a retry may have a second effect.
    #[error("not attempted: an earlier run {}", earlier(step))]
    UnknownBefore {
        /// What the journal says about it.
        step: Box<Step>,
    },
    /// Not attempted: according to the journal, an earlier run used the key for something else, which was or may have
    /// been done. For a [restore](crate::jobs::Restore::journal) that is not part of a fleet, also: it created, or may
    /// have created, the volume for another place, and it isn't attached there.
    #[error("not attempted: the journal has {} of {}{} for something else; finish that, or use another key or journal", step.operation, step.subject, with(", which created ", step.created_id.as_deref()))]
    Conflict {
        /// What the journal says about it.
        step: Box<Step>,
    },
}

impl<E> NotDone<E> {
    /// Returns the kind of reason in snake case: `failed`, `stopped`, `token_refused`, `journal`, `duplicate`,
    /// `applied_before`, `unknown_before` or `conflict`.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
            Self::TokenRefused => "token_refused",
            Self::Journal(_) => "journal",
            Self::Duplicate => "duplicate",
            Self::AppliedBefore { .. } => "applied_before",
            Self::UnknownBefore { .. } => "unknown_before",
            Self::Conflict { .. } => "conflict",
        }
    }
}

impl<E: Failure> Serialize for NotDone<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("NotDone", 3)?;
        object.serialize_field("state", self.state())?;
        object.serialize_field("text", &format!("{self:#}"))?;
        match self {
            Self::Failed(error) => object.serialize_field("error", error)?,
            Self::AppliedBefore { created_id } => {
                object.serialize_field("created_id", created_id)?;
            }
            Self::UnknownBefore { step } | Self::Conflict { step } => {
                object.serialize_field("step", step)?;
            }
            _ => {}
        }
        object.end()
    }
}

fn journal(error: &JournalError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause("not attempted: the journal can't be used", error, f)
}

/// Returns `detail` after `lead`, or nothing without a detail.
fn with(lead: &str, detail: Option<&str>) -> String {
    detail.map(|detail| format!("{lead}{}", OneLine(detail))).unwrap_or_default()
}

/// Says what an earlier run did, and how to find it.
fn earlier(step: &Step) -> String {
    let did = match &step.created_id {
        Some(id) => format!("created {id}, which is no usable ID"),
        None if step.lacks_id() => {
            "applied it, and the ID of what it created is missing".to_owned()
        }
        None => "may have applied it".to_owned(),
    };
    let marker = with("; look for ", step.marker.as_deref());
    format!("{did} ({} at {:?}){marker}", step.operation, step.begun)
}
