//! A step: one call, or an attach with its repetitions, that is recorded and not repeated.

use super::gate::Gate;
use super::job::Job;
use super::progress::Slot;
use super::stopped::StopReason;
use crate::call::operation::{Operation, Recorded};
use crate::call::{Call, Effect, Unreceived};
use crate::error::Error;
use crate::journal::{Entry, Event, JournalError, Kind, Log, Record, Step, StepState};
use crate::outcome::Outcome;
use crate::subject::Subject;
use chrono::{DateTime, Utc};
use futures_util::task::AtomicWaker;
use smol_str::SmolStr;
use std::fmt;
use std::future::pending;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use tokio::sync::OnceCell;

/// Makes the calls of one job, and records them if there is a journal. Clones belong to the same job.
///
/// A function that makes its calls through this can be run again after a crash, with the same journal and the same
/// arguments: it continues where it stopped. The rule: **code between steps runs again, and the order of steps must not
/// depend on anything but the arguments and the results of steps.** The guide has a page about
/// [jobs of several steps](crate::guide::steps).
#[derive(Clone)]
pub struct Steps(Arc<Inner>);

struct Inner {
    key: SmolStr,
    gate: Arc<Gate>,
    /// Passed before the first call of the job is sent.
    slot: OnceCell<Option<Slot>>,
    driver: AtomicWaker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `None` without a journal, and once the job is over: a task that outlives it must not keep the file locked.
    journal: Option<Arc<Log>>,
    /// What is known of the steps, from earlier runs and this one.
    entry: Entry,
    /// The steps that this run has asked for.
    uses: Vec<Use>,
    in_flight: u32,
    /// Whether the function has returned.
    returned: bool,
    halt: Option<Halt>,
    /// Whether the function got a result of an earlier run.
    replayed: bool,
    /// Whether this run has sent a call.
    sent: bool,
    /// The status of the last answer.
    last_status: Option<u16>,
}

/// A step that the function has asked for.
struct Use {
    operation: &'static str,
    number: u32,
    subject: Subject,
    in_flight: bool,
    /// Reports the effect of the step if the job is dropped.
    effect: Option<Box<dyn Effect>>,
}

/// Why a job is not continued. The function never sees it: its future is dropped, and the run reports the reason.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    /// The run is a plan, or was stopped before the job has sent anything.
    NotAttempted,
    Unknown(Box<Step>),
    Conflict(Box<Step>),
    Claimed {
        place: String,
        by: SmolStr,
    },
    Journal(JournalError),
}

/// A step that was asked for.
pub(super) enum Begun<O: Operation> {
    /// An earlier run did it.
    Before(O::Answer),
    Open(OpenStep),
}

/// A step that is not done yet. It may take several calls.
pub(super) struct OpenStep {
    steps: Steps,
    number: u32,
    /// The outcome of its calls so far. It never falls.
    pub(super) outcome: Outcome,
}

/// What became of a job, apart from its result.
pub(super) struct Ended {
    pub(super) entry: Entry,
    pub(super) halt: Option<Halt>,
    pub(super) replayed: bool,
    pub(super) sent: bool,
    pub(super) slot: Option<Slot>,
}

impl Steps {
    pub(super) fn new(
        journal: Option<Arc<Log>>,
        key: impl Into<SmolStr>,
        entry: Option<Entry>,
        gate: Arc<Gate>,
    ) -> Self {
        let key = key.into();
        let entry = entry.unwrap_or_else(|| Entry::new(&key));
        Self(Arc::new(Inner {
            key,
            gate,
            slot: OnceCell::new(),
            driver: AtomicWaker::new(),
            state: Mutex::new(State { journal, entry, ..State::default() }),
        }))
    }

    /// The steps of a single job, which has no journal.
    pub(super) fn alone() -> Self {
        Self::new(None, "", None, Arc::default())
    }

