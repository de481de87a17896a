//! One request on the wire, and as much of its answer as comes.

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use std::future::Future;
use std::mem;

/// What came back. It is filled while it comes, so that it is there also when the caller stops waiting.
#[derive(Default)]
pub(crate) struct Received {
    /// The status, once the head of the answer was there.
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    /// The body as far as it was read.
    pub(crate) body: Vec<u8>,
    pub(crate) end: BodyEnd,
}

/// How the body of an answer ended.
#[derive(Default)]
pub(crate) enum BodyEnd {
    /// Not yet: more was to come.
    #[default]
    Open,
    /// With all of it there.
    Whole,
    /// Longer than the client reads.
    TooLarge,
    /// With the connection.
    Broken(reqwest::Error),
}

/// Waits for the answer, and reads up to `limit` bytes of its body. An error is that no answer came.
pub(crate) async fn receive(
    answer: impl Future<Output = reqwest::Result<Response>>,
    limit: usize,
    received: &mut Received,
) -> reqwest::Result<()> {
    let mut response = answer.await?;
    received.status = Some(response.status());
    received.headers = mem::take(response.headers_mut());
    loop {
        received.end = match response.chunk().await {
            Ok(Some(mut chunk)) => {
                let room = limit - received.body.len();
                let fits = chunk.len() <= room;
                chunk.truncate(room);
                received.body.extend_from_slice(&chunk);
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
