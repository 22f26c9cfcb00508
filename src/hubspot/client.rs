//! The shared client: it owns the transport, the clock and the budget. Its calls stand one file per API family
//! (`objects`, `search`, `associations`, `pipelines`, `owners`, `properties`, `account`); what all of them do, in `call`.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderValue;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use super::{
    breaker::Breaker,
    budget::{Budget, Permit, Quota, SlotBook},
    clock::Clock,
    retry_budget::RetryBudget,
    settings::Settings,
    transport::Transport,
};
use crate::domain::{Lane, Limits};

/// The client. Cheap to clone, shared by every task.
///
/// Reads are retried with backoff, each attempt out of the budget. Writes are sent exactly once, with a permit the
/// caller took before claiming the operation: whether one may be repeated is for the outbox to know.
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
    /// `Bearer …`, marked sensitive.
    pub(super) authorization: HeaderValue,
    /// For the introspection's body.
    pub(super) token: SecretString,
    pub(super) timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) jitter_seed: Option<u64>,
    /// The region the account lives in, once a 488 has named it.
    hublet: RwLock<Option<Arc<str>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client over `transport`, whose slots are remembered in `book`. A token that no header can hold is sent as an
    /// empty one, which HubSpot refuses like any other wrong token.
    #[must_use]
    pub fn new(settings: &Settings, transport: Arc<dyn Transport>, clock: Clock, book: Arc<dyn SlotBook>) -> Self {
        let bearer = format!("Bearer {}", settings.token.expose_secret().trim());
        let mut authorization = HeaderValue::try_from(bearer).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        Self {
            inner: Arc::new(Inner {
                transport,
                budget: Budget::new(settings, clock.clone(), book),
                clock,
                breaker: Breaker::new(),
                retries: RetryBudget::new(),
                authorization,
                token: settings.token.clone(),
                timeout: settings.timeout,
                max_retries: settings.max_retries,
                jitter_seed: settings.jitter_seed,
                hublet: RwLock::new(None),
            }),
        }
    }

    /// Both budgets and the statistics since the start.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.inner.budget.limits()
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
    /// The account lives in another region from now on.
    pub(super) fn move_to(&self, hublet: Option<String>) {
        if let Some(hublet) = hublet {
            *self.hublet.write().unwrap_or_else(PoisonError::into_inner) = Some(hublet.into());
        }
    }

    pub(super) fn hublet(&self) -> Option<Arc<str>> {
        self.hublet.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
