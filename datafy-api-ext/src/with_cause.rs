//! How an error displays its cause: `{error}` leaves it to `source`, and `{error:#}` appends it.

use std::fmt::{Display, Formatter, Result};

/// Writes `text`, and in the alternate form also `cause`, with its own causes.
pub(crate) fn with_cause(text: impl Display, cause: impl Display, f: &mut Formatter<'_>) -> Result {
    write!(f, "{text}")?;
    if f.alternate() { write!(f, ": {cause:#}") } else { Ok(()) }
}
