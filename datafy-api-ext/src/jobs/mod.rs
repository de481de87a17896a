//! Work that lasts longer than one call: restores and fleets.
//!
//! A *restore* creates a volume from a snapshot and attaches it: see [`Restore`]. A *fleet* does a job, such as a call or
//! a restore, for each of many items: see [`Fleet`]. A *journal* is the file in which both record each request before it
//! is sent and its result afterwards, so that a later run can resume the work after a crash: see [`journal`].

mod attach;
mod fleet;
mod job;
pub mod journal;
mod keyed;
mod not_done;
mod pace;
mod plan;
mod progress;
mod restore;
mod seen;

pub use attach::Attach;
pub use fleet::{Fleet, FleetError, Run};
pub use job::{Failure, Job};
pub use keyed::Keyed;
pub use not_done::NotDone;
pub use plan::Plan;
pub use progress::{Monitor, Progress};
pub use restore::{JournaledRestore, NewRestore, Restore, RestoreError, RestoreStep};
