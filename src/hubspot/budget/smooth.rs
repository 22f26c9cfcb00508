//! Spreads background requests while somebody looks at the screen, so that answers do not come in one burst every ten
//! seconds. Never the limit itself: the ledger is that. By the rule `burst + 10 s × rate ≤ limit`, it cannot ask for
//! more than the ledger would give anyway.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::SlotTime;

type Limiter = RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Duration>>;

/// The smoother of the background lanes.
#[derive(Debug)]
pub(super) struct Smoother {
    clock: Told,
    /// Since when `clock` counts.
    start: SlotTime,
    /// The limiter and the limit it was made for.
    limiter: Option<(u32, Limiter)>,
}

/// A clock that is told the time, so that there is one clock only.
#[derive(Clone, Debug, Default)]
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Smoother {
    pub(super) fn new(start: SlotTime) -> Self {
        Self {
            clock: Told::default(),
            start,
            limiter: None,
        }
    }

    /// Asks for one background request out of `limit` per ten seconds.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn check(&mut self, limit: u32, now: SlotTime) -> Result<(), Duration> {
        let since = self.start.until(now);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        self.clock.0.store(micros, Ordering::Relaxed);
        if self.limiter.as_ref().is_none_or(|(of, _)| *of != limit) {
            self.limiter = limiter(limit, self.clock.clone()).map(|limiter| (limit, limiter));
        }
        match &self.limiter {
            Some((_, limiter)) => limiter.check().map_err(|not| not.wait_time_from(since)),
            None => Ok(()),
        }
    }
}

/// A tenth at once, the rest evenly.
fn limiter(limit: u32, clock: Told) -> Option<Limiter> {
    let burst = NonZeroU32::new((limit / 10).max(1))?;
    let period = Duration::from_secs(10).checked_div(limit.saturating_sub(burst.get()).max(1))?;
    let quota = governor::Quota::with_period(period)?.allow_burst(burst);
    Some(RateLimiter::direct_with_clock(quota, clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_goes_at_once_and_any_ten_seconds_hold_the_limit() {
        let mut smoother = Smoother::new(SlotTime(0));
        let mut sent = Vec::new();
        for milli in 0..30_000_i64 {
            let now = SlotTime(milli * 1000);
            while smoother.check(95, now).is_ok() {
                sent.push(milli);
            }
        }
        assert_eq!(sent.iter().filter(|at| **at == 0).count(), 9);
        let worst = sent
            .iter()
            .map(|from| sent.iter().filter(|at| (*from..from + 10_000).contains(*at)).count());
        assert!(
            worst.max().is_some_and(|most| (90..=95).contains(&most)),
            "never above the limit, and near it"
        );
        assert!(sent.len() > 260, "it keeps sending: {}", sent.len());
    }
}
