//! Reads YAML and records the line of each value.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::fmt;

/// A YAML document: its content as JSON, and the line of each value by JSON pointer.
#[derive(Debug)]
pub(crate) struct Document {
    /// The content.
    pub(crate) value: Value,
    /// The line of each value.
    pub(crate) lines: BTreeMap<String, u64>,
}

impl Document {
    /// Parses `text`. The error is one line, with the place if the parser knows it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // YAML 1.1 reads `y`, `n`, `on` and `off` as booleans.
        let options = serde_saphyr::options! { strict_booleans: true };
        let read = serde_saphyr::from_str_with_options(text, options);
        let root: Spanned<Node> = read.map_err(|error| {
            let whole = error.without_snippet().to_string();
            whole.lines().next().unwrap_or("not YAML").to_owned()
        })?;
        let mut lines = BTreeMap::new();
        let value = root.value.place(root.referenced.line(), String::new(), &mut lines);
        Ok(Self { value, lines })
    }

    /// The line of the value at `pointer`: for a member of a mapping, that of its key.
    pub(crate) fn line(&self, pointer: &str) -> Option<u64> {
        self.lines.get(pointer).copied()
    }
}

/// Escapes one segment of a JSON pointer (RFC 6901).
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Mapping(Vec<(Spanned<String>, Node)>),
}

impl Node {
    fn place(self, line: u64, pointer: String, lines: &mut BTreeMap<String, u64>) -> Value {
        let value = match self {
            Node::Scalar(value) => value,
            Node::List(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let line = item.referenced.line();
                        item.value.place(line, format!("{pointer}/{index}"), lines)
                    })
                    .collect(),
            ),
            Node::Mapping(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(key, member)| {
                        let inner = format!("{pointer}/{}", escape(&key.value));
                        let member = member.place(key.referenced.line(), inner, lines);
                        (key.value, member)
                    })
                    .collect::<Map<_, _>>(),
            ),
        };
        lines.insert(pointer, line);
        value
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Node::Scalar(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        // serde_json keeps the order of insertion or sorts, depending on a feature that any crate of a build can
        // enable. Sorting here makes the order the same in both cases.
        members
            .sort_by(|(one, _): &(Spanned<String>, Node), (other, _)| one.value.cmp(&other.value));
        Ok(Node::Mapping(members))
    }
}
