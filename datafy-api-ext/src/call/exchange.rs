//! Receives as much of an answer as arrives.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use std::future::Future;
use std::mem;

/// The length of the part of a body that is read, in bytes. The service's own answers have a few hundred.
///
/// No timeout limits what comes after the last byte, such as the search for the token, so its amount is limited.
const BODY_LIMIT: usize = 16 * 1024;

/// The part of an answer that has arrived. It is filled as it arrives, so that a timeout doesn't lose it.
#[derive(Default)]
pub(crate) struct Received {
    /// The answer without its body, or `None` until its head has arrived.
    pub(crate) response: Option<Response>,
    /// The part of the body that was read.
    pub(crate) body: Bytes,
    pub(crate) end: BodyEnd,
}

/// How the body of an answer ended.
#[derive(Default)]
pub(crate) enum BodyEnd {
    /// It has not ended yet.
    #[default]
    Open,
    /// It is complete.
    Whole,
    /// It is longer than the client reads.
    TooLarge,
    /// The connection was lost.
    Broken(reqwest::Error),
}

/// Waits for the answer, and reads up to [`BODY_LIMIT`] bytes of its body. Fails only if no answer arrives.
pub(crate) async fn receive(
    answer: impl Future<Output = reqwest::Result<Response>>,
    received: &mut Received,
) -> reqwest::Result<()> {
    let response = received.response.insert(answer.await?);
    loop {
        received.end = match response.chunk().await {
            Ok(Some(mut chunk)) => {
                let room = BODY_LIMIT - received.body.len();
                let fits = chunk.len() <= room;
                chunk.truncate(room);
                received.body = joined(mem::take(&mut received.body), chunk);
                if fits {
                    continue;
                }
                BodyEnd::TooLarge
            }
            Ok(None) => BodyEnd::Whole,
            Err(error) => BodyEnd::Broken(error),
        };
        return Ok(());
    }
}

/// Returns the text of both. Most answers consist of one chunk, which is not copied.
fn joined(text: Bytes, chunk: Bytes) -> Bytes {
    if text.is_empty() {
        return chunk;
    }
    let mut text = BytesMut::from(text);
    text.extend_from_slice(&chunk);
    text.freeze()
}