    /// Does a step, or another job as a part of this one. A step that the journal records as done is not sent again.
    ///
    /// Returns what was recorded of a step that was done: the ID that a create returned; other fields of the answer are
    /// `None`. If the step must not be sent, this doesn't return: the job ends, and its result is the
    /// [`NotDone`](super::NotDone) that says why.
    ///
    /// To retry a step that failed, call this again with the same arguments. A create that ended
    /// [`Unknown`](Outcome::Unknown) is not sent again.
    pub async fn run<J: Job>(&self, job: J) -> Result<J::Done, J::Error> {
        // Boxed, since a function of many steps would hold a call for each of them.
        Box::pin(job.run(self)).await
    }

    /// Reserves a place, such as a device of an instance, before anything is paid for.
    ///
    /// If another job of this run has claimed a place of the same name, this job ends here, with
    /// [`NotDone::Claimed`](super::NotDone::Claimed). A [`Restore`](super::Restore) claims `INSTANCE:DEVICE`.
    pub async fn claim(&self, place: impl AsRef<str>) {
        let place = place.as_ref();
        if let Some(by) = self.0.gate.claims.claim(place, &self.0.key) {
            let place = place.to_owned();
            self.park::<()>(Halt::Claimed { place, by }).await;
        }
    }

    /// Whether this is a [plan](super::Fleet::plan), in which no call is sent. For functions that do other things, too.
    pub fn is_plan(&self) -> bool {
        self.0.gate.is_plan
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the job. Never returns: the driver drops the future of the job.
    async fn park<T>(&self, halt: Halt) -> T {
        self.state().halt.get_or_insert(halt);
        self.0.driver.wake();
        pending().await
    }

    /// Looks up a step.
    pub(super) async fn begin<O: Operation + 'static>(&self, call: &Call<O>) -> Begun<O> {
        if self.state().is_closed() {
            return pending().await;
        }
        let (number, outcome) = match self.look_up(call) {
            Ok(Found::Before(answer)) => return Begun::Before(answer),
            Ok(Found::Open(number, outcome)) => (number, outcome),
            Err(halt) => return self.park(halt).await,
        };
        let passed = self.0.slot.get_or_try_init(|| self.0.gate.pass(&self.0.key)).await;
        if let Err(halt) = passed {
            return self.park(halt).await;
        }
        Begun::Open(OpenStep { steps: self.clone(), number, outcome })
    }

    fn look_up<O: Operation>(&self, call: &Call<O>) -> Result<Found<O>, Halt> {
        let mut state = self.state();
        let state = &mut *state;
        let subject = call.subject();
        let number = state.number::<O>(&subject)?;
        let Some(step) = state.entry.step(O::FACTS.name, number) else {
            return Ok(Found::Open(number, Outcome::NotSent));
        };
        if !step.may_be_applied() {
            // The function may have created something else instead: in this order of steps, it would be a second one.
            return match state.entry.instead_of(step) {
                Some(other) => Err(Halt::Conflict(Box::new(other.clone()))),
                None => Ok(Found::Open(number, Outcome::NotSent)),
            };
        }
        if step.subject != subject {
            return Err(Halt::Conflict(Box::new(step.clone())));
        }
        match step.state {
            StepState::Applied => match O::Answer::from_record(step.created_id.as_deref()) {
                Some(answer) => {
                    state.replayed = true;
                    Ok(Found::Before(answer))
                }
                None => Err(Halt::Unknown(Box::new(step.clone()))),
            },
            _ if O::FACTS.idempotent => Ok(Found::Open(number, Outcome::Unknown)),
            _ => Err(Halt::Unknown(Box::new(step.clone()))),
        }
    }

