//! Restores a snapshot: creates a volume from it and attaches the volume.

use super::attach::{Attach, Wait};
use super::claims::place;
use super::driver::drive;
use super::finished::Finished;
use super::job::{self, Job};
use super::not_done::NotDone;
use super::steps::Steps;
use crate::call::Call;
use crate::client::Datafy;
use crate::client::options::{Options, option_methods};
use crate::error::Error;
use crate::id::{DeviceName, InstanceId, VolumeId};
use crate::journal::{Entry, Step, StepState, Store, unattached};
use crate::one_line::OneLine;
use crate::operations::{AttachVolume, CreateVolume, Source};
use crate::outcome::Outcome;
use crate::subject::Subject;
use datafy_api::operations::{ATTACH_VOLUME, CREATE_VOLUME_FROM_SNAPSHOTS};
use futures_util::future::BoxFuture;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use smol_str::SmolStr;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

impl Datafy {
    /// Restores a snapshot: creates a volume from it, and attaches the volume to this instance.
    pub fn restore(
        &self,
        source: impl Into<Source>,
        instance: InstanceId,
        device: DeviceName,
    ) -> Restore {
        Restore { create: self.create_volume(source), instance, device, wait: Wait::default() }
    }
}

/// Creates a volume and attaches it. Await it, or [`send`](Self::send) it.
///
/// If a step fails, [`NotRestored`] holds the ID of the volume that was created, if any, and
/// [`resume`](NotRestored::resume) returns what is left. If the future is dropped after the volume was created, the volume
/// is reported as [`Abandoned`](crate::Abandoned). If the process may die, use a [`journal`](Self::journal).
///
/// As a job, it [claims](Steps::claim) its place before it creates the volume.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the restore is awaited"]
#[doc(alias("recovery"))]
pub struct Restore {
    create: Call<CreateVolume>,
    instance: InstanceId,
    device: DeviceName,
    wait: Wait,
}

impl Restore {
    /// Repeats the attach call until it succeeds, for at most `limit`: a new volume may not be ready yet.
    ///
    /// As [`Call::within`](crate::Call::within). Without this method there is one attach call.
    #[doc(alias("timeout", "wait"))]
    pub fn attach_within(mut self, limit: Duration) -> Self {
        self.wait.limit = Some(limit);
        self
    }

    /// As [`attach_within`](Self::attach_within), and before each attach call waits until `probe` returns `Ok`.
    ///
    /// As [`Call::ready_when`](crate::Call::ready_when).
    pub fn ready_when<F, E>(
        mut self,
        limit: Duration,
        probe: impl Fn(VolumeId) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        self.wait = self.wait.until_ready(limit, probe);
        self
    }

    /// Sets whether a 404 ends the wait: see [`Attach::end_on_404`].
    pub fn end_on_404(mut self, ends: bool) -> Self {
        self.wait.ends_on_404 = ends;
        self
    }

    option_methods!();

    fn options(&mut self) -> &mut Options {
        self.create.options()
    }

    /// Restores, and records the steps in the file at `path`, so that the same restore can be resumed, even after a crash.
    ///
    /// Each step is recorded on disk before its request is sent, and its result afterwards. If the file exists, the
    /// restore continues where it stopped: a volume that was created is attached, and one that may have been created is
    /// reported. If the journal says that the restore was done, nothing is sent. See [`journal`](crate::journal).
    #[doc(alias("resume", "checkpoint"))]
    pub async fn journal(self, path: impl Into<PathBuf> + Send) -> Result<VolumeId, NotRestored> {
        let datafy = self.create.datafy().clone();
        let header = job::header::<Self>(&datafy, None);
        let failed = |cause| self.not_restored(cause, &[], None);
        let store = Store::open(path.into(), header, None, datafy).await;
        let store = store.map_err(|error| failed(NotDone::Journal(error)))?;
        let begin = format!("{} to ", self.create.operation.source);
        let key = SmolStr::from(format!("{begin}{} as {}", self.instance, self.device));
        if !store.entry(&key).steps.iter().any(Step::may_be_applied) {
            // To another place: perhaps this is the same restore, with its place corrected.
            let entries = store.entries();
            let mut others = entries.iter().filter(|it| it.key.starts_with(&begin));
            if let Some(step) = others.find_map(|entry| self.unattached(&entry).cloned()) {
                return Err(failed(NotDone::Conflict { step: Box::new(step) }));
            }
        }
        let steps = Steps::new(Arc::new(store), Arc::default(), key);
        let Finished { result, steps, .. } = self.drive(&steps).await;
        result.map_err(|cause| self.not_restored(cause, &steps, None))
    }

