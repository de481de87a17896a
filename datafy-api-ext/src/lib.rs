#![doc = include_str!("../DOCS.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod abandoned;
mod call;
mod client;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
// Only documentation; the tests of the workspace run its programs. It links to what optional features add; docs.rs turns
// them all on.
#[cfg(all(doc, not(doctest)))]
#[cfg_attr(
    not(all(feature = "fake", feature = "httpmock", feature = "reconcile")),
    allow(rustdoc::broken_intra_doc_links)
)]
pub mod guide;
mod id;
pub mod jobs;
pub mod journal;
mod one_line;
mod only_objects;
mod operations;
mod outcome;
#[cfg(feature = "reconcile")]
pub mod reconcile;
mod subject;
mod untrusted;
mod with_cause;

pub use abandoned::Abandoned;
pub use call::{Call, Detached, Operation};
pub use client::{Clock, ConfigError, Datafy, DatafyBuilder, RetryPolicy, Timeouts, Token, Volume};
pub use datafy_api;
pub use error::{Error, ErrorKind};
pub use id::{DatafySnapshotId, DeviceName, InstanceId, InvalidId, SubAccountId, VolumeId};
pub use operations::{
    AttachVolume, CreateSnapshot, CreateVolume, CreatedVolume, DeactivateAutoscaling, Snapshot,
    Source,
};
pub use outcome::Outcome;
pub use subject::Subject;
pub use untrusted::Untrusted;

// Doesn't compile, and says why, if `datafy-api` is generated from a spec that this crate doesn't fit.
datafy_api::expect_fitting_spec!();
