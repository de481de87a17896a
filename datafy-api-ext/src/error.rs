//! Why a call failed, and whether it had an effect.

use crate::id::{DatafySnapshotId, VolumeId, check_created};
use crate::outcome::Outcome;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Why a call failed. Its [`outcome`](Self::outcome) says whether the call had an effect, and so what to do next.
///
/// `{error}` is one line that says what happened, to what, and at which endpoint; `{error:#}` adds the causes, which
/// [`source`](StdError::source) returns, too. In texts of the service, both replace control characters, line separators, and characters that are
/// invisible or change the direction of text, by spaces. Neither they nor `Debug` show the token: see
/// [`Token`](crate::Token#secrecy).
///
/// As JSON it is an object with the values of the methods, except the body.
#[derive(Clone, Debug)]
pub struct Error(pub(crate) Box<Report>);

/// What is known about a failed attempt, and about the call that ends with it.
///
/// The attempt builds it, and its call completes it. The token is redacted everywhere.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) operation: &'static str,
    pub(crate) outcome: Outcome,
    /// Whether another attempt may succeed, of a request that was not sent.
    #[serde(skip)]
    pub(crate) transient: bool,
    pub(crate) kind: ErrorKind,
    /// What happened, in a few words.
    #[serde(skip)]
    pub(crate) problem: Untrusted,
    /// Why it happened, if known.
    #[serde(skip)]
    pub(crate) cause: Option<Cause>,
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<Untrusted>,
    pub(crate) request_id: Option<Untrusted>,
    /// The IDs in an answer that proves that the service acted.
    pub(crate) snapshot_id: Option<DatafySnapshotId>,
    pub(crate) volume_id: Option<VolumeId>,
    /// The text in the place of the created object's ID, whether or not it is one.
    #[serde(skip)]
    pub(crate) created_id: Option<Untrusted>,
    /// The body of the answer, as far as it arrived.
    #[serde(skip)]
    pub(crate) body: Option<Body>,
    /// What happened in the last attempt, unless that is this one.
    #[serde(skip)]
    pub(crate) last: Option<Untrusted>,
    #[serde(skip)]
    pub(crate) last_status: Option<u16>,
    #[serde(skip)]
    pub(crate) retry_after: Option<Duration>,
    /// The number of calls, of an attach that waits.
    #[serde(skip)]
    pub(crate) calls: u32,
    pub(crate) attempts: u32,
    #[serde(skip)]
    pub(crate) elapsed: Duration,
    #[serde(skip)]
    pub(crate) budget_is_empty: bool,
    pub(crate) marker: Option<String>,
    pub(crate) observation: Option<Untrusted>,
    /// What the call makes or does, such as `snapshot of vol-0b9`.
    #[serde(skip)]
    pub(crate) object: String,
    pub(crate) subject: Subject,
    pub(crate) endpoint: String,
    pub(crate) started: DateTime<Utc>,
    #[serde(skip)]
    pub(crate) ended: Option<DateTime<Utc>>,
}

