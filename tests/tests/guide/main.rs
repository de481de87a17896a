//! Runs the programs of the README and the guide on the fake, and checks their links. `build.rs` takes the programs out
//! of the pages.
#![allow(
    dead_code,
    missing_docs,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the programs are written for readers"
)]

use std::fs;

mod backups;
mod blocking;
mod controllers;
mod disaster_recovery;
mod links;
mod metrics;
mod network;
mod readme;
mod services;
mod steps;
mod testing;
mod traces;
mod upgrading;

#[test]
fn every_program_of_the_guide_is_compiled() {
    let read = |directory| fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let tests: String = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guide"))
        .chain(read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs")))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let programs: Vec<_> = read(env!("OUT_DIR"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(!programs.is_empty());
    for program in programs {
        assert!(tests.contains(&format!("\"/{program}\"")), "no test includes {program}");
    }
}
