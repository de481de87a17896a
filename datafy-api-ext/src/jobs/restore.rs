//! Restores a snapshot: creates a volume from it and attaches the volume.

use super::attach::{Attach, Wait};
use super::job::sealed::Sealed;
use super::job::{Earlier, Failure, Job, Page, Performed, Resume};
use super::journal::{Entry, Header, JournalError, Log, Step, StepState};
use super::not_done::NotDone;
use crate::abandoned::{Abandoned, Unreceived};
use crate::call::Call;
use crate::client::{Datafy, RetryPolicy, Timeouts};
use crate::error::Error;
use crate::id::{DeviceName, InstanceId, SubAccountId, VolumeId};
use crate::one_line::OneLine;
use crate::operations::{AttachVolume, CreateVolume, Source};
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use datafy_api::operations::{ATTACH_VOLUME, CREATE_VOLUME_FROM_SNAPSHOTS};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// A restore, still without the place to attach the volume to. Created by [`Datafy::restore`].
///
/// It can't be awaited: a volume that is created and not attached costs money and serves nobody.
///
/// ```compile_fail,E0277
/// # async fn example(datafy: datafy_api_ext::Datafy, snapshot: datafy_api_ext::DatafySnapshotId) {
/// datafy.restore(snapshot).await;
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a restore needs a place; call `attach_to`"]
pub struct NewRestore {
    create: Call<CreateVolume>,
}

impl Datafy {
    /// Restores a snapshot: creates a volume from it and attaches the volume. The next method names the place:
    /// `datafy.restore(snapshot).attach_to(instance, device)`.
    pub fn restore(&self, source: impl Into<Source>) -> NewRestore {
        NewRestore { create: self.create_volume().from_source(source.into()) }
    }
}

impl NewRestore {
    /// Attaches the volume to this instance, once it is created.
    pub fn attach_to(self, instance: InstanceId, device: DeviceName) -> Restore {
        let attach_outcome = Outcome::NotSent;
        Restore { create: self.create, volume: None, instance, device, wait: None, attach_outcome }
    }
}

/// Creates a volume and attaches it. Await it, or [`send`](Self::send) it.
///
/// If a step fails, the [`RestoreError`] holds the ID of the volume that was created, if any, and
/// [`resume`](RestoreError::resume) continues with it. If the future is dropped after the volume was created, the volume
/// is reported as [`Abandoned`](crate::Abandoned). If the process may die, use a [`journal`](Self::journal).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the restore is awaited"]
#[doc(alias("recovery"))]
pub struct Restore {
    create: Call<CreateVolume>,
    /// The volume, once it is created.
    volume: Option<VolumeId>,
    instance: InstanceId,
    device: DeviceName,
    wait: Option<Wait>,
    /// The outcome of all attaches so far: a refusal doesn't make an earlier ambiguous one certain.
    attach_outcome: Outcome,
}

impl Restore {
    /// Repeats the attach call until it succeeds, for at most `limit`: a new volume may not be ready yet.
    ///
    /// As [`Call::within`](crate::Call::within). Without this method there is one attach call.
    #[doc(alias("timeout", "wait"))]
    pub fn attach_within(mut self, limit: Duration) -> Self {
        self.wait = Some(Wait::within(limit));
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
        self.wait = Some(Wait::until_ready(limit, probe));
        self
    }

    /// Makes the calls in the context of a sub-account, or of the account itself with `None`.
    pub fn sub_account(mut self, id: impl Into<Option<SubAccountId>>) -> Self {
        self.create = self.create.sub_account(id);
        self
    }

