//! What was found out about a call.

use crate::id::{DatafySnapshotId, VolumeId};
use crate::jobs::journal::Settled;
use crate::one_line::OneLine;
use crate::untrusted::Untrusted;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;

/// What was found out about a call. Its `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Of a call that creates a snapshot.
    Snapshot(Verdict<DatafySnapshotId>),
    /// Of a call that creates a volume.
    Volume(Verdict<VolumeId>),
    /// Of a call that attaches a volume.
    Attach(AttachVerdict),
    /// The effect of the create was known before.
    Known,
    /// The call could not be looked up, for this reason.
    NotLookedUp(&'static str),
}

/// Whether a call that creates an object did so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict<Id> {
    /// The call created this object.
    Happened(Id),
    /// Nothing is there yet, and something may still appear.
    NotYetSeen {
        /// The time after which a new look decides.
        look_again_after: DateTime<Utc>,
    },
    /// The call created nothing.
    DidNotHappen,
    /// It can't be told whether one of these objects is that of the call, or which. At most 100 are listed. The list is
    /// empty if the service acted, and no object was found.
    Ambiguous(Vec<Untrusted>),
}

/// What the EBS volumes of a Datafy volume are attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachVerdict {
    /// All are attached to the instance of the call.
    Attached,
    /// One is attached to another instance, and none to that of the call.
    AttachedElsewhere {
        /// The other instance.
        instance: String,
        /// The device name there.
        device: Option<String>,
    },
    /// Some are attached to the instance of the call, or all are on the way.
    Partly {
        /// The number of EBS volumes that are attached.
        attached: usize,
        /// The number of EBS volumes.
        of: usize,
    },
    /// None is attached to anything.
    NotAttached,
    /// EC2 shows no EBS volume of the Datafy volume.
    NoVolumes,
}

impl Finding {
    /// Returns what to [settle](crate::jobs::journal::Journal::settle) the step of the journal with, if it is certain.
    ///
    /// An attach is settled only once it is complete: the next run repeats any other.
    pub fn settled(&self) -> Option<Settled> {
        let applied = |id: &str| Some(Settled::Applied { id: Some(id.to_owned()) });
        match self {
            Self::Snapshot(Verdict::Happened(id)) => applied(id.as_str()),
            Self::Volume(Verdict::Happened(id)) => applied(id.as_str()),
            Self::Snapshot(Verdict::DidNotHappen) | Self::Volume(Verdict::DidNotHappen) => {
                Some(Settled::NotApplied)
            }
            Self::Attach(AttachVerdict::Attached) => Some(Settled::Applied { id: None }),
            _ => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(verdict) => verdict.fmt(f),
            Self::Volume(verdict) => verdict.fmt(f),
            Self::Attach(verdict) => verdict.fmt(f),
            Self::Known => f.write_str("known before"),
            Self::NotLookedUp(reason) => write!(f, "not looked up: {reason}"),
        }
    }
}

impl<Id: AsRef<str>> fmt::Display for Verdict<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happened(id) => write!(f, "created {}", id.as_ref()),
            Self::NotYetSeen { look_again_after } => {
                let time = look_again_after.to_rfc3339_opts(SecondsFormat::Secs, true);
                write!(f, "not seen yet; look again after {time}")
            }
            Self::DidNotHappen => f.write_str("created nothing"),
            Self::Ambiguous(ids) if ids.is_empty() => {
                f.write_str("ambiguous: the service acted, and no object was found")
            }
            Self::Ambiguous(ids) => {
                f.write_str("ambiguous: one of these, or none:")?;
                ids.iter().try_for_each(|id| write!(f, " {id}"))
            }
        }
    }
}

impl fmt::Display for AttachVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached => f.write_str("attached"),
            Self::AttachedElsewhere { instance, device } => {
                write!(f, "attached to {}", OneLine(instance))?;
                match device {
                    Some(device) => write!(f, " as {}", OneLine(device)),
                    None => Ok(()),
                }
            }
            Self::Partly { attached, of } => write!(f, "{attached} of {of} EBS volumes attached"),
            Self::NotAttached => f.write_str("not attached"),
            Self::NoVolumes => f.write_str("EC2 shows no EBS volume of it"),
        }
    }
}
