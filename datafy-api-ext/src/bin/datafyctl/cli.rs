//! The arguments of the program.

use crate::attach::Attach;
use crate::check::Check;
use crate::completions::Completions;
use crate::deactivate::Deactivate;
use crate::fake::FakeServer;
use crate::journal::JournalCommand;
use crate::restore::Restore;
use crate::snapshot::Snapshot;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What ends each help text.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  everything is done
  1  an argument, a setting or a file can't be used; nothing was sent
  2  something failed and had no effect
  3  something is unknown, or was not attempted
  130  aborted by a second Ctrl-C";

/// The end of the help of commands with a journal.
const RESUME: &str = "\
After 2, 3 or 130, continue with `--resume last`, or with the same `--job`. What is unknown is not
repeated: `datafyctl journal list FILE --unknown` shows it.";

/// The end of the help of commands that make calls.
pub(crate) const CALLS: &str = "\
Environment variables:
  DATAFY_TOKEN           the token; not an option, since others can see the arguments of a process
  DATAFY_TOKEN_FILE      a file with it, if DATAFY_TOKEN is not set; --token-file overrides both
  DATAFY_ENDPOINT        the URL of the service; --endpoint overrides it
  DATAFY_SUB_ACCOUNT_ID  the sub-account; --sub-account overrides it
  HTTPS_PROXY            the proxy, or ALL_PROXY; not HTTP_PROXY: http is only for this machine
  NO_PROXY               the hosts reached without it; names of proxies work in lower case, too
  NO_COLOR               if set, nothing is coloured";

/// Create, restore and attach Datafy volumes, so that no effect is doubled or lost
///
/// A snapshot or a volume costs money, and the API can't be asked what a lost request did. So each create is recorded in
/// a journal before it is sent, and is sent again only if it provably had no effect. After a failure, Ctrl-C or `kill -9`,
/// continue with `--resume last`.
#[derive(Parser)]
#[command(name = "datafyctl", version, styles = STYLES, max_term_width = 110)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{CALLS}\n\n{EXIT_CODES}"))]
#[command(arg_required_else_help = true, propagate_version = true)]
pub(crate) struct Cli {
    /// Print results as JSON Lines.
    #[arg(long, global = true, display_order = 900)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  export DATAFY_TOKEN_FILE=/etc/datafy/token
  datafyctl check                                       # what a call would use
  datafyctl snapshot vol-0b9176567fe16f0bc              # one snapshot
  datafyctl snapshot --from volumes.txt --plan          # what a run would do
  datafyctl snapshot --from volumes.txt --resume last   # continue a run that was killed
  datafyctl restore dsnap-0c1 --to i-09759c0bdec242294:/dev/sdb
  datafyctl journal list                                # the journals, and what is unknown
  datafyctl journal resolve FILE --run-aws --region us-east-1";

const JOURNAL: &str = "\
Examples:
  datafyctl journal list                     # the journals in the state directory
  datafyctl journal list FILE --unknown      # what must be found out
  datafyctl journal resolve FILE --run-aws   # asks EC2, and settles what is certain
  datafyctl journal settle FILE KEY applied dsnap-0c1";

#[derive(Subcommand)]
pub(crate) enum Command {
    Snapshot(Snapshot),
    Restore(Restore),
    Attach(Attach),
    Deactivate(Deactivate),
    #[command(subcommand, after_help = JOURNAL)]
    Journal(JournalCommand),
    Check(Check),
    Fake(FakeServer),
    Completions(Completions),
}

/// The end of the long help of a command that makes calls.
pub(crate) fn after_help(examples: &str) -> String {
    format!("Examples:\n{examples}\n\n{CALLS}\n\n{EXIT_CODES}")
}

/// The end of the long help of a command that makes calls, with a journal.
pub(crate) fn after_help_with_journal(examples: &str) -> String {
    format!("{}\n\n{RESUME}", after_help(examples))
}
