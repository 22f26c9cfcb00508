//! One exchange: a permit, a request, an answer; and, for reads, the retries around it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures::TryFutureExt;
use http::{HeaderMap, HeaderValue, Method, header};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    breaker::{Errand, Health},
    budget::{Ledger, Permit, Quota, RateHeaders, Report},
    classify::{Action, OpClass},
    client::{Client, FIRST_REGION},
    failure::Failure,
    paths, refusal,
    signal::Signal,
    transport::{Request, Response},
};
use crate::domain::Lane;

/// A request before it has a permit.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) quota: Quota,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: Bytes::new(),
            quota: Quota::Burst,
        }
    }

    pub(super) fn send(method: Method, path: String, body: &Value) -> Self {
        Self {
            method,
            path,
            body: Bytes::from(body.to_string()),
            quota: Quota::Burst,
        }
    }

    pub(super) fn post(path: String, body: &Value) -> Self {
        Self::send(Method::POST, path, body)
    }

    pub(super) const fn out_of(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }
}

impl Client {
    /// A read: every attempt takes its own permit; what may succeed next time is tried again. `parse` belongs to the
    /// attempt, since a body that is cut off is worth another one.
    pub(super) async fn read<T>(
        &self,
        lane: Lane,
        call: Call,
        parse: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let attempt = || async {
            let budget = &self.inner.budget;
            let permit = budget
                .permit_today(lane, call.quota)
                .map_err(|why| Failure::without_permit(why, self.inner.clock.wall()))
                .await?;
            parse(&self.pass(Errand::Read, permit, &call).await?)
        };
        let limited = AtomicU32::new(0);
        attempt
            .retry(self.backoff())
            .when(is_repeatable)
            .adjust(|failure, delay| {
                if is_limit(failure) && limited.fetch_add(1, Ordering::Relaxed) < WAITS * self.inner.max_retries {
                    return Some(wait_for_limit(failure, call.quota));
                }
                delay
                    .filter(|_| self.inner.breaker.is_closed() && self.inner.retries.spend())
                    .map(|delay| wait_before_retry(failure, delay))
            })
            .notify(|failure, delay| {
                tracing::info!(signal = ?failure.signal, ?delay, "a read is tried again");
                self.inner.budget.count_retry();
            })
            .await
    }

    /// One exchange, if the breaker lets it through. What it refuses was certainly not sent.
    async fn pass(&self, errand: Errand, permit: Permit, call: &Call) -> Result<Response, Failure> {
        let inner = &*self.inner;
        let pass = inner
            .breaker
            .enter(errand, inner.clock.slot_time())
            .map_err(|denial| Failure::resting(denial.wait, denial.moving, inner.clock.wall()))?;
        let answer = self.exchange(permit, call).await;
        let health = Health::of(&answer);
        if health == Health::Good {
            inner.retries.earn();
            inner.answers.fetch_add(1, Ordering::Relaxed);
        }
        pass.leave(health, inner.clock.slot_time());
        answer
    }

