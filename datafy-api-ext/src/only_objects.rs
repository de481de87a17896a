//! Reads structs from JSON objects only: serde would also read one from a list with as many elements as it has fields,
//! which is what `--query` of the AWS CLI makes of objects.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Implements the traits of serde for a struct that derives them with `#[serde(remote = "Self")]`.
macro_rules! only_objects {
    ($name:ident: Deserialize) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::deserialize($crate::only_objects::OnlyObjects(from))
            }
        }
    };
    ($name:ident: Deserialize + Serialize) => {
        $crate::only_objects::only_objects!($name: Deserialize);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, to)
            }
        }
    };
}
pub(crate) use only_objects;

/// A deserializer of which a struct asks for an object.
pub(crate) struct OnlyObjects<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OnlyObjects<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