    /// The create of this entry, if it is that of the same volume, which is or may be there and isn't attached.
    fn unattached<'e>(&self, entry: &'e Entry) -> Option<&'e Step> {
        let create = entry.step(CREATE_VOLUME_FROM_SNAPSHOTS.name, 1)?;
        let attach = entry.step(ATTACH_VOLUME.name, 1);
        let is_open = create.may_be_applied() && create.subject == self.create.subject();
        let attached = attach.is_some_and(|attach| attach.state == StepState::Applied);
        (is_open && !attached).then_some(create)
    }

    /// Creates the volume, attaches it and returns its ID.
    pub async fn send(self) -> Result<VolumeId, NotRestored> {
        let Finished { result, steps, .. } = self.drive(&Steps::alone()).await;
        result.map_err(|cause| {
            let attach = steps.iter().find(|it| it.operation == ATTACH_VOLUME.name);
            let outcome = match attach.map(Step::outcome) {
                Some(Outcome::Unknown) => Outcome::Unknown,
                _ => Outcome::NotSent,
            };
            let volume = unattached(&steps).pop();
            let rest = volume.map(|volume| self.attach(volume, outcome));
            self.not_restored(cause, &steps, rest)
        })
    }

    async fn drive(&self, steps: &Steps) -> Finished<(), VolumeId> {
        drive(steps, (), self.clone().run(steps)).await
    }

    fn not_restored(&self, cause: NotDone, steps: &[Step], rest: Option<Attach>) -> NotRestored {
        let Self { create, instance, device, .. } = self;
        NotRestored(Box::new(Left {
            object: format!("restore of {} to {instance} as {device}", create.operation.source),
            endpoint: create.datafy().endpoint().to_owned(),
            subject: Subject {
                instance: Some(instance.clone()),
                device: Some(device.clone()),
                ..create.subject()
            },
            cause,
            volume: unattached(steps).pop(),
            outcome: steps.last().map_or(Outcome::NotSent, Step::outcome),
            rest,
        }))
    }

    /// Attaches the volume, after calls with this outcome.
    fn attach(&self, volume: VolumeId, outcome: Outcome) -> Attach {
        let (instance, device) = (self.instance.clone(), self.device.clone());
        let attach = AttachVolume { volume, instance, device };
        Attach::new(self.create.with(attach), self.wait.clone(), outcome)
    }
}

impl Job for Restore {
    type Done = VolumeId;
    type Error = Error;
    const OPERATION: Option<&'static str> = Some("restore");

    async fn run(self, steps: &Steps) -> Result<VolumeId, Error> {
        steps.claim(place(&self.instance, &self.device)).await;
        let volume = steps.run(self.create.clone()).await?.id;
        steps.run(self.attach(volume.clone(), Outcome::NotSent)).await?;
        Ok(volume)
    }
}

impl IntoFuture for Restore {
    type Output = Result<VolumeId, NotRestored>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Why a [`Restore`] failed, and what is left of it.
///
/// `{error}` is one line; `{error:#}` adds the causes. As JSON it is an object with the values of the methods, and a
/// `text`.
#[derive(Clone, Debug)]
pub struct NotRestored(Box<Left>);

#[derive(Clone, Debug)]
struct Left {
    object: String,
    endpoint: String,
    subject: Subject,
    cause: NotDone,
    volume: Option<VolumeId>,
    outcome: Outcome,
    rest: Option<Attach>,
}

impl NotRestored {
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
        self.0.outcome
    }

    /// Returns what is left if the volume was created: to attach it.
    ///
    /// The attach knows the outcome so far: a refusal doesn't make an earlier ambiguous call certain. Fails, and returns
    /// the error, if no volume is known to exist. Fails, too, if the restore has a [journal](Restore::journal), which
    /// would not know what is done here: run it with the journal again.
    pub fn resume(self) -> Result<Attach, Self> {
        let rest = self.0.rest.clone();
        rest.ok_or(self)
    }
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Otherwise the call is named.
        if !matches!(self.cause(), NotDone::Failed(_)) || !f.alternate() {
            write!(f, "{} at {}: ", OneLine(&self.0.object), self.0.endpoint)?;
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

impl Serialize for NotRestored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("NotRestored", 6)?;
        object.serialize_field("subject", &self.0.subject)?;
        object.serialize_field("endpoint", &self.0.endpoint)?;
        object.serialize_field("outcome", &self.outcome())?;
        object.serialize_field("volume_id", &self.volume_id())?;
        object.serialize_field("text", &format!("{self:#}"))?;
        object.serialize_field("cause", self.cause())?;
        object.end()
    }
}
