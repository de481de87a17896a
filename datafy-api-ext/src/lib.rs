#![doc = include_str!("../README.md")]

mod attach_volume;
mod attempt;
mod budget;
mod builder;
mod call;
mod client;
mod clock;
mod config_error;
mod connect;
mod create_snapshot;
mod create_volume;
mod deactivate_autoscaling;
mod decision;
mod error;
mod exchange;
#[cfg(feature = "fake")]
pub mod fake;
pub mod fleet;
mod http;
mod id;
mod operation;
mod outcome;
mod restore;
mod retry_after;
mod retry_policy;
mod salvage;
mod setting;
mod success;
#[cfg_attr(feature = "fake", doc = include_str!("../TESTING.md"))]
#[cfg_attr(
    not(feature = "fake"),
    doc = "Testing your code: a page, if built with the feature `fake`."
)]
pub mod testing {}
mod timeouts;
mod token;
mod transport;

pub use attach_volume::AttachVolume;
pub use builder::DatafyBuilder;
pub use call::Call;
pub use client::{Datafy, Volume};
pub use clock::{Clock, SystemClock};
pub use config_error::ConfigError;
pub use create_snapshot::{CreateSnapshot, Snapshot, SnapshotStatus};
pub use create_volume::{CreateVolume, CreatedVolume, NewVolume, Source};
pub use datafy_api;
pub use deactivate_autoscaling::DeactivateAutoscaling;
pub use error::Error;
pub use id::{
    Answered, DatafySnapshotId, DeviceName, InstanceId, InvalidId, SubAccountId, UnusableId,
    VolumeId,
};
pub use operation::Operation;
pub use outcome::Outcome;
pub use restore::{Restore, RestoreError, RestoreStep};
pub use retry_policy::{RetryPolicy, RetryPolicyBuilder};
pub use setting::InvalidSetting;
pub use timeouts::{Timeouts, TimeoutsBuilder};
pub use token::Token;