    /// Sets the timeouts of each call.
    #[doc(alias("timeout"))]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.create = self.create.timeouts(timeouts);
        self
    }

    /// Sets how often, and after which pauses, each call is retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.create = self.create.retry(policy);
        self
    }

    /// Sends a query parameter with each call: see [`Call::query`](crate::Call::query).
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.create = self.create.query(name, value);
        self
    }

    /// Sends a header with each call: see [`Call::header`](crate::Call::header).
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.create = self.create.header(name, value);
        self
    }

    /// Records the steps in the file at `path`, so that the same restore can be resumed, even after a crash.
    ///
    /// Each step is recorded on disk before its request is sent, and its result afterwards. If the file exists, the
    /// restore continues where it stopped: a volume that was created is attached, and one that may have been created is
    /// reported. See [`journal`](super::journal).
    #[doc(alias("resume", "checkpoint"))]
    pub fn journal(self, path: impl Into<PathBuf>) -> JournaledRestore {
        JournaledRestore { restore: self, path: path.into() }
    }

    /// Creates the volume, unless it exists already, attaches it and returns its ID.
    pub async fn send(self) -> Result<VolumeId, RestoreError> {
        self.advance(Page::NONE).await
    }

    /// Does the steps that are left, and records them.
    async fn advance(mut self, page: Page<'_>) -> Result<VolumeId, RestoreError> {
        let recorded = page.log.is_some();
        match self.steps(page).await {
            Ok(volume) => Ok(volume),
            Err(cause) => Err(RestoreError(Box::new(Failed { restore: self, cause, recorded }))),
        }
    }

    async fn steps(&mut self, page: Page<'_>) -> Result<VolumeId, Cause> {
        let abandoned = self.create.abandoned();
        let volume = match self.volume.clone() {
            Some(volume) => volume,
            None => match page.step(self.create.clone(), Outcome::NotSent).await? {
                Ok(created) => created.id,
                // The volume exists, and its ID could be read from an otherwise unusable answer.
                Err(error) => match error.volume_id() {
                    Some(id) => id.clone(),
                    None => return Err(error.into()),
                },
            },
        };
        self.volume = Some(volume.clone());
        let unattached = self.unreceived(abandoned, &volume);
        let attach = Attach::new(self.attach(volume.clone()), self.wait.clone());
        let attached = attach.record(&mut self.attach_outcome, page).await;
        unattached.received();
        attached.map_err(|(journal, _)| journal)??;
        Ok(volume)
    }

    /// A guard that reports the volume of this create when it is dropped, unless somebody has received it.
    fn unreceived(&self, create: Abandoned, volume: &VolumeId) -> Unreceived {
        let created_id = Some(Untrusted::local(volume));
        let created = Abandoned { outcome: Outcome::Applied, created_id, ..create };
        Unreceived::new(self.create.datafy().clone(), created)
    }

    /// The result if nothing can be recorded, and so nothing is done. Holds the volume, if it exists.
    fn unrecorded(self, error: JournalError) -> NotDone<RestoreError> {
        if self.volume.is_none() {
            return NotDone::Journal(error);
        }
        let cause = Cause::Journal(error);
        NotDone::Failed(RestoreError(Box::new(Failed { restore: self, cause, recorded: false })))
    }

    /// The create of this entry, if it is that of the same volume, which is or may be there and isn't attached.
    fn unattached<'e>(&self, entry: &'e Entry) -> Option<&'e Step> {
        let create = entry.step(CREATE_VOLUME_FROM_SNAPSHOTS.name)?;
        let attach = entry.step(ATTACH_VOLUME.name);
        let is_open = create.may_be_applied() && create.subject == self.create.subject();
        let attached = attach.is_some_and(|attach| attach.state == StepState::Applied);
        (is_open && !attached).then_some(create)
    }

    /// The call that attaches the volume.
    fn attach(&self, volume: VolumeId) -> Call<AttachVolume> {
        let (instance, device) = (self.instance.clone(), self.device.clone());
        self.create.with(AttachVolume::new(volume, instance, device))
    }
}

impl IntoFuture for Restore {
    type Output = Result<VolumeId, RestoreError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Sealed for Restore {}

impl Job for Restore {
    type Done = VolumeId;
    type Failure = RestoreError;
    const NAME: &'static str = "restore";

