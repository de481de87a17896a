//! Data of the contract that several tests send.

use datafy_api_ext::Source;
use serde_json::{Map, json};

/// A source of a volume that is no Datafy snapshot.
pub fn other_source() -> Source {
    Source::Undocumented(Map::from_iter([("other".to_owned(), json!([1, { "b": null }]))]))
}
