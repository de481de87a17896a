//! The operations of the API, one per file: arguments, options, answer.

mod attach_volume;
mod create_snapshot;
mod create_volume;
mod deactivate_autoscaling;

pub use attach_volume::AttachVolume;
pub use create_snapshot::{CreateSnapshot, Snapshot};
pub use create_volume::{CreateVolume, CreatedVolume, Source};
pub use deactivate_autoscaling::DeactivateAutoscaling;
