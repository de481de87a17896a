//! What a fleet does with an item, one step after the other.

use super::journal::{Entry, Event, JournalError, Kind, Log, Record, Step, StepState};
use super::not_done::NotDone;
use crate::call::operation::{Operation, sealed::Answer};
use crate::call::{Call, created_id};
use crate::error::Error;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use sealed::Sealed;
use serde::Serialize;
use std::future::Future;

/// What a fleet does with an item: a [`Call`], an [`Attach`](super::Attach) or a [`Restore`](super::Restore).
///
/// The trait is sealed.
pub trait Job: Sealed + Send + 'static {
    /// The result if it succeeds.
    type Done: Send + 'static;
    /// The error if it fails.
    type Failure: Failure;

    /// The name of the operation in the header of a journal.
    #[doc(hidden)]
    const NAME: &'static str;

    /// What earlier runs leave to do with the item of this entry.
    #[doc(hidden)]
    fn earlier(entry: &Entry) -> Earlier;

    /// Does what is left to do, and records it.
    #[doc(hidden)]
    fn perform(
        self,
        resume: Resume,
        page: Page<'_>,
    ) -> impl Future<Output = Performed<Self>> + Send;
}

/// The result of a job.
pub(super) type Performed<J> = Result<<J as Job>::Done, NotDone<<J as Job>::Failure>>;

/// The error of a [`Job`]. The trait is sealed.
pub trait Failure: Sealed + std::error::Error + Serialize + Send + 'static {
    /// Whether the job was done in spite of the error.
    #[doc(hidden)]
    fn outcome(&self) -> Outcome;

    /// The status of the last answer.
    #[doc(hidden)]
    fn last_status(&self) -> Option<u16>;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// What earlier runs leave to do with an item.
pub enum Earlier {
    /// Nothing. They created the object with this ID.
    Done(Option<String>),
    /// Nothing before somebody finds out what the step did.
    Unknown(Box<Step>),
    /// The rest of the job.
    Unfinished(Resume),
}

/// What earlier runs have done.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The volume that a restore has created.
    pub(super) volume: Option<VolumeId>,
    /// The outcome of the step that is repeated.
    pub(super) outcome: Outcome,
}

impl Resume {
    /// Nothing was done yet.
    pub(super) const FRESH: Self = Self { volume: None, outcome: Outcome::NotSent };
}

/// The part of a journal that is about one item. It records nothing if there is no journal.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    pub(super) log: Option<&'a Log>,
    pub(super) key: &'a str,
}

impl Page<'_> {
    /// Runs one step: records that the call is about to be sent, has `send` send it, and records the result.
    ///
    /// `earlier` is the outcome of earlier runs of the step: the result is no lower. Fails if the intent can't be
    /// recorded, and then sends nothing. If the result can't be recorded, the journal accepts no further intent, and the
    /// next run takes the step for unknown.
    pub(super) async fn step<O: Operation, A: Answer, F>(
        self,
        call: Call<O>,
        earlier: Outcome,
        send: impl FnOnce(Call<O>) -> F,
    ) -> Result<Result<A, Error>, JournalError>
    where
        F: Future<Output = Result<A, Error>>,
    {
        let Some(log) = self.log else { return Ok(send(call).await) };
        let record =
            |event| Record { key: self.key.to_owned(), operation: O::FACTS.name.to_owned(), event };
        let marker = call.operation.marker().map(str::to_owned);
        let intent = record(Event::Begin { subject: call.subject(), marker });
        log.write(&intent, Kind::Intent).await?;
        let result = send(call).await.map_err(|error| error.at_least(earlier));
        let error = result.as_ref().err();
        let ended = record(Event::End {
            outcome: error.map_or(Outcome::Applied, Error::outcome),
            created_id: created_id(&result).map(str::to_owned),
            request_id: error.and_then(Error::request_id).map(str::to_owned),
        });
        let _ = log.write(&ended, Kind::Result).await;
        Ok(result)
    }
}

impl<O> Sealed for Call<O> {}

impl<O: Operation + 'static> Job for Call<O> {
    type Done = O::Answer;
    type Failure = Error;
    const NAME: &'static str = O::FACTS.name;

    fn earlier(entry: &Entry) -> Earlier {
        let Some(step) = entry.step(Self::NAME) else { return Earlier::Unfinished(Resume::FRESH) };
        match step.state {
            StepState::Applied => Earlier::Done(step.created_id.clone()),
            StepState::Unknown if !step.is_idempotent() => Earlier::Unknown(Box::new(step.clone())),
            StepState::Unknown => {
                Earlier::Unfinished(Resume { outcome: Outcome::Unknown, ..Resume::FRESH })
            }
            _ => Earlier::Unfinished(Resume::FRESH),
        }
    }

    async fn perform(self, resume: Resume, page: Page<'_>) -> Performed<Self> {
        let result = match page.log {
            None => self.send().await,
            // Boxed: it would enlarge the future of every call.
            Some(_) => Box::pin(page.step(self, resume.outcome, Call::send))
                .await
                .map_err(NotDone::Journal)?,
        };
        result.map_err(NotDone::Failed)
    }
}

impl Sealed for Error {}

impl Failure for Error {
    fn outcome(&self) -> Outcome {
        Error::outcome(self)
    }

    fn last_status(&self) -> Option<u16> {
        Error::last_status(self)
    }
}
