//! The items of a fleet.

use crate::id::{DatafySnapshotId, VolumeId};
use std::borrow::Cow;

/// An item of a fleet, with a key by which results and a [journal](crate::journal) name it.
///
/// The key must be unique in the fleet, and stand for the same arguments in each run that uses the same journal: a name
/// in the caller's list, for example. An item whose arguments differ from those in the journal is
/// [not attempted](super::NotDone::Conflict).
///
/// The guide has [a row of a list](crate::guide::steps) as an item.
pub trait Keyed {
    /// Returns the key.
    fn key(&self) -> Cow<'_, str>;
}

impl Keyed for VolumeId {
    fn key(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Keyed for DatafySnapshotId {
    fn key(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Keyed for String {
    fn key(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// A pair of a key and any value.
impl<K: AsRef<str>, T> Keyed for (K, T) {
    fn key(&self) -> Cow<'_, str> {
        self.0.as_ref().into()
    }
}
