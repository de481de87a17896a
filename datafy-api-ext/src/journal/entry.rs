//! What a journal says about an item.

use super::error::JournalError;
use super::line::{Event, Problem, Record};
use crate::id::VolumeId;
use crate::id::check_created;
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use datafy_api::operations::{ALL, ATTACH_VOLUME, CREATE_VOLUME_FROM_SNAPSHOTS};
use serde::{Deserialize, Serialize, Serializer};

/// What a journal says about one item of a fleet, or about a restore.
///
/// As JSON it is an object with the names of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Entry {
    /// The key of the item. As JSON it is exact, since a step is settled by it.
    #[serde(serialize_with = "exact")]
    pub key: Untrusted,
    /// The steps that were begun, in order: one for a call, up to two for a restore.
    pub steps: Vec<Step>,
    /// The number of records.
    #[serde(skip)]
    records: u32,
}

fn exact<S: Serializer>(key: &Untrusted, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key)
}

/// What a journal says about one step of an item: an operation that was begun, perhaps by several runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Step {
    /// The name of the operation, as in [`datafy_api::operations`].
    pub operation: &'static str,
    /// Counts the steps of this operation under the key, from 1.
    pub number: u32,
    /// What the call is about.
    pub subject: Subject,
    /// What is known about the effect.
    pub state: StepState,
    /// The ID of the object that was created, as the service sent it, if it is known. Of a step that is
    /// [`Unknown`](StepState::Unknown), it may be no usable ID.
    pub created_id: Option<Untrusted>,
    /// The marker that [`traceable`](crate::Call::traceable) appended to the description, if any.
    pub marker: Option<Untrusted>,
    /// The request ID in the last answer, for the vendor's support.
    pub request_id: Option<Untrusted>,
    /// Why the last [look-up](crate::jobs::Fleet::look_up) of this program has not settled the step, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_up: Option<Untrusted>,
    /// When the intent to send the request was recorded: the first one whose effect is unknown, otherwise the last.
    pub begun: DateTime<Utc>,
    /// When its result was recorded, or `None` if the run ended before there was one.
    pub ended: Option<DateTime<Utc>>,
    #[serde(skip)]
    tally: Tally,
}

/// The results of the calls of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// The number of calls without a recorded result.
    open: u32,
    /// Whether the result of a call is unknown.
    in_doubt: bool,
    /// Whether a call was applied.
    applied: bool,
    /// Whether a call has created an object whose ID is not known.
    lacks_id: bool,
    /// The result of the last call that was not applied.
    last: StepState,
    /// The places of the first intent and of the first result, or settlement, among the records of the entry, from 1.
    begun_at: u32,
    ended_at: u32,
}

/// What is known about the effect of a [`Step`].
///
/// As JSON it is the name in snake case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// The service acted.
    Applied,
    /// The service may have acted: the answer is ambiguous, or no result was recorded. Or it created an object whose ID
    /// is not known.
    Unknown,
    /// The service refused.
    Refused,
    /// Nothing was sent.
    #[default]
    NotSent,
    /// It was unknown, and [settled](crate::journal::Journal::settle): the service did not act.
    NotApplied,
}

/// What somebody found out about a step whose effect was unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The service acted. The next run skips the step.
    Applied {
        /// The ID of the snapshot or the volume that was created. `None` for an operation that creates nothing.
        id: Option<String>,
    },
    /// The service did not act. The next run repeats the step.
    NotApplied,
}

