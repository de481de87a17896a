//! What EC2 says about snapshots and volumes.

use super::query::Query;
use super::read::ReadError;
use crate::id::SubAccountId;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// What EC2 answered to queries, and what they asked for.
///
/// [`read`](Self::read) takes the output of the AWS CLI; [`add_snapshots`](Self::add_snapshots) and
/// [`add_volumes`](Self::add_volumes) take what a program has fetched with an SDK. Each takes the complete result of one
/// query, once: nothing is concluded about an ID that no query asked for. Use a new `Ec2Objects` for each look.
#[derive(Clone, Debug)]
pub struct Ec2Objects {
    /// A time before the first query was sent.
    pub(super) fetched: DateTime<Utc>,
    asked: HashSet<Asked>,
    snapshots: Vec<Ec2Snapshot>,
    volumes: Vec<Ec2Volume>,
}

/// The ID that a query asked for: the sub-account, the command, the tag and its value.
type Asked = (Option<SubAccountId>, &'static str, &'static str, String);

/// The result of a query.
pub(super) enum Found {
    Snapshots(Vec<Ec2Snapshot>),
    Volumes(Vec<Ec2Volume>),
}

impl Ec2Objects {
    /// Returns no objects, and no results of queries.
    ///
    /// `fetched` is a time before the first query was sent, by the clock of this machine. It may be earlier: then some
    /// verdicts need a later look.
    pub fn new(fetched: DateTime<Utc>) -> Self {
        Self { fetched, asked: HashSet::new(), snapshots: Vec::new(), volumes: Vec::new() }
    }

    /// Adds the snapshots that a query found. There may be none.
    ///
    /// Fails, and adds nothing, if this can't be the complete result of this query, or if its result was given before.
    pub fn add_snapshots(
        &mut self,
        query: &Query,
        snapshots: Vec<Ec2Snapshot>,
    ) -> Result<(), ReadError> {
        self.add_checked(query, Found::Snapshots(snapshots))
    }

    /// Adds the volumes that a query found. There may be none.
    ///
    /// Fails, and adds nothing, if this can't be the complete result of this query, or if its result was given before.
    pub fn add_volumes(&mut self, query: &Query, volumes: Vec<Ec2Volume>) -> Result<(), ReadError> {
        self.add_checked(query, Found::Volumes(volumes))
    }

    fn add_checked(&mut self, query: &Query, found: Found) -> Result<(), ReadError> {
        self.check(query, &found).map_err(|problem| ReadError::new(query.command, problem))?;
        self.add(query, found);
        Ok(())
    }

    /// Adds a result that was checked.
    pub(super) fn add(&mut self, query: &Query, found: Found) {
        self.asked.extend(asked(query));
        match found {
            Found::Snapshots(snapshots) => self.snapshots.extend(snapshots),
            Found::Volumes(volumes) => self.volumes.extend(volumes),
        }
    }

    /// Checks that this can be the complete result of a query that was not given before.
    pub(super) fn check(&self, query: &Query, found: &Found) -> Result<(), String> {
        if asked(query).any(|it| self.asked.contains(&it)) {
            return Err("the result of this query was given before".to_owned());
        }
        let values: HashSet<&str> = query.values.iter().map(String::as_str).collect();
        match (found, query.command) {
            (Found::Snapshots(snapshots), "describe-snapshots") => snapshots
                .iter()
                .try_for_each(|it| check_tag(query, &values, &it.snapshot_id, &it.tags)),
            (Found::Volumes(volumes), "describe-volumes") => volumes.iter().try_for_each(|it| {
                if it.state == "in-use" && it.attachments.is_empty() {
                    return Err(format!(
                        "{} is in use, but has no attachment; {CUT}",
                        it.volume_id
                    ));
                }
                check_tag(query, &values, &it.volume_id, &it.tags)
            }),
            _ => Err(format!("it is not the output of {}", query.command)),
        }
    }

