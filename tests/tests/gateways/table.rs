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
        let error = self.result.as_ref().err();
        let status = match error {
            None => "2xx".to_owned(),
            Some(error) => error.status().map_or("-".to_owned(), |status| status.to_string()),
        };
        let waits = error.is_some_and(|error| error.retry_after().is_some());
        write!(
            f,
            "{:19} {:27} {:15} {:8} {status:>3} {:12} {:>8} {:>8} {:>7}",
            format!("{:?}", self.kind),
            self.fault,
            format!("{:?}", self.operation),
            error.map_or("ok", |error| error.outcome().as_str()),
            if waits { "+Retry-After" } else { "" },
            error.map_or("-".to_owned(), |error| error.attempts().to_string()),
            self.seen.requests,
            self.seen.effects,
        )
    }
}

/// Prints the table, for `--nocapture`, and fails if a line breaks the promise.
pub(crate) fn check(lines: &[Line]) {
    let list = |lines: &mut dyn Iterator<Item = &Line>| {
        lines.map(Line::to_string).collect::<Vec<_>>().join("\n")
    };
    let head = format!(
        "{:19} {:27} {:15} {:8} {:16} {:>8} {:>8} {:>7}",
        "gateway", "origin", "operation", "outcome", "status", "attempts", "requests", "effects"
    );
    println!("\n{head}\n{}\n", list(&mut lines.iter()));
    let mut broken = lines.iter().filter(|line| !line.keeps_the_promise()).peekable();
    assert!(broken.peek().is_none(), "broken promises:\n{head}\n{}", list(&mut broken));
}
