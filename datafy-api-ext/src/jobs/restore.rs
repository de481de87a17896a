//! Restores a snapshot: creates a volume from it and attaches the volume.

use super::attach::{Attach, Wait};
use super::claims::place;
use super::driver::drive;
use super::finished::Finished;
use super::job::{self, Job};
use super::not_done::NotDone;
use super::not_restored::NotRestored;
use super::steps::Steps;
use crate::call::Call;
use crate::client::Datafy;
use crate::client::options::{Options, option_methods};
use crate::error::Error;
use crate::id::{DeviceName, InstanceId, VolumeId};
use crate::journal::{Entries, Entry, Step, StepState, Store};
use crate::operations::{AttachVolume, CreateVolume, Source};
use crate::outcome::Outcome;
use datafy_api::operations::{ATTACH_VOLUME, CREATE_VOLUME_FROM_SNAPSHOTS};
use futures_util::future::BoxFuture;
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
    pub(super) create: Call<CreateVolume>,
    pub(super) instance: InstanceId,
    pub(super) device: DeviceName,
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

    /// Sets whether a 404 ends the wait for the attach: as [`Attach::end_on_404`].
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
        let store = match Store::open(path.into(), header, false, datafy).await {
            Ok(store) => store,
            Err(error) => {
                return Err(NotRestored::new(self, NotDone::Journal(error), vec![], true));
            }
        };
        let source = &self.create.operation.source;
        let key = format!("{source} to {} as {}", self.instance, self.device);
        if let Some(step) = self.elsewhere(&store.entries(), &key) {
            let step = Box::new(step);
            return Err(NotRestored::new(self, NotDone::Conflict { step }, vec![], true));
        }
        let steps = Steps::new(Some(Arc::new(store)), None, key.into());
        self.drive(steps, true).await
    }

    /// The create of another restore from the same source, whose volume is or may be there, and isn't attached: perhaps
    /// this is the same restore, with its place corrected. `None` if this one has begun.
    fn elsewhere(&self, entries: &Entries, key: &str) -> Option<Step> {
        let has_begun = |entry: Entry| entry.steps.iter().any(Step::may_be_applied);
        if entries.get(key).is_some_and(has_begun) {
            return None;
        }
        let begin = format!("{} to ", self.create.operation.source);
        let others = entries.iter().filter(|entry| entry.key.starts_with(&begin));
        let mut creates = others.filter_map(|entry| {
            let attach = entry.step(ATTACH_VOLUME.name, 1);
            let is_attached = attach.is_some_and(|attach| attach.state == StepState::Applied);
            entry.step(CREATE_VOLUME_FROM_SNAPSHOTS.name, 1).filter(|_| !is_attached).cloned()
        });
        creates.find(|step| step.may_be_applied() && step.subject == self.create.subject())
    }

    /// Creates the volume, attaches it and returns its ID.
    pub async fn send(self) -> Result<VolumeId, NotRestored> {
        self.drive(Steps::alone(), false).await
    }

    async fn drive(self, steps: Steps, has_journal: bool) -> Result<VolumeId, NotRestored> {
        let ended = drive(steps, (), self.clone()).await;
        let Finished { result, steps, .. } = ended.received();
        result.map_err(|cause| NotRestored::new(self, cause, steps, has_journal))
    }

    /// Attaches the volume, after calls with this outcome.
    pub(super) fn attach(&self, volume: VolumeId, outcome: Outcome) -> Attach {
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
