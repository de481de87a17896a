//! The state of the fake: its accounts, their resources, and what it has recorded.

use super::fault::Fault;
use super::request::RecordedRequest;
use crate::id::{DatafySnapshotId, DeviceName, InstanceId, VolumeId};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state, shared between the handles and the connections.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<Service>,
    // These have locks apart from that of the state, so that they may call methods of the fake.
    pub(super) source: Mutex<Option<FaultSource>>,
    pub(super) observer: Mutex<Option<Observer>>,
}

type FaultSource = Box<dyn FnMut(&RecordedRequest) -> Option<Fault> + Send>;
type Observer = Box<dyn FnMut(&RecordedRequest) + Send>;

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Service> {
        locked(&self.state)
    }

    /// The fault of the request that has just arrived.
    pub(super) fn next_fault(&self, request: &RecordedRequest) -> Option<Fault> {
        let queued = self.lock().faults.pop_front();
        queued.unwrap_or_else(|| locked(&self.source).as_mut()?(request))
    }

    /// Calls the observer, if any.
    pub(super) fn report(&self, request: &RecordedRequest) {
        if let Some(observer) = locked(&self.observer).as_mut() {
            observer(request);
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
pub(super) struct Service {
    /// The first token of each account by its current one.
    pub(super) tokens: HashMap<String, String>,
    pub(super) resources: HashMap<Scope, Resources>,
    pub(super) requests: Vec<RecordedRequest>,
    /// The number of requests that had their effect.
    pub(super) effects: usize,
    pub(super) faults: VecDeque<Option<Fault>>,
}

/// An account, by its first token, or one of its sub-accounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) token: String,
    pub(super) sub_account: Option<String>,
}

/// The resources of an account.
#[derive(Default)]
pub(super) struct Resources {
    pub(super) volumes: BTreeMap<VolumeId, FakeVolume>,
    pub(super) instances: BTreeSet<InstanceId>,
    pub(super) snapshots: Vec<FakeSnapshot>,
    /// The `not_ready` of each volume that will be created.
    pub(super) not_ready: u32,
}

impl Resources {
    pub(super) fn add(&mut self, volume: FakeVolume) {
        self.volumes.insert(volume.id.clone(), volume);
    }
}

/// A volume of the fake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FakeVolume {
    /// The ID.
    pub id: VolumeId,
    /// The size in GB, as the API counts them.
    pub size_gb: i64,
    /// Whether Datafy manages it.
    pub managed: bool,
    /// The instance that it is attached to, if any.
    pub instance: Option<InstanceId>,
    /// Its device name on that instance.
    pub device: Option<DeviceName>,
    /// The snapshot that it was created from, if any.
    pub source: Option<DatafySnapshotId>,
    /// How many attaches are still refused because the volume is not ready.
    pub not_ready: u32,
}

impl FakeVolume {
    pub(super) fn new(id: VolumeId, size_gb: i64, managed: bool) -> Self {
        Self { id, size_gb, managed, instance: None, device: None, source: None, not_ready: 0 }
    }
}

/// A snapshot of the fake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FakeSnapshot {
    /// The ID.
    pub id: DatafySnapshotId,
    /// The volume that it is a snapshot of.
    pub volume: VolumeId,
    /// The size of that volume in GB.
    pub volume_size_gb: i64,
    /// The description, if one was given.
    pub description: Option<String>,
    /// When it was created. The clock of the fake starts at 2026-01-01 and advances by a second per effect.
    pub start_time: DateTime<Utc>,
}

/// 2026-01-01T00:00:00Z, in seconds since the Unix epoch.
const CLOCK_START: i64 = 1_767_225_600;

impl FakeSnapshot {
    pub(super) fn new(
        id: DatafySnapshotId,
        volume: VolumeId,
        volume_size_gb: i64,
        description: Option<String>,
        second: usize,
    ) -> Self {
        let second = i64::try_from(second).unwrap_or_default();
        let start_time = DateTime::from_timestamp(CLOCK_START + second, 0).unwrap_or_default();
        Self { id, volume, volume_size_gb, description, start_time }
    }
}
