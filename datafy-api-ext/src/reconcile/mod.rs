#![doc = include_str!("../../RECONCILE.md")]

mod attach;
mod creates;
mod ec2;
mod find_out;
mod finding;
mod look_up;
mod query;
mod read;
mod ready;
mod sent_call;
mod settings;

pub use ec2::{Attachment, Ec2Objects, Ec2Snapshot, Ec2Volume};
pub use find_out::find_out;
pub use finding::Finding;
pub use look_up::LookUp;
pub use query::Query;
pub use read::ReadError;
pub use ready::{NotReady, volumes_ready};
pub use sent_call::SentCall;
pub use settings::Settings;

/// The tag with the ID of the Datafy snapshot that an EBS snapshot belongs to.
const SNAPSHOT: &str = "datafy:snapshot:id";
/// The tag with the ID of the volume of a snapshot, or of the Datafy volume that an EBS volume belongs to.
const SOURCE_VOLUME: &str = "datafy:source-volume:id";
/// The tag with the ID of the Datafy snapshot that an EBS volume was created from.
const RESTORED_FROM: &str = "datafy:restored-from-snapshot:id";
