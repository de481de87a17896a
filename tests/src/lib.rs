//! Servers and calls that the integration tests share.
#![allow(clippy::missing_panics_doc)]

mod contract;
mod listener;
mod stage;

pub use contract::{other_source, other_sources};
pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage};

/// Yields to other tasks until `condition` holds.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
