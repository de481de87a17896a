//! What the integration tests share.

mod listener;
mod stage;

pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage};
