//! The effects that the fake has applied, compared with what a call reports.

use crate::error::Error;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use serde::Serialize;

/// An effect that the fake has applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppliedEffect {
    /// The operation, as [`datafy_api::operations`] names it.
    pub operation: &'static str,
    /// Whether repeating it leads to the same state. Otherwise each repetition creates another object.
    pub idempotent: bool,
    /// The volume of the request, or the volume that was created.
    pub volume: Option<VolumeId>,
}

/// The error of [`verify`]: a call reported something else than what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call ended {ended} and had {effects} effects")]
pub struct Mismatch {
    effects: usize,
    ended: &'static str,
}

/// Compares what a call reported with the effects that it had.
///
/// `effects` are those of this call alone: select them from [`Fake::effects`](super::Fake::effects). Fails
/// unless they are as many as this table allows:
///
/// | the call ended | effects of a create | effects of an idempotent operation |
/// |---|---|---|
/// | `Ok` or `Applied` | 1 | 1 or more |
/// | `NotSent` or `Refused` | 0 | 0 |
/// | `Unknown` | 0 or 1 | any number |
pub fn verify<'a, T>(
    effects: impl IntoIterator<Item = &'a AppliedEffect>,
    result: &Result<T, Error>,
) -> Result<(), Mismatch> {
    let (mut creates, mut all) = (0, 0);
    for applied in effects {
        all += 1;
        creates += usize::from(!applied.idempotent);
    }
    let outcome = result.as_ref().err().map(Error::outcome);
    let matches = match outcome {
        None | Some(Outcome::Applied) => all >= 1 && creates <= 1,
        Some(Outcome::NotSent | Outcome::Refused) => all == 0,
        Some(Outcome::Unknown) => creates <= 1,
    };
    let ended = outcome.map_or("ok", Outcome::as_str);
    if matches { Ok(()) } else { Err(Mismatch { effects: all, ended }) }
}
