//! The budget: who may send, and when. Four lanes wait for slots of two ledgers and for the day; waiting ends at definite
//! times, by one timer, never by polling. It sends nothing and knows nothing of requests but their lane and quota.

mod admission;
#[cfg(test)]
mod behaviour;
mod book;
mod daily;
mod headers;
mod journal;
mod lanes;
mod pace;
mod permit;
#[cfg(test)]
mod proof;
mod smooth;
mod stats;
#[cfg(test)]
mod usual;
mod window;
#[cfg(test)]
mod yields;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::{Notify, oneshot};

use self::{
    admission::{Grant, Moment, State},
    permit::Slots,
};
pub use self::{
    book::{Day, EntryId, Learnt, Ledger, MemoryBook, Setback, SlotBook, SlotId, SlotTime, Taken},
    pace::Pace,
    permit::Permit,
};
pub(super) use self::{
    headers::RateHeaders,
    permit::{Refusal, Report},
};
use super::{clock::Clock, settings::Settings};
use crate::domain::{Fault, Gauge, Lane, Limits, SentRequest};

/// Which quota a request spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// The ten-second window: everything but search and association batches.
    Burst,
    /// The searches per second.
    Search,
    /// Association batches: HubSpot's specification exempts them from the window; they count for the day.
    Free,
}

/// Why nothing may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPermit {
    /// The day is spent for the lane; it is full again at this time.
    DaySpent(Timestamp),
    /// The book cannot be written, and nothing is sent that is not counted.
    Unkept(Fault),
}

/// How much longer than its window a slot is held when its request was never answered: it may still arrive.
const GRACE: Duration = Duration::from_secs(30);

/// The budget of one client. Cheap to clone.
#[derive(Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    book: Arc<dyn SlotBook>,
    /// The deadline of one exchange.
    timeout: Duration,
    state: Mutex<State>,
    /// Something changed that may let somebody go: a slot came back, the limit rose, a waiter left.
    changed: Notify,
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").finish_non_exhaustive()
    }
}

impl Budget {
    pub(super) fn new(settings: &Settings, clock: Clock, book: Arc<dyn SlotBook>) -> Self {
        let at = Moment {
            now: clock.slot_time(),
            wall: clock.wall(),
        };
        let mut state = State::new(settings, at.now);
        state.adopt(&*book, at);
        Self {
            inner: Arc::new(Inner {
                clock,
                book,
                timeout: settings.timeout,
                state: Mutex::new(state),
                changed: Notify::new(),
            }),
        }
    }

    /// Waits for the right to send one request, over the end of the day if need be, and until the book can be written.
    /// Cancel-safe: a future that is
    /// dropped leaves the queue clean.
    pub async fn permit(&self, lane: Lane, quota: Quota) -> Permit {
        loop {
            if let Some(Ok(permit)) = self.wait(lane, quota, true).await {
                return permit;
            }
        }
    }

