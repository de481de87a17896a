//! What EC2 says about snapshots and volumes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

/// The EC2 objects to look in: the complete results of one or more queries.
///
/// [`read`](Self::read) takes the output of the AWS CLI; [`add_snapshots`](Self::add_snapshots) and
/// [`add_volumes`](Self::add_volumes) take what a program has fetched itself. An object that is given twice counts once.
#[derive(Clone, Debug, Default)]
pub struct Ec2Objects {
    pub(super) snapshots: Listing<Ec2Snapshot>,
    pub(super) volumes: Listing<Ec2Volume>,
}

/// The objects of one kind.
#[derive(Clone, Debug)]
pub(super) struct Listing<T> {
    pub(super) objects: Vec<T>,
    /// Whether the caller says that these are all.
    complete: bool,
    /// The number of complete results that were read.
    results: usize,
    /// Whether the page that was read last has a successor.
    continues: bool,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { objects: Vec::new(), complete: false, results: 0, continues: false }
    }
}

impl<T> Listing<T> {
    fn add(&mut self, objects: impl IntoIterator<Item = T>) {
        self.objects.extend(objects);
        self.complete = true;
    }

    /// Adds a page of the result of a query. `continues`: it is not the last one.
    pub(super) fn add_page(&mut self, objects: Vec<T>, continues: bool) {
        self.objects.extend(objects);
        self.results += usize::from(!continues);
        self.continues = continues;
    }

    /// Why the absence of an object proves nothing, if so. `queries`: the number of queries that find all objects.
    pub(super) fn gap(&self, queries: usize) -> Option<&'static str> {
        if self.continues {
            Some("the result is incomplete: the last page has a NextToken")
        } else if !self.complete && self.results == 0 {
            Some("no result of this query was given")
        } else if !self.complete && self.results < queries {
            Some("the result of another query is missing, or its last page")
        } else {
            None
        }
    }
}

impl Ec2Objects {
    /// Returns no objects, and no results of queries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the complete results of `DescribeSnapshots`, of all queries. There may be no snapshot.
    pub fn add_snapshots(&mut self, snapshots: impl IntoIterator<Item = Ec2Snapshot>) {
        self.snapshots.add(snapshots);
    }

    /// Adds the complete results of `DescribeVolumes`, of all queries. There may be no volume.
    pub fn add_volumes(&mut self, volumes: impl IntoIterator<Item = Ec2Volume>) {
        self.volumes.add(volumes);
    }

    /// Says that what was given holds all objects, however many results were read: for example that of one wider query.
    pub fn mark_complete(&mut self) {
        (self.snapshots.complete, self.volumes.complete) = (true, true);
    }

    /// The snapshots.
    pub fn snapshots(&self) -> &[Ec2Snapshot] {
        &self.snapshots.objects
    }

    /// The volumes.
    pub fn volumes(&self) -> &[Ec2Volume] {
        &self.volumes.objects
    }
}

/// An EBS snapshot, as `DescribeSnapshots` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Ec2Snapshot {
    /// The ID of the EBS snapshot.
    pub snapshot_id: String,
    /// When the snapshot was started, by the clock of EC2.
    #[serde(default)]
    pub start_time: Option<DateTime<Utc>>,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// The tags. Only those whose key begins with `datafy:` are kept when JSON is read.
    #[serde(default, deserialize_with = "tags")]
    pub tags: Vec<Tag>,
}

/// An EBS volume, as `DescribeVolumes` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Ec2Volume {
    /// The ID of the EBS volume.
    pub volume_id: String,
    /// When the volume was created, by the clock of EC2.
    #[serde(default)]
    pub create_time: Option<DateTime<Utc>>,
    /// The state, such as `available`.
    #[serde(default)]
    pub state: Option<String>,
    /// The instances that the volume is attached to.
    #[serde(default, deserialize_with = "list")]
    pub attachments: Vec<Attachment>,
    /// The tags. Only those whose key begins with `datafy:` are kept when JSON is read.
    #[serde(default, deserialize_with = "tags")]
    pub tags: Vec<Tag>,
}

/// An attachment of an EBS volume to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Attachment {
    /// The ID of the instance.
    #[serde(default)]
    pub instance_id: Option<String>,
    /// The device name.
    #[serde(default)]
    pub device: Option<String>,
    /// The state, such as `attached`.
    #[serde(default)]
    pub state: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    #[serde(default, deserialize_with = "text")]
    pub value: String,
}

impl Ec2Snapshot {
    /// Returns a snapshot of which only the ID is known.
    pub fn new(snapshot_id: impl Into<String>) -> Self {
        Self {
            snapshot_id: snapshot_id.into(),
            start_time: None,
            description: None,
            tags: Vec::new(),
        }
    }

    /// Sets the time at which the snapshot was started.
    #[must_use]
    pub fn start_time(mut self, time: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.start_time = time.into();
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }
}

impl Ec2Volume {
    /// Returns a volume of which only the ID is known.
    pub fn new(volume_id: impl Into<String>) -> Self {
        Self {
            volume_id: volume_id.into(),
            create_time: None,
            state: None,
            attachments: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Sets the time at which the volume was created.
    #[must_use]
    pub fn create_time(mut self, time: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.create_time = time.into();
        self
    }

    /// Sets the state, such as `available`.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Adds an attachment.
    #[must_use]
    pub fn attachment(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }
}

impl Attachment {
    /// Returns an attachment to `instance` as `device`, in a state such as `attached`.
    pub fn new(
        instance: impl Into<String>,
        device: impl Into<String>,
        state: impl Into<String>,
    ) -> Self {
        Self {
            instance_id: Some(instance.into()),
            device: Some(device.into()),
            state: Some(state.into()),
        }
    }
}

impl Tag {
    /// Returns a tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// The value of the tag with this key.
pub(super) fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn tags<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Tag>, D::Error> {
    let mut tags: Vec<Tag> = list(from)?;
    tags.retain(|tag| tag.key.starts_with("datafy:"));
    tags.shrink_to_fit();
    Ok(tags)
}
