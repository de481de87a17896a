//! Create a snapshot of a volume: `POST /api/v1/volumes/{volumeId}/create-snapshot`.

use crate::call::operation::{Operation, Recorded, call_span};
use crate::call::success::{SNAPSHOT_ID, Unusable};
use crate::call::{Call, Content};
use crate::client::Volume;
use crate::id::{DatafySnapshotId, VolumeId};
use crate::only_objects::only_objects;
use crate::subject::Subject;
use chrono::{DateTime, Utc};
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::CREATE_SNAPSHOT;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;
use serde::{Deserialize, Serialize};

/// Creates a snapshot of a volume. Created by [`Volume::create_snapshot`](crate::Volume::create_snapshot).
#[derive(Clone, Debug)]
pub struct CreateSnapshot {
    volume: VolumeId,
    body: types::CreateSnapshotRequest,
    marker: Option<String>,
}

impl CreateSnapshot {
    pub(crate) fn new(volume: VolumeId) -> Self {
        Self { volume, body: types::CreateSnapshotRequest::default(), marker: None }
    }
}

impl Volume {
    /// Creates a snapshot of the volume.
    ///
    /// Not idempotent: each snapshot is billed. If the call fails, [`Error::outcome`](crate::Error::outcome) says
    /// whether it is safe to retry.
    pub fn create_snapshot(&self) -> Call<CreateSnapshot> {
        Call::new(self.datafy().clone(), CreateSnapshot::new(self.id().clone()))
    }
}

impl Call<CreateSnapshot> {
    /// Sets the description stored with the snapshot.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.operation.body.description = Some(description.into());
        self
    }

    /// Whether to create the snapshot only if Datafy manages the volume. The service defaults to `true`.
    pub fn autoscaling_only(mut self, only: bool) -> Self {
        self.operation.body.autoscaling_only = Some(only);
        self
    }

    /// Appends a short random marker to the description, by which the snapshot can be found.
    ///
    /// If the call ends [`Unknown`](crate::Outcome::Unknown), look for [`Error::marker`](crate::Error::marker) in the
    /// descriptions of the volume's snapshots.
    #[doc(alias("idempotent", "idempotency key", "marker"))]
    pub fn traceable(mut self) -> Self {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(10).collect();
        self.operation.marker = Some(format!("[datafy-{random}]"));
        self
    }
}

impl Operation for CreateSnapshot {
    type Answer = Snapshot;
    const FACTS: datafy_api::operation::Operation = CREATE_SNAPSHOT;
    const CREATES: Option<&'static str> = Some(SNAPSHOT_ID);

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(CREATE_SNAPSHOT, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, sub_account: Option<&str>) -> Result<Request, Error> {
        let volume = self.volume.as_str();
        let Some(marker) = &self.marker else {
            return raw.create_snapshot_request(volume, sub_account, &self.body);
        };
        let description = match &self.body.description {
            Some(description) => format!("{description} {marker}"),
            None => marker.clone(),
        };
        let body =
            types::CreateSnapshotRequest { description: Some(description), ..self.body.clone() };
        raw.create_snapshot_request(volume, sub_account, &body)
    }

    fn decode(&self, content: &Content<'_>) -> Result<Snapshot, Unusable> {
        content.expect_volume(&self.volume)?;
        let (id, fields) = content.created(SNAPSHOT_ID)?;
        Ok(Snapshot::new(id, fields))
    }

    fn subject(&self) -> Subject {
        Subject { volume: Some(self.volume.clone()), ..Subject::default() }
    }

    fn object(&self) -> String {
        format!("snapshot of {}", self.volume)
    }

    fn marker(&self) -> Option<&str> {
        self.marker.as_deref()
    }
}

/// The snapshot that was created, as the service described it.
///
/// A field is `None` if the answer didn't hold it, or a value that doesn't fit. As JSON it is an object with the
/// documented names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct Snapshot {
    /// The ID of the snapshot in Datafy (`datafySnapshotId`).
    #[serde(rename = "datafySnapshotId")]
    pub id: DatafySnapshotId,
    /// The ID of the source volume (`volumeId`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<VolumeId>,
    /// The status of the snapshot (`status`), such as `pending`, the only one that the vendor's page shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The time at which the snapshot was started (`startTime`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<DateTime<Utc>>,
    /// The original size of the source volume in GB, as the service counts them (`volumeSizeGb`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_size_gb: Option<i64>,
    /// The description stored with the snapshot (`description`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

only_objects!(Snapshot: Deserialize + Serialize);

impl Snapshot {
    fn new(id: DatafySnapshotId, fields: types::Snapshot) -> Self {
        let types::Snapshot {
            datafy_snapshot_id: _,
            volume_id,
            status,
            start_time,
            volume_size_gb,
            description,
        } = fields;
        Self {
            id,
            volume_id: volume_id.and_then(|id| id.parse().ok()),
            status,
            start_time,
            volume_size_gb,
            description,
        }
    }
}

impl Recorded for Snapshot {
    fn from_record(created_id: Option<&str>) -> Option<Self> {
        Some(Self::new(created_id?.parse().ok()?, types::Snapshot::default()))
    }

    fn created_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
}
