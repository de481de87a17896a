#![doc = include_str!("../README.md")]

pub mod base_url;
mod draft;
pub mod hooks;
pub mod operation;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the generator words the code"
)]
mod generated {
    #[cfg(feature = "codegen")]
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
    #[cfg(not(feature = "codegen"))]
    include!("generated.rs");
}

pub use draft::draft;
#[cfg(feature = "schemars")]
pub use generated::json_schemas;
pub use generated::{Client, Error, ResponseValue, SERVER_URL, operations, types};
