//! Keeps a grant alive: renewed sixty seconds before its end, by one task for all of them, at once after a 401, never more
//! often than the token endpoint wants. A renewal that has begun is finished even when the task that wanted it is gone,
//! since HubSpot may already have replaced the refresh token.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderValue;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use super::{
    TokenStore, bearer,
    consent::OAuthApp,
    desk::{TokenDesk, later},
    grant::Grant,
};
use crate::{
    domain::Identity,
    hubspot::{failure::Failure, signal::Signal},
};

/// The longest wait between two failed renewals; the first is one second, each the double of the one before.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(in crate::hubspot) struct Renewal {
    app: OAuthApp,
    desk: TokenDesk,
    store: Arc<dyn TokenStore>,
    held: RwLock<Held>,
    /// Whoever has the turn may talk to the token endpoint: one at a time.
    turn: Arc<Mutex<Pace>>,
}

/// The grant in use.
#[derive(Clone)]
struct Held {
    grant: Grant,
    bearer: HeaderValue,
}

/// What became of earlier renewals.
#[derive(Default)]
struct Pace {
    /// Failures in a row.
    failures: u32,
    /// The endpoint is not asked before.
    not_before: Option<Instant>,
    /// The refusal of the refresh token now held: asking again cannot help.
    refused: Option<Failure>,
}

impl Renewal {
    pub(super) fn new(app: OAuthApp, grant: Grant, desk: TokenDesk, store: Arc<dyn TokenStore>) -> Self {
        Self {
            app,
            desk,
            store,
            held: RwLock::new(Held::new(grant)),
            turn: Arc::default(),
        }
    }

    /// The token for the next request.
    pub(super) async fn bearer(self: &Arc<Self>) -> Result<HeaderValue, Failure> {
        let (held, now) = (self.held(), self.desk.clock.wall());
        if !held.grant.is_due(now) {
            return Ok(held.bearer);
        }
        if held.grant.is_alive(now) {
            // It still works: one task renews it, nobody waits for that task, and a failure is not ours yet.
            return match self.turn.clone().try_lock_owned() {
                Ok(turn) => Ok(self.renew(turn, &held).await.unwrap_or(held.bearer)),
                Err(_) => Ok(held.bearer),
            };
        }
        let turn = self.turn.clone().lock_owned().await;
        self.renew(turn, &held).await
    }

    /// The token for the replay of a request that was refused with `refused`.
    pub(super) async fn renewed(self: &Arc<Self>, refused: &HeaderValue) -> Result<Option<HeaderValue>, Failure> {
        let held = self.held();
        if held.bearer != *refused {
            return Ok(Some(held.bearer));
        }
        if held.grant.is_young(self.desk.clock.wall()) {
            return Ok(None);
        }
        let turn = self.turn.clone().lock_owned().await;
        self.renew(turn, &held).await.map(Some)
    }

    /// Whose grant it is. A grant that did not say so knows it from now on.
    pub(super) async fn identity(self: &Arc<Self>) -> Result<Identity, Failure> {
        self.bearer().await?;
        let identity = self.desk.introspect(&self.app, &self.held().grant).await?;
        if self.held().grant.portal_id.is_none() {
            let _turn = self.turn.lock().await;
            let held = self.held().grant;
            let named = Grant {
                portal_id: held.portal_id.or(Some(identity.portal_id)),
                ..held.clone()
            };
            self.keep(&held, &named);
            self.hold(named);
        }
        Ok(identity)
    }

    /// Replaces `old`, unless somebody here or in another process already has.
    async fn renew(self: &Arc<Self>, mut turn: OwnedMutexGuard<Pace>, old: &Held) -> Result<HeaderValue, Failure> {
        let held = self.held();
        if !held.grant.same_as(&old.grant) {
            return Ok(held.bearer);
        }
        if let Some(kept) = self.kept_after(&held.grant) {
            let usable = !kept.is_due(self.desk.clock.wall());
            *turn = Pace::default();
            let bearer = self.hold(kept);
            if usable {
                return Ok(bearer);
            }
        }
        if let Some(refused) = &turn.refused {
            return Err(refused.clone());
        }
        let wait = turn
            .not_before
            .map(|at| at.saturating_duration_since(self.desk.clock.now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(later("HubSpot is asked again in a moment", Some(wait)));
        }
        let renewal = self.clone();
        let finished = tokio::spawn(async move { renewal.ask(&mut turn).await }).await;
        finished.unwrap_or_else(|_| Err(later("the renewal was interrupted", None)))
    }

    /// Asks the token endpoint, once.
    async fn ask(&self, turn: &mut Pace) -> Result<HeaderValue, Failure> {
        let old = self.held().grant;
        match self.desk.renew(&self.app, &old).await {
            Ok(grant) if old.portal_id.is_some() && grant.portal_id != old.portal_id => {
                // What waits to be sent was meant for the account of before.
                let failure = Failure::new(Signal::Unauthorized, "HubSpot renewed the access for another account");
                turn.refused = Some(failure.clone());
                Err(failure)
            }
            Ok(grant) => {
                *turn = Pace::default();
                self.keep(&old, &grant);
                tracing::info!("the access token was renewed");
                Ok(self.hold(grant))
            }
            Err(failure) if failure.signal == Signal::Unauthorized => {
                // Another process may have used up the refresh token a moment ago, and kept the next one.
                if let Some(kept) = self.kept_after(&old) {
                    return Ok(self.hold(kept));
                }
                tracing::warn!(%failure, "the access token cannot be renewed any more");
                turn.refused = Some(failure.clone());
                Err(failure)
            }
            Err(failure) => Err(self.wait(turn, &failure)),
        }
    }

    /// Puts the next attempt off, twice as long as the last time or as long as HubSpot wants.
    fn wait(&self, turn: &mut Pace, failure: &Failure) -> Failure {
        let own = Duration::from_secs(1 << turn.failures.min(6));
        let wait = own.max(failure.retry_after.unwrap_or_default()).min(LONGEST_WAIT);
        turn.failures = turn.failures.saturating_add(1);
        turn.not_before = Some(self.desk.clock.now() + wait);
        tracing::info!(%failure, ?wait, "the access token is renewed later");
        Failure {
            retry_after: Some(wait),
            ..failure.clone()
        }
    }

    /// Keeps what became of `old`, unless a later set-up has put something else in its place: a key, or another account.
    fn keep(&self, old: &Grant, grant: &Grant) {
        if !self.store.grant().is_some_and(|kept| kept.is_of(old)) {
            tracing::info!("other credentials are kept by now; these live as long as the process");
        } else if let Err(fault) = self.store.keep_grant(grant) {
            tracing::warn!(%fault, "the renewed access could not be kept");
        }
    }

    /// What another process has kept since this grant was handed out, if it is for the same account.
    fn kept_after(&self, held: &Grant) -> Option<Grant> {
        let kept = self.store.grant()?;
        (kept.is_of(held) && kept.issued_at > held.issued_at).then_some(kept)
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, grant: Grant) -> HeaderValue {
        let held = Held::new(grant);
        let bearer = held.bearer.clone();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        bearer
    }
}

impl Held {
    fn new(grant: Grant) -> Self {
        Self {
            bearer: bearer(&grant.access_token),
            grant,
        }
    }
}