    /// Takes the result of the job: what it returned, or that it was halted. Its effects are received with it.
    pub(super) fn end(&self, is_ok: bool) -> Ended {
        let mut state = self.state();
        let unasked = if is_ok { state.unasked() } else { None };
        let halt = state.halt.take().or(unasked.map(|step| Halt::Conflict(Box::new(step))));
        state.received();
        if state.last_status == Some(401) && !is_ok {
            self.0.gate.stop(StopReason::TokenRefused);
        }
        Ended {
            entry: mem::take(&mut state.entry),
            halt,
            replayed: state.replayed,
            sent: state.sent,
            slot: self.0.slot.get().copied().flatten(),
        }
    }

    /// The caller has the results of all steps so far.
    pub(super) fn received(&self) {
        self.state().received();
    }

    /// What is known of the steps.
    pub(super) fn entry(&self) -> Entry {
        self.state().entry.clone()
    }

    /// Registers the task that polls the job.
    pub(super) fn register(&self, context: &mut Context<'_>) {
        self.0.driver.register(context.waker());
    }

    /// Whether the job is over. `returned`: its function has returned. A call in flight, also one in a task that the
    /// function has spawned, belongs to the job.
    pub(super) fn is_over(&self, returned: bool) -> bool {
        let mut state = self.state();
        state.returned |= returned;
        state.is_closed() && state.in_flight == 0
    }

    /// Begins no further step.
    pub(super) fn close(&self) {
        let journal = {
            let mut state = self.state();
            state.returned = true;
            state.journal.take()
        };
        // May wait for the writer of the journal.
        drop(journal);
    }
}

enum Found<O: Operation> {
    Before(O::Answer),
    /// The number of the step, and the outcome of earlier calls.
    Open(u32, Outcome),
}

impl State {
    fn is_closed(&self) -> bool {
        self.returned || self.halt.is_some()
    }

    /// The number of the step that the function asks for. A step that ended without effect is the same one again: a
    /// retry under another number would be a second effect in the next run. So is each step of an idempotent operation.
    fn number<O: Operation>(&mut self, subject: &Subject) -> Result<u32, Halt> {
        let Self { entry, uses, .. } = self;
        let of_operation = || uses.iter().filter(|it| it.operation == O::FACTS.name);
        for earlier in of_operation().filter(|it| it.subject == *subject) {
            if O::FACTS.idempotent {
                return Ok(earlier.number);
            }
            let step = entry.step(O::FACTS.name, earlier.number).filter(|it| it.may_be_applied());
            match step {
                None if !earlier.in_flight => return Ok(earlier.number),
                Some(step) if !earlier.in_flight && step.state == StepState::Unknown => {
                    return Err(Halt::Unknown(Box::new(step.clone())));
                }
                _ => {}
            }
        }
        let number = of_operation().map(|it| it.number).max().unwrap_or(0) + 1;
        self.uses.push(Use {
            operation: O::FACTS.name,
            number,
            subject: subject.clone(),
            in_flight: false,
            effect: None,
        });
        Ok(number)
    }

    fn apply(&mut self, time: DateTime<Utc>, record: Record) {
        // Its intent comes before a result.
        let _ = self.entry.apply(time, record);
    }

    fn used(&mut self, operation: &str, number: u32) -> Option<&mut Use> {
        self.uses.iter_mut().find(|it| it.operation == operation && it.number == number)
    }

    /// A create of an earlier run that this one did not ask for: the function has changed, or its order depends on
    /// something else.
    fn unasked(&self) -> Option<Step> {
        let asked = |step: &Step| {
            self.uses.iter().any(|it| it.operation == step.operation && it.number == step.number)
        };
        let mut creates = self.entry.steps.iter().filter(|it| !it.is_idempotent());
        creates.find(|step| step.may_be_applied() && !asked(step)).cloned()
    }

    fn received(&mut self) {
        for effect in self.uses.iter_mut().filter_map(|it| it.effect.take()) {
            effect.received();
        }
    }
}

