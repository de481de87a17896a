#![doc = include_str!("../../RECONCILE.md")]

mod attach;
mod creates;
mod ec2_object;
mod ec2_objects;
mod find_out;
mod finding;
mod look_up;
mod query;
mod ready;
mod sent_call;
mod settings;
mod target;

pub use ec2_object::{Attachment, Ec2Object};
pub use ec2_objects::{Ec2Objects, ReadError};
pub use find_out::find_out;
pub use finding::Finding;
pub use look_up::LookUp;
pub use query::Query;
pub use ready::volumes_ready;
pub use sent_call::SentCall;
pub use settings::Settings;
