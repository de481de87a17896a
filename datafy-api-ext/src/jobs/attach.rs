//! Attaches a volume that may not be ready yet.

use super::job::Job;
use super::steps::{Found, Steps, Turn};
use crate::call::Call;
use crate::client::Stopwatch;
use crate::error::{Error, ErrorKind, Report};
use crate::id::VolumeId;
use crate::operations::AttachVolume;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use datafy_api::operations::ATTACH_VOLUME;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Attaches a volume, and waits until it is ready. Await it, or [`send`](Self::send) it.
///
/// Created by [`Call::within`], [`Call::ready_when`] and [`NotRestored::resume`](super::NotRestored::resume).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct Attach {
    call: Call<AttachVolume>,
    wait: Wait,
    /// The outcome of earlier calls. A refusal doesn't make one of them certain.
    outcome: Outcome,
}

/// How to wait for a volume.
#[derive(Clone, Default)]
pub(super) struct Wait {
    /// `None`: one call, and no wait.
    pub(super) limit: Option<Duration>,
    probe: Option<Probe>,
    pub(super) ends_on_404: bool,
}

/// Checks whether a volume is ready.
type Probe = Arc<dyn Fn(VolumeId) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Wait {
    pub(super) fn until_ready<F, E>(
        self,
        limit: Duration,
        probe: impl Fn(VolumeId) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let probe = Arc::new(move |volume| -> BoxFuture<'static, Result<(), String>> {
            let checked = probe(volume);
            Box::pin(async { checked.await.map_err(|reason| reason.to_string()) })
        });
        Self { limit: Some(limit), probe: Some(probe), ..self }
    }

    /// Fails with an observation if the volume is not ready.
    async fn check(&self, volume: &VolumeId, left: Duration) -> Result<(), String> {
        let Some(probe) = &self.probe else { return Ok(()) };
        let late = || "the check of the volume did not end in time".to_owned();
        timeout(left, probe(volume.clone())).await.map_err(|_| late())?
    }
}

impl Call<AttachVolume> {
    /// Repeats the call until it succeeds, for at most `limit`: a new volume may not be ready yet.
    ///
    /// A 400, 401 or 403 ends the wait immediately, since waiting doesn't help. So does a 409 after a call whose answer
    /// was lost: the volume probably is attached. A 404 doesn't, unless [`Attach::end_on_404`] is set. If the wait fails,
    /// the error is that of the last call, with the attempts and the duration of the whole wait. Allow for minutes: a call
    /// that is still in flight when `limit` ends is [`Unknown`](Outcome::Unknown). Each call in between has the timeouts
    /// and the retry policy that are set here.
    #[doc(alias("timeout", "wait"))]
    pub fn within(self, limit: Duration) -> Attach {
        Attach::new(self, Wait::default(), Outcome::NotSent).within(limit)
    }

    /// As [`within`](Self::within), and before each call waits until `probe` returns `Ok`, for example after asking EC2.
    ///
    /// The error of `probe` says why the volume is not ready. If the time is over, the last one is
    /// [`Error::observation`].
    ///
    /// ```no_run
    /// # use datafy_api_ext::{DeviceName, Error, InstanceId, Volume, VolumeId};
    /// # use std::time::Duration;
    /// # async fn state_in_ec2(volume: &VolumeId) -> String { String::new() }
    /// # async fn example(volume: Volume, instance: InstanceId, device: DeviceName) -> Result<(), Error> {
    /// let ready = |volume: VolumeId| async move {
    ///     match state_in_ec2(&volume).await.as_str() {
    ///         "available" => Ok(()),
    ///         state => Err(format!("its state is {state}")),
    ///     }
    /// };
    /// volume.attach(instance, device).ready_when(Duration::from_secs(600), ready).await
    /// # }
    /// ```
    #[doc(alias("poll", "wait"))]
    pub fn ready_when<F, E>(
        self,
        limit: Duration,
        probe: impl Fn(VolumeId) -> F + Send + Sync + 'static,
    ) -> Attach
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        Attach::new(self, Wait::default().until_ready(limit, probe), Outcome::NotSent)
    }
}