impl OpenStep {
    /// Makes one call of the step: records the intent, sends the call, records the result.
    ///
    /// The outcome of the error is at least that of earlier calls. If the result can't be recorded, the journal accepts
    /// no further intent, and the next run takes the step for unknown.
    pub(super) async fn send<O: Operation + 'static>(
        &mut self,
        call: Call<O>,
    ) -> Result<O::Answer, Error> {
        let steps = self.steps.clone();
        let log = steps.state().journal.clone();
        // Another branch of the job was halted, or this one has outlived the function.
        let Some(flight) = InFlight::begin(&steps, O::FACTS.name, self.number) else {
            return pending().await;
        };
        let begin = self.record::<O>(Event::Begin {
            subject: call.subject(),
            marker: call.operation.marker().map(str::to_owned),
        });
        if let Err(error) = self.intend::<O>(log.as_deref(), &begin).await {
            drop(flight);
            return steps.park(Halt::Journal(error)).await;
        }
        {
            let mut state = steps.state();
            state.sent = true;
            state.apply(call.clock().date().into(), begin);
        }
        let datafy = call.datafy().clone();
        let effect = Unreceived::new(call.clone());
        let result = call.send_after(self.outcome).await;
        let effect = effect.ended(&result);
        self.outcome = self.outcome.max(effect.outcome);
        steps.0.gate.sent(&result);
        let end = self.record::<O>(Event::End {
            outcome: effect.outcome,
            created_id: effect.created_id().map(str::to_owned),
            request_id: result.as_ref().err().and_then(Error::request_id).map(str::to_owned),
        });
        {
            let mut state = steps.state();
            state.last_status = result.as_ref().err().and_then(Error::last_status);
            state.apply(datafy.clock().date().into(), end.clone());
            if let Some(used) = state.used(O::FACTS.name, self.number) {
                used.effect = Some(Box::new(effect));
            }
        }
        if let Some(log) = &log {
            // A failure is remembered there.
            let _ = log.write(&end, Kind::Result).await;
        }
        drop(flight);
        result.or_else(|error| match (error.outcome(), error.created_id()) {
            // The object exists, and its ID could be read: the job can go on.
            (Outcome::Applied, id @ Some(_)) => O::Answer::from_record(id).ok_or(error),
            _ => Err(error),
        })
    }

    /// Records that a call is about to be sent.
    async fn intend<O: Operation>(
        &self,
        log: Option<&Log>,
        begin: &Record,
    ) -> Result<(), JournalError> {
        let Some(log) = log else { return Ok(()) };
        let mut unsent = Unsent(Some((log, self.record::<O>(Event::end(Outcome::NotSent)))));
        let written = log.write(begin, Kind::Intent).await;
        unsent.0 = None;
        written
    }

    fn record<O: Operation>(&self, event: Event) -> Record {
        let key = self.steps.0.key.to_string();
        Record { key, operation: O::FACTS.name, number: self.number, event }
    }
}

/// Records that a request was not sent after all, if the job is dropped while its intent is written.
struct Unsent<'a>(Option<(&'a Log, Record)>);

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if let Some((log, record)) = &self.0 {
            // It follows the intent, so it is of the same kind.
            drop(log.queue(record, Kind::Intent));
        }
    }
}

/// A call in flight, from its intent to its result. The driver waits for it.
struct InFlight<'a> {
    steps: &'a Steps,
    operation: &'static str,
    number: u32,
}

impl<'a> InFlight<'a> {
    /// `None` if the job is over.
    fn begin(steps: &'a Steps, operation: &'static str, number: u32) -> Option<Self> {
        let mut state = steps.state();
        if state.is_closed() {
            return None;
        }
        state.used(operation, number)?.in_flight = true;
        state.in_flight += 1;
        Some(Self { steps, operation, number })
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.steps.state();
        state.in_flight -= 1;
        if let Some(used) = state.used(self.operation, self.number) {
            used.in_flight = false;
        }
        drop(state);
        self.steps.0.driver.wake();
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("key", &self.0.key).finish_non_exhaustive()
    }
}