    /// Whether the result of a query for these objects is here.
    pub(super) fn has(&self, query: &Query) -> bool {
        asked(query).all(|it| self.asked.contains(&it))
    }

    /// The snapshots.
    pub fn snapshots(&self) -> &[Ec2Snapshot] {
        &self.snapshots
    }

    /// The volumes. One that several queries found is here several times.
    pub fn volumes(&self) -> &[Ec2Volume] {
        &self.volumes
    }
}

fn asked(query: &Query) -> impl Iterator<Item = Asked> {
    let Query { sub_account, command, tag, values } = query;
    values.iter().map(|value| (sub_account.clone(), *command, *tag, value.clone()))
}

/// What to do about output from which something was cut.
pub(super) const CUT: &str = "give the output of the command as it is, without --query";

/// Checks that an object has the tag that it was found by: otherwise something was cut from the output, or it is that of
/// another query.
fn check_tag(
    query: &Query,
    values: &HashSet<&str>,
    id: &str,
    tags: &[(String, String)],
) -> Result<(), String> {
    match value(tags, query.tag) {
        None => Err(format!("{id} lacks the tag {}, which it was found by; {CUT}", query.tag)),
        Some(value) if !values.contains(value) => Err(format!(
            "{id} has {value} in the tag {}, which the query doesn't ask for; give each query its own output",
            query.tag
        )),
        Some(_) => Ok(()),
    }
}

/// An EBS snapshot, as `DescribeSnapshots` returns it.
///
/// Its `VolumeId` is not here: AWS gives the copy of a snapshot one without a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ec2Snapshot {
    /// The ID of the EBS snapshot.
    pub snapshot_id: String,
    /// When the snapshot was started, by the clock of EC2.
    pub start_time: DateTime<Utc>,
    /// The description. Empty if there is none.
    pub description: String,
    /// The keys and the values of the tags.
    pub tags: Vec<(String, String)>,
}

/// An EBS volume, as `DescribeVolumes` returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ec2Volume {
    /// The ID of the EBS volume.
    pub volume_id: String,
    /// When the volume was created, by the clock of EC2.
    pub create_time: DateTime<Utc>,
    /// The state, such as `available`.
    pub state: String,
    /// The attachments to instances. A volume that is `in-use` has one at least.
    pub attachments: Vec<Attachment>,
    /// The keys and the values of the tags.
    pub tags: Vec<(String, String)>,
}

/// An attachment of an EBS volume to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attachment {
    /// The ID of the instance.
    pub instance_id: String,
    /// The device name.
    pub device: Option<String>,
    /// The state, such as `attached`.
    pub state: String,
}

impl Ec2Snapshot {
    /// Returns a snapshot with what EC2 says about each.
    pub fn new(
        snapshot_id: impl Into<String>,
        start_time: DateTime<Utc>,
        description: impl Into<String>,
        tags: Vec<(String, String)>,
    ) -> Self {
        let (snapshot_id, description) = (snapshot_id.into(), description.into());
        Self { snapshot_id, start_time, description, tags }
    }
}

impl Ec2Volume {
    /// Returns a volume with what EC2 says about each.
    pub fn new(
        volume_id: impl Into<String>,
        create_time: DateTime<Utc>,
        state: impl Into<String>,
        attachments: Vec<Attachment>,
        tags: Vec<(String, String)>,
    ) -> Self {
        let (volume_id, state) = (volume_id.into(), state.into());
        Self { volume_id, create_time, state, attachments, tags }
    }
}

impl Attachment {
    /// Returns an attachment to `instance_id`, in a state such as `attached`.
    pub fn new(instance_id: impl Into<String>, state: impl Into<String>) -> Self {
        Self { instance_id: instance_id.into(), device: None, state: state.into() }
    }
}

/// The value of the tag with this key.
pub(super) fn value<'a>(tags: &'a [(String, String)], key: &str) -> Option<&'a str> {
    tags.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
}