/// The body of an answer. `Debug` doesn't show it.
#[derive(Clone)]
pub(crate) struct Body(pub(crate) Vec<u8>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Report {
    /// Returns what an attempt without an answer knows.
    pub(crate) fn new(outcome: Outcome, kind: ErrorKind, problem: Untrusted) -> Box<Self> {
        Box::new(Self {
            operation: "",
            outcome,
            transient: false,
            kind,
            problem,
            cause: None,
            status: None,
            message: None,
            request_id: None,
            snapshot_id: None,
            volume_id: None,
            created_id: None,
            body: None,
            last: None,
            last_status: None,
            retry_after: None,
            calls: 1,
            attempts: 1,
            elapsed: Duration::ZERO,
            budget_is_empty: false,
            marker: None,
            observation: None,
            object: String::new(),
            subject: Subject::default(),
            endpoint: String::new(),
            started: DateTime::UNIX_EPOCH,
            ended: None,
        })
    }

    /// Nothing was sent. `transient`: another attempt may succeed.
    pub(crate) fn not_sent(
        kind: ErrorKind,
        problem: impl AsRef<str>,
        transient: bool,
    ) -> Box<Self> {
        let mut report = Self::new(Outcome::NotSent, kind, Untrusted::local(problem));
        report.transient = transient;
        report
    }

    /// The request was sent, and no answer came.
    pub(crate) fn ambiguous(kind: ErrorKind, problem: impl AsRef<str>) -> Box<Self> {
        Self::new(Outcome::Unknown, kind, Untrusted::local(problem))
    }

    pub(crate) fn because(mut self: Box<Self>, cause: Option<Cause>) -> Box<Self> {
        self.cause = cause;
        self
    }

    /// What happened, with all causes, on one line.
    pub(crate) fn line(&self) -> Untrusted {
        match &self.cause {
            Some(cause) => Untrusted::local(format!("{}: {cause:#}", self.problem)),
            None => self.problem.clone(),
        }
    }

    /// OpenTelemetry's `error.type`: the status of the answer unless it is a success, otherwise the kind.
    pub(crate) fn error_type(&self) -> String {
        match self.status {
            Some(status) if !(200..300).contains(&status) => status.to_string(),
            _ => self.kind.to_string(),
        }
    }
}

/// The part of a call that failed, in the attempt that decided the outcome.
///
/// As JSON it is the text of [`as_str`](Self::as_str).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be built, for example because the client's HTTP settings are not usable.
    Request,
    /// No token was available: the file can't be read, or the provider failed.
    Token,
    /// The host name could not be resolved.
    Dns,
    /// The connection could not be opened.
    Connect,
    /// The TLS handshake failed, for example because the certificate is not valid.
    Tls,
    /// There was no connection to the proxy, or it refused to connect an `https` endpoint.
    Proxy,
    /// The attempt or operation timeout was reached, also while waiting for a token or a connection slot. A connect
    /// timeout is [`Connect`](Self::Connect).
    Timeout,
    /// The connection was lost before an answer arrived.
    ConnectionLost,
    /// The service asked to slow down (429).
    Throttled,
    /// The service rejected the request (most of 3xx and 4xx, 501, 505).
    Rejected,
    /// The service or a gateway failed (5xx, 408), or sent another status that proves nothing.
    Server,
    /// The status is a success, but the answer is not the service's, or can't be read.
    Body,
}

impl ErrorKind {
    /// Returns the kind in snake case, as in traces and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Token => "token",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Timeout => "timeout",
            Self::ConnectionLost => "connection_lost",
            Self::Throttled => "throttled",
            Self::Rejected => "rejected",
            Self::Server => "server",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Error {
    /// The name of the operation, as in [`datafy_api::operations`].
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What the call is about.
    pub fn subject(&self) -> &Subject {
        &self.0.subject
    }

    /// The URL of the service.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// The time at which the call was started, by the client's [clock](crate::Clock).
    pub fn started(&self) -> DateTime<Utc> {
        self.0.started
    }

    /// The time at which the call ended, by the client's [clock](crate::Clock). `None` if the runtime was shut down
    /// during the call.
    ///
    /// [`elapsed`](Self::elapsed) may be less than the time since [`started`](Self::started): it doesn't include the time
    /// in which the machine was suspended.
    pub fn ended(&self) -> Option<DateTime<Utc>> {
        self.0.ended
    }

    /// Whether the call had an effect.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The part of the call that failed, in the attempt that decided the outcome.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the answer that decided the outcome, or `None` if no answer arrived.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The status of the last answer, or `None` if the last attempt ended without one. Another attempt would probably
    /// get the same.
    pub(crate) fn last_status(&self) -> Option<u16> {
        self.0.last_status
    }

    /// What the answer says that went wrong, as far as it arrived and up to 2 KiB: the `message` of the service, what a
    /// gateway has in its place, or a plain text.
    pub fn message(&self) -> Option<&Untrusted> {
        self.0.message.as_ref()
    }

    /// The request ID, for the vendor's support. At most 2 KiB of it.
    pub fn request_id(&self) -> Option<&Untrusted> {
        self.0.request_id.as_ref()
    }

    /// How long the last answer asked the client to wait before the next attempt.
    ///
    /// It may be longer than the client would have waited.
    /// It doesn't say that a retry is safe: [`outcome`](Self::outcome) does.
    #[doc(alias("throttled", "rate limit"))]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The number of attempts, including those that found no token or no free connection. Of an
    /// [attach that waits](crate::Call::within), the attempts of all its calls.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The duration of the call, including all pauses. Of an [attach that waits](crate::Call::within), that of the wait.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The body of the answer that decided the outcome, at most 16 KiB of it, with the token redacted.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_ref().map(|Body(body)| &**body)
    }

    /// The ID of the snapshot that was created, if an otherwise unusable answer holds it.
    pub fn snapshot_id(&self) -> Option<&DatafySnapshotId> {
        self.0.snapshot_id.as_ref()
    }

    /// The `volumeId` in an otherwise unusable answer: the volume that was created, or that the call acted on.
    pub fn volume_id(&self) -> Option<&VolumeId> {
        self.0.volume_id.as_ref()
    }

