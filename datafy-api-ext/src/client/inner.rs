//! What the clones of a client share.

use super::budget::Budget;
use super::clock::Clock;
use super::detached_calls::DetachedCalls;
use super::extras::Extras;
use super::http::Http;
use super::jitter::Jitter;
use super::on_abandoned::OnAbandoned;
use super::retry_policy::RetryPolicy;
use super::timeouts::Timeouts;
use super::token::Tokens;
use crate::id::SubAccountId;
use datafy_api::base_url::BaseUrl;
use tokio::sync::Semaphore;

pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) base: BaseUrl,
    pub(crate) tokens: Tokens,
    pub(crate) sub_account: Option<SubAccountId>,
    pub(crate) extras: Option<Extras>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    /// How many requests may be in flight.
    pub(crate) in_flight: usize,
    /// A permit for each of them.
    pub(crate) slots: Semaphore,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) jitter: Jitter,
    pub(crate) on_abandoned: OnAbandoned,
    pub(crate) detached: DetachedCalls,
}
