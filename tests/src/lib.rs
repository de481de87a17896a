//! Servers and calls that the integration tests share.
#![allow(clippy::missing_panics_doc)]

mod contract;
mod listener;
mod stage;

pub use contract::{other_source, other_sources};
pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage};

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line that is shown even if the test passes: libtest captures what `println!` and `eprintln!` print.
pub fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Yields to other tasks until `condition` holds.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
