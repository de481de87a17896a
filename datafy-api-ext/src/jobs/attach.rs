//! Attaches a volume that may not be ready yet.

use super::job::Job;
use super::steps::{Begun, OpenStep, Steps};
use crate::call::Call;
use crate::client::Stopwatch;
use crate::error::{Error, ErrorKind, Report};
use crate::id::VolumeId;
use crate::operations::AttachVolume;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use datafy_api::operations::ATTACH_VOLUME;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
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
    wait: Option<Wait>,
    ends_on_404: bool,
    outcome: Outcome,
}

/// How to wait for a volume.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    limit: Duration,
    probe: Option<Probe>,
}

/// Checks whether a volume is ready.
#[derive(Clone)]
struct Probe(Arc<dyn Fn(VolumeId) -> BoxFuture<Result<(), String>> + Send + Sync>);

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe(..)")
    }
}

impl Wait {
    pub(super) fn within(limit: Duration) -> Self {
        Self { limit, probe: None }
    }

    pub(super) fn until_ready<F, E>(
        limit: Duration,
        probe: impl Fn(VolumeId) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let probe = Arc::new(move |volume| -> BoxFuture<Result<(), String>> {
            let checked = probe(volume);
            Box::pin(async { checked.await.map_err(|reason| reason.to_string()) })
        });
        Self { limit, probe: Some(Probe(probe)) }
    }

    /// Fails with an observation if the volume is not ready.
    async fn check(&self, volume: &VolumeId, left: Duration) -> Result<(), String> {
        let Some(Probe(probe)) = &self.probe else { return Ok(()) };
        match timeout(left, probe(volume.clone())).await {
            Ok(checked) => checked,
            Err(_) => Err("the check of the volume did not end in time".to_owned()),
        }
    }
}

impl Call<AttachVolume> {
    /// Repeats the call until it succeeds, for at most `limit`: a new volume may not be ready yet.
    ///
    /// A 400, 401 or 403 ends the wait immediately, since waiting doesn't help. So does a 409 after a call whose answer
    /// was lost: the volume probably is attached. A 404 doesn't, unless [`Attach::end_on_404`] is set. If the wait fails, the
    /// error is that of the last call, with the attempts and the duration of the whole wait. Allow for minutes: a call that is still in flight when `limit` ends is
    /// [`Unknown`](Outcome::Unknown). Each call in between has the timeouts and the retry policy that are set here.
    #[doc(alias("timeout", "wait"))]
    pub fn within(self, limit: Duration) -> Attach {
        Attach::new(self, Some(Wait::within(limit)))
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
        Attach::new(self, Some(Wait::until_ready(limit, probe)))
    }
}

impl Attach {
    pub(super) fn new(call: Call<AttachVolume>, wait: Option<Wait>) -> Self {
        Self { call, wait, ends_on_404: false, outcome: Outcome::NotSent }
    }

    /// Repeats the call until it succeeds, for at most `limit`: as [`Call::within`].
    pub fn within(mut self, limit: Duration) -> Self {
        match &mut self.wait {
            Some(wait) => wait.limit = limit,
            None => self.wait = Some(Wait::within(limit)),
        }
        self
    }

    /// Sets whether a 404 ends the wait. `false` by default: the vendor documents no refusals, and a new volume may not be
    /// visible immediately. Set it if the volume and the instance are known to be there, so that a wrong ID doesn't take the
    /// whole wait.
    pub fn end_on_404(mut self, ends: bool) -> Self {
        self.ends_on_404 = ends;
        self
    }

    /// The outcome of earlier calls. A refusal doesn't make one of them certain.
    pub(super) fn after(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Attaches the volume.
    pub async fn send(self) -> Result<(), Error> {
        let steps = Steps::alone();
        let result = self.run(&steps).await;
        steps.received();
        result
    }

    /// Whether waiting doesn't help. `outcome` is that of all calls so far.
    fn is_hopeless(&self, error: &Error, outcome: Outcome) -> bool {
        match error.last_status() {
            Some(400 | 401 | 403) => true,
            Some(404) => self.ends_on_404,
            Some(409) => outcome >= Outcome::Unknown,
            _ => matches!(error.kind(), ErrorKind::Tls | ErrorKind::Request),
        }
    }

    /// Repeats the call until it succeeds, as often as the wait allows.
    async fn repeat(&self, wait: &Wait, step: &mut OpenStep) -> Result<(), Error> {
        let started: DateTime<Utc> = self.call.clock().date().into();
        let mut time = Stopwatch::start(self.call.datafy());
        // A call in the last tenth of the time would probably be cut short, and so end `Unknown`.
        let is_late = |passed: Duration| passed + wait.limit / 10 >= wait.limit;
        let mut last: Option<Error> = None;
        let (mut calls, mut attempts) = (0, 0);
        let mut observation = None;
        for round in 1.. {
            let left = wait.limit.saturating_sub(time.passed());
            let checked = wait.check(self.call.operation.volume(), left).await;
            if is_late(time.passed()) {
                observation = checked.err().or(observation);
                break;
            }
            let mut asked = None;
            match checked {
                Err(reason) => observation = Some(reason),
                Ok(()) => {
                    let left = wait.limit.saturating_sub(time.passed());
                    let call = self.call.clone().ending_within(left);
                    let Err(error) = step.send(call).await else { return Ok(()) };
                    calls += 1;
                    attempts += error.attempts();
                    asked = error.retry_after();
                    let hopeless = self.is_hopeless(&error, step.outcome);
                    last = Some(error);
                    if hopeless {
                        break;
                    }
                }
            }
            let pause = self.call.policy().pause(round, asked, self.call.jitter());
            if is_late(time.passed() + pause) {
                break;
            }
            time.pause(pause).await;
        }
        let Error(mut report) = last.unwrap_or_else(|| {
            let problem = format!("the volume was not ready within {:?}", wait.limit);
            Error(self.call.failed(Report::not_sent(ErrorKind::Timeout, problem, false)))
        });
        report.outcome = report.outcome.max(step.outcome);
        report.observation = observation.map(Untrusted::local);
        (report.calls, report.attempts, report.elapsed) = (calls, attempts, time.passed());
        report.started = Some(started);
        report.ended.get_or_insert_with(|| self.call.clock().date().into());
        Err(Error(report))
    }
}

impl Job for Attach {
    type Done = ();
    type Error = Error;
    const OPERATION: Option<&'static str> = Some(ATTACH_VOLUME.name);

    async fn run(self, steps: &Steps) -> Result<(), Error> {
        let Begun::Open(mut step) = steps.begin(&self.call).await else { return Ok(()) };
        step.outcome = step.outcome.max(self.outcome);
        match &self.wait {
            None => step.send(self.call).await,
            Some(wait) => self.repeat(wait, &mut step).await,
        }
    }
}

impl IntoFuture for Attach {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
