//! `cargo xtask`: keeps the vendor's page, `openapi.yaml`, the generated code and the bytes sent equal.
//!
//! A library, so that the tests in `tests` can use it.
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "used by the program and the tests of this package only"
)]

pub mod api;
pub mod cargo;
pub mod check;
pub mod docs;
pub mod document;
pub mod files;
pub mod generate;
pub mod page;
pub mod report;
pub mod yaml;

#[path = "../../datafy-api/build/codegen.rs"]
mod codegen;
