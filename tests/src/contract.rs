//! Data of the contract that several tests send.

use datafy_api_ext::Source;
use serde_json::{Value, json};

/// Sources of a volume that are no Datafy snapshot, as JSON.
pub fn other_sources() -> Vec<Value> {
    vec![
        json!({ "other": [1, { "b": null }] }),
        json!({ "datafySnapshotId": "dsnap-1", "iops": 3000 }),
    ]
}

/// A source of a volume that is no Datafy snapshot.
pub fn other_source() -> Source {
    serde_json::from_value(other_sources().remove(0)).expect("a source")
}
