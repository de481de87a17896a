//! A journal that a service holds open.

use super::driver::drive;
use super::finished::Finished;
use super::gate::Gate;
use super::job::Job;
#[cfg(feature = "reconcile")]
use super::settling::Settling;
use super::steps::Steps;
use crate::client::Datafy;
#[cfg(feature = "reconcile")]
use crate::journal::{Entry, Step, StepState};
use crate::journal::{FUNCTIONS, Header, JournalError, Settled, Store};
#[cfg(feature = "reconcile")]
use crate::reconcile::LookUp;
use smol_str::SmolStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A journal that a service holds open, to do jobs under keys that come one by one. Created by [`Datafy::journal`]. Clones
/// are the same journal.
///
/// No other program can use the file until all clones are dropped; [`Journal::read`](crate::journal::Journal::read) lists
/// what it says. Each key that was used stays in memory, with about a
/// kilobyte: begin a new journal from time to time, such as each day.
///
/// ```no_run
/// use datafy_api_ext::{Datafy, Snapshot, VolumeId};
///
/// # async fn example(datafy: Datafy, volume: VolumeId, date: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let journal = datafy.journal(format!("requests-{date}.jsonl")).await?;
/// // Twice with one key, also at the same time or after a crash: one snapshot.
/// let job = |_| datafy.volume(volume).create_snapshot();
/// let snapshot: Snapshot = journal.run("request-7", job).await.result?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OpenJournal(Arc<Inner>);

struct Inner {
    datafy: Datafy,
    store: Arc<Store>,
    gate: Arc<Gate>,
}

impl Datafy {
    /// Opens the journal at `path`, or creates it, to do [jobs under keys](OpenJournal::run).
    ///
    /// Fails if the file can't be used: see [`JournalError`].
    pub async fn journal(&self, path: impl Into<PathBuf>) -> Result<OpenJournal, JournalError> {
        let header = Header::new(self, FUNCTIONS, "any", None);
        let store = Arc::new(Store::open(path.into(), header, true, self.clone()).await?);
        let gate = Arc::new(Gate::new(self.clone()));
        Ok(OpenJournal(Arc::new(Inner { datafy: self.clone(), store, gate })))
    }
}

impl OpenJournal {
    /// Does a job under a key, at most once: a step that is recorded as done is not sent again.
    ///
    /// Two tasks may use one key at the same time: the second waits for the first, and gets what it recorded. If the future
    /// is dropped in the middle of a call, its effect is reported as [`Abandoned`](crate::Abandoned), and a create is
    /// [unknown](super::NotDone::Unknown) to the next job with this key.
    pub async fn run<J: Job>(
        &self,
        key: impl AsRef<str> + Send,
        job: impl FnOnce(Steps) -> J + Send,
    ) -> Finished<(), J::Done, J::Error> {
        let key = SmolStr::new(key);
        let Inner { store, gate, .. } = &*self.0;
        let _turn = store.turn(&key).await;
        let steps = Steps::new(Some(Arc::clone(store)), Some(Arc::clone(gate)), key);
        let job = job(steps.clone());
        drive(steps, (), job).await.received()
    }

    /// Records what was found out about a step, as [`Journal::settle`](crate::journal::Journal::settle) does. Waits for a
    /// job that is running under this key.
    pub async fn settle(
        &self,
        key: &str,
        operation: &str,
        number: u32,
        found: Settled,
    ) -> Result<(), JournalError> {
        let _turn = self.0.store.turn(key).await;
        let place = (key, operation, number);
        self.0.store.settle(&self.0.datafy, place, None, found, None).await
    }

    /// Looks up what is unknown, and settles what EC2 proves, except of keys whose jobs are running. Returns the steps that
    /// stay unknown, with their keys; [`Step::looked_up`] is the reason. Call it when the service starts, and from time to
    /// time.
    #[cfg(feature = "reconcile")]
    pub async fn look_up(&self, look_up: &LookUp) -> Vec<(String, Step)> {
        let Inner { datafy, store, .. } = &*self.0;
        Settling::new(look_up.clone(), Arc::clone(store), datafy.clone()).look().await;
        let mut unknown = Vec::new();
        for Entry { key, steps, .. } in store.entries().iter() {
            let steps = steps.into_iter().filter(|step| step.state == StepState::Unknown);
            unknown.extend(steps.map(|step| (key.as_str().to_owned(), step)));
        }
        unknown
    }
}

impl fmt::Debug for OpenJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenJournal").finish_non_exhaustive()
    }
}
