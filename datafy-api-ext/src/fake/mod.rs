//! A Datafy in the caller's process, on a loopback port: for tests, and for trying things out.
//!
//! It keeps volumes, instances, snapshots and attachments, refuses what must be refused, and writes
//! down every request and every effect. [`Fault`]s make it answer badly, or break the connection at the
//! worst moment; since it knows what really happened, a test can [`check`] what a call says of itself.
//!
//! ```
//! use datafy_api_ext::fake::{Fake, Fault, check};
//! use datafy_api_ext::{Outcome, VolumeId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fake = Fake::start().await?;
//! let volume = VolumeId::new("vol-1")?;
//! fake.account().add_volume(volume.clone(), 100);
//! let datafy = fake.client().build()?;
//!
//! // The snapshot is made, and the answer is lost on the way back.
//! fake.inject(Fault::ApplyThenReset);
//! let result = datafy.volume(volume).create_snapshot().await;
//!
//! assert_eq!(result.as_ref().unwrap_err().outcome(), Outcome::Unknown);
//! assert_eq!(fake.account().snapshots().len(), 1);
//! check(&fake.effects(), &result)?;
//! # Ok(())
//! # }
//! ```
//!
//! The page documents successes only. The refusals of the fake are its own, made after what the
//! service is known to send; each says `"fake": true` beside its `message`.

mod account;
mod answer;
mod connection;
mod fault;
mod handler;
mod request;
mod server;
mod skip_pauses;
mod state;
mod truth;
mod wire;

pub use account::Account;
pub use answer::Answer;
pub use fault::Fault;
pub use request::RecordedRequest;
pub use server::Outage;
pub use skip_pauses::SkipPauses;
pub use state::{Attachment, FakeSnapshot, FakeVolume};
pub use truth::{AppliedEffect, BrokenPromise, check};

use crate::client::DatafyBuilder;
use server::Server;
use state::{Scope, Shared};
use std::fmt;
use std::io;

/// A Datafy in the caller's process. It stops when it is dropped.
pub struct Fake {
    shared: Shared,
    server: Server,
}

impl Fake {
    /// The token of the account that is there from the start.
    pub const TOKEN: &'static str = "fake-token";

    /// Starts on a free loopback port, on the tokio runtime of the caller, with one account and
    /// nothing in it.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts on this loopback port, where a fake has to be found at the same place each time.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and may come to wait for one")]
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let shared = Shared::default();
        let server = Server::start(port, shared.clone())?;
        let fake = Self { shared, server };
        fake.add_account(Self::TOKEN);
        Ok(fake)
    }

    /// The URL of the fake.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A builder of clients for the fake: its endpoint, the token of the first account, and no waiting
    /// between attempts ([`SkipPauses`]).
    pub fn client(&self) -> DatafyBuilder {
        DatafyBuilder::default()
            .endpoint(self.endpoint())
            .token(Self::TOKEN)
            .clock(SkipPauses::default())
    }

    /// The account that is there from the start.
    pub fn account(&self) -> Account {
        Account::new(self.shared.clone(), Scope::account(0))
    }

    /// The account with this token; it is added if it isn't there.
    pub fn add_account(&self, token: &str) -> Account {
        let mut state = self.shared.lock();
        let accounts = state.tokens.len();
        let account = *state.tokens.entry(token.to_owned()).or_insert(accounts);
        Account::new(self.shared.clone(), Scope::account(account))
    }

    /// Replaces the token `old` by `new`, as when a token is rotated: from now on the old one is refused
    /// with 401, and the account is as it was.
    pub fn rename_token(&self, old: &str, new: &str) {
        let mut state = self.shared.lock();
        if let Some(account) = state.tokens.remove(old) {
            state.tokens.insert(new.to_owned(), account);
        }
    }

    /// Does this to the next request that has no fault yet. Faults wait in line: one a request.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push_back(Some(fault));
    }

    /// Does this to so many requests.
    pub fn inject_times(&self, times: usize, fault: Fault) {
        self.shared.lock().faults.extend(std::iter::repeat_n(Some(fault), times));
    }

    /// Lets the next request in line be served well: for a script with good requests in between.
    pub fn inject_none(&self) {
        self.shared.lock().faults.push_back(None);
    }

    /// Asks `chaos` for a fault at every request for which none waits in line.
    pub fn inject_with(&self, chaos: impl FnMut() -> Option<Fault> + Send + 'static) {
        self.shared.set_chaos(Box::new(chaos));
    }

    /// Closes the port and every connection: from then on connections are refused, until the outage
    /// is [ended](Outage::end).
    pub async fn outage(&self) -> Outage {
        self.server.outage().await
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// All requests so far, in the order in which they were read.
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
