//! Drives a job to its end, or to a step that must not be sent.

use super::finished::Finished;
use super::job::Job;
use super::steps::Steps;
use std::future::poll_fn;
use std::task::Poll;
use tokio::time::sleep;

/// How a job ended, and its steps: they report its effects unless somebody receives it.
pub(super) struct Held<T, D, E> {
    pub(super) finished: Finished<T, D, E>,
    pub(super) steps: Steps,
}

impl<T, D, E> Held<T, D, E> {
    /// Returns it to the caller.
    pub(super) fn received(self) -> Finished<T, D, E> {
        self.steps.received();
        self.finished
    }
}

/// Polls the job of an item until its function has returned, or a step has parked it. Calls in flight end before it is
/// dropped, if they do within their timeout.
pub(super) async fn drive<T, J: Job>(steps: Steps, item: T, job: J) -> Held<T, J::Done, J::Error> {
    let finished = finish(&steps, item, job).await;
    Held { finished, steps }
}

async fn finish<T, J: Job>(steps: &Steps, item: T, job: J) -> Finished<T, J::Done, J::Error> {
    let _closed = Closed(steps);
    // Boxed, since the future of a call is large, and each one around it would move it.
    let mut job = Box::pin(job.run(steps));
    let mut returned = None;
    // A call that the function has begun, and no longer polls, would never end.
    let mut limit = None;
    let returned = poll_fn(|context| {
        steps.register(context);
        if returned.is_none()
            && let Poll::Ready(result) = job.as_mut().poll(context)
        {
            returned = Some(result);
        }
        let Some(left) = steps.left(returned.is_some()) else { return Poll::Pending };
        let over = left.is_zero() || {
            let limit = limit.get_or_insert_with(|| Box::pin(sleep(left)));
            limit.as_mut().poll(context).is_ready()
        };
        if over { Poll::Ready(returned.take()) } else { Poll::Pending }
    });
    let returned = returned.await;
    drop(job);
    steps.end(item, returned)
}

/// Closes the steps if the run is dropped, too.
struct Closed<'a>(&'a Steps);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
