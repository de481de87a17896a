//! What is done for a key, and what a call does as a job.

use super::steps::Steps;
use crate::call::Call;
use crate::call::operation::Operation;
use crate::client::Datafy;
use crate::error::Error;
use crate::journal::{CALLS, FUNCTIONS, Header};
use std::any::type_name;
use std::future::Future;

/// What a fleet does with an item, or a journal under a key: a [`Call`], an [`Attach`](super::Attach), a
/// [`Restore`](super::Restore), or the future of an async function of yours that makes its calls with
/// [`Steps::run`].
///
/// The guide has a page about [jobs of several steps](crate::guide::steps). A job that has parameters can be a type:
///
/// ```
/// use datafy_api_ext::jobs::{Job, Steps};
/// use datafy_api_ext::{Datafy, DatafySnapshotId, Error, VolumeId};
///
/// struct Clone {
///     datafy: Datafy,
///     volume: VolumeId,
/// }
///
/// impl Job for Clone {
///     type Done = VolumeId;
///     type Error = Error;
///
///     async fn run(self, steps: &Steps) -> Result<VolumeId, Error> {
///         let snapshot = steps.run(self.datafy.volume(self.volume).create_snapshot()).await?;
///         let volume = steps.run(self.datafy.create_volume(snapshot.id)).await?;
///         Ok(volume.id)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    note = "a job is a call, an attach, a restore, or the future of an async function that returns a `Result`"
)]
pub trait Job: Send {
    /// The result if it succeeds.
    type Done: Send + 'static;
    /// The error if it fails. A function that uses `?` on steps needs one that implements `From<Error>`.
    type Error: Send + 'static;

    /// The operation in the header of a journal, if version 2 of the format can express the job.
    #[doc(hidden)]
    const OPERATION: Option<&'static str> = None;

    /// Does the job. It makes its calls with [`Steps::run`]; what is recorded as done is not sent again.
    fn run(self, steps: &Steps) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;
}

/// An async function has its steps as an argument.
impl<F, D, E> Job for F
where
    F: Future<Output = Result<D, E>> + Send,
    D: Send + 'static,
    E: Send + 'static,
{
    type Done = D;
    type Error = E;

    fn run(self, _: &Steps) -> impl Future<Output = Result<D, E>> + Send {
        self
    }
}

impl<O: Operation + 'static> Job for Call<O> {
    type Done = O::Answer;
    type Error = Error;
    const OPERATION: Option<&'static str> = Some(O::FACTS.name);

    async fn run(self, steps: &Steps) -> Result<O::Answer, Error> {
        steps.call(self).await
    }
}

/// The header of a journal of such jobs.
pub(super) fn header<J: Job>(datafy: &Datafy, job: Option<String>) -> Header {
    match J::OPERATION {
        Some(operation) => Header::new(datafy, CALLS, operation, job),
        None => Header::new(datafy, FUNCTIONS, name::<J>(), job),
    }
}

/// The name of a function or a type, without its module, its parameters, and the closures in it.
///
/// It stays the same if the code moves to another module.
fn name<J>() -> &'static str {
    let path = type_name::<J>();
    let path = path.split('<').next().unwrap_or(path);
    path.split("::").filter(|part| !part.starts_with('{')).last().unwrap_or(path)
}