    /// Why the volume was not ready when it was checked last, if a check was
    /// [set](crate::Call::ready_when) and it failed at least once.
    pub fn observation(&self) -> Option<&Untrusted> {
        self.0.observation.as_ref()
    }

    /// The text that the answer has in the place of the created object's ID, if it isn't a usable ID.
    pub fn unusable_id(&self) -> Option<&Untrusted> {
        self.0.created_id.as_ref().filter(|_| self.lacks_id())
    }

    /// The text that the answer has in the place of the created object's ID.
    pub(crate) fn created_id(&self) -> Option<&str> {
        self.0.created_id.as_deref()
    }

    /// Whether the call has created an object whose ID is not known.
    pub(crate) fn lacks_id(&self) -> bool {
        self.outcome() == Outcome::Applied
            && check_created(self.operation(), self.created_id()).is_err()
    }

    /// The marker that [`traceable`](crate::Call::traceable) appended to the description.
    ///
    /// If the snapshot was created, its description contains the marker.
    pub fn marker(&self) -> Option<&str> {
        self.0.marker.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &*self.0;
        let effect = match report.outcome {
            Outcome::NotSent => "was not sent",
            Outcome::Refused => "was refused",
            Outcome::Unknown => "may have been applied",
            Outcome::Applied => "was applied, but its answer can't be used",
        };
        write!(f, "{} at {} {effect}: {}", report.object, report.endpoint, report.problem)?;
        if f.alternate()
            && let Some(cause) = &report.cause
        {
            write!(f, ": {cause:#}")?;
        }
        if let Some(last) = &report.last {
            write!(f, "; then: {last}")?;
        }
        if let Some(id) = self.snapshot_id() {
            write!(f, "; snapshot {id}")?;
        }
        if let Some(id) = self.volume_id() {
            write!(f, "; volume {id}")?;
        }
        if let Some(id) = &report.request_id {
            write!(f, "; request ID {id}")?;
        }
        if report.calls > 1 {
            write!(f, "; {} calls in {:.1?}", report.calls, report.elapsed)?;
        } else if report.attempts > 1 {
            write!(f, "; {} attempts in {:.1?}", report.attempts, report.elapsed)?;
        }
        if report.budget_is_empty {
            f.write_str("; not retried: the retry budget is empty")?;
        }
        if let Some(wait) = self.retry_after() {
            let lead = match report.outcome {
                Outcome::Unknown => "the service asked to wait",
                _ => "try again in",
            };
            write!(f, "; {lead} {} s", wait.as_secs_f64().ceil())?;
        }
        if let Some(observation) = &report.observation {
            write!(f, "; last seen: {observation}")?;
        }
        match (report.outcome, self.marker()) {
            (Outcome::Unknown, Some(marker)) => {
                write!(f, "; look for {marker} in the descriptions of the volume's snapshots")
            }
            _ => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct AsJson<'a> {
            #[serde(flatten)]
            report: &'a Report,
            text: String,
            retry_after_seconds: Option<f64>,
            elapsed_seconds: f64,
            unusable_id: Option<&'a Untrusted>,
        }
        let report = &*self.0;
        let shown = AsJson {
            report,
            text: format!("{self:#}"),
            retry_after_seconds: report.retry_after.map(|time| time.as_secs_f64()),
            elapsed_seconds: report.elapsed.as_secs_f64(),
            unusable_id: self.unusable_id(),
        };
        shown.serialize(serializer)
    }
}

/// A cause of an error: a text, and its own cause, if any.
///
/// It holds texts only, so that the types of other crates stay out of the public API and the token can be redacted.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    text: Untrusted,
    next: Option<Box<Cause>>,
}

impl Cause {
    /// Returns a cause without a further one.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: Untrusted::local(text), next: None }
    }

    /// Returns an error of this machine and its sources.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let errors: Vec<_> =
            std::iter::successors(Some(error), |error| (**error).source()).collect();
        Self::chain(errors.into_iter().map(|error| Untrusted::local(error.to_string())))
    }

    /// Returns a chain in which each text is the cause of the one before, or `None` without any.
    pub(crate) fn chain(texts: impl DoubleEndedIterator<Item = Untrusted>) -> Option<Self> {
        texts.rev().fold(None, |next, text| Some(Self { text, next: next.map(Box::new) }))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)?;
        match &self.next {
            Some(next) if f.alternate() => write!(f, ": {next:#}"),
            _ => Ok(()),
        }
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_ref().map(|cause| cause as _)
    }
}
