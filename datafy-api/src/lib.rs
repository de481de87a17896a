#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod base_url;
pub mod hooks;
pub mod operation;
mod request;

#[allow(
    missing_docs,
    unreachable_pub,
    unused_mut,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the code is the generator's, and some items have no description in the spec"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}

/// The source of the generated code: of [`Client`], [`types`] and [`operations`].
pub const SOURCE: &str = include_str!(concat!(env!("OUT_DIR"), "/generated.rs"));

#[cfg(feature = "schemars")]
pub use generated::json_schemas;
#[cfg(feature = "httpmock")]
pub use generated::mocks;
pub use generated::{Client, Error, ResponseValue, SERVER_URL, operations, types};
pub use reqwest;
