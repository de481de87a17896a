//! Which EC2 objects to fetch.

use super::sent_call::SentCall;
use super::target::{Kind, PARTS};
use crate::id::{SubAccountId, VolumeId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The number of values that EC2 accepts in one filter.
const MOST_VALUES: usize = 200;

/// A query for the EC2 objects that have one of these values in a tag.
///
/// Its `Display` is a command line of the AWS CLI for a POSIX shell or PowerShell. A program passes [`args`](Self::args) to
/// `aws`, or [`tag`](Self::tag) and [`values`](Self::values) to an SDK as a filter. [The module](super)
/// has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The sub-account of the calls, if any: it may belong to another AWS account.
    pub sub_account: Option<SubAccountId>,
    /// The subcommand of `aws ec2`: `describe-snapshots` or `describe-volumes`.
    pub command: &'static str,
    /// The key of the tag, such as `datafy:source-volume:id`. The name of the filter is `tag:` and this key.
    pub tag: &'static str,
    values: Vec<String>,
}

impl Query {
    fn new(sub_account: Option<SubAccountId>, kind: Kind, values: Vec<String>) -> Self {
        Self { sub_account, command: kind.command, tag: kind.tag, values }
    }

    /// Returns the query for the objects of this call, or `None` if EC2 doesn't show its effect.
    ///
    /// After an attach that was refused with 409, it finds out what the volume is attached to.
    pub fn of(call: &SentCall) -> Option<Self> {
        let values = vec![call.key()?.to_owned()];
        Some(Self::new(call.subject.sub_account.clone(), call.target()?.kind, values))
    }

    /// Returns the queries for all calls of which something remains to be found out: for what they create or change, and for
    /// what a create is made from, which shows that EC2 was asked in the right account and region.
    ///
    /// Each query asks for up to 200 IDs, all of the same sub-account. The order depends only on the calls.
    pub fn of_all<'a>(calls: impl IntoIterator<Item = &'a SentCall>) -> Vec<Self> {
        let mut values: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for call in calls.into_iter().filter(|call| call.is_open()) {
            let Some((target, key)) = call.target().zip(call.key()) else { continue };
            for kind in target.kinds() {
                values.entry((&call.subject.sub_account, kind)).or_default().insert(key);
            }
        }
        let mut queries = Vec::new();
        for ((sub_account, kind), values) in values {
            let values: Vec<&str> = values.into_iter().collect();
            for values in values.chunks(MOST_VALUES) {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                queries.push(Self::new(sub_account.clone(), kind, values));
            }
        }
        queries
    }

    /// Returns the query for the EBS volumes of a Datafy volume, for [`volumes_ready`](super::volumes_ready).
    pub fn ebs_volumes(volume: &VolumeId) -> Self {
        Self::new(None, PARTS, vec![volume.to_string()])
    }

    /// The values, one of which the tag must have: IDs, at most 200, since EC2 accepts no more in a filter.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    pub(super) fn kind(&self) -> Kind {
        Kind { command: self.command, tag: self.tag }
    }

    fn filter(&self) -> String {
        // Neither a tag nor an ID has a letter that the AWS CLI or a shell would read in another way.
        format!("Name=tag:{},Values={}", self.tag, self.values.join(","))
    }

    /// Returns the arguments of `aws` that run the query.
    pub fn args(&self) -> Vec<String> {
        let filter = self.filter();
        ["ec2", self.command, "--filters", &filter, "--output", "json"].map(str::to_owned).to_vec()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // PowerShell would split the filter at its commas.
        write!(f, "aws ec2 {} --filters '{}' --output json", self.command, self.filter())
    }
}
