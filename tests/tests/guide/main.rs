//! Runs the programs of the guide on the fake. `build.rs` takes them out of the pages.
#![allow(
    dead_code,
    missing_docs,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the programs are written for readers"
)]

mod backups;
mod blocking;
mod controllers;
mod disaster_recovery;
mod metrics;
mod network;
mod testing;
mod upgrading;
