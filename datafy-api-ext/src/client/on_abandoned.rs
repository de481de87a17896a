//! Reports calls whose result nobody received.

use crate::abandoned::Abandoned;
use std::fmt;
use tracing::warn;

/// Reports abandoned calls: as a `WARN` event, and to a function of the caller.
#[derive(Default)]
pub(crate) struct OnAbandoned(pub(super) Option<Function>);

pub(super) type Function = Box<dyn Fn(&Abandoned) + Send + Sync>;

impl OnAbandoned {
    pub(crate) fn report(&self, abandoned: &Abandoned) {
        let Abandoned { operation, subject, outcome, created_id, marker, started } = abandoned;
        let volume = subject.volume.as_ref().map(AsRef::<str>::as_ref);
        let snapshot = subject.snapshot.as_ref().map(AsRef::<str>::as_ref);
        warn!(
            target: "datafy_api_ext",
            { datafy.operation = operation,
            datafy.volume.id = volume,
            datafy.snapshot.id = snapshot,
            datafy.outcome = outcome.as_str(),
            datafy.created.id = created_id.as_ref().map(ToString::to_string),
            datafy.marker = marker.as_deref(),
            datafy.started = ?started },
            "abandoned"
        );
        if let Some(function) = &self.0 {
            function(abandoned);
        }
    }
}

impl fmt::Debug for OnAbandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}
