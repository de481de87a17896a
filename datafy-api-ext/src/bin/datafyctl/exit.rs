//! How the program ends.

use std::error::Error;
use std::process::ExitCode;

/// An error before anything was sent: the program ends with 1.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The exit codes. `--help` and the guide list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is done.
    Done,
    /// An argument, a setting or a file can't be used. Nothing was sent.
    Unusable,
    /// Something failed, and had no effect.
    Failed,
    /// Something is unknown, or was not attempted.
    Open,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unusable => 1,
            Self::Failed => 2,
            Self::Open => 3,
        }
    }

    /// The exit code of a fleet.
    pub(crate) fn of(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Failed,
            _ => Self::Open,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Prints a help text, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A reader that has gone doesn't matter.
    let _ = error.print();
    // clap's own code, 2, says here that something was sent and failed.
    if error.use_stderr() { Exit::Unusable.into() } else { Exit::Done.into() }
}
