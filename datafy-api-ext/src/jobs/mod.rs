//! Work that lasts longer than one call: restores and fleets.
//!
//! A *restore* creates a volume from a snapshot and attaches it: see [`Restore`]. A *fleet* runs one operation over
//! many volumes: see [`Fleet`]. A *journal* is the file in which a fleet records each call before it is sent and its
//! outcome afterwards, so that a later run can resume the work after a crash: see [`Fleet::journal`].

mod fleet;
mod journal;
mod journal_error;
mod not_done;
mod pace;
mod progress;
mod restore;

pub use fleet::{Fleet, FleetError, Run};
pub use journal_error::JournalError;
pub use not_done::NotDone;
pub use progress::{Monitor, Progress};
pub use restore::{Restore, RestoreError, RestoreStep};
