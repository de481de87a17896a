//! The client.

use crate::budget::Budget;
use crate::builder::DatafyBuilder;
use crate::call::Call;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::create_volume::{CreateVolume, NewVolume};
use crate::http::Http;
use crate::id::{DatafySnapshotId, SubAccountId, VolumeId};
use crate::retry_policy::RetryPolicy;
use crate::timeouts::Timeouts;
use crate::token::Tokens;
use datafy_api::base_url::BaseUrl;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A client of the Datafy API. It is cheap to clone; the clones share the token and the retry budget.
///
/// A client may be used from several Tokio runtimes. With
/// [`fresh_connections(false)`](DatafyBuilder::fresh_connections) it should not: a connection belongs to the runtime
/// in which it was made, and a call that takes one from a `current_thread` runtime that nobody drives at the time
/// waits until its attempt timeout.
///
/// ```no_run
/// use datafy_api_ext::{Datafy, VolumeId};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let datafy = Datafy::from_env()?;
/// let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
/// let snapshot = datafy.volume(volume).create_snapshot().description("nightly").await?;
/// println!("{}", snapshot.require_id()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Datafy(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) base: BaseUrl,
    pub(crate) tokens: Tokens,
    pub(crate) sub_account: Option<SubAccountId>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    /// How many requests may be under way.
    pub(crate) in_flight: usize,
    /// One for each of them.
    pub(crate) slots: Semaphore,
    pub(crate) clock: Box<dyn Clock>,
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

    pub(crate) fn sub_account(&self) -> Option<&SubAccountId> {
        self.0.sub_account.as_ref()
    }

    /// Begins with the defaults: the vendor's endpoint and no token.
    pub fn builder() -> DatafyBuilder {
        DatafyBuilder::default()
    }

    /// A client with the settings of [`DatafyBuilder::from_env`].
    pub fn from_env() -> Result<Self, ConfigError> {
        DatafyBuilder::from_env()?.build()
    }

    /// What can be done with a volume.
    pub fn volume(&self, id: VolumeId) -> Volume {
        Volume { datafy: self.clone(), id }
    }

    /// Creates an autoscaling volume, once it is said from what.
    pub fn create_volume(&self) -> NewVolume {
        NewVolume::new(self.clone())
    }

    /// Creates a volume from a snapshot, to be attached:
    /// `datafy.restore(snapshot).attach_to(instance, device)`.
    pub fn restore(&self, snapshot: DatafySnapshotId) -> Call<CreateVolume> {
        self.create_volume().from_snapshot(snapshot)
    }

    /// The address of the service.
    pub fn endpoint(&self) -> &str {
        self.0.base.as_str()
    }
}

impl fmt::Debug for Datafy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datafy")
            .field("endpoint", &self.endpoint())
            .field("sub_account", &self.0.sub_account)
            .finish_non_exhaustive()
    }
}

/// What can be done with a volume. Made by [`Datafy::volume`]; nothing is sent before a call is awaited.
///
/// Each operation on a volume adds its method, in its own file.
#[derive(Clone, Debug)]
pub struct Volume {
    datafy: Datafy,
    id: VolumeId,
}

impl Volume {
    /// The id of the volume.
    pub fn id(&self) -> &VolumeId {
        &self.id
    }

    /// A call about the volume.
    pub(crate) fn call<O>(&self, operation: impl FnOnce(VolumeId) -> O) -> Call<O> {
        Call::new(self.datafy.clone(), operation(self.id.clone()))
    }
}
