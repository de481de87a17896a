//! The faults that the fake can be told to make.

use super::answer::Answer;
use crate::id::VolumeId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::time::Duration;

/// What goes wrong with one request.
///
/// The names say whether the request has its effect: it has none with `Answer`, with the faults that
/// start with `Read`, with `ResetBeforeReading`, and with the constructors [`status`](Self::status),
/// [`retry_after`](Self::retry_after) and [`captive_portal`](Self::captive_portal). With all others it is
/// applied.
///
/// Faults can be read from a file with serde: the name in snake case, and what follows it, such as
/// `"apply_then_reset"` or `{"answer": {"status": 429}}`. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Sends this answer without applying the request.
    Answer(Answer),
    /// Applies the request, and sends this answer in place of the right one.
    ApplyThenAnswer(Answer),
    /// Applies the request, and sends the right answer after this time.
    Delay(#[serde(deserialize_with = "seconds")] Duration),
    /// Resets the connection when the first byte of the request arrives.
    ResetBeforeReading,
    /// Reads the request, does not apply it, and resets the connection.
    ReadThenReset,
    /// Reads the request, does not apply it, and never answers.
    ReadThenHang,
    /// Applies the request, and resets the connection.
    ApplyThenReset,
    /// Applies the request, and closes the connection in the middle of the answer's headers.
    ApplyThenCutHeaders,
    /// Applies the request, and closes the connection in the middle of the answer's body.
    ApplyThenCutBody,
    /// Applies the request, and stops in the middle of the answer's body without closing the connection.
    ApplyThenStallBody,
    /// Applies the request, and never answers.
    ApplyThenHang,
    /// Applies the request, and sends interim answers (100, 102 and 103) until the client closes the
    /// connection. The final answer never follows.
    ApplyThenFlood,
    /// Applies the request, and answers as if it had been about this volume.
    ApplyThenNameVolume(VolumeId),
    /// Applies the request, and sends the right answer one byte at a time.
    Drip,
    /// Applies the request, and sends the right answer in chunks of one byte. There are at least this many:
    /// spaces follow the JSON.
    TinyChunks(usize),
    /// Applies the request, sends the right answer, and sends it again after this time if the connection is
    /// still open. A request that arrives in between is read after that, so the second answer precedes
    /// its own.
    LateDuplicate(#[serde(deserialize_with = "seconds")] Duration),
    /// Applies the request, sends the right answer, and closes the connection without having announced it.
    CloseIdle,
}

impl Fault {
    /// Answers with this status and a message, without applying the request.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::status(status))
    }

    /// Answers with this status and this `Retry-After`, without applying the request.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::Answer(Answer::status(status).header("retry-after", value))
    }

    /// Answers 200 with the login page of a network, without applying the request: it never reached the
    /// service.
    pub fn captive_portal() -> Self {
        Self::Answer(Answer::html(200, LOGIN_PAGE))
    }

    /// Applies the request, and answers 200 with a page in place of JSON.
    pub fn apply_then_html() -> Self {
        Self::ApplyThenAnswer(Answer::html(200, LOGIN_PAGE))
    }

    /// Applies the request, and answers 503 with the page of a gateway whose backend failed, as Varnish does
    /// by default. `retry_after` is the value of the header of that name, which Varnish sets to `5`.
    pub fn apply_then_gateway_503(retry_after: Option<&str>) -> Self {
        let answer = Answer::html(503, GATEWAY_PAGE).header("server", "Varnish");
        Self::ApplyThenAnswer(match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        })
    }

    /// Applies the request, and answers 101: the connection does not speak HTTP any more.
    pub fn apply_then_switch_protocols() -> Self {
        let answer = Answer::status(101).header("connection", "upgrade");
        Self::ApplyThenAnswer(answer.header("upgrade", "websocket"))
    }

    /// Applies the request, and answers 200 with a body of this many bytes that is not JSON.
    pub fn apply_then_oversized(bytes: usize) -> Self {
        Self::ApplyThenAnswer(Answer::json(200, &Value::Null).body("x".repeat(bytes)))
    }

    /// Applies the request, and answers 200 with incomplete JSON in a complete body.
    pub fn apply_then_malformed() -> Self {
        Self::ApplyThenAnswer(Answer::json(200, &Value::Null).body("{\"volumeId\""))
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><body><form>Sign in</form></body></html>\n";

/// Varnish's built-in page.
const GATEWAY_PAGE: &str = "<!DOCTYPE html>
<html>
  <head>
    <title>503 Backend fetch failed</title>
  </head>
  <body>
    <h1>Error 503 Backend fetch failed</h1>
    <p>Backend fetch failed</p>
    <h3>Guru Meditation:</h3>
    <p>XID: 3</p>
    <hr>
    <p>Varnish cache server</p>
  </body>
</html>
";
