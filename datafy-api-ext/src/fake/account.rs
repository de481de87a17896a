//! What belongs to one account of the fake.

use super::state::{FakeSnapshot, FakeVolume, Holding, Scope, Shared};
use crate::id::{DatafySnapshotId, InstanceId, SubAccountId, VolumeId};
use std::fmt;

/// An account of the fake, or a sub-account: seeds what it has, and tells what has become of it.
#[derive(Clone)]
pub struct Account {
    shared: Shared,
    scope: Scope,
}

impl Account {
    pub(super) fn new(shared: Shared, scope: Scope) -> Self {
        Self { shared, scope }
    }

    /// A sub-account of this account; it is added if it isn't there. What it has is its own.
    #[must_use]
    pub fn sub_account(&self, id: &SubAccountId) -> Account {
        let scope = Scope { sub_account: Some(id.as_str().to_owned()), ..self.scope.clone() };
        self.shared.lock().holdings.entry(scope.clone()).or_default();
        Account::new(self.shared.clone(), scope)
    }

    /// Adds an unattached volume that Datafy manages.
    pub fn add_volume(&self, id: VolumeId, size_gb: i64) {
        self.change(|holding| holding.add(FakeVolume::new(id, size_gb, true)));
    }

    /// Adds a volume that Datafy doesn't manage.
    pub fn add_unmanaged_volume(&self, id: VolumeId, size_gb: i64) {
        self.change(|holding| holding.add(FakeVolume::new(id, size_gb, false)));
    }

    /// Adds a snapshot of a volume, which needn't be there any more.
    pub fn add_snapshot(&self, id: DatafySnapshotId, volume: VolumeId, volume_size_gb: i64) {
        let snapshot = FakeSnapshot::new(id, volume, volume_size_gb, None, 0);
        self.change(|holding| holding.snapshots.push(snapshot));
    }

    /// Adds an instance that volumes can be attached to.
    pub fn add_instance(&self, id: InstanceId) {
        self.change(|holding| holding.instances.insert(id));
    }

    /// The volume, if there is one of this id.
    pub fn volume(&self, id: &VolumeId) -> Option<FakeVolume> {
        self.change(|holding| holding.volumes.get(id).cloned())
    }

    /// All volumes, by id.
    pub fn volumes(&self) -> Vec<FakeVolume> {
        self.change(|holding| holding.volumes.values().cloned().collect())
    }

    /// All snapshots, in the order in which they were made.
    pub fn snapshots(&self) -> Vec<FakeSnapshot> {
        self.change(|holding| holding.snapshots.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Holding) -> T) -> T {
        change(self.shared.lock().holdings.entry(self.scope.clone()).or_default())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("sub_account", &self.scope.sub_account)
            .finish_non_exhaustive()
    }
}
