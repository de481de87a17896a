//! What was found out about a call.

use crate::journal::Settled;
use crate::untrusted::Untrusted;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;

/// What was found out about a call. Its `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The create made this object.
    Happened {
        /// The ID of the Datafy snapshot or volume.
        id: String,
        /// Whether the object carries the [marker](crate::Call::traceable) of the call. Otherwise it is that of the call
        /// because no other call that was given can have created it.
        marked: bool,
    },
    /// The create made nothing.
    DidNotHappen,
    /// It isn't known whether one of these objects is that of the create, or which.
    ///
    /// At most 100 are listed. The list is empty if the service acted, and no object was found.
    Ambiguous(Vec<Untrusted>),
    /// All EBS volumes of the volume are attached to the instance of the attach.
    Attached,
    /// An EBS volume is attached to another instance, and none to that of the attach.
    AttachedElsewhere {
        /// The other instance.
        instance: Untrusted,
        /// The device name there.
        device: Option<Untrusted>,
    },
    /// Some EBS volumes are attached to the instance of the attach, or on the way.
    Partly {
        /// The number of EBS volumes that are attached.
        attached: usize,
        /// The number of EBS volumes.
        of: usize,
    },
    /// No EBS volume of the volume is attached to anything.
    NotAttached,
    /// EC2 shows no EBS volume of the volume.
    NoVolumes,
    /// EC2 may not show everything yet.
    NotYetSeen {
        /// The time from which a new look decides.
        look_again_after: DateTime<Utc>,
    },
    /// Nothing remains to be found out about the call.
    Known,
    /// The call could not be looked up, for this reason.
    NotLookedUp(&'static str),
}

impl Finding {
    /// Returns what to [settle](crate::journal::Journal::settle) the step of the journal with, if it is certain.
    ///
    /// An attach is settled only once it is complete: the next run repeats any other.
    pub fn settled(&self) -> Option<Settled> {
        match self {
            Self::Happened { id, .. } => Some(Settled::Applied { id: Some(id.clone()) }),
            Self::Attached => Some(Settled::Applied { id: None }),
            Self::DidNotHappen => Some(Settled::NotApplied),
            _ => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happened { id, .. } => write!(f, "created {id}"),
            Self::DidNotHappen => f.write_str("created nothing"),
            Self::Ambiguous(ids) if ids.is_empty() => {
                f.write_str("ambiguous: the service acted, and no object was found")
            }
            Self::Ambiguous(ids) => {
                f.write_str("ambiguous: one of these, or none:")?;
                ids.iter().try_for_each(|id| write!(f, " {id}"))
            }
            Self::Attached => f.write_str("attached"),
            Self::AttachedElsewhere { instance, device } => {
                write!(f, "attached to {instance}")?;
                match device {
                    Some(device) => write!(f, " as {device}"),
                    None => Ok(()),
                }
            }
            Self::Partly { attached, of } => write!(f, "{attached} of {of} EBS volumes attached"),
            Self::NotAttached => f.write_str("not attached"),
            Self::NoVolumes => f.write_str("EC2 shows no EBS volume of it"),
            Self::NotYetSeen { look_again_after } => {
                let time = look_again_after.to_rfc3339_opts(SecondsFormat::Secs, true);
                write!(f, "not seen yet; look again after {time}")
            }
            Self::Known => f.write_str("known before"),
            Self::NotLookedUp(reason) => write!(f, "not looked up: {reason}"),
        }
    }
}
