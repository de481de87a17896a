//! A step: one call, or an attach with its repetitions, that is recorded and not repeated.

use super::finished::Finished;
use super::gate::{Gate, Stopped};
use super::job::Job;
use super::not_done::{Halt, NotDone};
use crate::call::operation::{Operation, Recorded};
use crate::call::{Call, Ended, Unreceived};
use crate::error::Error;
use crate::journal::{Entry, Event, Intent, Record, Step, StepState, Store};
use crate::outcome::Outcome;
use crate::subject::Subject;
use futures_util::task::AtomicWaker;
use smol_str::SmolStr;
use std::fmt;
use std::future::pending;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;
use tokio::sync::{Notify, OnceCell};

/// Makes the calls of one job, and records them if there is a journal. Clones belong to the same job.
///
/// The rule: **code between steps runs again, and the order of steps must not depend on anything but the arguments and the
/// results of steps.** The guide has a page about [jobs of several steps](crate::guide::steps).
#[derive(Clone)]
pub struct Steps(Arc<Inner>);

struct Inner {
    key: SmolStr,
    /// `None` for a job that is alone.
    gate: Option<Arc<Gate>>,
    /// Set once the job has passed the gate, before its first call is sent.
    passed: OnceCell<()>,
    driver: AtomicWaker,
    /// Wakes the branches of the function that wait for the turn of another one.
    next_turn: Notify,
    state: Mutex<JobState>,
}

#[derive(Default)]
struct JobState {
    /// `None` without a journal, and once the job is over: a task that outlives it must not keep the journal locked.
    journal: Option<Arc<Store>>,
    /// What is known of the steps, from earlier runs and this one.
    entry: Entry,
    /// The steps that this run has asked for.
    uses: Vec<Use>,
    /// The number of calls in flight.
    in_flight: u32,
    /// The longest operation timeout of the calls so far.
    longest: Duration,
    /// Whether the function has returned, or was dropped.
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
    /// Whether a branch of the function has its turn at it.
    taken: bool,
    /// The guard of the effect of its last call, until somebody receives the result of the job.
    unreceived: Option<Unreceived>,
}

/// What is known of a step that was asked for.
pub(super) enum Found<'a, A> {
    /// An earlier run did it.
    Before(A),
    /// It is not done yet: the turn at it, and the outcome of its calls so far, which never falls.
    Open(Turn<'a>, Outcome),
}

/// The turn of one branch of the function at a step. Meanwhile an equal create in another branch is another step, and an
/// equal call of an idempotent operation waits.
pub(super) struct Turn<'a> {
    steps: &'a Steps,
    /// Its place among the steps that were asked for.
    at: usize,
    number: u32,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.steps.state().uses[self.at].taken = false;
        self.steps.0.next_turn.notify_waiters();
    }
}

impl Steps {
    pub(super) fn new(journal: Option<Arc<Store>>, gate: Option<Arc<Gate>>, key: SmolStr) -> Self {
        let entry = journal.as_ref().map(|journal| journal.entry(&key)).unwrap_or_default();
        let state = JobState { journal, entry, ..JobState::default() };
        Self(Arc::new(Inner {
            key,
            gate,
            passed: OnceCell::new(),
            driver: AtomicWaker::new(),
            next_turn: Notify::new(),
            state: state.into(),
        }))
    }

    /// The steps of a single job, which has no journal.
    pub(super) fn alone() -> Self {
        Self::new(None, None, SmolStr::default())
    }

    /// Does a step, or another job as a part of this one. A step that the journal records as done is not sent again.
    ///
    /// Returns what was recorded of a step that was done: the ID that a create returned; other fields of the answer are
    /// `None`. If the step must not be sent, this doesn't return: the job ends, and its result is the
    /// [`NotDone`](super::NotDone) that says why.
    ///
    /// To retry a step that failed, call this again with the same arguments. A create that ended
    /// [`Unknown`](Outcome::Unknown) is not sent again. Of two equal calls at a time, two creates are two steps; otherwise
    /// the second waits for the first, and is sent only if that failed.
    pub async fn run<J: Job>(&self, job: J) -> Result<J::Done, J::Error> {
        // Boxed, since a function of many steps would hold a call for each of them.
        Box::pin(job.run(self)).await
    }

