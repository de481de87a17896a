//! `cargo xtask`: keeps the links of the chain equal, from the vendor's page to the bytes sent.
//!
//! A library, so that its tests stand beside it; nothing else uses it.
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "only the program and the tests of this package use it"
)]

pub mod api;
pub mod cargo;
pub mod check;
pub mod compare;
pub mod consequences;
pub mod docs;
pub mod drift;
pub mod edit;
pub mod facts;
pub mod finding;
pub mod generate;
pub mod openapi;
pub mod page;
pub mod report;
pub mod sources;
pub mod spec;
pub mod waivers;
pub mod write;

#[path = "../../datafy-api/build/codegen.rs"]
mod codegen;

use std::path::{Path, PathBuf};

/// The workspace.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
