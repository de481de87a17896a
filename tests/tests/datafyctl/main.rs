//! The built command `datafyctl`, in a separate process, against the fake of this one.
#![allow(clippy::large_futures, clippy::unwrap_used)]

mod calls;
mod ctl;
#[cfg(unix)]
#[path = "../crashes/ec2.rs"]
#[allow(dead_code)]
mod ec2;
mod fake;
mod help;
mod journals;
mod resolve;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod terminal;
mod troubleshooting;
