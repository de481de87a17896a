//! An account of the fake.

use super::state::{FakeSnapshot, FakeVolume, Resources, Scope, Shared};
use crate::id::{DatafySnapshotId, InstanceId, SubAccountId, VolumeId};
use std::fmt;

/// An account or a sub-account of the fake. Adds its resources, and shows their current state.
#[derive(Clone)]
pub struct Account {
    shared: Shared,
    scope: Scope,
}

impl Account {
    pub(super) fn new(shared: Shared, scope: Scope) -> Self {
        Self { shared, scope }
    }

    /// The sub-account with this ID, which shares no resources with the account. Adds it if there is none.
    #[must_use]
    pub fn sub_account(&self, id: &SubAccountId) -> Account {
        let scope = Scope { sub_account: Some(id.as_str().to_owned()), ..self.scope.clone() };
        self.shared.lock().resources.entry(scope.clone()).or_default();
        Account::new(self.shared.clone(), scope)
    }

    /// Adds an unattached volume that Datafy manages.
    pub fn add_volume(&self, id: VolumeId, size_gb: i64) {
        self.change(|resources| resources.add(FakeVolume::new(id, size_gb, true)));
    }

    /// Adds a volume that Datafy doesn't manage.
    pub fn add_unmanaged_volume(&self, id: VolumeId, size_gb: i64) {
        self.change(|resources| resources.add(FakeVolume::new(id, size_gb, false)));
    }

    /// Adds a snapshot of a volume. The volume need not exist.
    pub fn add_snapshot(&self, id: DatafySnapshotId, volume: VolumeId, volume_size_gb: i64) {
        let snapshot = FakeSnapshot::new(id, volume, volume_size_gb, None, 0);
        self.change(|resources| resources.snapshots.push(snapshot));
    }

    /// Adds an instance that volumes can be attached to.
    pub fn add_instance(&self, id: InstanceId) {
        self.change(|resources| resources.instances.insert(id));
    }

    /// From now on, each volume that is created is not ready at first: its next `attaches` attaches are refused with
    /// 409.
    pub fn hold_back_new_volumes(&self, attaches: u32) {
        self.change(|resources| resources.not_ready = attaches);
    }

    /// The volume with this ID.
    pub fn volume(&self, id: &VolumeId) -> Option<FakeVolume> {
        self.change(|resources| resources.volumes.get(id).cloned())
    }

    /// All volumes, ordered by ID.
    pub fn volumes(&self) -> Vec<FakeVolume> {
        self.change(|resources| resources.volumes.values().cloned().collect())
    }

    /// All snapshots, in the order in which they were created.
    pub fn snapshots(&self) -> Vec<FakeSnapshot> {
        self.change(|resources| resources.snapshots.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        change(self.shared.lock().resources.entry(self.scope.clone()).or_default())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("sub_account", &self.scope.sub_account)
            .finish_non_exhaustive()
    }
}
