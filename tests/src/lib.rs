//! What the integration tests share.
#![allow(clippy::missing_panics_doc)]

mod listener;
mod stage;

pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage};
