//! What the integration tests share.
#![allow(clippy::missing_panics_doc)]

mod listener;
mod stage;

pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage};

/// Gives way to other tasks until something is so.
pub async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}