    /// How many exchanges ended with an answer of a HubSpot that works, whatever it said, since the start. Two readings tell
    /// whether anybody answers at all.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.inner.answers.load(Ordering::Relaxed)
    }

    /// Until when HubSpot is left alone after too many bad answers, or because it asked for that; `None` when it is not.
    #[must_use]
    pub fn rests_until(&self) -> Option<Timestamp> {
        let rest = self.inner.breaker.rests(self.inner.clock.slot_time())?;
        self.inner.clock.wall().checked_add(rest).ok()
    }

    /// A write: at most one attempt that may have an effect.
    pub(super) async fn write(&self, permit: Permit, call: &Call) -> Result<Response, Failure> {
        self.pass(Errand::Write, permit, call).await
    }

    /// 1, 2, 4 s and so on, capped at 4 s, each with jitter of up to as much again.
    fn backoff(&self) -> ExponentialBuilder {
        let builder = ExponentialBuilder::new()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(4))
            .with_max_times(self.inner.max_retries as usize)
            .with_jitter();
        match self.inner.jitter_seed {
            Some(seed) => builder.with_jitter_seed(seed),
            None => builder,
        }
    }

    /// Sends the request, and once more where the token was refused and a new one is to be had: a 401 certainly had no
    /// effect, so this holds for writes as well.
    async fn exchange(&self, mut permit: Permit, call: &Call) -> Result<Response, Failure> {
        let (auth, lane, quota) = (&self.inner.auth, permit.lane(), permit.quota());
        // Whoever is here holds the breaker's pass, and a write its claim: nobody waits for the next day.
        let anew = async || {
            let without = |why| Failure::without_permit(why, self.inner.clock.wall());
            self.inner.budget.permit_today(lane, quota).await.map_err(without)
        };
        let bearer = auth.bearer().await?;
        if permit.is_stale() {
            drop(permit);
            permit = anew().await?;
        }
        let mut failure = match self.attempt(permit, call, &bearer).await {
            Err(failure) if failure.signal == Signal::Unauthorized => failure,
            ended => return ended,
        };
        if let Some(renewed) = auth.renewed(&bearer).await? {
            return self.attempt(anew().await?, call, &renewed).await.map_err(|mut again| {
                again.next = again
                    .next
                    .or(auth.next_step().filter(|_| again.signal == Signal::Unauthorized));
                again
            });
        }
        failure.next = auth.next_step();
        Err(failure)
    }

    /// Sends the request once and tells the budget what became of it.
    async fn attempt(&self, mut permit: Permit, call: &Call, bearer: &HeaderValue) -> Result<Response, Failure> {
        let request = self.request(call, bearer);
        permit.begin(&call.method, &call.path);
        let (lane, asked_in) = (permit.lane(), request.hublet.clone());
        match self.inner.transport.send(request).await {
            Err(error) => {
                if error.sent {
                    drop(permit);
                } else {
                    permit.not_sent();
                }
                tracing::debug!(path = %paths::shown(&call.path), kind = ?error.kind, sent = error.sent, "no answer");
                Err(Failure::from_transport(&error))
            }
            Ok(response) => {
                let failure = (!response.status.is_success()).then(|| refusal::read(&response, call.quota));
                permit.answered(&Report {
                    status: response.status.as_u16(),
                    headers: RateHeaders::read(&response.headers),
                    refusal: failure.as_ref().and_then(refusal::refusal),
                });
                match failure {
                    None => Ok(response),
                    Some(failure) => Err(self.after_refusal(lane, asked_in.as_deref(), call, &response, failure)),
                }
            }
        }
    }

    /// Remembers what an error answer teaches about the host and the day. `asked_in` is the region the request went to:
    /// another one may have found out meanwhile where the account lives.
    fn after_refusal(
        &self,
        lane: Lane,
        asked_in: Option<&str>,
        call: &Call,
        response: &Response,
        mut failure: Failure,
    ) -> Failure {
        tracing::debug!(
            path = %paths::shown(&call.path),
            status = failure.status,
            correlation = failure.correlation_id.as_deref(),
            "refused"
        );
        match failure.signal {
            Signal::WrongHost => match refusal::hublet(response) {
                Some(region) if region != asked_in.unwrap_or(FIRST_REGION) => self.inner.move_to(region),
                // It was asked there already: going on would only go round in circles.
                _ => failure.signal = Signal::Unreachable(488),
            },
            Signal::RateDaily { .. } => {
                failure.retry_at = self.inner.budget.closed_until(lane);
                let wall = self.inner.clock.wall();
                failure.retry_after = failure.retry_at.map(|reset| wall.duration_until(reset).unsigned_abs());
            }
            Signal::Migrating { retry_after } => {
                failure.retry_at = self.inner.clock.wall().checked_add(retry_after).ok();
            }
            _ => {}
        }
        failure
    }

    fn request(&self, call: &Call, bearer: &HeaderValue) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, bearer.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if !call.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Request {
            method: call.method.clone(),
            path_and_query: call.path.clone(),
            headers,
            body: call.body.clone(),
            timeout: self.inner.timeout,
            hublet: self.inner.hublet(),
        }
    }
}

/// How many refusals of a limit are waited out for every retry the settings allow: they say that HubSpot is well, the
/// wait is its own, and a long sync beside another integration meets many of them.
const WAITS: u32 = 4;

/// A refusal of the window or of the searches per second.
const fn is_limit(failure: &Failure) -> bool {
    matches!(failure.signal, Signal::RateWindow { .. } | Signal::RateSecond { .. })
}

/// How long to wait besides the budget, which freezes the window that was refused. It counts no seconds but those of
/// searches, and does not see what is refused inside a success.
fn wait_for_limit(failure: &Failure, quota: Quota) -> Duration {
    match failure.signal {
        Signal::RateSecond { retry_after } if quota != Quota::Search => retry_after.unwrap_or(Duration::from_secs(1)),
        Signal::RateWindow { retry_after } if failure.status != Some(429) => {
            retry_after.unwrap_or(Ledger::Burst.window())
        }
        _ => Duration::ZERO,
    }
}

/// What the table lets a read do again.
fn is_repeatable(failure: &Failure) -> bool {
    matches!(
        failure.verdict(OpClass::Read).action,
        Action::Requeue { .. } | Action::Offline
    )
}

/// Anything but a limit waits for its backoff, longer when HubSpot asks for it or when the table does.
fn wait_before_retry(failure: &Failure, delay: Duration) -> Duration {
    match failure.signal {
        Signal::WrongHost => Duration::ZERO,
        Signal::Locked => delay.max(Duration::from_secs(2)),
        _ => delay.max(failure.retry_after.unwrap_or_default()),
    }
}
