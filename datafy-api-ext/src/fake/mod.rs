//! A Datafy in the caller's process: for tests, and for trying things out.
//!
//! It keeps volumes, instances, snapshots and attachments, refuses invalid requests, and records every request, and
//! whether it had its effect. A [`Fault`] changes the answer to a request, or breaks the connection. Since the fake
//! knows which effects there were, a test can [`verify`] what a call reports.
//!
//! ```
//! use datafy_api_ext::fake::{Fake, Fault, verify};
//! use datafy_api_ext::{Outcome, VolumeId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fake = Fake::start().await?;
//! let volume = VolumeId::new("vol-1")?;
//! fake.add_volume(volume.clone(), 100);
//! let datafy = fake.client().build()?;
//!
//! // The snapshot is created, and the answer is lost.
//! fake.inject(Fault::ApplyThenReset);
//! let result = datafy.volume(volume).create_snapshot().await;
//!
//! assert_eq!(result.as_ref().unwrap_err().outcome(), Outcome::Unknown);
//! assert_eq!(fake.snapshots().len(), 1);
//! verify(&fake.effects(), &result)?;
//! # Ok(())
//! # }
//! ```
//!
//! The command `datafyctl fake` serves a fake [to programs in other languages](crate::guide::other_languages).
//!
//! The vendor's page documents successes only. The refusals are modelled on what the service is known to send;
//! each has `"fake": true` beside its `message`.

mod broken;
mod connection;
mod error;
mod fault;
mod handler;
mod outage;
mod reply;
mod request;
mod server;
mod skip_pauses;
mod state;
mod verify;

pub use error::error;
pub use fault::Fault;
pub use outage::Outage;
pub use reply::Reply;
pub use request::RecordedRequest;
pub use skip_pauses::SkipPauses;
pub use state::{FakeSnapshot, FakeVolume};
pub use verify::verify;

