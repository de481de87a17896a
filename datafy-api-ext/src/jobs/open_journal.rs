//! A journal that a service holds open.

use super::driver::drive;
use super::finished::Finished;
use super::gate::Gate;
use super::job::Job;
#[cfg(feature = "reconcile")]
use super::settling::Settling;
use super::steps::Steps;
use crate::client::Datafy;
use crate::id::VolumeId;
use crate::journal::{Entries, Entry, Header, JournalError, Kind, Log, SettleError, Settled};
#[cfg(feature = "reconcile")]
use crate::reconcile::LookUp;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// A journal that this program holds open, to do jobs under keys that come one by one: for a service. Created by
/// [`Datafy::journal`]. Clones are the same journal.
///
/// No other program can use the file until all clones are dropped. Each key that was used stays in memory, with about a
/// kilobyte: begin a new journal from time to time, such as each day.
///
/// ```no_run
/// use datafy_api_ext::{Datafy, Snapshot, VolumeId};
///
/// # async fn example(datafy: Datafy, volume: VolumeId) -> Result<(), Box<dyn std::error::Error>> {
/// let journal = datafy.journal("requests-2026-01-01.jsonl").await?;
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
    log: Arc<Log>,
    gate: Arc<Gate>,
    entries: Mutex<Entries>,
    /// Who works on a key.
    turns: Mutex<HashMap<SmolStr, Weak<tokio::sync::Mutex<()>>>>,
}

impl Datafy {
    /// Opens the journal at `path`, or creates it, to do [jobs under keys](OpenJournal::run).
    ///
    /// Fails if the file can't be used: if it is in use, damaged, or a journal of another endpoint, sub-account, account or
    /// kind of run.
    pub async fn journal(&self, path: impl Into<PathBuf>) -> Result<OpenJournal, JournalError> {
        let header = Header::of_service(self);
        let (log, entries) = Log::open(path.into(), header, None, self.clone()).await?;
        Ok(OpenJournal(Arc::new(Inner {
            datafy: self.clone(),
            log: Arc::new(log),
            gate: Arc::default(),
            entries: Mutex::new(entries),
            turns: Mutex::default(),
        })))
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
        let lock = self.lock(&key).await;
        let (log, entry) = (Arc::clone(&self.0.log), self.entry(&key));
        let steps = Steps::new(Some(log), key.clone(), entry, Arc::clone(&self.0.gate));
        let _turn = Turn { journal: &self.0, key, steps: steps.clone(), _lock: lock };
        let driven = drive(&steps, job(steps.clone()).run(&steps)).await;
        self.0.keep(driven.ended.entry.clone());
        driven.alone()
    }

    /// What the journal says about a key, also while its job is running.
    pub fn entry(&self, key: &str) -> Option<Entry> {
        self.0.entries().get(key)
    }

    /// The volumes that jobs have created and not attached, with their keys. They are billed.
    pub fn unattached(&self) -> Vec<(String, VolumeId)> {
        self.0.entries().unattached()
    }

    /// Records what was found out about a step, as [`Journal::settle`](crate::journal::Journal::settle) does. Waits for a
    /// job that is running under this key.
    pub async fn settle(
        &self,
        key: &str,
        operation: &str,
        number: u32,
        found: Settled,
    ) -> Result<(), SettleError> {
        let _lock = self.lock(key).await;
        let record = self.0.entries().settlement(key, operation, number, found, None)?;
        self.0.log.write(&record, Kind::Result).await?;
        // A settlement can follow any record.
        let _ = self.0.entries().apply(self.0.datafy.clock().date().into(), record);
        Ok(())
    }

    /// Looks up what is unknown, and settles what EC2 proves, except of keys whose jobs are running. Returns the steps that
    /// stay unknown, with the reasons. Call it when the service starts, and from time to time.
    #[cfg(feature = "reconcile")]
    pub async fn look_up(&self, look_up: &LookUp) -> Vec<Unsettled> {
        let settling =
            Settling::new(look_up.clone(), Arc::clone(&self.0.log), self.0.datafy.clone());
        let is_running = |key: Option<&str>| {
            let turns = lock(&self.0.turns);
            let runs = |lock: &Weak<_>| lock.strong_count() > 0;
            match key {
                Some(key) => turns.get(key).is_some_and(runs),
                None => turns.values().any(runs),
            }
        };
        let open = settling.look(&self.0.entries, is_running).await;
        let unsettled = open.steps.into_iter();
        unsettled
            .map(|((key, operation, number), reason)| Unsettled { key, operation, number, reason })
            .collect()
    }

    async fn lock(&self, key: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = lock(&self.0.turns);
            match turns.get(key).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    turns.retain(|_, lock| lock.strong_count() > 0);
                    let lock = Arc::default();
                    turns.insert(key.into(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }
}

/// A step of a journal that stays unknown after a [look-up](OpenJournal::look_up).
#[cfg(feature = "reconcile")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsettled {
    /// The key.
    pub key: String,
    /// The name of the operation.
    pub operation: String,
    /// The number of the step.
    pub number: u32,
    /// Why it stays unknown.
    pub reason: crate::untrusted::Untrusted,
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.entries)
    }

    /// Keeps what is known of a key.
    fn keep(&self, entry: Entry) {
        if !entry.steps.is_empty() {
            self.entries().insert(entry);
        }
    }
}

/// The turn of a job. What it has recorded is known to the next one, also if it is dropped.
struct Turn<'a> {
    journal: &'a Inner,
    key: SmolStr,
    steps: Steps,
    _lock: OwnedMutexGuard<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.journal.keep(self.steps.entry());
        self.journal.gate.claims.release(&self.key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for OpenJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenJournal").finish_non_exhaustive()
    }
}
