//! A Datafy in the caller's process: for tests, and for trying things out.
//!
//! It keeps volumes, instances, snapshots and attachments, refuses invalid requests, and records every
//! request and every effect. A [`Fault`] changes the answer to a request, or breaks the connection. Since the
//! fake knows which effects there were, a test can [`verify`] what a call reports.
//!
//! ```
//! use datafy_api_ext::fake::{Fake, Fault, verify};
//! use datafy_api_ext::{Outcome, VolumeId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fake = Fake::start().await?;
//! let volume = VolumeId::new("vol-1")?;
//! fake.account().add_volume(volume.clone(), 100);
//! let datafy = fake.client().build()?;
//!
//! // The snapshot is created, and the answer is lost.
//! fake.inject(Fault::ApplyThenReset);
//! let result = datafy.volume(volume).create_snapshot().await;
//!
//! assert_eq!(result.as_ref().unwrap_err().outcome(), Outcome::Unknown);
//! assert_eq!(fake.account().snapshots().len(), 1);
//! verify(&fake.effects(), &result)?;
//! # Ok(())
//! # }
//! ```
//!
//! The command `datafyctl fake` serves a fake [to programs in other languages](crate::guide::other_languages).
//!
//! The vendor's page documents successes only. The refusals are modelled on what the service is known to send;
//! each has `"fake": true` beside its `message`.
//!
//! The fake speaks HTTP/1.1 and HTTP/1.0, and rejects requests that break their rules. It reads headers of up to
//! 64 KiB and bodies of up to 1 MiB.

mod account;
mod answer;
mod connection;
mod effects;
mod error_builder;
mod fault;
mod handler;
mod request;
mod server;
mod skip_pauses;
mod state;
mod wire;

pub use account::Account;
pub use answer::Answer;
pub use effects::{AppliedEffect, Mismatch, verify};
pub use error_builder::ErrorBuilder;
pub use fault::Fault;
pub use request::RecordedRequest;
pub use server::Outage;
pub use skip_pauses::SkipPauses;
pub use state::{Attachment, FakeSnapshot, FakeVolume};

use crate::client::DatafyBuilder;
use server::Server;
use state::{Scope, Shared};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// A Datafy in the caller's process. Stops when it is dropped.
#[doc(alias("mock", "test server"))]
pub struct Fake {
    shared: Shared,
    server: Server,
}

impl Fake {
    /// The token of the first account.
    pub const TOKEN: &'static str = "fake-token";

    /// Starts on a free loopback port and the caller's Tokio runtime, with one empty account.
    pub async fn start() -> io::Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0)).await
    }

    /// Starts on this address and port. Port 0 picks a free one. [`client`](Self::client) needs a loopback address.
    #[expect(clippy::unused_async, reason = "shows that it needs a runtime")]
    pub async fn start_on(address: impl Into<SocketAddr>) -> io::Result<Self> {
        let shared = Shared::default();
        let server = Server::start(address.into(), shared.clone())?;
        let fake = Self { shared, server };
        fake.add_account(Self::TOKEN);
        Ok(fake)
    }

    /// The URL of the fake.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A builder of clients for the fake: with its endpoint, the token of the first account, and a clock that
    /// skips the pauses between attempts ([`SkipPauses`]).
    pub fn client(&self) -> DatafyBuilder {
        DatafyBuilder::default()
            .endpoint(self.endpoint())
            .token(Self::TOKEN)
            .clock(SkipPauses::default())
    }

    /// The first account.
    pub fn account(&self) -> Account {
        Account::new(self.shared.clone(), Scope::account(0))
    }

    /// The account with this token. Adds the account if there is none.
    pub fn add_account(&self, token: &str) -> Account {
        let mut state = self.shared.lock();
        let accounts = state.tokens.len();
        let account = *state.tokens.entry(token.to_owned()).or_insert(accounts);
        Account::new(self.shared.clone(), Scope::account(account))
    }

    /// Replaces the token `old` of an account by `new`. From now on `old` is refused with 401.
    pub fn rotate_token(&self, old: &str, new: &str) {
        let mut state = self.shared.lock();
        if let Some(account) = state.tokens.remove(old) {
            state.tokens.insert(new.to_owned(), account);
        }
    }

    /// Adds a fault to the queue. Each request takes one fault from it.
    #[doc(alias("chaos"))]
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push_back(Some(fault));
    }

    /// Adds a fault to the queue this many times.
    pub fn inject_times(&self, times: usize, fault: Fault) {
        self.shared.lock().faults.extend(std::iter::repeat_n(Some(fault), times));
    }

    /// Adds a request without a fault to the queue.
    pub fn inject_none(&self) {
        self.shared.lock().faults.push_back(None);
    }

    /// Asks `source` for the fault of each request that finds the queue empty.
    pub fn inject_with(&self, source: impl FnMut() -> Option<Fault> + Send + 'static) {
        self.shared.set_fault_source(Box::new(source));
    }

    /// Calls `observer` for each request that was read, after its effect, if any, and before the answer is sent: with the
    /// answer, unless a fault keeps the service from making one, and with the fault, if any.
    ///
    /// Replaces an earlier observer. An observer may call other methods of the fake, but not this one.
    pub fn on_request(
        &self,
        observer: impl FnMut(&RecordedRequest, Option<&Answer>, Option<&Fault>) + Send + 'static,
    ) {
        self.shared.set_observer(Box::new(observer));
    }

    /// Closes every connection, and refuses new ones until the outage is [ended](Outage::end).
    pub async fn outage(&self) -> Outage {
        self.server.outage().await
    }

    /// The number of open connections.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// All requests so far, in the order in which they were read. A request that broke the rules of HTTP, or was
    /// not complete, is not among them.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.lock().requests.clone()
    }

    /// All effects so far, in the order in which they were applied.
    pub fn effects(&self) -> Vec<AppliedEffect> {
        self.shared.lock().effects.clone()
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}
