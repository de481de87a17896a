#![doc = include_str!("../README.md")]

pub mod base_url;
mod draft;
pub mod hooks;
pub mod operation;

#[allow(
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the generator words the code"
)]
#[warn(missing_docs, reason = "a spec may bring what touch_up.rs has no words for")]
mod generated {
    #[cfg(feature = "codegen")]
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
    #[cfg(not(feature = "codegen"))]
    include!("generated.rs");
}

pub use draft::draft;
#[cfg(feature = "schemars")]
pub use generated::json_schemas;
#[cfg(feature = "httpmock")]
pub use generated::mocks;
pub use generated::{Client, Error, ResponseValue, SERVER_URL, operations, types};
pub use reqwest;
