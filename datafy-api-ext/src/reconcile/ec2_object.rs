//! What EC2 says about a snapshot or a volume.

use super::target::{SNAPSHOTS, VOLUMES};
use crate::only_objects::only_objects;
use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer};

/// An EBS snapshot or an EBS volume, as EC2 describes it.
///
/// The `VolumeId` of a snapshot is not here: AWS gives the copy of a snapshot one without a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ec2Object {
    /// The subcommand of `aws ec2` that lists it.
    pub(super) command: &'static str,
    /// The ID in EC2: `SnapshotId` or `VolumeId`.
    pub id: String,
    /// When it was created, by the clock of EC2: `StartTime` or `CreateTime`.
    pub time: DateTime<Utc>,
    /// The description of a snapshot. Empty if there is none.
    pub description: String,
    /// The state of a volume, such as `available`.
    pub state: String,
    /// The attachments of a volume to instances. A volume that is `in-use` has one at least.
    pub attachments: Vec<Attachment>,
    /// The keys and the values of the tags.
    pub tags: Vec<(String, String)>,
}

/// An attachment of an EBS volume to an instance.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object", remote = "Self")]
#[non_exhaustive]
pub struct Attachment {
    /// The ID of the instance.
    pub instance_id: String,
    /// The device name.
    pub device: Option<String>,
    /// The state, such as `attached`.
    pub state: String,
}

impl Ec2Object {
    /// Returns a snapshot with what EC2 says about each.
    pub fn snapshot(
        id: impl Into<String>,
        start_time: DateTime<Utc>,
        description: impl Into<String>,
        tags: Vec<(String, String)>,
    ) -> Self {
        let (id, description) = (id.into(), description.into());
        let (state, attachments) = Default::default();
        Self { command: SNAPSHOTS, id, time: start_time, description, state, attachments, tags }
    }

    /// Returns a volume with what EC2 says about each.
    pub fn volume(
        id: impl Into<String>,
        create_time: DateTime<Utc>,
        state: impl Into<String>,
        attachments: Vec<Attachment>,
        tags: Vec<(String, String)>,
    ) -> Self {
        let (id, state, description) = (id.into(), state.into(), String::new());
        Self { command: VOLUMES, id, time: create_time, description, state, attachments, tags }
    }

    /// The value of the tag with this key.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }
}

impl Attachment {
    /// Returns an attachment to `instance_id`, in a state such as `attached`.
    pub fn new(instance_id: impl Into<String>, state: impl Into<String>) -> Self {
        Self { instance_id: instance_id.into(), device: None, state: state.into() }
    }
}

/// A page of a result, as the AWS CLI writes it.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object", remote = "Self")]
pub(super) struct Page {
    #[serde(default, deserialize_with = "objects::<_, EbsSnapshot>")]
    pub(super) snapshots: Option<Vec<Ec2Object>>,
    #[serde(default, deserialize_with = "objects::<_, EbsVolume>")]
    pub(super) volumes: Option<Vec<Ec2Object>>,
    pub(super) next_token: Option<String>,
}

/// The fields that each snapshot has, and its description.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object", remote = "Self")]
struct EbsSnapshot {
    #[serde(rename = "SnapshotId")]
    id: String,
    start_time: DateTime<Utc>,
    /// Nothing documents that EC2 sends an empty one.
    description: Option<String>,
    #[serde(deserialize_with = "tags")]
    tags: Vec<(String, String)>,
}

/// The fields that each volume has.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object", remote = "Self")]
struct EbsVolume {
    #[serde(rename = "VolumeId")]
    id: String,
    create_time: DateTime<Utc>,
    state: String,
    attachments: Vec<Attachment>,
    #[serde(deserialize_with = "tags")]
    tags: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object", remote = "Self")]
struct Tag {
    key: String,
    value: String,
}

only_objects!(Page: Deserialize);
only_objects!(EbsSnapshot: Deserialize);
only_objects!(EbsVolume: Deserialize);
only_objects!(Attachment: Deserialize);
only_objects!(Tag: Deserialize);

impl From<EbsSnapshot> for Ec2Object {
    fn from(it: EbsSnapshot) -> Self {
        Self::snapshot(it.id, it.start_time, it.description.unwrap_or_default(), it.tags)
    }
}

impl From<EbsVolume> for Ec2Object {
    fn from(it: EbsVolume) -> Self {
        Self::volume(it.id, it.create_time, it.state, it.attachments, it.tags)
    }
}

fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de> + Into<Ec2Object>>(
    from: D,
) -> Result<Option<Vec<Ec2Object>>, D::Error> {
    let items = Option::<Vec<T>>::deserialize(from)?;
    Ok(items.map(|items| items.into_iter().map(T::into).collect()))
}

/// The tags of Datafy.
fn tags<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    let tags = Vec::<Tag>::deserialize(from)?.into_iter().map(|tag| (tag.key, tag.value));
    Ok(tags.filter(|(key, _)| key.starts_with("datafy:")).collect())
}
