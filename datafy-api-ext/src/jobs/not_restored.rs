//! Why a restore failed, and what is left of it.

use super::attach::Attach;
use super::not_done::NotDone;
use super::restore::Restore;
use crate::id::VolumeId;
use crate::journal::{Step, unattached};
use crate::one_line::OneLine;
use crate::outcome::Outcome;
use datafy_api::operations::ATTACH_VOLUME;
use std::fmt;

/// Why a [`Restore`] failed, and what is left of it.
///
/// `{error}` is one line; `{error:#}` adds the causes.
#[derive(Clone, Debug)]
pub struct NotRestored(Box<Left>);

#[derive(Clone, Debug)]
struct Left {
    restore: Restore,
    cause: NotDone,
    steps: Vec<Step>,
    /// The volume that was created.
    volume: Option<VolumeId>,
    has_journal: bool,
}

impl NotRestored {
    pub(super) fn new(
        restore: Restore,
        cause: NotDone,
        steps: Vec<Step>,
        has_journal: bool,
    ) -> Self {
        let volume = unattached(&steps).pop();
        Self(Box::new(Left { restore, cause, steps, volume, has_journal }))
    }

    /// Why the restore was not done. [`NotDone::Failed`] holds the error of the call that failed.
    pub fn cause(&self) -> &NotDone {
        &self.0.cause
    }

    /// The volume that was created, if any. It exists, is billed, and is not known to be attached.
    pub fn volume_id(&self) -> Option<&VolumeId> {
        self.0.volume.as_ref()
    }

    /// The outcome of the step that failed, over all its calls.
    pub fn outcome(&self) -> Outcome {
        self.0.steps.last().map_or(Outcome::NotSent, Step::outcome)
    }

    /// Returns what is left if the volume was created: to attach it.
    ///
    /// The attach knows the outcome so far: a refusal doesn't make an earlier ambiguous call certain. Fails, and returns
    /// the error, if no volume is known to exist. Fails, too, if the restore has a [journal](Restore::journal), which
    /// would not know what is done here: run it with the journal again.
    pub fn resume(self) -> Result<Attach, Self> {
        let Left { restore, steps, volume, has_journal, .. } = &*self.0;
        let Some(volume) = volume.clone().filter(|_| !has_journal) else { return Err(self) };
        let attach = steps.iter().find(|step| step.operation == ATTACH_VOLUME.name);
        let unknown = attach.map(Step::outcome).filter(|outcome| *outcome == Outcome::Unknown);
        Ok(restore.attach(volume, unknown.unwrap_or(Outcome::NotSent)))
    }
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Otherwise the call is named.
        if !matches!(self.cause(), NotDone::Failed(_)) || !f.alternate() {
            let Restore { create, instance, device, .. } = &self.0.restore;
            let source = create.operation.source.to_string();
            let endpoint = create.datafy().endpoint();
            write!(f, "restore of {} to {instance} as {device} at {endpoint}: ", OneLine(&source))?;
        }
        match (self.volume_id(), self.outcome()) {
            (Some(volume), Outcome::Unknown) => {
                write!(f, "volume {volume} was created and may be attached")?;
            }
            (Some(volume), _) => write!(f, "volume {volume} was created but not attached")?,
            (None, Outcome::Unknown) => f.write_str("a volume may have been created")?,
            (None, _) => f.write_str("no volume was created")?,
        }
        if f.alternate() { write!(f, ": {:#}", self.cause()) } else { Ok(()) }
    }
}

impl std::error::Error for NotRestored {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause())
    }
}
