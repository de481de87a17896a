//! YAML, read with its lines and written in the order that people use.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The keys that come first, in this order. Others follow by name.
const FIRST: &str = "openapi info x-page servers security paths components operationId x-idempotent name in parameters \
    requestBody responses $ref type format required properties description content schema shape version";

/// The text of a value.
pub fn write(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { compact_list_indent: false };
    serde_saphyr::to_string_with_options(&Ordered(value), options).unwrap_or_default()
}

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let mut members: Vec<_> = object.iter().collect();
                let rank = |key: &str| FIRST.split(' ').position(|first| first == key);
                members.sort_by_key(|(key, _)| (rank(key).unwrap_or(usize::MAX), *key));
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, member) in members {
                    map.serialize_entry(key, &Ordered(member))?;
                }
                map.end()
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            other => other.serialize(serializer),
        }
    }
}