    /// Reserves a place, such as a device of an instance, before anything is paid for.
    ///
    /// If another job of this run has claimed a place of the same name, this job ends here, with
    /// [`NotDone::Claimed`](super::NotDone::Claimed). A [`Restore`](super::Restore) claims `INSTANCE:DEVICE`.
    pub async fn claim(&self, place: impl AsRef<str>) {
        let (place, key) = (place.as_ref(), &self.0.key);
        if self.0.gate.as_ref().is_some_and(|gate| !gate.claims.claim(place, key)) {
            let place = place.to_owned();
            self.park::<()>(Halt::Claimed { place }).await;
        }
    }

    /// Whether this is a [plan](super::Fleet::plan), in which no call is sent. For functions that do other things, too.
    pub fn is_plan(&self) -> bool {
        self.0.gate.as_ref().is_some_and(|gate| gate.is_plan)
    }

    fn state(&self) -> MutexGuard<'_, JobState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the job. Never returns: the driver drops the future of the job.
    async fn park<T>(&self, halt: Halt) -> T {
        self.state().halt.get_or_insert(halt);
        self.0.driver.wake();
        pending().await
    }

    /// Does a step of one call, unless it is done.
    pub(super) async fn call<O: Operation + 'static>(
        &self,
        call: Call<O>,
    ) -> Result<O::Answer, Error> {
        match self.begin(&call).await {
            Found::Before(answer) => Ok(answer),
            Found::Open(turn, outcome) => turn.send(call, outcome).await,
        }
    }

    /// Looks up a step. If it is not done, the job has passed the gate.
    pub(super) async fn begin<O: Operation>(&self, call: &Call<O>) -> Found<'_, O::Answer> {
        let Inner { gate, passed, next_turn, .. } = &*self.0;
        let found = loop {
            let turn = next_turn.notified();
            if self.state().is_closed() {
                return pending().await;
            }
            match self.look_up(call) {
                Ok(Some(Found::Before(answer))) => return Found::Before(answer),
                Ok(Some(open)) => break open,
                Ok(None) => turn.await,
                Err(halt) => return self.park(halt).await,
            }
        };
        let Some(gate) = gate else { return found };
        match passed.get_or_try_init(|| gate.pass()).await {
            Ok(()) => found,
            Err(halt) => self.park(halt).await,
        }
    }

    /// `None` while another branch has its turn at the step.
    fn look_up<O: Operation>(&self, call: &Call<O>) -> Result<Option<Found<'_, O::Answer>>, Halt> {
        let mut state = self.state();
        let subject = call.subject();
        let at = state.asked::<O>(&subject)?;
        let Use { number, taken, .. } = state.uses[at];
        if taken {
            return Ok(None);
        }
        let open = |state: &mut JobState, outcome| {
            state.uses[at].taken = true;
            Ok(Some(Found::Open(Turn { steps: self, at, number }, outcome)))
        };
        let Some(step) = state.entry.step(O::FACTS.name, number) else {
            return open(&mut state, Outcome::NotSent);
        };
        if !step.may_be_applied() {
            // The function may have created something else instead: in this order of steps, it would be a second one.
            return match state.entry.instead_of(step) {
                Some(other) => Err(Halt::Conflict { step: Box::new(other.clone()) }),
                None => open(&mut state, Outcome::NotSent),
            };
        }
        if step.subject != subject {
            return Err(Halt::Conflict { step: Box::new(step.clone()) });
        }
        match (step.state, O::Answer::from_record(step.created_id.as_deref())) {
            (StepState::Applied, Some(answer)) => {
                state.replayed = true;
                Ok(Some(Found::Before(answer)))
            }
            (StepState::Unknown, _) if O::FACTS.idempotent => open(&mut state, Outcome::Unknown),
            _ => Err(Halt::Unknown { step: Box::new(step.clone()) }),
        }
    }

    fn stop(&self, reason: Stopped) {
        if let Some(gate) = &self.0.gate {
            gate.stop(reason);
        }
    }

    /// Returns how the job ended. `returned`: what its function has returned.
    pub(super) fn end<T, D, E>(
        &self,
        item: T,
        returned: Option<Result<D, E>>,
    ) -> Finished<T, D, E> {
        let mut state = self.state();
        if state.last_status == Some(401) && !matches!(returned, Some(Ok(_))) {
            self.stop(Stopped::TokenRefused);
        }
        if let Some(gate) = self.0.gate.as_ref().filter(|_| self.0.passed.initialized()) {
            gate.leave();
        }
        let result = match (state.halt.take(), returned) {
            (None, Some(Ok(done))) => match state.unasked() {
                Some(step) => Err(NotDone::Conflict { step: Box::new(step.clone()) }),
                None => Ok(done),
            },
            (None, Some(Err(error))) => Err(NotDone::Failed(error)),
            (halt, _) => Err(halt.unwrap_or(Halt::NotAttempted).into_not_done()),
        };
        let before = result.is_ok() && state.replayed && !state.sent;
        Finished { item, result, before, steps: mem::take(&mut state.entry.steps) }
    }

    /// The caller has the results of all steps so far.
    pub(super) fn received(&self) {
        self.state().uses.iter_mut().for_each(Use::received);
    }

    /// Registers the task that polls the job.
    pub(super) fn register(&self, context: &mut Context<'_>) {
        self.0.driver.register(context.waker());
    }

    /// `None` as long as the function goes on. Then: how long the calls in flight may still take, which is zero without any.
    /// One in a task that the function has spawned belongs to the job, too. `returned`: the function has returned.
    pub(super) fn left(&self, returned: bool) -> Option<Duration> {
        let mut state = self.state();
        state.returned |= returned;
        let left = if state.in_flight == 0 { Duration::ZERO } else { state.longest };
        state.is_closed().then_some(left)
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
        if let Some(gate) = self.0.gate.as_ref().filter(|gate| !gate.is_fleet) {
            gate.claims.release(&self.0.key);
        }
    }
}

