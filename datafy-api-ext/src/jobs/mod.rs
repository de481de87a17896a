//! What lasts longer than one call: restores, and fleets of calls.

mod fleet;
mod journal;
mod pace;
mod progress;
mod restore;

pub use fleet::{Fleet, FleetError, NotDone, Run};
pub use journal::JournalError;
pub use progress::{Monitor, Progress};
pub use restore::{Restore, RestoreError, RestoreStep};
