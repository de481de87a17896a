//! Restores a snapshot: creates a volume from it and attaches the volume.

use crate::call::Call;
use crate::client::{Datafy, Stopwatch};
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
    /// Creates a volume from a snapshot; [`attach_to`](Call::attach_to) adds the second step of a restore:
    /// `datafy.restore(snapshot).attach_to(instance, device)`.
    pub fn restore(&self, snapshot: DatafySnapshotId) -> Call<CreateVolume> {
        self.create_volume().from_snapshot(snapshot)
    }
}

impl Call<CreateVolume> {
    /// Attaches the volume once it is created. The options that are set so far apply to both steps.
    pub fn attach_to(self, instance: InstanceId, device: DeviceName) -> Restore {
        Restore {
            create: self,
            volume: None,
            instance,
            device,
            attach_within: None,
            attach_outcome: Outcome::NotSent,
        }
    }
}

/// Creates a volume and attaches it. Await it, or [`send`](Self::send) it.
///
/// Created by [`Call::attach_to`], for example on [`Datafy::restore`](crate::Datafy::restore).
///
/// If a step fails, the [`RestoreError`] holds the ID of the volume that was created, if any, and
/// [`resume`](RestoreError::resume) continues with it. Dropping the future loses the ID: if your program may do that,
/// make the two calls yourself and keep the ID in between.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the restore is awaited"]
pub struct Restore {
    create: Call<CreateVolume>,
    /// The volume, once it is created.
    volume: Option<VolumeId>,
    instance: InstanceId,
    device: DeviceName,
    attach_within: Option<Duration>,
    /// The outcome of all attaches so far: a refusal doesn't make an earlier ambiguous one certain.
    attach_outcome: Outcome,
}

impl Restore {
    /// Repeats the attach call until it succeeds, for at most `limit`: a new volume may not be ready yet.
    ///
    /// A 400, 401 or 403 ends the restore immediately, since waiting doesn't help. Without this method there is one
    /// attach call. Allow for minutes: an attach call that is still in flight when `limit` ends is
    /// [`Unknown`](Outcome::Unknown).
    pub fn attach_within(mut self, limit: Duration) -> Self {
        self.attach_within = Some(limit);
        self
    }

    /// Creates the volume, unless it exists already, attaches it and returns its ID.
    pub async fn send(mut self) -> Result<VolumeId, RestoreError> {
        let volume = match self.volume.clone() {
            Some(volume) => volume,
            None => match self.create.clone().send().await {
                Ok(created) => match created.require_id() {
                    Ok(id) => id.clone(),
                    Err(unusable) => return Err(self.failed(Cause::NoId(unusable))),
                },
                // The volume exists, and its ID could be read from an otherwise unusable answer.
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
        match attach(&call, self.attach_within, &mut self.attach_outcome).await {
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

/// Attaches the volume, with as many calls as fit into `limit`.
async fn attach(
    call: &Call<AttachVolume>,
    limit: Option<Duration>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let Some(limit) = limit else {
        let result = call.clone().send().await;
        return result.inspect_err(|error| *outcome = error.outcome().max(*outcome));
    };
    let mut time = Stopwatch::start(call.clock());
    let mut calls = 0;
    loop {
        calls += 1;
        let error =
            match call.clone().ending_within(limit.saturating_sub(time.passed())).send().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
        *outcome = error.outcome().max(*outcome);
        let permanent = matches!(error.last_status(), Some(400 | 401 | 403));
        let pause = call.policy().pause(calls, error.retry_after(), call.jitter());
        // A call in the last tenth of the time would probably be cut short, and so end `Unknown`.
        if permanent || time.passed() + pause + limit / 10 >= limit {
            return Err(error);
        }
        time.pause(pause).await;
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
    /// Attaching the volume.
    AttachVolume,
}

/// Why a [`Restore`] failed: the step, the volume if it was created, and the cause.
///
/// `{error}` is one line; `{error:#}` adds the causes.
pub struct RestoreError(Box<(Restore, Cause)>);

#[derive(Debug)]
enum Cause {
    Call(Error),
    NoId(UnusableId),
}

impl RestoreError {
    /// The volume that was created, if any. It exists, and is billed.
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

    /// The outcome of the step that failed, over all its calls.
    pub fn outcome(&self) -> Outcome {
        match (&self.0.1, self.step()) {
            (Cause::Call(_), RestoreStep::AttachVolume) => self.0.0.attach_outcome,
            (Cause::Call(error), RestoreStep::CreateVolume) => error.outcome(),
            (Cause::NoId(_), _) => Outcome::Applied,
        }
    }

    /// The error of the last call, or `None` if the volume was created but the answer holds no usable ID.
    pub fn error(&self) -> Option<&Error> {
        match &self.0.1 {
            Cause::Call(error) => Some(error),
            Cause::NoId(_) => None,
        }
    }

    /// The text that the service sent as the volume ID, if it is not of the documented form.
    ///
    /// [`volume_id`](Self::volume_id) is `None` in that case.
    pub fn answered_id(&self) -> Option<&str> {
        match &self.0.1 {
            Cause::Call(error) => error.volume_id().map(Answered::as_str),
            Cause::NoId(unusable) => unusable.found(),
        }
    }

    /// Returns the rest of the restore: both steps, or only the attach if the volume was created.
    ///
    /// Fails, and returns the error, if a volume was or may have been created and its ID is unknown: another create
    /// might make a second volume.
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
