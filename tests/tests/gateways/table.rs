//! The results of calls through gateways.

use crate::gateway::Kind;
use crate::origin::Seen;
use datafy_api_ext::{Error, Outcome};
use datafy_tests::Operation;
use std::fmt;

/// One call through a gateway.
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) fault: String,
    pub(crate) operation: Operation,
    pub(crate) result: Result<(), Error>,
    pub(crate) seen: Seen,
}

impl Line {
    /// Whether the effects are what the call says of them.
    fn keeps_the_promise(&self) -> bool {
        let Seen { requests, effects, .. } = self.seen;
        let creates = self.operation.creates();
        match self.result.as_ref().map_err(Error::outcome) {
            Ok(()) | Err(Outcome::Applied) => effects == 1 || (effects > 1 && !creates),
            Err(Outcome::NotSent | Outcome::Refused) => effects == 0,
            Err(Outcome::Unknown) => requests <= 1 || !creates,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, fault, operation, result, seen } = self;
        let error = result.as_ref().map_or_else(|error| format!("{error:#}"), |()| "ok".to_owned());
        write!(f, "{kind:?}, {fault}: {operation:?}: {seen:?}: {error}")
    }
}

/// Prints the calls, for `--nocapture`, and fails if one breaks the promise.
pub(crate) fn check(lines: &[Line]) {
    for line in lines {
        println!("{line}");
        assert!(line.keeps_the_promise(), "broken promise: {line}");
    }
}
