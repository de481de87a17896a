//! A call whose result nobody received.

use crate::call::operation::sealed::Answer;
use crate::client::Datafy;
use crate::error::Error;
use crate::one_line::OneLine;
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::fmt;

/// A call that has or may have had an effect, and whose result nobody received: its future was dropped after a request
/// was begun, or a [resumed](crate::jobs::RestoreError::resume) restore was not attempted, for example since its
/// journal is one of another volume.
///
/// Reported to the function that [`on_abandoned`](crate::DatafyBuilder::on_abandoned) sets, and as a `WARN` event. A
/// request is begun when its connection is opened, so not every such call has reached the service. As JSON it is an
/// object with the names of the fields.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
#[doc(alias("cancel", "drop"))]
pub struct Abandoned {
    /// The name of the operation, as in [`datafy_api::operations`].
    pub operation: &'static str,
    /// What the call is about.
    pub subject: Subject,
    /// [`Unknown`](Outcome::Unknown), or [`Applied`](Outcome::Applied) if the answer had arrived: a restore was dropped
    /// after its volume was created, for example.
    pub outcome: Outcome,
    /// The ID of the object that was created, if it is known. It may be no usable ID.
    pub created_id: Option<Untrusted>,
    /// The marker that [`traceable`](crate::Call::traceable) appended to the description, if any.
    pub marker: Option<String>,
    /// The time at which the call was started. Of a volume that a resumed restore brought along, that of the resume.
    pub started: DateTime<Utc>,
}

impl Abandoned {
    /// What is known once the call has this result.
    pub(crate) fn with_result<A: Answer>(mut self, result: &Result<A, Error>) -> Self {
        let (outcome, created_id) = match result {
            Ok(answer) => (Outcome::Applied, answer.created_id()),
            Err(error) => (error.outcome(), error.created_id()),
        };
        self.outcome = outcome;
        self.created_id = created_id.map(Untrusted::local);
        self
    }
}

/// Reports an effect when it is dropped, unless somebody has received the result.
///
/// Boxed, since it would enlarge the futures that hold it.
pub struct Unreceived(Option<Box<(Datafy, Abandoned)>>);

impl Unreceived {
    /// There is no effect to report.
    pub(crate) const NOTHING: Self = Self(None);

    pub(crate) fn new(datafy: Datafy, abandoned: Abandoned) -> Self {
        Self(Some(Box::new((datafy, abandoned))))
    }

    /// Raises the outcome that is reported to at least `outcome`.
    pub(crate) fn at_least(&mut self, outcome: Outcome) {
        if let Some((_, abandoned)) = self.0.as_deref_mut() {
            abandoned.outcome = abandoned.outcome.max(outcome);
        }
    }

    /// Reports nothing: the caller has the result.
    pub(crate) fn received(mut self) {
        self.0 = None;
    }
}

impl Drop for Unreceived {
    fn drop(&mut self) {
        if let Some((datafy, abandoned)) = self.0.as_deref()
            && abandoned.outcome >= Outcome::Unknown
        {
            datafy.inner().on_abandoned.report(abandoned);
        }
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.outcome {
            Outcome::Applied => "was applied",
            _ => "may have been applied",
        };
        write!(f, "{} {effect}, and its result was dropped: {}", self.operation, self.subject)?;
        if let Some(id) = &self.created_id {
            write!(f, "; it created {id}")?;
        }
        write!(f, "; started at {:?}", self.started)?;
        match &self.marker {
            Some(marker) => write!(f, "; look for {}", OneLine(marker)),
            None => Ok(()),
        }
    }
}
