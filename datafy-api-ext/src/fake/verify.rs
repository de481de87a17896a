//! Compares what a call reports with the effects that it had.

use super::request::RecordedRequest;
use crate::error::Error;
use crate::outcome::Outcome;
use datafy_api::operations::ALL;

/// Compares what a call reported with the effects that it had. Fails, with the reason, if they don't fit.
///
/// `requests` are those of this call alone: select them from [`Fake::requests`](super::Fake::requests) or
/// [`Fake::effects`](super::Fake::effects). As many must have had their effect as this table allows:
///
/// | the call ended | effects of a create | effects of an idempotent operation |
/// |---|---|---|
/// | `Ok` or `Applied` | 1 | 1 or more |
/// | `NotSent` or `Refused` | 0 | 0 |
/// | `Unknown` | 0 or 1 | any number |
pub fn verify<'a, T>(
    requests: impl IntoIterator<Item = &'a RecordedRequest>,
    result: &Result<T, Error>,
) -> Result<(), String> {
    let mut effects = 0;
    let mut creates = 0;
    for applied in requests.into_iter().filter(|request| request.applied) {
        effects += 1;
        let is = |name| applied.operation == Some(name);
        creates += ALL.iter().filter(|known| is(known.name) && !known.idempotent).count();
    }
    let outcome = result.as_ref().err().map(Error::outcome);
    let fits = match outcome {
        None | Some(Outcome::Applied) => effects >= 1 && creates <= 1,
        Some(Outcome::NotSent | Outcome::Refused) => effects == 0,
        Some(Outcome::Unknown) => creates <= 1,
    };
    let ended = outcome.map_or("ok", Outcome::as_str);
    if fits { Ok(()) } else { Err(format!("the call ended {ended} and had {effects} effects")) }
}