    fn earlier(&self, entry: &Entry) -> Earlier {
        let fresh = Earlier::Unfinished(Resume::FRESH);
        let create = entry.step(CREATE_VOLUME_FROM_SNAPSHOTS.name);
        let Some(create) = create.filter(|step| step.may_be_applied()) else { return fresh };
        if create.subject != self.create.subject() {
            return Earlier::Conflict(Box::new(create.clone()));
        }
        let volume = create.created_id.as_deref().and_then(|id| VolumeId::new(id).ok());
        let (StepState::Applied, Some(volume)) = (create.state, volume) else {
            // Without its ID, the volume can't be attached.
            return Earlier::Unknown(Box::new(create.clone()));
        };
        if self.volume.as_ref().is_some_and(|own| *own != volume) {
            return Earlier::Conflict(Box::new(create.clone()));
        }
        match self.attach(volume.clone()).earlier(entry) {
            Earlier::Done(_) => Earlier::Done(Some(Untrusted::local(volume))),
            Earlier::Unfinished(attach) => {
                Earlier::Unfinished(Resume { volume: Some(volume), ..attach })
            }
            other => other,
        }
    }

    fn brought(&self) -> Unreceived {
        let volume = self.volume.as_ref();
        volume.map_or(Unreceived::NOTHING, |it| self.unreceived(self.create.abandoned(), it))
    }

