//! Work that lasts longer than one call: jobs of several steps, restores and fleets.
//!
//! A *step* is one call, or an attach with its repetitions. A *job* is an async function that makes its calls as
//! [`Steps`]: see [`Job`]. A *restore* is one: it creates a volume from a snapshot and attaches it. A *fleet* does a job
//! for each of many items: see [`Fleet`]. With a [journal](crate::journal), each step is recorded before its request is
//! sent, and its result afterwards, so that a later run can resume the job after a crash.

mod attach;
mod claims;
mod driver;
mod finished;
mod fleet;
mod gate;
mod job;
mod keyed;
mod not_done;
mod not_restored;
mod open_journal;
mod pace;
mod progress;
mod restore;
mod run;
#[cfg(feature = "reconcile")]
mod settling;
mod steps;

pub use attach::Attach;
pub use finished::Finished;
pub use fleet::{Fleet, FleetError};
pub use gate::Stopped;
pub use job::Job;
pub use keyed::Keyed;
pub use not_done::NotDone;
pub use not_restored::NotRestored;
pub use open_journal::OpenJournal;
pub use progress::{Monitor, Progress};
pub use restore::Restore;
pub use run::Run;
pub use steps::Steps;
