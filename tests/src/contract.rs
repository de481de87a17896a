//! Data of the contract that several tests send.

use datafy_api_ext::Source;
use serde_json::{Map, Value, json};

/// A source of a volume that is no Datafy snapshot, and what is sent.
pub fn other_source() -> (Source, Value) {
    let other = Map::from_iter([("other".to_owned(), json!([1, { "b": null }]))]);
    (Source::Undocumented(other.clone()), json!(other))
}
