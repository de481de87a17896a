//! The faults that the fake can be told to make.

use super::reply::Reply;
use crate::id::VolumeId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// What goes wrong with one request.
///
/// The names say whether the request has its effect: it has none with `Answer`, and with the faults that start with
/// `Read`. With all others it is applied.
///
/// Faults can be read from a file with serde: the name in snake case, and what follows it, such as
/// `"apply_then_reset"` or `{"answer": {"status": 429}}`. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Replies this without applying the request.
    Answer(Reply),
    /// Reads the request, does not apply it, and resets the connection.
    ReadThenReset,
    /// Reads the request, does not apply it, and never answers.
    ReadThenHang,
    /// Reads the request, does not apply it, sends this text, which need not be HTTP, and closes the connection.
    ReadThenSend(String),
    /// Applies the request, and replies this in place of the right answer.
    ApplyThenAnswer(Reply),
    /// Applies the request, and resets the connection.
    ApplyThenReset,
    /// Applies the request, and never answers.
    ApplyThenHang,
    /// Applies the request, sends this text, which need not be HTTP, and closes the connection.
    ApplyThenSend(String),
    /// Applies the request, and closes the connection in the middle of the answer's headers.
    ApplyThenCutHeaders,
    /// Applies the request, and closes the connection in the middle of the answer's body.
    ApplyThenCutBody,
    /// Applies the request, and stops in the middle of the answer's body without closing the connection.
    ApplyThenStallBody,
    /// Applies the request, and sends interim answers (100, 102 and 103) until the client closes the
    /// connection. The final answer never follows.
    ApplyThenFlood,
    /// Applies the request, and answers as if it had been about this volume.
    ApplyThenNameVolume(VolumeId),
    /// Applies the request, and sends the right answer after this time.
    Delay(#[serde(deserialize_with = "seconds")] Duration),
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
        Self::Answer(Reply::status(status))
    }

    /// Answers with this status and this `Retry-After`, without applying the request.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::Answer(Reply::status(status).header("retry-after", value))
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}
