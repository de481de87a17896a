//! Finds out by itself what is unknown in a journal.

use super::ec2_objects::Ec2Objects;
use super::find_out::find_out;
use super::finding::Finding;
use super::query::Query;
use super::sent_call::SentCall;
use super::settings::Settings;
use crate::journal::Settled;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Finds out what is unknown in the journal of a [fleet](crate::jobs::Fleet::look_up), or of a
/// [service](crate::jobs::OpenJournal::look_up), without a person: it asks EC2, and settles what that proves.
///
/// It settles attaches that are complete, and creates whose object carries their
/// [marker](crate::Call::traceable). More only with [`only_creator`](Self::only_creator). What it doesn't settle stays
/// unknown, with the reason. It only reads from EC2.
///
/// ```no_run
/// use datafy_api_ext::reconcile::{LookUp, Query};
/// use std::io;
/// use tokio::process::Command;
///
/// /// Runs a query with the AWS CLI.
/// async fn ask_ec2(query: Query) -> io::Result<Vec<u8>> {
///     let output = Command::new("aws").args(query.args()).output().await?;
///     if output.status.success() {
///         Ok(output.stdout)
///     } else {
///         Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim()))
///     }
/// }
///
/// let look_up = LookUp::new(ask_ec2);
/// ```
#[derive(Clone)]
#[must_use = "nothing is looked up until a fleet or a journal is given this"]
#[non_exhaustive]
pub struct LookUp {
    fetch: Fetch,
    /// The allowances of the look-ups.
    pub settings: Settings,
    /// How long the end of a run waits until EC2 shows what its unknown calls did. By default the settling time and twice
    /// the clock skew of the settings: 17 minutes. A run in which nothing is unknown doesn't wait.
    pub wait: Option<Duration>,
    /// Whether nothing else creates snapshots of these volumes, and volumes of these snapshots: no other program, no
    /// person in Datafy's app, no schedule, and no other journal, from the beginning of a call to the end of its
    /// [window](super). `false` by default.
    ///
    /// Then the only object in the window of a create is its own, also without a marker, and if there is none, the create
    /// did nothing, so that the next run repeats it. If this isn't true, an object of somebody else is taken for that of a
    /// call, or **a create is repeated that had its effect**.
    pub only_creator: bool,
}

type Fetch = Arc<dyn Fn(Query) -> BoxFuture<'static, Result<Vec<u8>, String>> + Send + Sync>;

impl LookUp {
    /// Looks up with `fetch`, which runs a query, with the AWS CLI or an SDK, and returns its output as JSON. It is called
    /// for one query after the other. If it fails, what the query was about stays unknown.
    pub fn new<F, E>(fetch: impl Fn(Query) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<u8>, E>> + Send + 'static,
        E: fmt::Display,
    {
        let fetch = Arc::new(move |query| -> BoxFuture<'static, Result<Vec<u8>, String>> {
            let fetched = fetch(query);
            Box::pin(async { fetched.await.map_err(|error| format!("{error:#}")) })
        });
        Self { fetch, settings: Settings::default(), wait: None, only_creator: false }
    }

    /// How long the end of a run waits.
    pub(crate) fn patience(&self) -> Duration {
        let Settings { settling_time, clock_skew, .. } = self.settings;
        self.wait.unwrap_or(settling_time + 2 * clock_skew)
    }

    /// Looks up what is unknown. `calls` returns the calls of the journal, and whether these are all: a call in flight may
    /// have created an object, too. `fetched` is the time now.
    pub(crate) async fn look<P>(
        &self,
        calls: impl Fn() -> (Vec<(P, SentCall)>, bool),
        fetched: DateTime<Utc>,
    ) -> Vec<Looked<P>> {
        let queries = Query::of_all(calls().0.iter().map(|(_, call)| call));
        let mut objects = Ec2Objects::new(fetched);
        let mut failure = None;
        for query in &queries {
            let added = match (self.fetch)(query.clone()).await {
                Ok(output) => objects.read(query, &output).map_err(|error| format!("{error:#}")),
                Err(error) => Err(error),
            };
            failure = added.err().or(failure);
        }
        let (calls, are_all) = calls();
        let (places, calls): (Vec<P>, Vec<SentCall>) = calls.into_iter().unzip();
        let findings = find_out(&calls, &objects, &self.settings);
        let open = places.into_iter().zip(&calls).zip(findings).filter(|((_, it), _)| it.is_open());
        open.map(|((place, _), finding)| {
            let text = match (&finding, &failure) {
                (Finding::NotLookedUp(_), Some(failure)) => format!("not looked up: {failure}"),
                _ => finding.to_string(),
            };
            let settled = finding.settled().filter(|_| self.settles(&finding, are_all));
            let look_again_after = match finding {
                Finding::NotYetSeen { look_again_after } => Some(look_again_after),
                _ => None,
            };
            Looked { place, text, settled, look_again_after }
        })
        .collect()
    }

    /// Whether a finding is certain enough to settle its step.
    fn settles(&self, finding: &Finding, are_all: bool) -> bool {
        matches!(finding, Finding::Attached | Finding::Happened { marked: true, .. })
            || self.only_creator && are_all
    }
}

/// What was found out about a call that was unknown.
pub(crate) struct Looked<P> {
    /// The place of the step in the journal.
    pub(crate) place: P,
    /// What was found out.
    pub(crate) text: String,
    /// What the step is settled with, if it is certain.
    pub(crate) settled: Option<Settled>,
    pub(crate) look_again_after: Option<DateTime<Utc>>,
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookUp")
            .field("settings", &self.settings)
            .field("wait", &self.patience())
            .field("only_creator", &self.only_creator)
            .finish_non_exhaustive()
    }
}
