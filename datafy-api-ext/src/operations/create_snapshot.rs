//! Create a snapshot of a volume: `POST /api/v1/volumes/{volumeId}/create-snapshot`.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Volume;
use crate::id::{Answered, DatafySnapshotId, UnusableId, VolumeId};
use crate::subject::Subject;
use chrono::{DateTime, Utc};
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::CREATE_SNAPSHOT;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;
use serde::{Deserialize, Serialize};
use std::fmt;

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
}

impl sealed::Operation for CreateSnapshot {
    const FACTS: datafy_api::operation::Operation = CREATE_SNAPSHOT;
    type Content = types::Snapshot;

    fn span(&self, base: &BaseUrl) -> tracing::Span {
        call_span!(CREATE_SNAPSHOT, base, Some(self.volume.as_str()))
    }

    fn request(&self, raw: &Client, scope: Scope<'_>) -> Result<Request, Error> {
        let volume = self.volume.as_str();
        let Some(marker) = &self.marker else {
            return raw.create_snapshot_request(volume, scope.sub_account(), &self.body);
        };
        let description = match &self.body.description {
            Some(description) => format!("{description} {marker}"),
            None => marker.clone(),
        };
        let body =
            types::CreateSnapshotRequest { description: Some(description), ..self.body.clone() };
        raw.create_snapshot_request(volume, scope.sub_account(), &body)
    }

    fn decode(&self, success: &Success<'_>) -> Result<types::Snapshot, Unusable> {
        let snapshot = success.json::<types::Snapshot>();
        let named = snapshot.as_ref().ok().and_then(|snapshot| snapshot.volume_id.as_deref());
        if named != Some(self.volume.as_str()) {
            success.expect_volume(&self.volume)?;
        }
        snapshot
    }

    fn subject(&self) -> Subject {
        Subject { volume: Some(self.volume.clone()), ..Subject::default() }
    }

    fn marker(&self) -> Option<&str> {
        self.marker.as_deref()
    }
}

/// The snapshot that was created, as the service described it.
///
/// A field is `None` if the answer didn't hold it. As JSON it is an object with the documented names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "types::Snapshot", into = "types::Snapshot")]
#[non_exhaustive]
pub struct Snapshot {
    /// The ID of the snapshot in Datafy (`datafySnapshotId`).
    pub id: Option<Answered<DatafySnapshotId>>,
    /// The ID of the source volume (`volumeId`).
    pub volume_id: Option<Answered<VolumeId>>,
    /// The status of the snapshot (`status`).
    pub status: Option<SnapshotStatus>,
    /// The time at which the snapshot was started (`startTime`).
    pub start_time: Option<DateTime<Utc>>,
    /// The original size of the source volume in GB, as the service counts them (`volumeSizeGb`).
    pub volume_size_gb: Option<i64>,
    /// The description stored with the snapshot (`description`).
    pub description: Option<String>,
}

impl Snapshot {
    /// Returns the ID, for use in the next call. Fails if the answer holds no ID of the documented form.
    pub fn require_id(&self) -> Result<&DatafySnapshotId, UnusableId> {
        UnusableId::require(self.id.as_ref(), "datafySnapshotId")
    }
}

impl sealed::Answer for Snapshot {
    fn created_id(&self) -> Option<&str> {
        self.id.as_ref().map(Answered::as_str)
    }
}

impl From<types::Snapshot> for Snapshot {
    fn from(content: types::Snapshot) -> Self {
        Self {
            id: content.datafy_snapshot_id.map(Into::into),
            volume_id: content.volume_id.map(Into::into),
            status: content.status.map(Into::into),
            start_time: content.start_time,
            volume_size_gb: content.volume_size_gb,
            description: content.description,
        }
    }
}

impl From<Snapshot> for types::Snapshot {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            datafy_snapshot_id: snapshot.id.map(Into::into),
            volume_id: snapshot.volume_id.map(Into::into),
            status: snapshot.status.map(Into::into),
            start_time: snapshot.start_time,
            volume_size_gb: snapshot.volume_size_gb,
            description: snapshot.description,
        }
    }
}

/// The status of a snapshot. The vendor's page shows one value and doesn't rule out others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum SnapshotStatus {
    /// The snapshot is pending: `pending`.
    Pending,
    /// Any other status, unchanged.
    Other(String),
}

impl SnapshotStatus {
    /// Returns the status as the service spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Other(status) => status,
        }
    }
}

impl From<String> for SnapshotStatus {
    fn from(status: String) -> Self {
        match status.as_str() {
            "pending" => Self::Pending,
            _ => Self::Other(status),
        }
    }
}

impl From<SnapshotStatus> for String {
    fn from(status: SnapshotStatus) -> Self {
        match status {
            SnapshotStatus::Other(status) => status,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for SnapshotStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
