//! What the fake holds.

use super::fault::Fault;
use super::request::RecordedRequest;
use super::truth::AppliedEffect;
use crate::id::{DatafySnapshotId, DeviceName, InstanceId, VolumeId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The state, shared between the handle and the connections.
#[derive(Clone, Default)]
pub(super) struct Shared {
    state: Arc<Mutex<State>>,
    /// Apart from the state, so that it may look at the fake.
    chaos: Arc<Mutex<Option<Chaos>>>,
}

pub(super) type Chaos = Box<dyn FnMut() -> Option<Fault> + Send>;

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_chaos(&self, chaos: Chaos) {
        *self.chaos.lock().unwrap_or_else(PoisonError::into_inner) = Some(chaos);
    }

    /// What is to be done to the request that has just arrived.
    pub(super) fn next_fault(&self) -> Option<Fault> {
        let scripted = self.lock().faults.pop_front();
        let ask = || self.chaos.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?();
        scripted.unwrap_or_else(ask)
    }
}

#[derive(Default)]
pub(super) struct State {
    /// The number of each account by its token.
    pub(super) tokens: HashMap<String, usize>,
    pub(super) holdings: HashMap<Scope, Holding>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) effects: Vec<AppliedEffect>,
    pub(super) faults: VecDeque<Option<Fault>>,
    /// How many objects were created: the last of the numbers in their ids.
    pub(super) created: u32,
}

/// An account by its number, or a sub-account of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) account: usize,
    pub(super) sub_account: Option<String>,
}

impl Scope {
    pub(super) fn account(account: usize) -> Self {
        Self { account, sub_account: None }
    }
}

/// What an account has.
#[derive(Default)]
pub(super) struct Holding {
    pub(super) volumes: BTreeMap<VolumeId, FakeVolume>,
    pub(super) instances: BTreeSet<InstanceId>,
    pub(super) snapshots: Vec<FakeSnapshot>,
}

impl Holding {
    pub(super) fn add(&mut self, volume: FakeVolume) {
        self.volumes.insert(volume.id.clone(), volume);
    }
}

/// A volume of the fake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeVolume {
    /// Its id.
    pub id: VolumeId,
    /// Its size, in the unit of the API.
    pub size_gb: i64,
    /// Whether Datafy manages it.
    pub managed: bool,
    /// Where it is attached.
    pub attachment: Option<Attachment>,
    /// The snapshot that it was created from.
    pub source: Option<DatafySnapshotId>,
}

impl FakeVolume {
    pub(super) fn new(id: VolumeId, size_gb: i64, managed: bool) -> Self {
        Self { id, size_gb, managed, attachment: None, source: None }
    }
}

/// Where a volume of the fake is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attachment {
    /// The instance.
    pub instance: InstanceId,
    /// The name that the volume has there.
    pub device: DeviceName,
}

/// A snapshot of the fake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeSnapshot {
    /// Its id.
    pub id: DatafySnapshotId,
    /// The volume that it was taken of.
    pub volume: VolumeId,
    /// The size of that volume.
    pub volume_size_gb: i64,
    /// The text kept with it.
    pub description: Option<String>,
    /// When it was made. The clock of the fake begins with 2026 and goes a second a snapshot.
    pub start_time: DateTime<Utc>,
}

/// 2026-01-01T00:00:00Z, in seconds.
const BEGINNING: i64 = 1_767_225_600;

impl FakeSnapshot {
    pub(super) fn new(
        id: DatafySnapshotId,
        volume: VolumeId,
        volume_size_gb: i64,
        description: Option<String>,
        second: u32,
    ) -> Self {
        let start_time = DateTime::from_timestamp(BEGINNING + i64::from(second), 0);
        Self { id, volume, volume_size_gb, description, start_time: start_time.unwrap_or_default() }
    }
}
