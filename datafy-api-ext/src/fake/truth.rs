//! What really happened, and whether a call says the same.

use crate::error::Error;
use crate::id::VolumeId;
use crate::outcome::Outcome;

/// An effect that the fake has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedEffect {
    /// The operation, as [`datafy_api::operations`] names it.
    pub operation: &'static str,
    /// Whether applying it once more brings about the same state, rather than another object.
    pub idempotent: bool,
    /// The volume: that of the request, or the one that was created.
    pub volume: Option<VolumeId>,
}

/// A call says of itself what isn't so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{effects} effects were applied by a call that ended {ended}")]
pub struct BrokenPromise {
    effects: usize,
    ended: &'static str,
}

/// Checks what a call says against the effects that it had. `effects` are those of this call alone:
/// pick them from [`Fake::effects`](super::Fake::effects).
///
/// | the call ended | effects of a create | effects of an idempotent operation |
/// |---|---|---|
/// | `Ok` or `Applied` | 1 | 1 or more |
/// | `NotSent` or `Refused` | 0 | 0 |
/// | `Unknown` | 0 or 1 | any |
pub fn check<'a, T>(
    effects: impl IntoIterator<Item = &'a AppliedEffect>,
    result: &Result<T, Error>,
) -> Result<(), BrokenPromise> {
    let (mut creates, mut all) = (0, 0);
    for applied in effects {
        all += 1;
        creates += usize::from(!applied.idempotent);
    }
    let outcome = result.as_ref().err().map(Error::outcome);
    let kept = match outcome {
        None | Some(Outcome::Applied) => all >= 1 && creates <= 1,
        Some(Outcome::NotSent | Outcome::Refused) => all == 0,
        Some(Outcome::Unknown) => creates <= 1,
    };
    let ended = outcome.map_or("ok", Outcome::as_str);
    if kept { Ok(()) } else { Err(BrokenPromise { effects: all, ended }) }
}
