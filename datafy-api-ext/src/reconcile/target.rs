//! What EC2 shows of each operation.

use crate::id::check_created;
use datafy_api::operations::{ATTACH_VOLUME, CREATE_SNAPSHOT, CREATE_VOLUME_FROM_SNAPSHOTS};

/// A kind of EC2 objects. Their order is that of the queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Kind {
    /// The subcommand of `aws ec2` that lists them.
    pub(super) command: &'static str,
    /// The tag with the ID that they are found by.
    pub(super) tag: &'static str,
}

/// What an operation creates or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    /// What a create is made from, by the same ID. It is there whether or not the create happened, and so shows that EC2 was
    /// asked in the right account and region.
    pub(super) source: Option<Kind>,
    /// The tag with the ID in Datafy of what was created, which all objects of an effect share.
    pub(super) group: Option<&'static str>,
    operation: &'static str,
}

pub(super) const SNAPSHOTS: &str = "describe-snapshots";
pub(super) const VOLUMES: &str = "describe-volumes";

/// The tag with the ID of the Datafy snapshot that an EBS snapshot belongs to.
const SNAPSHOT: &str = "datafy:snapshot:id";
/// The tag with the ID of the volume of a snapshot, or of the Datafy volume that an EBS volume belongs to.
const SOURCE_VOLUME: &str = "datafy:source-volume:id";
/// The tag with the ID of the Datafy snapshot that an EBS volume was created from.
const RESTORED_FROM: &str = "datafy:restored-from-snapshot:id";

/// The EBS volumes of a Datafy volume.
pub(super) const PARTS: Kind = Kind { command: VOLUMES, tag: SOURCE_VOLUME };

impl Target {
    pub(super) const SNAPSHOT: Self = Self {
        kind: Kind { command: SNAPSHOTS, tag: SOURCE_VOLUME },
        source: Some(PARTS),
        group: Some(SNAPSHOT),
        operation: CREATE_SNAPSHOT.name,
    };
    pub(super) const VOLUME: Self = Self {
        kind: Kind { command: VOLUMES, tag: RESTORED_FROM },
        source: Some(Kind { command: SNAPSHOTS, tag: SNAPSHOT }),
        group: Some(SOURCE_VOLUME),
        operation: CREATE_VOLUME_FROM_SNAPSHOTS.name,
    };
    pub(super) const ATTACHMENT: Self =
        Self { kind: PARTS, source: None, group: None, operation: ATTACH_VOLUME.name };

    pub(super) fn of(operation: &str) -> Option<Self> {
        let all = [Self::SNAPSHOT, Self::VOLUME, Self::ATTACHMENT];
        all.into_iter().find(|target| target.operation == operation)
    }

    /// What is asked for about an operation.
    pub(super) fn kinds(self) -> impl Iterator<Item = Kind> {
        [Some(self.kind), self.source].into_iter().flatten()
    }

    /// Whether an object may be younger than what it belongs to: Datafy replaces the EBS volumes of a volume.
    pub(super) fn is_replaceable(self) -> bool {
        self == Self::VOLUME
    }

    /// Whether this is the ID of an object that the operation creates.
    pub(super) fn is_id(self, id: &str) -> bool {
        check_created(self.operation, Some(id)).is_ok()
    }
}
