//! What a call is about.

use crate::id::{DatafySnapshotId, DeviceName, InstanceId, SubAccountId, VolumeId};
use crate::only_objects::only_objects;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a call is about: the arguments by which its effect can be found.
///
/// As JSON it is an object with the fields that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Subject {
    /// The volume that the call acts on, unless it creates the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeId>,
    /// The snapshot that a volume is created from. Absent if the source is an undocumented one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<DatafySnapshotId>,
    /// The instance that the volume is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The device name of the volume on the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// The sub-account in whose context the call is made, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<SubAccountId>,
}

only_objects!(Subject: Deserialize + Serialize);

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: [(&str, Option<&str>); 5] = [
            ("volume", self.volume.as_ref().map(AsRef::as_ref)),
            ("snapshot", self.snapshot.as_ref().map(AsRef::as_ref)),
            ("instance", self.instance.as_ref().map(AsRef::as_ref)),
            ("device", self.device.as_ref().map(AsRef::as_ref)),
            ("sub-account", self.sub_account.as_ref().map(AsRef::as_ref)),
        ];
        let mut separator = "";
        for (name, id) in parts {
            if let Some(id) = id {
                write!(f, "{separator}{name} {id}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
