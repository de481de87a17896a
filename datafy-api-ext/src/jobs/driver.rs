//! Drives a job to its end, or to a step that must not be sent.

use super::finished::Finished;
use super::not_done::NotDone;
use super::steps::{Ended, Halt, Steps};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// How a job ended.
pub(super) struct Driven<D, E> {
    /// What the function returned, or `None` if it was dropped.
    returned: Option<Result<D, E>>,
    pub(super) ended: Ended,
}

/// Polls a job until its function has returned, or a step has parked it. Calls in flight end before it is dropped.
pub(super) async fn drive<D, E>(
    steps: &Steps,
    job: impl Future<Output = Result<D, E>>,
) -> Driven<D, E> {
    let closed = Closed(steps);
    let returned = {
        let mut job = pin!(job);
        let mut returned = None;
        poll_fn(|context| {
            steps.register(context);
            if returned.is_none()
                && let Poll::Ready(result) = job.as_mut().poll(context)
            {
                returned = Some(result);
            }
            if steps.is_over(returned.is_some()) {
                Poll::Ready(returned.take())
            } else {
                Poll::Pending
            }
        })
        .await
    };
    let ended = steps.end(matches!(returned, Some(Ok(_))));
    drop(closed);
    Driven { returned, ended }
}

/// Closes the steps if the run is dropped, too.
struct Closed<'a>(&'a Steps);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<D, E> Driven<D, E> {
    /// How a job that is not one of a fleet ended.
    pub(super) fn alone(self) -> Finished<(), D, E> {
        self.of(()).expect("only a fleet is planned or stopped")
    }

    /// How the job of this item ended. `None` if it was not attempted: the run is a plan, or was stopped.
    pub(super) fn of<T>(self, item: T) -> Option<Finished<T, D, E>> {
        let Ended { entry, halt, replayed, sent, .. } = self.ended;
        let result = match (halt, self.returned) {
            (None, Some(Ok(done))) => Ok(done),
            (None, Some(Err(error))) => Err(NotDone::Failed(error)),
            (None, None) | (Some(Halt::NotAttempted), _) => return None,
            (Some(Halt::Unknown(step)), _) => Err(NotDone::Unknown { step, reason: None }),
            (Some(Halt::Conflict(step)), _) => Err(NotDone::Conflict { step }),
            (Some(Halt::Claimed { place, by }), _) => {
                Err(NotDone::Claimed { place, by: by.into() })
            }
            (Some(Halt::Journal(error)), _) => Err(NotDone::Journal(error)),
        };
        let before = result.is_ok() && replayed && !sent;
        Some(Finished { item, result, before, sent, steps: entry.steps })
    }
}