    async fn perform(mut self, resume: Resume, page: Page<'_>) -> Performed<Self> {
        match (&self.volume, resume.volume) {
            // An earlier run of this program has created it without the journal.
            (Some(volume), None) => {
                let brought = self.brought();
                let adopted = page.adopt(&self.create, volume.to_string()).await;
                brought.received();
                if let Err(error) = adopted {
                    return Err(self.unrecorded(error));
                }
            }
            (_, recorded) => self.volume = recorded,
        }
        self.attach_outcome = self.attach_outcome.max(resume.outcome);
        self.advance(page).await.map_err(|error| match *error.0 {
            Failed { restore: Self { volume: None, .. }, cause: Cause::Journal(error), .. } => {
                NotDone::Journal(error)
            }
            failed => NotDone::Failed(RestoreError(Box::new(failed))),
        })
    }
}

/// A restore whose steps are recorded. Await it, or [`send`](Self::send) it. Created by [`Restore::journal`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the restore is awaited"]
pub struct JournaledRestore {
    restore: Restore,
    path: PathBuf,
}

impl JournaledRestore {
    /// Does the steps that the journal doesn't record as done, and returns the ID of the volume.
    ///
    /// If the journal says that the restore was done, nothing is sent.
    pub async fn send(self) -> Result<VolumeId, NotDone<RestoreError>> {
        let Self { restore, path } = self;
        let datafy = restore.create.datafy().clone();
        let brought = restore.brought();
        let header = Header::new(&datafy, <Restore as Job>::NAME, None);
        let (log, entries) = match Log::open(path, header, datafy).await {
            Ok(opened) => opened,
            Err(error) => {
                brought.received();
                return Err(restore.unrecorded(error));
            }
        };
        let Restore { instance, device, .. } = &restore;
        let begin = format!("{} to ", restore.create.operation.source());
        let key = format!("{begin}{instance} as {device}");
        let mut rest = entries.left_to_do(&restore, &key).rest();
        if let (Ok(Resume { volume: None, .. }), None) = (&rest, &restore.volume) {
            // To another place: perhaps this is the same restore, with its place corrected.
            let mut others =
                entries.list.iter().filter(|it| it.key.starts_with(&begin) && *it.key != *key);
            if let Some(step) = others.find_map(|entry| restore.unattached(entry)) {
                rest = Err(NotDone::Conflict { step: Box::new(step.clone()) });
            }
        }
        match rest {
            Ok(resume) => {
                brought.received();
                let page = Page { log: Some(&log), key: &key };
                Job::perform(restore, resume, page).await
            }
            Err(NotDone::AppliedBefore { created_id }) => {
                brought.received();
                let volume = created_id.as_deref().and_then(|id| VolumeId::new(id).ok());
                volume.ok_or(NotDone::AppliedBefore { created_id })
            }
            // The others don't hold the volume.
            Err(not_done) => Err(not_done),
        }
    }
}

impl IntoFuture for JournaledRestore {
    type Output = Result<VolumeId, NotDone<RestoreError>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
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
pub struct RestoreError(Box<Failed>);

struct Failed {
    /// What is left to do.
    restore: Restore,
    cause: Cause,
    /// Whether a journal has recorded the steps.
    recorded: bool,
}

#[derive(Debug)]
enum Cause {
    Call(Error),
    Journal(JournalError),
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<JournalError> for Cause {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl RestoreError {
    /// The volume that was created, if any. It exists, and is billed.
    pub fn volume_id(&self) -> Option<&VolumeId> {
        self.0.restore.volume.as_ref()
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
        match (&self.0.cause, self.step()) {
            (Cause::Call(error), RestoreStep::CreateVolume) => error.outcome(),
            (Cause::Call(_), RestoreStep::AttachVolume) | (Cause::Journal(_), _) => {
                self.0.restore.attach_outcome
            }
        }
    }

    /// The error of the last call, or `None` if the journal could not be written.
    pub fn error(&self) -> Option<&Error> {
        match &self.0.cause {
            Cause::Call(error) => Some(error),
            Cause::Journal(_) => None,
        }
    }

    /// Returns the rest of the restore: both steps, or only the attach if the volume was created.
    ///
    /// Fails, and returns the error, if a volume was or may have been created and its ID is unknown: another create
    /// might make a second volume. Fails, too, if the restore has a [journal](Restore::journal), which would not know what
    /// is done here: run it with the journal again.
    pub fn resume(self) -> Result<Restore, Self> {
        let lost = self.step() == RestoreStep::CreateVolume && self.outcome() >= Outcome::Unknown;
        if lost || self.0.recorded { Err(self) } else { Ok(self.0.restore) }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restore { create, instance, device, .. } = &self.0.restore;
        // Otherwise the call is named.
        if !matches!(self.0.cause, Cause::Call(_)) || !f.alternate() {
            let source = create.operation.source().to_string();
            write!(f, "restore of {} to {instance} as {device}", OneLine(&source))?;
            write!(f, " at {}: ", create.datafy().endpoint())?;
        }
        match (self.volume_id(), self.outcome()) {
            (Some(volume), Outcome::Unknown) => {
                write!(f, "volume {volume} was created and may be attached")?;
            }
            (Some(volume), _) => write!(f, "volume {volume} was created but not attached")?,
            (None, Outcome::Applied) => f.write_str("a volume was created but not attached")?,
            (None, Outcome::Unknown) => f.write_str("a volume may have been created")?,
            (None, _) => f.write_str("no volume was created")?,
        }
        match &self.0.cause {
            Cause::Call(error) if f.alternate() => write!(f, ": {error:#}"),
            Cause::Journal(error) if f.alternate() => write!(f, ": {error:#}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreError")
            .field("volume_id", &self.volume_id())
            .field("step", &self.step())
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl std::error::Error for RestoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Cause::Call(error) => Some(error),
            Cause::Journal(error) => Some(error),
        }
    }
}

/// As JSON it is an object with the values of the methods, and a `text`.
impl Serialize for RestoreError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("RestoreError", 7)?;
        object.serialize_field("step", &self.step())?;
        object.serialize_field("outcome", &self.outcome())?;
        object.serialize_field("volume_id", &self.volume_id())?;
        object.serialize_field("text", &format!("{self:#}"))?;
        let Restore { create, instance, device, .. } = &self.0.restore;
        let (instance, device) = (Some(instance.clone()), Some(device.clone()));
        let subject = Subject { instance, device, ..create.subject() };
        object.serialize_field("subject", &subject)?;
        object.serialize_field("endpoint", create.datafy().endpoint())?;
        object.serialize_field("error", &self.error())?;
        object.end()
    }
}

impl Sealed for RestoreError {}

impl Failure for RestoreError {
    fn outcome(&self) -> Outcome {
        match (self.step(), RestoreError::outcome(self)) {
            // The volume can't be attached before somebody finds out its ID.
            (RestoreStep::CreateVolume, Outcome::Applied) => Outcome::Unknown,
            (_, outcome) => outcome,
        }
    }

    fn last_status(&self) -> Option<u16> {
        self.error().and_then(Error::last_status)
    }
}
