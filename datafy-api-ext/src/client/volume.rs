//! A volume, to call operations on.

use super::Datafy;
use crate::id::VolumeId;

/// A volume to call operations on. Made by [`Datafy::volume`]; nothing is sent before a call is awaited.
///
/// Each operation on a volume adds its method, in its file.
#[derive(Clone, Debug)]
pub struct Volume {
    datafy: Datafy,
    id: VolumeId,
}

impl Volume {
    /// The ID of the volume.
    pub fn id(&self) -> &VolumeId {
        &self.id
    }

    /// The client that calls are made with.
    pub(crate) fn datafy(&self) -> &Datafy {
        &self.datafy
    }
}

impl Datafy {
    /// A volume to call operations on. Nothing is sent: whether it exists shows in the first call.
    pub fn volume(&self, id: VolumeId) -> Volume {
        Volume { datafy: self.clone(), id }
    }
}