use crate::client::DatafyBuilder;
use crate::id::{DatafySnapshotId, InstanceId, SubAccountId, VolumeId};
use server::Server;
use state::{Resources, Scope, locked};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A Datafy in the caller's process, seen by one of its accounts.
///
/// Its clones share the service, which stops when the last one is dropped. What it adds and shows are the resources of
/// its account: the first one, unless it was made by [`with_token`](Self::with_token) or
/// [`sub_account`](Self::sub_account). Requests, effects and faults are those of all accounts.
#[doc(alias("mock", "test server"))]
#[derive(Clone)]
pub struct Fake {
    server: Arc<Server>,
    scope: Scope,
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
        let server = Arc::new(Server::start(address.into())?);
        let scope = Scope { token: Self::TOKEN.to_owned(), sub_account: None };
        Ok(Self { server, scope }.with_token(Self::TOKEN))
    }

    /// The URL of the fake.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// A builder of clients for the fake: with its endpoint, the first token of the account, and a clock that
    /// skips the pauses between attempts ([`SkipPauses`]).
    pub fn client(&self) -> DatafyBuilder {
        DatafyBuilder::default()
            .endpoint(self.endpoint())
            .token(self.scope.token.clone())
            .clock(SkipPauses::default())
    }

    /// The account with this token. Adds the account if there is none.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        let mut state = self.server.shared.lock();
        let first = state.tokens.entry(token.to_owned()).or_insert_with(|| token.to_owned());
        let scope = Scope { token: first.clone(), sub_account: None };
        Self { server: Arc::clone(&self.server), scope }
    }

    /// The sub-account with this ID, which shares no resources with the account. Adds it if there is none.
    #[must_use]
    pub fn sub_account(&self, id: &SubAccountId) -> Self {
        let scope = Scope { sub_account: Some(id.to_string()), ..self.scope.clone() };
        let account = Self { server: Arc::clone(&self.server), scope };
        account.resources(|_| ());
        account
    }

    /// Replaces the token `old` of an account by `new`. From now on `old` is refused with 401.
    pub fn rotate_token(&self, old: &str, new: &str) {
        let mut state = self.server.shared.lock();
        if let Some(first) = state.tokens.remove(old) {
            state.tokens.insert(new.to_owned(), first);
        }
    }

    /// Adds an unattached volume that Datafy manages.
    pub fn add_volume(&self, id: VolumeId, size_gb: i64) {
        self.resources(|resources| resources.add(FakeVolume::new(id, size_gb, true)));
    }

    /// Adds a volume that Datafy doesn't manage.
    pub fn add_unmanaged_volume(&self, id: VolumeId, size_gb: i64) {
        self.resources(|resources| resources.add(FakeVolume::new(id, size_gb, false)));
    }

    /// Adds a snapshot of a volume. The volume need not exist.
    pub fn add_snapshot(&self, id: DatafySnapshotId, volume: VolumeId, volume_size_gb: i64) {
        let snapshot = FakeSnapshot::new(id, volume, volume_size_gb, None, 0);
        self.resources(|resources| resources.snapshots.push(snapshot));
    }

    /// Adds an instance that volumes can be attached to.
    pub fn add_instance(&self, id: InstanceId) {
        self.resources(|resources| resources.instances.insert(id));
    }

    /// From now on, each volume that is created is not ready at first: its next `attaches` attaches are refused with
    /// 409.
    pub fn hold_back_new_volumes(&self, attaches: u32) {
        self.resources(|resources| resources.not_ready = attaches);
    }

    /// The volume with this ID.
    pub fn volume(&self, id: &VolumeId) -> Option<FakeVolume> {
        self.resources(|resources| resources.volumes.get(id).cloned())
    }

    /// All volumes, ordered by ID.
    pub fn volumes(&self) -> Vec<FakeVolume> {
        self.resources(|resources| resources.volumes.values().cloned().collect())
    }

    /// All snapshots, in the order in which they were created.
    pub fn snapshots(&self) -> Vec<FakeSnapshot> {
        self.resources(|resources| resources.snapshots.clone())
    }

    fn resources<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        change(self.server.shared.lock().resources.entry(self.scope.clone()).or_default())
    }

    /// Adds a fault to the queue. Each request takes one fault from it.
    #[doc(alias("chaos"))]
    pub fn inject(&self, fault: Fault) {
        self.server.shared.lock().faults.push_back(Some(fault));
    }

    /// Adds a request without a fault to the queue.
    pub fn inject_none(&self) {
        self.server.shared.lock().faults.push_back(None);
    }

    /// Asks `source` for the fault of each request that finds the queue empty.
    pub fn inject_with(
        &self,
        source: impl FnMut(&RecordedRequest) -> Option<Fault> + Send + 'static,
    ) {
        *locked(&self.server.shared.source) = Some(Box::new(source));
    }

    /// Calls `observer` for each request that was read, after its effect, if any, and before the answer is sent.
    ///
    /// Replaces an earlier observer. An observer may call other methods of the fake, but not this one.
    pub fn on_request(&self, observer: impl FnMut(&RecordedRequest) + Send + 'static) {
        *locked(&self.server.shared.observer) = Some(Box::new(observer));
    }

    /// Closes every connection, and refuses new ones until the returned guard is dropped.
    pub async fn outage(&self) -> Outage {
        self.server.stop().await;
        Outage(self.clone())
    }

    /// The number of open connections.
    pub fn connections(&self) -> usize {
        self.server.open.load(Ordering::Relaxed)
    }

    /// All requests so far, in the order in which they were read. A request that broke the rules of HTTP, or was
    /// not complete, is not among them.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.shared.lock().requests.clone()
    }

    /// The requests that had their effect, in the order in which they were applied.
    pub fn effects(&self) -> Vec<RecordedRequest> {
        let state = self.server.shared.lock();
        state.requests.iter().filter(|request| request.applied).cloned().collect()
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fake = f.debug_struct("Fake");
        fake.field("endpoint", &self.endpoint()).field("sub_account", &self.scope.sub_account);
        fake.finish_non_exhaustive()
    }
}
