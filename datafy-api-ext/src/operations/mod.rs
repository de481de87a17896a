//! The operations of the API, one per file: arguments, options, answer.

mod attach_volume;
mod create_snapshot;
mod create_volume;
mod deactivate_autoscaling;

pub use attach_volume::AttachVolume;
pub use create_snapshot::{CreateSnapshot, Snapshot};
pub use create_volume::{CreateVolume, CreatedVolume, Source};
pub use deactivate_autoscaling::DeactivateAutoscaling;

use crate::call::Operation;
use crate::id::{DatafySnapshotId, InvalidId, VolumeId};

/// Checks what is known about the ID of the object that an operation of this name has created. One that creates nothing
/// has none.
pub(crate) fn check_created(operation: &str, id: Option<&str>) -> Result<(), String> {
    let check: fn(&str) -> Result<(), InvalidId> = match operation {
        name if name == CreateSnapshot::FACTS.name => |id| DatafySnapshotId::new(id).map(drop),
        name if name == CreateVolume::FACTS.name => |id| VolumeId::new(id).map(drop),
        _ if id.is_none() => return Ok(()),
        _ => return Err("the operation creates nothing, so leave the ID out".to_owned()),
    };
    let id = id.ok_or("the ID of the created object is missing")?;
    check(id).map_err(|error| error.to_string())
}
