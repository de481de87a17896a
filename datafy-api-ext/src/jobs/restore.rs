//! Restoring a snapshot: a volume is created from it and attached.

use crate::call::Call;
use crate::client::Datafy;
use crate::error::Error;
use crate::id::{Answered, DatafySnapshotId, DeviceName, InstanceId, UnusableId, VolumeId};
use crate::operations::AttachVolume;
use crate::operations::CreateVolume;
use crate::outcome::Outcome;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

impl Datafy {
    /// Creates a volume from a snapshot, to be attached:
    /// `datafy.restore(snapshot).attach_to(instance, device)`.
    pub fn restore(&self, snapshot: DatafySnapshotId) -> Call<CreateVolume> {
        self.create_volume().from_snapshot(snapshot)
    }
}

impl Call<CreateVolume> {
    /// Attaches the volume once it is created. The options set so far hold for both steps.
    pub fn attach_to(self, instance: InstanceId, device: DeviceName) -> Restore {
        Restore {
            create: self,
            volume: None,
            instance,
            device,
            patience: None,
            farthest: Outcome::NotSent,
        }
    }
}

/// Creates a volume and attaches it. Made by [`Call::attach_to`], for example of
/// [`Datafy::restore`](crate::Datafy::restore); await it, or [`send`](Self::send) it.
///
/// If a step fails, the [`RestoreError`] holds the id of the volume that was created by then, and
/// [`resume`](RestoreError::resume) goes on from there: no volume is left behind unseen. Dropping the
/// future is another matter: if that may happen, make the two calls yourself, and keep the id between.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct Restore {
    create: Call<CreateVolume>,
    /// The volume, once it is created.
    volume: Option<VolumeId>,
    instance: InstanceId,
    device: DeviceName,
    patience: Option<Duration>,
    /// How far an attach may have got so far: a later refusal doesn't undo an earlier doubt.
    farthest: Outcome,
}

impl Restore {
    /// Keeps trying to attach for so long: a volume that has just been created may not be ready yet.
    /// A 400, 401 or 403 ends it at once, since waiting doesn't mend those. Without this the attach is
    /// one call. Think of minutes: a try that the end cuts short ends in doubt.
    pub fn attach_within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Creates the volume, unless that has been done, and attaches it.
    pub async fn send(mut self) -> Result<VolumeId, RestoreError> {
        let volume = match self.volume.clone() {
            Some(volume) => volume,
            None => match self.create.clone().send().await {
                Ok(created) => match created.require_id() {
                    Ok(id) => id.clone(),
                    Err(unusable) => return Err(self.failed(Cause::NoId(unusable))),
                },
                // The volume is there, and its name could be read: that is what matters here.
                Err(error) => match error.volume_id().and_then(Answered::id) {
                    Some(id) => id.clone(),
                    None => return Err(self.failed(Cause::Call(error))),
                },
            },
        };
        self.volume = Some(volume.clone());
        let operation =
            AttachVolume::new(volume.clone(), self.instance.clone(), self.device.clone());
        let call = self.create.with(operation);
        match attach(&call, self.patience, &mut self.farthest).await {
            Ok(()) => Ok(volume),
            Err(error) => Err(self.failed(Cause::Call(error))),
        }
    }

    fn failed(self, cause: Cause) -> RestoreError {
        RestoreError(Box::new((self, cause)))
    }
}

impl IntoFuture for Restore {
    type Output = Result<VolumeId, RestoreError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Attaches, as often as `patience` has room for.
async fn attach(
    call: &Call<AttachVolume>,
    patience: Option<Duration>,
    farthest: &mut Outcome,
) -> Result<(), Error> {
    let Some(patience) = patience else {
        let result = call.clone().send().await;
        return result.inspect_err(|error| *farthest = error.outcome().max(*farthest));
    };
    let clock = call.clock();
    let begun = clock.now();
    let left = || patience.saturating_sub(clock.now().duration_since(begun));
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match call.clone().ending_within(left()).send().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        *farthest = error.outcome().max(*farthest);
        let hopeless = matches!(error.last_status(), Some(400 | 401 | 403));
        let pause = call.policy().pause(tries, error.retry_after(), call.jitter());
        // A try that is begun at the very end would only end in doubt.
        if hopeless || pause + patience / 10 >= left() {
            return Err(error);
        }
        clock.pause(pause).await;
    }
}

/// The two steps of a [`Restore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RestoreStep {
    /// Creating the volume.
    CreateVolume,
    /// Attaching it.
    AttachVolume,
}

/// A [`Restore`] that failed: at which step, with which volume, and why.
pub struct RestoreError(Box<(Restore, Cause)>);

#[derive(Debug)]
enum Cause {
    Call(Error),
    NoId(UnusableId),
}

impl RestoreError {
    /// The volume that was created: it is there, and costs money.
    pub fn volume_id(&self) -> Option<&VolumeId> {
        self.0.0.volume.as_ref()
    }

    /// The step that failed.
    pub fn step(&self) -> RestoreStep {
        match self.volume_id() {
            Some(_) => RestoreStep::AttachVolume,
            None => RestoreStep::CreateVolume,
        }
    }

    /// What became of that step, in all its tries.
    pub fn outcome(&self) -> Outcome {
        match (&self.0.1, self.step()) {
            (Cause::Call(_), RestoreStep::AttachVolume) => self.0.0.farthest,
            (Cause::Call(error), RestoreStep::CreateVolume) => error.outcome(),
            (Cause::NoId(_), _) => Outcome::Applied,
        }
    }

    /// The error of the call, for [`RestoreStep::AttachVolume`] that of the last try. There is none if the
    /// volume was created and the answer held no id.
    pub fn error(&self) -> Option<&Error> {
        match &self.0.1 {
            Cause::Call(error) => Some(error),
            Cause::NoId(_) => None,
        }
    }

    /// What the service named the volume that it created, where that is not of the documented form and
    /// [`volume_id`](Self::volume_id) is none.
    pub fn answered_id(&self) -> Option<&str> {
        match &self.0.1 {
            Cause::Call(error) => error.volume_id().map(Answered::as_str),
            Cause::NoId(unusable) => unusable.found(),
        }
    }

    /// The restore from where it stopped. The error comes back if a volume may be there that can't be named:
    /// doing it again might make a second one.
    pub fn resume(self) -> Result<Restore, Self> {
        let lost = self.step() == RestoreStep::CreateVolume && self.outcome() >= Outcome::Unknown;
        if lost { Err(self) } else { Ok(self.0.0) }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.volume_id(), self.outcome()) {
            (Some(volume), Outcome::Unknown) => {
                write!(f, "volume {volume} was created and may be attached")?;
            }
            (Some(volume), _) => write!(f, "volume {volume} was created but not attached")?,
            (None, Outcome::Applied) => f.write_str("a volume was created but not attached")?,
            (None, Outcome::Unknown) => f.write_str("a volume may have been created")?,
            (None, _) => f.write_str("no volume was created")?,
        }
        match &self.0.1 {
            Cause::Call(error) if f.alternate() => write!(f, ": {error:#}"),
            Cause::NoId(unusable) if f.alternate() => write!(f, ": {unusable}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreError")
            .field("volume_id", &self.volume_id())
            .field("step", &self.step())
            .field("cause", &self.0.1)
            .finish()
    }
}

impl std::error::Error for RestoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.1 {
            Cause::Call(error) => Some(error),
            Cause::NoId(unusable) => Some(unusable),
        }
    }
}
