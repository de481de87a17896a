//! What a fleet does with an item, one step after the other.

use super::journal::{Entry, Event, JournalError, Kind, Log, Record, Step, StepState};
use super::not_done::NotDone;
use crate::abandoned::Unreceived;
use crate::call::Call;
use crate::call::operation::Operation;
use crate::error::Error;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
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

    /// What earlier runs leave to do, according to the entry of the item.
    #[doc(hidden)]
    fn earlier(&self, entry: &Entry) -> Earlier;

    /// The effect that the job brings along from an earlier attempt, which no journal has. It is reported unless
    /// somebody receives it.
    #[doc(hidden)]
    fn brought(&self) -> Unreceived {
        Unreceived::NOTHING
    }

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
    Done(Option<Untrusted>),
    /// Nothing before somebody finds out what the step did.
    Unknown(Box<Step>),
    /// Nothing. They were about something else: this step had other arguments.
    Conflict(Box<Step>),
    /// The rest of the job.
    Unfinished(Resume),
}

impl Earlier {
    /// The rest of the job, or why there is none.
    pub(super) fn rest<E>(self) -> Result<Resume, NotDone<E>> {
        match self {
            Self::Done(created_id) => Err(NotDone::AppliedBefore { created_id }),
            Self::Unknown(step) => Err(NotDone::UnknownBefore { step }),
            Self::Conflict(step) => Err(NotDone::Conflict { step }),
            Self::Unfinished(resume) => Ok(resume),
        }
    }
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
    pub(super) const NONE: Self = Page { log: None, key: "" };

    /// Runs one step: records that the call is about to be sent, sends it, and records the result.
    ///
    /// `earlier` is the outcome of earlier calls of the step: that of the error is no lower. Fails if the intent can't be
    /// recorded, and then sends nothing. If the result can't be recorded, the journal accepts no further intent, and the
    /// next run takes the step for unknown.
    pub(super) async fn step<O: Operation>(
        self,
        call: Call<O>,
        earlier: Outcome,
    ) -> Result<Result<O::Answer, Error>, JournalError> {
        let Some(log) = self.log else {
            return Ok(call.send().await.map_err(|error| error.at_least(earlier)));
        };
        let (datafy, abandoned) = (call.datafy().clone(), call.abandoned());
        let (subject, marker) = (abandoned.subject.clone(), abandoned.marker.clone());
        let unsent = Unsent(Some((log, self.record::<O>(Event::end(Outcome::NotSent)))));
        log.write(&self.record::<O>(Event::Begin { subject, marker }), Kind::Intent).await?;
        unsent.sent();

        let result = call.send().await.map_err(|error| error.at_least(earlier));
        let abandoned = abandoned.with_result(&result);
        let ended = self.record::<O>(Event::End {
            outcome: abandoned.outcome,
            created_id: abandoned.created_id.as_deref().map(str::to_owned),
            request_id: result.as_ref().err().and_then(Error::request_id).map(str::to_owned),
        });
        let unreceived = Unreceived::new(datafy, abandoned);
        let _ = log.write(&ended, Kind::Result).await;
        unreceived.received();
        Ok(result)
    }

    /// Records that a call was applied without a journal.
    pub(super) async fn adopt<O: Operation>(
        self,
        call: &Call<O>,
        created_id: String,
    ) -> Result<(), JournalError> {
        let Some(log) = self.log else { return Ok(()) };
        let (subject, marker) = (call.subject(), None);
        log.write(&self.record::<O>(Event::Begin { subject, marker }), Kind::Intent).await?;
        let ended = Event::End {
            outcome: Outcome::Applied,
            created_id: Some(created_id),
            request_id: None,
        };
        log.write(&self.record::<O>(ended), Kind::Result).await
    }

    fn record<O: Operation>(self, event: Event) -> Record {
        Record { key: self.key.to_owned(), operation: O::FACTS.name.to_owned(), event }
    }
}

/// Records that a request was not sent after all, if the run is dropped while its intent is written.
struct Unsent<'a>(Option<(&'a Log, Record)>);

impl Unsent<'_> {
    fn sent(mut self) {
        self.0 = None;
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if let Some((log, record)) = &self.0 {
            // It follows the intent, so it is of the same kind.
            drop(log.queue(record, Kind::Intent));
        }
    }
}

impl<O> Sealed for Call<O> {}

impl<O: Operation + 'static> Job for Call<O> {
    type Done = O::Answer;
    type Failure = Error;
    const NAME: &'static str = O::FACTS.name;

    fn earlier(&self, entry: &Entry) -> Earlier {
        let step = entry.step(Self::NAME).filter(|step| step.may_be_applied());
        let Some(step) = step else { return Earlier::Unfinished(Resume::FRESH) };
        if step.subject != self.subject() {
            Earlier::Conflict(Box::new(step.clone()))
        } else if step.state == StepState::Applied {
            Earlier::Done(step.created_id.clone())
        } else if step.is_idempotent() {
            Earlier::Unfinished(Resume { outcome: Outcome::Unknown, ..Resume::FRESH })
        } else {
            Earlier::Unknown(Box::new(step.clone()))
        }
    }

    async fn perform(self, resume: Resume, page: Page<'_>) -> Performed<Self> {
        let result = match page.log {
            None => self.send().await,
            // Boxed: it would enlarge the future of every call.
            Some(_) => Box::pin(page.step(self, resume.outcome)).await.map_err(NotDone::Journal)?,
        };
        result.map_err(NotDone::Failed)
    }
}

impl Sealed for Error {}

impl Failure for Error {
    fn outcome(&self) -> Outcome {
        // What was created can't be found before somebody finds out its ID.
        if self.lacks_id() { Outcome::Unknown } else { Error::outcome(self) }
    }

    fn last_status(&self) -> Option<u16> {
        Error::last_status(self)
    }
}