    /// Waits for the right to send one request, unless the day is spent or is spent while it waits, or the book cannot be
    /// written.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn permit_today(&self, lane: Lane, quota: Quota) -> Result<Permit, NoPermit> {
        loop {
            if let Some(answer) = self.wait(lane, quota, false).await {
                return answer;
            }
        }
    }

    /// Joins the queue once; `None` when the place was lost without an answer.
    async fn wait(&self, lane: Lane, quota: Quota, patient: bool) -> Option<Result<Permit, NoPermit>> {
        let (sender, receiver) = oneshot::channel();
        let now = self.inner.clock.slot_time();
        let id = self.inner.lock().join(lane, quota, now, Grant { sender, patient });
        let _leaves = Waiting {
            inner: &self.inner,
            lane,
            quota,
            id,
        };
        self.inner.admit();
        self.inner.drive();
        receiver.await.ok()
    }

    /// When `lane` may send again, while the day is spent for it; `None` when it may send now. Requests that wait
    /// nevertheless go out then.
    #[must_use]
    pub fn closed_until(&self, lane: Lane) -> Option<Timestamp> {
        self.inner.lock().daily.closed_until(lane, self.inner.clock.wall())
    }

    /// Both budgets and the statistics: of all processes of the store today, and of this one since its start.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let at = self.inner.moment();
        self.inner.lock().limits(&*self.inner.book, at)
    }

    /// The last requests of all processes of the store, newest first; at most so many of the last few thousand.
    #[must_use]
    pub fn requests(&self, count: usize) -> Vec<SentRequest> {
        self.inner.book.requests(count)
    }

    pub(super) fn set_interactive(&self, interactive: bool) {
        self.inner.lock().interactive = interactive;
        self.inner.changed.notify_one();
    }

    /// The day ends at midnight of the account's zone.
    pub(super) fn set_zone(&self, zone: TimeZone) {
        let mut state = self.inner.lock();
        state.daily.set_zone(zone, self.inner.clock.wall());
        state.teach(&*self.inner.book, None, false);
    }

    /// What the usage call said about the day; the gauge afterwards.
    pub(super) fn observe_usage(&self, limit: u64, used: u64, resets_at: Option<Timestamp>) -> Option<Gauge> {
        let wall = self.inner.clock.wall();
        let mut state = self.inner.lock();
        state.daily.observe_usage(limit, used, resets_at, wall);
        let gauge = state.daily.gauge(wall);
        let left = limit.saturating_sub(used);
        state.teach(&*self.inner.book, Some(Day { limit, left, at: wall }), false);
        drop(state);
        self.inner.changed.notify_one();
        gauge
    }

    /// A read is sent again.
    pub(super) fn count_retry(&self) {
        self.inner.lock().stats.retries += 1;
        self.inner.book.repeated(self.inner.clock.wall());
    }
}

/// A place in a queue, given up when the future that waits is dropped.
struct Waiting<'a> {
    inner: &'a Inner,
    lane: Lane,
    quota: Quota,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.inner.lock().leave(self.lane, self.quota, self.id);
        self.inner.changed.notify_one();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.clock.slot_time(),
            wall: self.clock.wall(),
        }
    }

    /// Lets go whoever may go now. Returns how long until somebody else may, `None` when nobody waits.
    fn admit(self: &Arc<Self>) -> Option<Duration> {
        let at = self.moment();
        let lease = at.now.after(self.timeout + Ledger::Burst.window() + 2 * GRACE);
        let decision = self.lock().admit(&*self.book, at, lease);
        for admitted in decision.admitted {
            let permit = Permit::new(
                self.clone(),
                admitted.lane,
                admitted.quota,
                admitted.slots,
                at.now,
                admitted.waited,
            );
            // A permit nobody waits for any more is dropped here, outside the lock, and gives its slots back.
            drop(admitted.grant.sender.send(Ok(permit)));
        }
        for (grant, why) in decision.refused {
            drop(grant.sender.send(Err(why)));
        }
        decision.next
    }

    /// Keeps one timer running while somebody waits.
    fn drive(self: &Arc<Self>) {
        if !self.lock().needs_driver() {
            return;
        }
        let mut driver = Driver {
            inner: self.clone(),
            stopped: false,
        };
        tokio::spawn(async move {
            let inner = driver.inner.clone();
            loop {
                let changed = inner.changed.notified();
                let Some(wait) = inner.admit() else {
                    driver.stopped = inner.lock().driver_may_stop();
                    if driver.stopped {
                        return;
                    }
                    continue;
                };
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = inner.clock.sleep(wait) => {}
                }
            }
        });
    }
}

/// The timer task. When its runtime ends with waiters left, the next waiter must start another.
struct Driver {
    inner: Arc<Inner>,
    /// It ended because nobody waited; somebody else may drive already.
    stopped: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.stopped {
            self.inner.lock().driven = false;
        }
    }
}
