//! Even pacing, by `governor`. The smoother spreads background requests while somebody looks at the screen, so that
//! answers do not come in one burst every ten seconds. Never the limit itself: the ledger is that. By the rule
//! `burst + 10 s × rate ≤ limit`, it cannot ask for more than the ledger would give anyway.

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

/// A clock that is told the time, so that there is one clock only.
#[derive(Clone, Debug, Default)]
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Lets so many go at once and then one every period.
#[derive(Debug)]
pub(super) struct Even {
    clock: Told,
    /// Since when `clock` counts.
    start: SlotTime,
    limiter: Limiter,
}

impl Even {
    /// `None` for a period of nothing.
    pub(super) fn new(burst: NonZeroU32, period: Duration, start: SlotTime) -> Option<Self> {
        let clock = Told::default();
        let quota = governor::Quota::with_period(period)?.allow_burst(burst);
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            start,
        })
    }

    /// Asks for one.
    ///
    /// # Errors
    /// How long to wait, at least a millisecond.
    pub(super) fn check(&self, now: SlotTime) -> Result<(), Duration> {
        let since = self.start.until(now);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        self.clock.0.store(micros, Ordering::Relaxed);
        let checked = self.limiter.check();
        checked.map_err(|not| not.wait_time_from(since).max(Duration::from_millis(1)))
    }
}

/// The smoother of the background lanes.
#[derive(Debug, Default)]
pub(super) struct Smoother {
    /// The limit it was made for, and the pace that follows from it.
    even: Option<(u32, Even)>,
}

impl Smoother {
    /// Asks for one background request out of `limit` per ten seconds: a fortieth goes at once, the rest evenly.
    /// What may go at once is lost to the rate, so it is little.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn check(&mut self, limit: u32, now: SlotTime) -> Result<(), Duration> {
        if self.even.as_ref().is_none_or(|(of, _)| *of != limit) {
            self.even = evenly(limit, now).map(|even| (limit, even));
        }
        self.even.as_ref().map_or(Ok(()), |(_, even)| even.check(now))
    }
}

fn evenly(limit: u32, now: SlotTime) -> Option<Even> {
    let burst = NonZeroU32::new((limit / 40).max(1))?;
    let period = Duration::from_secs(10).checked_div(limit.saturating_sub(burst.get()).max(1))?;
    Even::new(burst, period, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fortieth_goes_at_once_and_any_ten_seconds_hold_the_limit() {
        let mut smoother = Smoother::default();
        let mut sent = Vec::new();
        for milli in 0..30_000_i64 {
            let now = SlotTime(milli * 1000);
            while smoother.check(95, now).is_ok() {
                sent.push(milli);
            }
        }
        assert_eq!(sent.iter().filter(|at| **at == 0).count(), 2);
        let worst = sent
            .iter()
            .map(|from| sent.iter().filter(|at| (*from..from + 10_000).contains(*at)).count());
        assert!(
            worst.max().is_some_and(|most| (90..=95).contains(&most)),
            "never above the limit, and near it"
        );
        assert!(sent.len() > 275, "it keeps sending: {}", sent.len());
    }
}
