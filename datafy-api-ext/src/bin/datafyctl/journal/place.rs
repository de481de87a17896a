//! Whether EC2 was asked in the account and the region of a call's volumes: elsewhere it shows nothing, which proves
//! nothing.

use datafy_api_ext::reconcile::{Ec2Object, Ec2Objects, Query, SentCall};
use datafy_api_ext::{DatafySnapshotId, VolumeId};

/// The tag of EBS volumes and EBS snapshots with the Datafy volume that they belong to.
const VOLUME: &str = "datafy:source-volume:id";
/// The tag of EBS snapshots with the Datafy snapshot that they belong to.
const SNAPSHOT: &str = "datafy:snapshot:id";
/// The tag of EBS volumes with the Datafy snapshot that they were created from.
const RESTORED_FROM: &str = "datafy:restored-from-snapshot:id";

/// The queries for what is there whether or not these creates happened: the EBS volumes of the volumes, and the EBS
/// snapshots of the snapshots.
pub(crate) fn queries(calls: &[SentCall]) -> Vec<Query> {
    let source = |mut query: Query| {
        (query.command, query.tag) = match (query.command, query.tag) {
            ("describe-snapshots", VOLUME) => ("describe-volumes", VOLUME),
            ("describe-volumes", RESTORED_FROM) => ("describe-snapshots", SNAPSHOT),
            _ => return None,
        };
        Some(query)
    };
    Query::of_all(calls).into_iter().filter_map(source).collect()
}

/// Whether EC2 shows something of the volume or the snapshot of this create.
pub(crate) fn is_shown(call: &SentCall, looked: [&Ec2Objects; 2]) -> bool {
    let volume = call.subject.volume.as_ref().map(VolumeId::as_str);
    let snapshot = call.subject.snapshot.as_ref().map(DatafySnapshotId::as_str);
    let wanted = [(VOLUME, volume), (SNAPSHOT, snapshot), (RESTORED_FROM, snapshot)];
    let is_of =
        |it: &Ec2Object| wanted.iter().any(|(tag, value)| value.is_some() && it.tag(tag) == *value);
    looked.into_iter().any(|objects| objects.objects().any(is_of))
}
