//! Create an autoscaling volume: `POST /api/v1/volumes/create-from-snapshots`.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Datafy;
use crate::id::{Answered, DatafySnapshotId, InvalidId, UnusableId, VolumeId};
use crate::subject::Subject;
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::CREATE_VOLUME_FROM_SNAPSHOTS;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The source that a volume is created from.
///
/// The vendor's page shows two alternatives but not their fields; those of the first are known from the vendor's public
/// Terraform provider. As JSON it is the `source` in the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(try_from = "types::VolumeSource"))]
#[serde(try_from = "Map<String, Value>", into = "types::VolumeSource")]
#[non_exhaustive]
pub enum Source {
    /// A snapshot created by Datafy.
    DatafySnapshot(DatafySnapshotId),
    /// The alternative whose fields are not documented. The object is sent unchanged.
    Undocumented(Map<String, Value>),
}

impl From<DatafySnapshotId> for Source {
    fn from(id: DatafySnapshotId) -> Self {
        Self::DatafySnapshot(id)
    }
}

/// The ID of a snapshot, or the object.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::DatafySnapshot(id) = self {
            return id.fmt(f);
        }
        let mut object = serde_json::json!(self);
        // The text is the key in a journal, whatever order the members of objects have in this program.
        object.sort_all_objects();
        write!(f, "{object}")
    }
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

/// An object with more than `datafySnapshotId` is kept whole, as [`Source::Undocumented`].
impl TryFrom<Map<String, Value>> for Source {
    type Error = InvalidId;

    fn try_from(object: Map<String, Value>) -> Result<Self, InvalidId> {
        match object.get("datafySnapshotId") {
            Some(Value::String(id)) if object.len() == 1 => id.parse().map(Self::DatafySnapshot),
            _ => Ok(Self::Undocumented(object)),
        }
    }
}

/// A volume to be created, still without its source. Created by
/// [`Datafy::create_volume`](crate::Datafy::create_volume).
#[derive(Clone, Debug)]
#[must_use = "a volume needs a source; call `from_snapshot`"]
pub struct NewVolume {
    datafy: Datafy,
}

impl Datafy {
    /// Creates an autoscaling volume; the next method names its source:
    /// `datafy.create_volume().from_snapshot(snapshot)`.
    ///
    /// Not idempotent: each volume is billed. If the call fails, [`Error::outcome`](crate::Error::outcome) says whether
    /// it is safe to retry.
    pub fn create_volume(&self) -> NewVolume {
        NewVolume { datafy: self.clone() }
    }
}

impl NewVolume {
    /// Creates the volume from a snapshot created by Datafy.
    pub fn from_snapshot(self, snapshot: DatafySnapshotId) -> Call<CreateVolume> {
        self.from_source(Source::DatafySnapshot(snapshot))
    }

    /// Creates the volume from any source.
    pub fn from_source(self, source: Source) -> Call<CreateVolume> {
        Call::new(self.datafy, CreateVolume { source })
    }
}

/// Creates an autoscaling volume. Created by [`NewVolume`].
#[derive(Clone, Debug)]
pub struct CreateVolume {
    source: Source,
}

impl CreateVolume {
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
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
        let body = types::CreateVolumeRequest { source: self.source.clone().into() };
        raw.create_volume_from_snapshots_request(scope.sub_account(), &body)
    }

    fn decode(&self, success: &Success<'_>) -> Result<types::Volume, Unusable> {
        success.expect_no_snapshot()?;
        success.json()
    }

    fn subject(&self) -> Subject {
        let mut subject = Subject::default();
        if let Source::DatafySnapshot(id) = &self.source {
            subject.snapshot = Some(id.clone());
        }
        subject
    }
}

/// The volume that was created, as the service described it.
///
/// A field is `None` if the answer didn't hold it. As JSON it is an object with the documented names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "types::Volume", into = "types::Volume")]
#[non_exhaustive]
pub struct CreatedVolume {
    /// The ID of the new volume (`volumeId`).
    pub id: Option<Answered<VolumeId>>,
    /// The size of the new volume in GB, as the service counts them (`volumeSizeGB`).
    pub volume_size_gb: Option<i64>,
}

impl CreatedVolume {
    /// Returns the ID, for use in the next call. Fails if the answer holds no ID of the documented form.
    pub fn require_id(&self) -> Result<&VolumeId, UnusableId> {
        UnusableId::require(self.id.as_ref(), "volumeId")
    }
}

impl sealed::Answer for CreatedVolume {
    fn created_id(&self) -> Option<&str> {
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