impl Attach {
    pub(super) fn new(call: Call<AttachVolume>, wait: Wait, outcome: Outcome) -> Self {
        Self { call, wait, outcome }
    }

    /// Repeats the call until it succeeds, for at most `limit`: as [`Call::within`].
    pub fn within(mut self, limit: Duration) -> Self {
        self.wait.limit = Some(limit);
        self
    }

    /// Sets whether a 404 ends the wait. `false` by default: a new volume may not be visible immediately, and the vendor
    /// documents no refusals.
    ///
    /// Set it if the volume and the instance are known to exist, so that a wrong ID doesn't take the whole wait.
    pub fn end_on_404(mut self, ends: bool) -> Self {
        self.wait.ends_on_404 = ends;
        self
    }

    /// Attaches the volume.
    pub async fn send(self) -> Result<(), Error> {
        let steps = Steps::alone();
        let result = self.run(&steps).await;
        steps.received();
        result
    }

    /// Whether waiting doesn't help.
    fn is_hopeless(&self, error: &Error) -> bool {
        match error.last_status() {
            Some(400 | 401 | 403) => true,
            Some(404) => self.wait.ends_on_404,
            Some(409) => error.outcome().max(self.outcome) >= Outcome::Unknown,
            _ => matches!(error.kind(), ErrorKind::Tls | ErrorKind::Request),
        }
    }

    /// Repeats the call until it succeeds, as often as the wait allows. All of it is one step.
    async fn repeat(
        &self,
        limit: Duration,
        turn: &Turn<'_>,
        mut earlier: Outcome,
    ) -> Result<(), Error> {
        let call = &self.call;
        let mut time = Stopwatch::start(call.datafy());
        // A call in the last tenth of the time would probably be cut short, and so end `Unknown`.
        let is_late = |passed: Duration| passed + limit / 10 >= limit;
        let (mut last, mut observation) = (None::<Error>, None);
        let (mut calls, mut attempts) = (0, 0);
        for round in 1.. {
            let left = limit.saturating_sub(time.passed());
            let checked = self.wait.check(&call.operation.volume, left).await;
            if is_late(time.passed()) {
                observation = checked.err().or(observation);
                break;
            }
            let mut asked = None;
            match checked {
                Err(reason) => observation = Some(reason),
                Ok(()) => {
                    let left = limit.saturating_sub(time.passed());
                    let sent = turn.send(call.clone().ending_within(left), earlier).await;
                    let Err(error) = sent else { return Ok(()) };
                    earlier = error.outcome();
                    calls += 1;
                    attempts += error.attempts();
                    asked = error.retry_after();
                    let is_hopeless = self.is_hopeless(&error);
                    last = Some(error);
                    if is_hopeless {
                        break;
                    }
                }
            }
            let pause = call.policy().pause(round, asked, fastrand::f64());
            if is_late(time.passed() + pause) {
                break;
            }
            time.pause(pause).await;
        }
        let Error(mut report) = last.unwrap_or_else(|| {
            let problem = format!("the volume was not ready within {limit:?}");
            Error(call.failed(Report::not_sent(ErrorKind::Timeout, problem, false)))
        });
        report.observation = observation.map(Untrusted::local);
        (report.calls, report.attempts, report.elapsed) = (calls, attempts, time.passed());
        let [started, ended] = time.dates();
        (report.started, report.ended) = (started, Some(ended));
        Err(Error(report))
    }
}

impl Job for Attach {
    type Done = ();
    type Error = Error;
    const OPERATION: Option<&'static str> = Some(ATTACH_VOLUME.name);

    async fn run(self, steps: &Steps) -> Result<(), Error> {
        let Found::Open(turn, earlier) = steps.begin(&self.call).await else { return Ok(()) };
        let this = Self { outcome: self.outcome.max(earlier), ..self };
        let result = match this.wait.limit {
            None => turn.send(this.call.clone(), earlier).await,
            Some(limit) => this.repeat(limit, &turn, earlier).await,
        };
        result.map_err(|Error(mut report)| {
            report.outcome = report.outcome.max(this.outcome);
            Error(report)
        })
    }
}

impl IntoFuture for Attach {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
