//! Creating an autoscaling volume.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Datafy;
use crate::id::{Answered, DatafySnapshotId, InvalidId, UnusableId, VolumeId};
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::CREATE_VOLUME_FROM_SNAPSHOTS;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a volume is created from. The page shows two alternatives and the fields of neither; those of
/// the first are known from the vendor's public Terraform provider.
///
/// As JSON it is the `source` that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(try_from = "types::VolumeSource"))]
#[serde(try_from = "Map<String, Value>", into = "types::VolumeSource")]
#[non_exhaustive]
pub enum Source {
    /// A snapshot that Datafy made.
    DatafySnapshot(DatafySnapshotId),
    /// The alternative whose fields are not documented. The object is sent as it stands.
    Undocumented(Map<String, Value>),
}

impl From<Source> for types::VolumeSource {
    fn from(source: Source) -> Self {
        match source {
            Source::DatafySnapshot(id) => {
                types::DatafySnapshotSource { datafy_snapshot_id: id.into() }.into()
            }
            Source::Undocumented(object) => types::OtherSource(object).into(),
        }
    }
}

/// An object with more than the id is not the documented alternative, and none of it may be lost.
impl TryFrom<Map<String, Value>> for Source {
    type Error = InvalidId;

    fn try_from(object: Map<String, Value>) -> Result<Self, InvalidId> {
        match object.get("datafySnapshotId") {
            Some(Value::String(id)) if object.len() == 1 => id.parse().map(Self::DatafySnapshot),
            _ => Ok(Self::Undocumented(object)),
        }
    }
}

/// A volume to be created, once it is said from what. Made by
/// [`Datafy::create_volume`](crate::Datafy::create_volume).
#[derive(Clone, Debug)]
#[must_use = "a volume is created from something: call `from_snapshot`"]
pub struct NewVolume {
    datafy: Datafy,
}

impl Datafy {
    /// Creates an autoscaling volume, once it is said from what.
    pub fn create_volume(&self) -> NewVolume {
        NewVolume { datafy: self.clone() }
    }
}

impl NewVolume {
    /// Creates the volume from a snapshot that Datafy made.
    pub fn from_snapshot(self, snapshot: DatafySnapshotId) -> Call<CreateVolume> {
        self.from_source(Source::DatafySnapshot(snapshot))
    }

    /// Creates the volume from any source.
    pub fn from_source(self, source: Source) -> Call<CreateVolume> {
        let body = types::CreateVolumeRequest { source: source.into() };
        Call::new(self.datafy, CreateVolume { body })
    }
}

/// Creates an autoscaling volume. Made by [`NewVolume`].
#[derive(Clone, Debug)]
pub struct CreateVolume {
    body: types::CreateVolumeRequest,
}

impl Operation for CreateVolume {
    type Answer = CreatedVolume;
}

impl sealed::Operation for CreateVolume {
    const FACTS: datafy_api::operation::Operation = CREATE_VOLUME_FROM_SNAPSHOTS;
    type Content = types::Volume;

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(CREATE_VOLUME_FROM_SNAPSHOTS, base, None::<&str>)
    }

    fn request(&self, raw: &Client, scope: Scope<'_>) -> Result<Request, Error> {
        raw.create_volume_from_snapshots_request(scope.sub_account(), &self.body)
    }

    fn decode(&self, success: &Success<'_>) -> Result<types::Volume, Unusable> {
        success.json()
    }
}

/// The volume that was created. Every field is what the service answered, and is absent where it
/// answered nothing.
///
/// As JSON its members are those that the service documents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "types::Volume", into = "types::Volume")]
#[non_exhaustive]
pub struct CreatedVolume {
    /// The id of the new volume (`volumeId`).
    pub id: Option<Answered<VolumeId>>,
    /// The size of the new volume (`volumeSizeGB`), in the unit of that name.
    pub volume_size_gb: Option<i64>,
}

impl CreatedVolume {
    /// The id, for the next call.
    pub fn require_id(&self) -> Result<&VolumeId, UnusableId> {
        UnusableId::require(self.id.as_ref(), "volumeId")
    }
}

impl sealed::Answer for CreatedVolume {
    fn made(&self) -> Option<&str> {
        self.id.as_ref().map(Answered::as_str)
    }
}

impl From<types::Volume> for CreatedVolume {
    fn from(content: types::Volume) -> Self {
        Self { id: content.volume_id.map(Into::into), volume_size_gb: content.volume_size_gb }
    }
}

impl From<CreatedVolume> for types::Volume {
    fn from(volume: CreatedVolume) -> Self {
        Self { volume_id: volume.id.map(Into::into), volume_size_gb: volume.volume_size_gb }
    }
}
