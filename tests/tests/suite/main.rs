//! The integration tests of the workspace, in one program with a file for each topic.
//!
//! Tests that need a separate program: `crashes`, `features`, `gateways` and `traces`. Without the programs that
//! `.ci/tools` installs, `gateways` and a part of `crashes` print a message and are skipped; with the environment
//! variable `CI` set they fail.
#![allow(clippy::unwrap_used)]

mod answers;
mod cancellation;
mod connections;
mod custom_http;
mod endpoint;
mod errors;
mod extras;
mod fake;
mod faults;
mod fleet;
mod ids;
mod journal;
mod journal_damage;
mod json;
mod look_up;
mod mocks;
mod properties;
mod proxies;
mod reconcile;
mod reconcile_properties;
mod recorded_journals;
mod redaction;
mod restore;
mod retries;
mod scene;
mod sharing;
mod steps;
mod timeouts;
mod tls;
mod tokens;
mod wire;