impl JobState {
    fn is_closed(&self) -> bool {
        self.returned || self.halt.is_some()
    }

    /// The place of the step that the function asks for. A step that ended without effect is the same one again: a retry
    /// under another number would be a second effect in the next run. So is each step of an idempotent operation.
    fn asked<O: Operation>(&mut self, subject: &Subject) -> Result<usize, Halt> {
        let operation = O::FACTS.name;
        let of_operation =
            || self.uses.iter().enumerate().filter(|(_, it)| it.operation == operation);
        for (at, earlier) in of_operation().filter(|(_, it)| it.subject == *subject) {
            if O::FACTS.idempotent {
                return Ok(at);
            }
            let step = self.entry.step(operation, earlier.number);
            match step.filter(|step| step.may_be_applied()) {
                _ if earlier.taken => {}
                None => return Ok(at),
                Some(step) if step.state == StepState::Unknown => {
                    return Err(Halt::Unknown { step: Box::new(step.clone()) });
                }
                Some(_) => {}
            }
        }
        let number = of_operation().map(|(_, it)| it.number).max().unwrap_or(0) + 1;
        let subject = subject.clone();
        self.uses.push(Use { operation, number, subject, taken: false, unreceived: None });
        Ok(self.uses.len() - 1)
    }

    /// A create of an earlier run that this one did not ask for: the function has changed, or its order depends on
    /// something else.
    fn unasked(&self) -> Option<&Step> {
        let asked = |step: &Step| {
            self.uses.iter().any(|it| it.operation == step.operation && it.number == step.number)
        };
        let mut creates = self.entry.steps.iter().filter(|it| !it.is_idempotent());
        creates.find(|step| step.may_be_applied() && !asked(step))
    }
}

impl Use {
    fn received(&mut self) {
        if let Some(unreceived) = self.unreceived.take() {
            unreceived.received();
        }
    }
}

