//! Reads the output of the AWS CLI.

use super::ec2::{Attachment, CUT, Ec2Objects, Ec2Snapshot, Ec2Volume, Found};
use super::query::Query;
use crate::one_line::OneLine;
use chrono::{DateTime, Utc};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Why this can't be used as the complete result of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}", OneLine(problem))]
pub struct ReadError {
    place: String,
    problem: String,
}

impl ReadError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl Ec2Objects {
    /// Adds the objects in the output of the AWS CLI for one query.
    ///
    /// `output` is JSON, in UTF-8 or UTF-16. It may be several documents, one after the other: the pages of the result. An
    /// object with three tags takes about half a kilobyte of memory.
    ///
    /// Fails, and adds nothing, if this can't be the complete result of this query: it is not JSON, fields that each
    /// object has were cut, an object is not what the query asks for, or the last page has a `NextToken`. The message says
    /// which document it is. Fails, too, if the result of this query was given before.
    pub fn read(&mut self, query: &Query, output: &[u8]) -> Result<(), ReadError> {
        self.read_all(std::slice::from_ref(query), [(query.command, output)])
    }

    /// Adds the objects in the outputs of the AWS CLI for several queries, such as the files that a person has saved.
    ///
    /// Each output has a name, for the messages of errors. The results must be in the order of the `queries`, and as many;
    /// how they are spread over the outputs doesn't matter. Otherwise as [`read`](Self::read).
    pub fn read_all<N: fmt::Display, B: AsRef<[u8]>>(
        &mut self,
        queries: &[Query],
        outputs: impl IntoIterator<Item = (N, B)>,
    ) -> Result<(), ReadError> {
        let mut results = Vec::new();
        // Whether the page that was read last has a successor.
        let mut continues = false;
        let mut last = String::new();
        for (name, output) in outputs {
            for (place, page) in pages(&name, output.as_ref())? {
                let end = page.next_token.as_ref().is_none_or(String::is_empty);
                let found = page.found().map_err(|problem| ReadError::new(&place, problem))?;
                match results.last_mut() {
                    Some((_, whole)) if continues => {
                        append(whole, found).map_err(|problem| ReadError::new(&place, problem))?;
                    }
                    _ => results.push((place.clone(), found)),
                }
                (continues, last) = (!end, place);
            }
        }
        if continues {
            let problem = "the result is incomplete: the last page has a NextToken";
            return Err(ReadError::new(last, problem));
        }
        if results.len() != queries.len() {
            let problem = format!(
                "expected the results of {} queries, found {}; give the output of each command once, in their order",
                queries.len(),
                results.len()
            );
            return Err(ReadError::new("the output", problem));
        }
        for (query, (place, found)) in queries.iter().zip(&results) {
            self.check(query, found).map_err(|problem| ReadError::new(place, problem))?;
        }
        for (query, (_, found)) in queries.iter().zip(results) {
            self.add(query, found);
        }
        Ok(())
    }
}

/// The pages in an output, with their places.
fn pages(name: &dyn fmt::Display, output: &[u8]) -> Result<Vec<(String, Page)>, ReadError> {
    let json = decoded(output).map_err(|problem| ReadError::new(name.to_string(), problem))?;
    let mut pages = Vec::new();
    for (number, page) in (1..).zip(serde_json::Deserializer::from_str(&json).into_iter()) {
        let place = format!("{name}: JSON document {number}");
        match page {
            Ok(Object(page)) => pages.push((place, page)),
            Err(error) if error.is_data() => {
                return Err(ReadError::new(place, format!("{error}; {CUT}")));
            }
            Err(error) => return Err(ReadError::new(place, error.to_string())),
        }
    }
    if pages.is_empty() {
        let problem = "there is no JSON document; the command may have failed";
        return Err(ReadError::new(name.to_string(), problem));
    }
    Ok(pages)
}

/// The text of an output in UTF-8 or UTF-16: PowerShell writes both, with a byte order mark.
fn decoded(output: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = output.as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.map(Cow::Owned).ok_or("it is not valid UTF-16")
    };
    // JSON begins with an ASCII character, in UTF-16 beside a zero.
    let text = match output {
        [0xFF, 0xFE, ..] | [_, 0, ..] => utf16(u16::from_le_bytes)?,
        [0xFE, 0xFF, ..] | [0, ..] => utf16(u16::from_be_bytes)?,
        _ => str::from_utf8(output).map_err(|_| "it is neither UTF-8 nor UTF-16")?.into(),
    };
    Ok(match text.strip_prefix('\u{FEFF}') {
        Some(rest) => rest.to_owned().into(),
        None => text,
    })
}

fn append(whole: &mut Found, page: Found) -> Result<(), &'static str> {
    match (whole, page) {
        (Found::Snapshots(whole), Found::Snapshots(page)) => whole.extend(page),
        (Found::Volumes(whole), Found::Volumes(page)) => whole.extend(page),
        _ => return Err("it is not the next page of the result before it"),
    }
    Ok(())
}

/// A JSON object as `T`.
///
/// What serde derives for a struct also reads an array, whose items are then the fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Map<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        from.deserialize_map(Map(PhantomData))
    }
}

/// A page of a result.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    snapshots: Option<Vec<Object<Snapshot>>>,
    volumes: Option<Vec<Object<Volume>>>,
    next_token: Option<String>,
}

/// The fields that each snapshot has, and its description.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Snapshot {
    #[serde(rename = "SnapshotId")]
    id: String,
    start_time: DateTime<Utc>,
    /// Nothing documents that EC2 sends an empty one.
    description: Option<String>,
    #[serde(deserialize_with = "tags")]
    tags: Vec<(String, String)>,
}

/// The fields that each volume has.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    #[serde(rename = "VolumeId")]
    id: String,
    create_time: DateTime<Utc>,
    state: String,
    attachments: Vec<Object<VolumeAttachment>>,
    #[serde(deserialize_with = "tags")]
    tags: Vec<(String, String)>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeAttachment {
    instance_id: String,
    device: Option<String>,
    state: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl Page {
    fn found(self) -> Result<Found, &'static str> {
        match (self.snapshots, self.volumes) {
            (Some(snapshots), None) => {
                Ok(Found::Snapshots(snapshots.into_iter().map(|Object(it)| it.into()).collect()))
            }
            (None, Some(volumes)) => {
                Ok(Found::Volumes(volumes.into_iter().map(|Object(it)| it.into()).collect()))
            }
            _ => Err(
                "it is no result of describe-snapshots or describe-volumes: it must have one of `Snapshots` and \
                `Volumes`",
            ),
        }
    }
}

impl From<Snapshot> for Ec2Snapshot {
    fn from(it: Snapshot) -> Self {
        Self::new(it.id, it.start_time, it.description.unwrap_or_default(), it.tags)
    }
}

impl From<Volume> for Ec2Volume {
    fn from(it: Volume) -> Self {
        let attachments = it.attachments.into_iter().map(|Object(it)| Attachment {
            instance_id: it.instance_id,
            device: it.device,
            state: it.state,
        });
        Self::new(it.id, it.create_time, it.state, attachments.collect(), it.tags)
    }
}

/// The tags of Datafy.
fn tags<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    let tags = Vec::<Object<Tag>>::deserialize(from)?.into_iter();
    Ok(tags
        .map(|Object(tag)| (tag.key, tag.value))
        .filter(|(key, _)| key.starts_with("datafy:"))
        .collect())
}
