//! An outage of the fake.

use super::Fake;

/// An outage of a [`Fake`]: connections are refused until this is dropped.
#[derive(Debug)]
#[must_use = "the outage ends when this is dropped"]
pub struct Outage(pub(super) Fake);

impl Drop for Outage {
    fn drop(&mut self) {
        // Fails after the end of the runtime, or without a free file descriptor. A panic here could end the process.
        let _ = self.0.server.listen();
    }
}