impl Turn<'_> {
    /// Records the intent, sends the call, and records the result. The outcome of the error is at least that of earlier
    /// calls.
    pub(super) async fn send<O: Operation + 'static>(
        &self,
        call: Call<O>,
        earlier: Outcome,
    ) -> Result<O::Answer, Error> {
        let Self { steps, at, number } = *self;
        let datafy = call.datafy().clone();
        let record = |event| Record {
            time: datafy.clock().date().into(),
            ..Record::new(steps.0.key.clone(), O::FACTS.name, number, event)
        };
        let (subject, marker) = (Some(call.subject()), call.operation.marker().map(str::to_owned));
        let begin = Record { subject, marker, ..record(Event::Begin) };
        let limit = call.limit();
        let Some(mut flight) = InFlight::begin(steps, begin, limit) else {
            return pending().await;
        };
        if let Some(intent) = flight.intent.take()
            && let Err(error) = intent.written().await
        {
            drop(flight);
            steps.stop(Stopped::Journal(error.clone()));
            return steps.park(Halt::Journal(error)).await;
        }
        flight.unsent = None;
        {
            let mut state = steps.state();
            state.sent = true;
            // The guard of this call reports an effect of the earlier ones, too.
            state.uses[at].received();
        }
        let Ended { result, unreceived } = call.send_after(earlier).await.kept();
        if let Some(gate) = &steps.0.gate {
            gate.sent(&result);
        }
        let request_id = result.as_ref().err().and_then(Error::request_id);
        let end = Record {
            outcome: Some(unreceived.call.outcome),
            created_id: unreceived.call.created_id.as_deref().map(str::to_owned),
            request_id: request_id.map(|id| id.as_str().to_owned()),
            ..record(Event::End)
        };
        let recording = flight.journal.as_ref().map(|journal| journal.conclude(&end));
        {
            let mut state = steps.state();
            state.last_status = result.as_ref().err().and_then(Error::last_status);
            state.uses[at].unreceived = Some(unreceived);
            // Its intent comes before a result.
            let _ = state.entry.apply(end);
        }
        if let Some(recording) = recording
            && let Err(error) = recording.await
        {
            steps.stop(Stopped::Journal(error));
        }
        result.or_else(|error| match (error.outcome(), error.created_id()) {
            // The object exists, and its ID could be read: the job can go on.
            (Outcome::Applied, id @ Some(_)) => O::Answer::from_record(id).ok_or(error),
            _ => Err(error),
        })
    }
}

/// A call in flight, from its intent to its result. The driver waits for it.
struct InFlight<'a> {
    steps: &'a Steps,
    journal: Option<Arc<Store>>,
    intent: Option<Intent>,
    /// The step, and what was known of it before, until the call is sent.
    unsent: Option<(&'static str, u32, Option<Step>)>,
}

impl<'a> InFlight<'a> {
    /// `None` if no further step may be begun: another branch of the job was halted, or the function has returned.
    fn begin(steps: &'a Steps, begin: Record, limit: Duration) -> Option<Self> {
        let mut state = steps.state();
        if state.is_closed() {
            return None;
        }
        state.in_flight += 1;
        state.longest = state.longest.max(limit);
        // While the job is open: a later job with the key begins after it was closed, and knows this intent.
        let journal = state.journal.clone();
        let intent = journal.as_ref().map(|journal| journal.intend(&begin));
        let (operation, number) = (begin.operation, begin.number());
        let before = state.entry.step(operation, number).cloned();
        let _ = state.entry.apply(begin);
        Some(Self { steps, journal, intent, unsent: Some((operation, number, before)) })
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.steps.state();
        state.in_flight -= 1;
        if let Some((operation, number, before)) = self.unsent.take() {
            state.entry.take_back(operation, number, before);
        }
        let is_over = state.is_closed() && state.in_flight == 0;
        drop(state);
        if is_over {
            self.steps.0.driver.wake();
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("key", &self.0.key).finish_non_exhaustive()
    }
}
