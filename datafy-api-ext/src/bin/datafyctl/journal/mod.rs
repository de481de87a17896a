//! `datafyctl journal`: what runs have done, and what is unknown.

pub(crate) mod list;
pub(crate) mod resolve;
pub(crate) mod settle;

use clap::Subcommand;
use list::List;
use resolve::Resolve;
use settle::Settle;

/// Show journals, and settle what is unknown in them
#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    List(List),
    Settle(Settle),
    Resolve(Resolve),
}