impl Entry {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: Untrusted::whole(key), ..Self::default() }
    }

    /// Returns a step of this operation, if it was begun. `number` counts them from 1.
    pub fn step(&self, operation: &str, number: u32) -> Option<&Step> {
        self.steps.iter().find(|step| step.operation == operation && step.number == number)
    }

    /// Returns a create that is or may be applied, and was first begun after this one had first ended without effect: perhaps
    /// in its place.
    pub(crate) fn instead_of(&self, step: &Step) -> Option<&Step> {
        let mut others = self.steps.iter().filter(|it| it.operation == step.operation);
        others.find(|it| {
            !it.is_idempotent() && it.may_be_applied() && it.tally.begun_at > step.tally.ended_at
        })
    }

    /// Applies a record. Fails if it can't follow the records before it.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), Problem> {
        self.records += 1;
        let (operation, number, now) = (record.operation, record.number(), self.records);
        let is_new = record.event == Event::Begin && self.step(operation, number).is_none();
        if is_new {
            let tally = Tally { begun_at: now, ..Tally::default() };
            // A journal may have a million entries, and most of them have no further step.
            self.steps.reserve_exact(1);
            self.steps.push(Step { operation, number, tally, ..Step::default() });
        }
        let mut steps = self.steps.iter_mut();
        let step = steps.find(|step| step.operation == operation && step.number == number);
        let step = step.ok_or("nothing has begun it")?;
        match (record.event, record.subject, record.outcome, record.applied) {
            (Event::Begin, Some(subject), ..) => {
                // What is unknown about an earlier call is kept.
                if step.state != StepState::Unknown {
                    (step.subject, step.marker) = (subject, record.marker.map(Untrusted::local));
                    (step.begun, step.ended) = (record.time, None);
                }
                step.tally.open += 1;
            }
            (Event::End, _, Some(outcome), _) => {
                let lacks_id = check_created(operation, record.created_id.as_deref()).is_err();
                step.tally.end(outcome, lacks_id, step.is_idempotent());
                step.tally.ends(now);
                step.ended = Some(record.time);
                let known = (step.created_id.take(), step.request_id.take());
                step.created_id = record.created_id.map(Untrusted::local).or(known.0);
                step.request_id = record.request_id.map(Untrusted::local).or(known.1);
            }
            (Event::Settle, .., Some(applied)) => {
                step.tally.ends(now);
                let Tally { begun_at, ended_at, .. } = step.tally;
                let last = StepState::NotApplied;
                step.tally = Tally { applied, last, begun_at, ended_at, ..Tally::default() };
                step.created_id = record.created_id.map(Untrusted::local);
                step.looked_up = None;
            }
            _ => return Err("it is not a record"),
        }
        step.state = step.tally.state();
        Ok(())
    }

    /// Takes back that a call was begun, since it was not sent. `before`: what was known of its step.
    pub(crate) fn take_back(&mut self, operation: &str, number: u32, before: Option<Step>) {
        let is_it = |step: &Step| step.operation == operation && step.number == number;
        match (self.steps.iter().position(is_it), before) {
            (Some(at), Some(before)) => self.steps[at] = before,
            (Some(at), None) => drop(self.steps.remove(at)),
            (None, _) => {}
        }
    }

    /// Returns the record that settles a step, if it can be settled so. `read`: the step as it was when somebody looked at
    /// what it did; a call that was made since then must not be settled.
    pub(super) fn settlement(
        &self,
        (operation, number): (&str, u32),
        read: Option<&Step>,
        found: Settled,
    ) -> Result<Record, JournalError> {
        let refused = |problem: String| JournalError::NotSettled {
            key: self.key.as_str().to_owned(),
            operation: operation.to_owned(),
            problem,
        };
        let step = self.step(operation, number);
        let step =
            step.ok_or_else(|| refused(format!("the journal has no step {number} of it")))?;
        if read.is_some_and(|read| !step.has_calls_of(read)) {
            return Err(refused(
                "another call of it was made since the journal was read".to_owned(),
            ));
        }
        let (applied, created_id) = match found {
            Settled::Applied { id } => (true, id),
            Settled::NotApplied => (false, None),
        };
        // If the service has acted, only the ID can be missing.
        if step.state != StepState::Unknown || step.lacks_id() && !applied {
            let state = if step.lacks_id() { StepState::Applied } else { step.state };
            let state = serde_json::json!(state);
            let state = state.as_str().unwrap_or_default();
            return Err(refused(format!("it is not unknown: the journal says `{state}`")));
        }
        if applied {
            check_created(step.operation, created_id.as_deref()).map_err(refused)?;
        }
        let record = Record::new(self.key.as_str().into(), step.operation, number, Event::Settle);
        Ok(Record { applied: Some(applied), created_id, ..record })
    }
}

/// The volumes that these steps have created and not attached.
pub(crate) fn unattached(steps: &[Step]) -> Vec<VolumeId> {
    let of = |name: &'static str| {
        let applied = move |step: &Step| step.operation == name && step.state == StepState::Applied;
        steps.iter().filter(move |step| applied(step))
    };
    let attached =
        |id: &VolumeId| of(ATTACH_VOLUME.name).any(|step| step.subject.volume.as_ref() == Some(id));
    let created = of(CREATE_VOLUME_FROM_SNAPSHOTS.name)
        .filter_map(|step| VolumeId::new(step.created_id.as_deref()?).ok());
    created.filter(|id| !attached(id)).collect()
}

impl Step {
    /// The outcome of the step, over all its calls.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.state {
            StepState::Applied => Outcome::Applied,
            StepState::Unknown => Outcome::Unknown,
            StepState::Refused => Outcome::Refused,
            StepState::NotSent | StepState::NotApplied => Outcome::NotSent,
        }
    }

    /// Whether the service acted, or may have acted.
    pub(crate) fn may_be_applied(&self) -> bool {
        self.outcome() >= Outcome::Unknown
    }

    /// Whether the operation is idempotent.
    pub(crate) fn is_idempotent(&self) -> bool {
        ALL.iter().any(|known| known.name == self.operation && known.idempotent)
    }

    /// Whether the service acted, and what it created is not known.
    pub(crate) fn lacks_id(&self) -> bool {
        self.tally.lacks_id
    }

    /// Whether its calls are those of the other one.
    fn has_calls_of(&self, other: &Self) -> bool {
        (self.begun, self.ended, self.tally) == (other.begun, other.ended, other.tally)
    }

    /// Whether the result of a call was not recorded.
    #[cfg(feature = "reconcile")]
    pub(crate) fn is_open(&self) -> bool {
        self.tally.open > 0
    }
}

impl Tally {
    /// Keeps the place of the first result: if two creates overlapped once, the function makes both, and neither in place of
    /// the other.
    fn ends(&mut self, now: u32) {
        if self.ended_at == 0 {
            self.ended_at = now;
        }
    }

    fn end(&mut self, outcome: Outcome, lacks_id: bool, idempotent: bool) {
        // Zero if another call of an idempotent step was applied meanwhile.
        self.open = self.open.saturating_sub(1);
        match outcome {
            Outcome::Applied => {
                self.applied = true;
                self.lacks_id |= lacks_id;
            }
            Outcome::Unknown => self.in_doubt = true,
            Outcome::Refused => self.last = StepState::Refused,
            Outcome::NotSent => self.last = StepState::NotSent,
        }
        // Whatever the other calls did, the state is the same.
        if self.applied && idempotent {
            (self.open, self.in_doubt) = (0, false);
        }
    }

    fn state(self) -> StepState {
        if self.open > 0 || self.in_doubt || self.lacks_id {
            StepState::Unknown
        } else if self.applied {
            StepState::Applied
        } else {
            self.last
        }
    }
}
