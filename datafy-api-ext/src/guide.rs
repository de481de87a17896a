//! Recipes: a page for each task, with a program to copy.
//!
//! They build on the [front page](crate), which says what a call promises, and lists them by task. Every program here is
//! compiled and run on the [fake](crate::fake) by the repository's tests. More programs are in the folder `examples` of
//! the package.
//!
//! This module has no code. It exists in the documentation only.

#[doc = include_str!("../guide/backups.md")]
pub mod backups {}

#[doc = include_str!("../guide/disaster_recovery.md")]
pub mod disaster_recovery {}

#[doc = include_str!("../guide/steps.md")]
pub mod steps {}

#[doc = include_str!("../guide/services.md")]
pub mod services {}

#[doc = include_str!("../guide/controllers.md")]
pub mod controllers {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/other_languages.md")]
pub mod other_languages {}

#[doc = include_str!("../guide/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../guide/retries.md")]
pub mod retries {}

#[doc = include_str!("../guide/tokens.md")]
pub mod tokens {}

#[doc = include_str!("../guide/environment.md")]
pub mod environment {}

#[doc = include_str!("../guide/network.md")]
pub mod network {}

#[doc = include_str!("../guide/traces.md")]
pub mod traces {}

#[doc = include_str!("../guide/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../guide/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("../guide/upgrading.md")]
pub mod upgrading {}
