//! Create an autoscaling volume: `POST /api/v1/volumes/create-from-snapshots`.

use crate::call::operation::{Operation, Recorded, call_span};
use crate::call::success::{Unusable, VOLUME_ID};
use crate::call::{Call, Content};
use crate::client::Datafy;
use crate::id::{DatafySnapshotId, VolumeId};
use crate::only_objects::only_objects;
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
/// Terraform provider.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The ID of a snapshot, or the `source` in the request as JSON.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::DatafySnapshot(id) = self {
            return id.fmt(f);
        }
        let mut object = serde_json::json!(types::VolumeSource::from(self.clone()));
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

impl Datafy {
    /// Creates an autoscaling volume from a snapshot created by Datafy, or from another [`Source`].
    ///
    /// Not idempotent: each volume is billed. If the call fails, [`Error::outcome`](crate::Error::outcome) says whether
    /// it is safe to retry.
    pub fn create_volume(&self, source: impl Into<Source>) -> Call<CreateVolume> {
        Call::new(self.clone(), CreateVolume { source: source.into() })
    }
}

/// Creates an autoscaling volume. Created by [`Datafy::create_volume`](crate::Datafy::create_volume).
#[derive(Clone, Debug)]
pub struct CreateVolume {
    pub(crate) source: Source,
}

impl Operation for CreateVolume {
    type Answer = CreatedVolume;
    const FACTS: datafy_api::operation::Operation = CREATE_VOLUME_FROM_SNAPSHOTS;
    const CREATES: Option<&'static str> = Some(VOLUME_ID);

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(CREATE_VOLUME_FROM_SNAPSHOTS, base, None::<&str>)
    }

    fn request(&self, raw: &Client, sub_account: Option<&str>) -> Result<Request, Error> {
        let body = types::CreateVolumeRequest { source: self.source.clone().into() };
        raw.create_volume_from_snapshots_request(sub_account, &body)
    }

    fn decode(&self, content: &Content<'_>) -> Result<CreatedVolume, Unusable> {
        content.expect_no_snapshot()?;
        let (id, types::Volume { volume_id: _, volume_size_gb }) = content.created(VOLUME_ID)?;
        Ok(CreatedVolume { id, volume_size_gb })
    }

    fn subject(&self) -> Subject {
        let mut subject = Subject::default();
        if let Source::DatafySnapshot(id) = &self.source {
            subject.snapshot = Some(id.clone());
        }
        subject
    }

    fn object(&self) -> String {
        match &self.source {
            Source::DatafySnapshot(id) => format!("volume from {id}"),
            _ => "volume from another source".to_owned(),
        }
    }
}

/// The volume that was created, as the service described it.
///
/// A field is `None` if the answer didn't hold it, or a value that doesn't fit. As JSON it is an object with the
/// documented names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CreatedVolume {
    /// The ID of the new volume (`volumeId`).
    #[serde(rename = "volumeId")]
    pub id: VolumeId,
    /// The size of the new volume in GB, as the service counts them (`volumeSizeGB`).
    #[serde(rename = "volumeSizeGB", skip_serializing_if = "Option::is_none")]
    pub volume_size_gb: Option<i64>,
}

only_objects!(CreatedVolume: Deserialize + Serialize);

impl Recorded for CreatedVolume {
    fn from_record(created_id: Option<&str>) -> Option<Self> {
        Some(Self { id: VolumeId::new(created_id?).ok()?, volume_size_gb: None })
    }

    fn created_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
}
