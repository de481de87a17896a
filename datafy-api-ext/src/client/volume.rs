//! A volume to call operations on.

use super::Datafy;
use crate::id::VolumeId;

/// A volume to call operations on. Created by [`Datafy::volume`].
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

    /// The client that makes the calls.
    pub(crate) fn datafy(&self) -> &Datafy {
        &self.datafy
    }
}

impl Datafy {
    /// Returns a volume to call operations on. Nothing is sent, so the volume need not exist.
    pub fn volume(&self, id: VolumeId) -> Volume {
        Volume { datafy: self.clone(), id }
    }
}
