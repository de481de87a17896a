//! A call whose result nobody received.

use crate::one_line::OneLine;
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::fmt;
use tracing::warn;

/// A call that has or may have had an effect, and whose result nobody received: its future, or that of its job, was
/// dropped after a request was begun.
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
    /// The time at which the call was started.
    pub started: DateTime<Utc>,
}

/// The function of a caller to which abandoned calls are reported.
pub(crate) type OnAbandoned = Box<dyn Fn(&Abandoned) + Send + Sync>;

impl Abandoned {
    /// Reports the call: as a `WARN` event, and to the caller's function, if there is one.
    pub(crate) fn report(&self, function: Option<&OnAbandoned>) {
        let volume = self.subject.volume.as_ref().map(AsRef::<str>::as_ref);
        let snapshot = self.subject.snapshot.as_ref().map(AsRef::<str>::as_ref);
        warn!(
            target: "datafy_api_ext",
            { datafy.operation = self.operation,
            datafy.volume.id = volume,
            datafy.snapshot.id = snapshot,
            datafy.outcome = self.outcome.as_str(),
            datafy.created.id = self.created_id.as_ref().map(ToString::to_string),
            datafy.marker = self.marker.as_deref(),
            datafy.started = ?self.started },
            "abandoned"
        );
        if let Some(function) = function {
            function(self);
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
