//! How an error displays its cause: `{error}` leaves it to `source`, and `{error:#}` appends it.

use crate::one_line::misleads;
use std::fmt::{Display, Formatter, Result};

/// Writes `text`, and in the alternate form also `cause`, with its own causes: on one line, since it may be an error of a
/// caller's token provider, which quotes another service.
pub(crate) fn with_cause(text: impl Display, cause: impl Display, f: &mut Formatter<'_>) -> Result {
    write!(f, "{text}")?;
    if !f.alternate() {
        return Ok(());
    }
    write!(f, ": {}", format!("{cause:#}").replace(misleads, " "))
}
