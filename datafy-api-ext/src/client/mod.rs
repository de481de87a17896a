//! The client and its settings.

pub(crate) mod budget;
mod builder;
mod clock;
mod config_error;
pub(crate) mod connector;
mod credential;
pub(crate) mod detached_calls;
pub(crate) mod http;
pub(crate) mod options;
pub(crate) mod proxy;
pub(crate) mod redact;
mod retry_policy;
#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
mod root_certificates;
mod timeouts;
pub(crate) mod token;

pub use builder::DatafyBuilder;
pub use clock::Clock;
pub(crate) use clock::Stopwatch;
pub use config_error::ConfigError;
pub(crate) use credential::Credential;
pub(crate) use options::within;
pub use retry_policy::RetryPolicy;
pub use timeouts::Timeouts;
pub use token::Token;

use crate::abandoned::OnAbandoned;
use crate::id::{SubAccountId, VolumeId};
use budget::Budget;
use credential::Tokens;
use datafy_api::base_url::BaseUrl;
use detached_calls::DetachedCalls;
use http::Http;
use options::Options;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client of the Datafy API.
///
/// It is cheap to clone. All clones share the token, the connections and the retry budget.
///
/// A client may be used from several Tokio runtimes, but not with
/// [`fresh_connections(false)`](DatafyBuilder::fresh_connections): a connection belongs to the runtime that opened it,
/// and if that is a `current_thread` runtime that is not running, a call on the connection waits until its attempt
/// timeout.
///
/// ```no_run
/// use datafy_api_ext::{Datafy, VolumeId};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let datafy = Datafy::from_env()?;
/// let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
/// let snapshot = datafy.volume(volume).create_snapshot().description("nightly").await?;
/// println!("{}", snapshot.id);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Datafy(Arc<Inner>);

/// What the clones of a client share.
pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) base: BaseUrl,
    pub(crate) tokens: Tokens,
    /// The options that calls start with.
    pub(crate) options: Arc<Options>,
    pub(crate) budget: Budget,
    /// How many requests may be in flight.
    pub(crate) in_flight: usize,
    /// A permit for each of them.
    pub(crate) slots: Semaphore,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) on_abandoned: Option<OnAbandoned>,
    pub(crate) detached: DetachedCalls,
}

impl Datafy {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The value of the query parameter `accounts`, which names the account that an organization token is used for.
    pub(crate) fn account(&self) -> Option<&str> {
        self.0.options.account()
    }

    /// Returns a builder with the defaults: the vendor's endpoint and no token.
    pub fn builder() -> DatafyBuilder {
        DatafyBuilder::default()
    }

    /// Creates a client from environment variables: see [`DatafyBuilder::from_env`].
    pub fn from_env() -> Result<Self, ConfigError> {
        DatafyBuilder::from_env()?.build()
    }

    /// The URL of the service, without a slash at the end.
    pub fn endpoint(&self) -> &str {
        self.0.base.as_str()
    }

    /// The sub-account in whose context calls are made, if any.
    pub fn sub_account(&self) -> Option<&SubAccountId> {
        self.0.options.sub_account.as_ref()
    }
}

impl fmt::Debug for Datafy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datafy")
            .field("endpoint", &self.endpoint())
            .field("sub_account", &self.sub_account())
            .finish_non_exhaustive()
    }
}

/// A volume to call operations on. Created by [`Datafy::volume`].
#[derive(Clone, Debug)]
pub struct Volume {
    datafy: Datafy,
    id: VolumeId,
}

impl Volume {
    /// The ID of the volume.
    pub fn id(&self) -> &VolumeId {
        &self.id
    }

    /// The client that makes the calls.
    pub(crate) fn datafy(&self) -> &Datafy {
        &self.datafy
    }
}

impl Datafy {
    /// Returns a volume to call operations on. Nothing is sent, so the volume need not exist.
    pub fn volume(&self, id: VolumeId) -> Volume {
        Volume { datafy: self.clone(), id }
    }
}
