//! The integration tests of the workspace, in one program with a file for each topic.
//!
//! Tests that need a separate program are beside it: `features`, `gateways` (skipped, with a message, without the
//! gateways' programs), `load` and `traces`.
#![allow(clippy::unwrap_used)]

mod answers;
mod connections;
mod custom_http;
mod display;
mod endpoint;
mod errors;
mod fake;
mod fake_wire;
mod faults;
mod fleet;
mod ids;
mod json;
mod mocks;
mod properties;
mod redaction;
mod restore;
mod retries;
mod sharing;
mod timeouts;
mod tls;
mod tokens;
mod wire;
