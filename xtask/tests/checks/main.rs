//! All tests of xtask in one program, to link once.

mod api;
mod codegen;
mod compiled;
mod document;
mod evolutions;
mod foreign_types;
mod fragments;
mod generate;
mod impact;
mod moves;
mod mutants;
mod page;
mod prose;
mod rehearsal;
mod render;
mod upgrade;
mod waivers;
mod workspace;

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line that is shown even if the test passes: libtest captures what `println!` and `eprintln!` print.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
