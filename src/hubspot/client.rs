//! The shared client: it owns the transport, the clock, the budget, the breaker and the credentials. Its calls stand one
//! file per API family: `account`, `objects`, `search` and `search_walk`, `batch_read`, `writes`, `batch`, `associations`
//! and `association_batches`, `pipelines`, `owners`, `properties`, `lists` and `memberships`, `app_events`. What all of them
//! do stands in `call`.

use std::{
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::{
    auth::{Auth, Credentials, MemoryTokens, TokenDesk, TokenStore},
    breaker::Breaker,
    budget::{Budget, Permit, Quota, SlotBook},
    clock::Clock,
    retry_budget::RetryBudget,
    settings::{Settings, is_region},
    transport::Transport,
};
use crate::domain::{Lane, Limits};

/// The region without a host of its own: the plain one is there.
pub(super) const FIRST_REGION: &str = "na1";

/// The client. Cheap to clone, shared by every task.
///
/// Reads are retried with backoff, each attempt out of the budget. Of a write at most one attempt may have an effect: it
/// is sent with a permit the caller took before claiming the operation, and once more only where a 401 said that it had
/// none and the token could be renewed. Whether it may be repeated otherwise is for the outbox to know.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Clock,
    pub(super) budget: Budget,
    pub(super) breaker: Breaker,
    pub(super) retries: RetryBudget,
    /// Counts the answers that came in.
    pub(super) answers: AtomicU64,
    /// Signs every request.
    pub(super) auth: Auth,
    tokens: Arc<dyn TokenStore>,
    pub(super) timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) jitter_seed: Option<u64>,
    /// The region the account lives in, once a 488 has named it; `None`: where the plain host looks.
    hublet: RwLock<Option<Arc<str>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client over `transport` that signs with the settings' static token, whose slots are remembered in `book`.
    #[must_use]
    pub fn new(settings: &Settings, transport: Arc<dyn Transport>, clock: Clock, book: Arc<dyn SlotBook>) -> Self {
        let credentials = Credentials::Token(settings.token.clone());
        let tokens = Arc::new(MemoryTokens::new());
        Self::signed(settings, credentials, tokens, transport, clock, book)
    }

    /// A client that signs with `credentials`; what it learns about them is kept in `tokens`.
    #[must_use]
    pub fn signed(
        settings: &Settings,
        credentials: Credentials,
        tokens: Arc<dyn TokenStore>,
        transport: Arc<dyn Transport>,
        clock: Clock,
        book: Arc<dyn SlotBook>,
    ) -> Self {
        let region = tokens.region().filter(|region| is_region(region));
        let desk = TokenDesk::new(transport.clone(), clock.clone(), settings.timeout);
        Self {
            inner: Arc::new(Inner {
                transport,
                budget: Budget::new(settings, clock.clone(), book),
                clock,
                breaker: Breaker::new(),
                retries: RetryBudget::new(),
                answers: AtomicU64::new(0),
                auth: Auth::new(credentials, desk, tokens.clone()),
                timeout: settings.timeout,
                max_retries: settings.max_retries,
                jitter_seed: settings.jitter_seed,
                hublet: RwLock::new(region.map(Into::into)),
                tokens,
            }),
        }
    }

    /// Both budgets and the statistics since the start.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.inner.budget.limits()
    }

    /// What tells one static token from another without telling the token; `None` for a grant, whose tokens change.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.inner.auth.fingerprint()
    }

    /// The clock everything here follows.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The budget: who may send, and when.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.inner.budget
    }

    /// Whether a dashboard is open: then background work leaves a reserve of the budget to people, and is smoothed.
    pub fn set_interactive(&self, interactive: bool) {
        self.inner.budget.set_interactive(interactive);
    }

    /// In which zone the account's day ends, as far as an earlier session found out.
    pub fn set_zone(&self, zone: TimeZone) {
        self.inner.budget.set_zone(zone);
    }

    /// Waits for the right to send one write, even over the end of the day ([`Budget::closed_until`] tells). Dropped
    /// while waiting it leaves the queue; a permit dropped unused gives its slot back.
    pub async fn permit(&self, lane: Lane, quota: Quota) -> Permit {
        self.inner.budget.permit(lane, quota).await
    }
}

impl Inner {
    /// The account lives in another region, from now on and after a restart.
    pub(super) fn move_to(&self, region: String) {
        let hublet: Option<Arc<str>> = (region != FIRST_REGION).then(|| region.into());
        if self.hublet() != hublet {
            self.tokens.keep_region(hublet.as_deref());
            *self.hublet.write().unwrap_or_else(PoisonError::into_inner) = hublet;
        }
    }

    pub(super) fn hublet(&self) -> Option<Arc<str>> {
        self.hublet.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
