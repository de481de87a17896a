//! Creating a snapshot of a volume.

use crate::call::Call;
use crate::call::operation::{Operation, Scope, call_span, sealed};
use crate::call::success::{Success, Unusable};
use crate::client::Volume;
use crate::id::{Answered, DatafySnapshotId, UnusableId, VolumeId};
use chrono::{DateTime, Utc};
use datafy_api::base_url::BaseUrl;
use datafy_api::operations::CREATE_SNAPSHOT;
use datafy_api::types;
use datafy_api::{Client, Error};
use reqwest::Request;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Creates a snapshot of a volume. Made by [`Volume::create_snapshot`](crate::Volume::create_snapshot).
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
    /// Creates a snapshot of the volume. Each snapshot costs money: see [`Outcome`](crate::Outcome) for
    /// when to repeat a call that failed.
    pub fn create_snapshot(&self) -> Call<CreateSnapshot> {
        Call::new(self.datafy().clone(), CreateSnapshot::new(self.id().clone()))
    }
}

impl Call<CreateSnapshot> {
    /// A text that is kept with the snapshot.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.operation.body.description = Some(description.into());
        self
    }

    /// Whether the snapshot is made only if Datafy manages the volume. Where this isn't called nothing
    /// is sent, and the service takes it for `true`.
    pub fn autoscaling_only(mut self, only: bool) -> Self {
        self.operation.body.autoscaling_only = Some(only);
        self
    }

    /// Appends a short random marker to the description. Should the call end
    /// [`Unknown`](crate::Outcome::Unknown), [`Error::marker`](crate::Error::marker) is what to look for in
    /// the descriptions of the volume's snapshots.
    pub fn traceable(mut self) -> Self {
        let mark: String = std::iter::repeat_with(fastrand::alphanumeric).take(10).collect();
        self.operation.marker = Some(format!("[datafy-{mark}]"));
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
        success.is_about(&self.volume)?;
        success.json()
    }

    fn volume(&self) -> Option<&VolumeId> {
        Some(&self.volume)
    }

    fn marker(&self) -> Option<&str> {
        self.marker.as_deref()
    }
}

/// The snapshot that was asked for. Every field is what the service answered, and is absent where it
/// answered nothing.
///
/// As JSON its members are those that the service documents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "types::Snapshot", into = "types::Snapshot")]
#[non_exhaustive]
pub struct Snapshot {
    /// The id of the snapshot in Datafy (`datafySnapshotId`).
    pub id: Option<Answered<DatafySnapshotId>>,
    /// The volume that the snapshot was taken of (`volumeId`).
    pub volume_id: Option<Answered<VolumeId>>,
    /// How far the snapshot is (`status`).
    pub status: Option<SnapshotStatus>,
    /// When the snapshot was started (`startTime`).
    pub start_time: Option<DateTime<Utc>>,
    /// The original size of the source volume (`volumeSizeGb`), in the unit of that name.
    pub volume_size_gb: Option<i64>,
    /// The text kept with the snapshot (`description`).
    pub description: Option<String>,
}

impl Snapshot {
    /// The id, for the next call.
    pub fn require_id(&self) -> Result<&DatafySnapshotId, UnusableId> {
        UnusableId::require(self.id.as_ref(), "datafySnapshotId")
    }
}

impl sealed::Answer for Snapshot {
    fn made(&self) -> Option<&str> {
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

/// How far a snapshot is. The page shows one value and doesn't say that there are no others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum SnapshotStatus {
    /// `pending`
    Pending,
    /// Any other, as it came.
    Other(String),
}

impl SnapshotStatus {
    /// The status as the service words it.
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
