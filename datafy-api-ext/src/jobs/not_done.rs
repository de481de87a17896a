//! Why a fleet did not apply its operation to a volume.

use super::journal_error::JournalError;
use crate::error::Error;
use crate::one_line::OneLine;

/// Why the operation was not applied to a volume, as far as is known.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// The call failed. Its [outcome](Error::outcome) says whether it may have had an effect.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Not attempted: the run was [stopped](crate::jobs::Monitor::stop).
    #[error("not attempted: the run was stopped")]
    Stopped,
    /// Not attempted: the service refused the token in an earlier call of this run.
    #[error("not attempted: the service refuses the token")]
    TokenRefused,
    /// Not attempted: the journal can't be written.
    #[error("not attempted: the journal can't be written")]
    Journal(#[source] JournalError),
    /// Not attempted: according to the journal, an earlier run applied the operation.
    #[error("not attempted: an earlier run applied it{}", with(" and created ", created_id.as_deref()))]
    AppliedBefore {
        /// The ID of the object that the earlier call created, such as a snapshot, as the service sent it.
        created_id: Option<String>,
    },
    /// Not attempted: according to the journal, an earlier run may have applied the operation. Check before you retry:
    /// a retry may have a second effect.
    #[error("not attempted: an earlier run may have applied it{}", with("; look for ", marker.as_deref()))]
    UnknownBefore {
        /// The marker that [`traceable`](crate::Call::traceable) appended to the description of the snapshot that may exist.
        marker: Option<String>,
    },
}

/// Returns `detail` after `lead`, or nothing without a detail.
fn with(lead: &str, detail: Option<&str>) -> String {
    detail.map(|detail| format!("{lead}{}", OneLine(detail))).unwrap_or_default()
}
