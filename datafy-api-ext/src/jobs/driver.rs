//! Drives a job to its end, or to a step that must not be sent.

use super::finished::Finished;
use super::steps::Steps;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls the job of an item until its function has returned, or a step has parked it. Calls in flight end before it is
/// dropped.
pub(super) async fn drive<T, D, E>(
    steps: &Steps,
    item: T,
    job: impl Future<Output = Result<D, E>>,
) -> Finished<T, D, E> {
    let _closed = Closed(steps);
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
    steps.end(item, returned)
}

/// Closes the steps if the run is dropped, too.
struct Closed<'a>(&'a Steps);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
