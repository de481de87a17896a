//! A running fleet.

use super::finished::Finished;
use super::gate::{Gate, Stopped};
use super::progress::Monitor;
use crate::error::Error;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A running fleet: a stream of how each item ended, in the order in which the jobs end.
///
/// Dropping it cancels the jobs in flight, and [reports](crate::DatafyBuilder::on_abandoned) their effects. With a journal,
/// the drop waits until what is queued is written, and only then can the next run open the file.
pub struct Run<T, D, E = Error> {
    pub(super) results: BoxStream<'static, Finished<T, D, E>>,
    pub(super) gate: Arc<Gate>,
}

impl<T, D, E> Run<T, D, E> {
    /// Returns how the next item ended, or `None` once every item has been processed. If the run has
    /// [stopped](Self::stopped), items that were not attempted are left out.
    pub async fn next(&mut self) -> Option<Finished<T, D, E>> {
        self.results.next().await
    }

    /// Why the run has stopped, if it has.
    pub fn stopped(&self) -> Option<Stopped> {
        self.gate.state().stopped.clone()
    }

    /// The keys of the items that were not attempted so far since the run has [stopped](Self::stopped), in the order in
    /// which they came: nothing was sent for them in this run. Their jobs may have been begun by an earlier one.
    pub fn not_attempted(&self) -> Vec<String> {
        self.gate.state().not_attempted.clone()
    }

    /// Returns a handle that reports the progress of the run and can stop it. It outlives the run.
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(&self.gate))
    }
}

impl<T, D, E> Stream for Run<T, D, E> {
    type Item = Finished<T, D, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_next_unpin(context)
    }
}

impl<T, D, E> fmt::Debug for Run<T, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("progress", &self.monitor().progress()).finish_non_exhaustive()
    }
}
