//! Servers and calls that the integration tests share.
#![allow(clippy::missing_panics_doc)]

mod contract;
mod listener;
mod stage;
mod unreachable;

pub use contract::other_source;
pub use listener::{Listener, Request, http};
pub use stage::{OPERATIONS, Operation, Stage, device, instance, snapshot, volume};
pub use unreachable::{Unreachable, bound};

use std::fmt::Display;
use std::io::{self, Write};
use std::process::Command;

/// Prints a line that is shown even if the test passes: libtest captures what `println!` and `eprintln!` print.
pub fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether a program can be run. If it can't, a test that needs it is skipped, unless `CI` is set: then this panics.
pub fn usable(program: &mut Command) -> bool {
    let usable = program.output().is_ok_and(|output| output.status.success());
    assert!(usable || std::env::var_os("CI").is_none(), "{program:?} can't be run");
    if !usable {
        note(format_args!("skipped: {program:?} can't be run; .ci/tools installs it"));
    }
    usable
}

/// Yields to other tasks until `condition` holds.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
