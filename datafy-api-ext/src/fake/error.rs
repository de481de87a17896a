//! Errors for unit tests that need no service.

use crate::error::{Error, ErrorKind, Report};
use crate::id::{DatafySnapshotId, VolumeId};
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use datafy_api::SERVER_URL;
use datafy_api::operations::ALL;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use std::time::Duration;

/// Returns an [`Error`] for a unit test of code that handles errors, without a call.
///
/// `json` is an object with members that an error has as JSON: `operation`, `outcome` and `kind`; and optionally `status`,
/// `message`, `request_id`, `retry_after_seconds`, `attempts`, `marker`, `snapshot_id` and `volume_id`. They need not fit
/// together as those of a real call do. Fails if one is of another type, or unknown.
///
/// ```
/// use datafy_api_ext::fake;
/// use serde_json::json;
///
/// let error = fake::error(json!({ "operation": "create_snapshot", "outcome": "unknown", "kind": "server",
///     "status": 503, "message": "backend fetch failed" }))?;
/// assert_eq!(error.to_string(), "create_snapshot at https://api.datafy.io may have been applied: backend fetch failed");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn error(json: Value) -> serde_json::Result<Error> {
    let json = Json::deserialize(json)?;
    let known = ALL.iter().find(|operation| operation.name == json.operation);
    let operation = known.ok_or_else(|| serde_json::Error::custom("unknown operation"))?.name;
    let retry_after = json.retry_after_seconds.map(Duration::try_from_secs_f64).transpose();
    let problem = match &json.message {
        Some(message) => Untrusted::local(message),
        None => Untrusted::local(format!("a {} error for a test", json.kind)),
    };
    Ok(Error(Box::new(Report {
        operation,
        object: operation.to_owned(),
        endpoint: SERVER_URL.to_owned(),
        status: json.status,
        last_status: json.status,
        message: json.message.map(Untrusted::local),
        request_id: json.request_id.map(Untrusted::local),
        retry_after: retry_after.map_err(serde_json::Error::custom)?,
        attempts: json.attempts.unwrap_or(1),
        marker: json.marker,
        snapshot_id: json.snapshot_id,
        volume_id: json.volume_id,
        ..*Report::new(json.outcome, json.kind, problem)
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    operation: String,
    outcome: Outcome,
    kind: ErrorKind,
    status: Option<u16>,
    message: Option<String>,
    request_id: Option<String>,
    retry_after_seconds: Option<f64>,
    attempts: Option<u32>,
    marker: Option<String>,
    snapshot_id: Option<DatafySnapshotId>,
    volume_id: Option<VolumeId>,
}
