//! The state behind the lock, and the one decision: who goes now, and when to look again.

use std::time::Duration;

use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use super::{
    Day, GRACE, Learnt, Ledger, NoPermit, Permit, Quota, SlotBook, SlotTime, Slots, book::Taken, daily::Daily,
    lanes::Lanes, smooth::Smoother, stats::Stats, window::Window,
};
use crate::{
    domain::{Fault, Gauge, Lane, LaneLoad, Limits},
    hubspot::settings::Settings,
};

/// When something is decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: SlotTime,
    pub(super) wall: Timestamp,
}

/// A book that could not be written is tried again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A waiter's end of the wait.
pub(super) struct Grant {
    /// The permit, or why there is none.
    pub(super) sender: oneshot::Sender<Result<Permit, NoPermit>>,
    /// Waits for the new day too, or until the book can be written again; the others are told.
    pub(super) patient: bool,
}

/// A waiter that may go, with the slots it takes along.
pub(super) struct Admitted {
    pub(super) grant: Grant,
    pub(super) lane: Lane,
    pub(super) quota: Quota,
    pub(super) slots: Slots,
    pub(super) waited: Duration,
}

/// What one look at the queues decided.
#[derive(Default)]
pub(super) struct Decision {
    /// May go.
    pub(super) admitted: Vec<Admitted>,
    /// Are told why they have to go without.
    pub(super) refused: Vec<(Grant, NoPermit)>,
    /// How long until the next one may go; `None` when nobody waits.
    pub(super) next: Option<Duration>,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) burst: Window,
    pub(super) search: Window,
    pub(super) daily: Daily,
    pub(super) stats: Stats,
    /// A dashboard is open.
    pub(super) interactive: bool,
    /// The timer task runs.
    pub(super) driven: bool,
    /// Whether searches and association batches take a slot of the ten-second ledger too, by [`Quota`].
    pub(super) search_in_burst: bool,
    pub(super) free_in_burst: bool,
    /// Spreads the end of a freeze, so that clients that were refused together do not come back together.
    jitter: ChaCha8Rng,
    waiting: [Lanes<Grant>; 3],
    smoother: Smoother,
    /// No background request before this time: the smoother, or the pace of the day.
    background_after: SlotTime,
    reserve_percent: u32,
}

impl State {
    pub(super) fn new(settings: &Settings, now: SlotTime) -> Self {
        Self {
            burst: Window::new(Ledger::Burst, settings.burst),
            search: Window::new(Ledger::Search, Some(settings.search_per_second)),
            daily: Daily::new(settings.daily, settings.daily_reserve_percent, settings.warn_daily_left),
            stats: Stats::default(),
            interactive: false,
            driven: false,
            search_in_burst: settings.search_counts_in_burst,
            free_in_burst: false,
            jitter: ChaCha8Rng::seed_from_u64(settings.jitter_seed.unwrap_or(now.0.unsigned_abs())),
            waiting: std::array::from_fn(|_| Lanes::default()),
            smoother: Smoother::default(),
            background_after: SlotTime(i64::MIN),
            reserve_percent: u32::from(settings.reserve_percent.min(90)),
        }
    }

    /// Up to a twentieth longer.
    pub(super) fn jittered(&mut self, wait: Duration) -> Duration {
        wait + wait * (self.jitter.next_u32() % 1_000) / 20_000
    }

    /// Takes over what earlier runs and other processes have learnt.
    pub(super) fn adopt(&mut self, book: &dyn SlotBook, at: Moment) {
        let learnt = book.learnt();
        let [burst, search] = learnt.setbacks;
        self.burst.adopt(learnt.burst, burst, at.now);
        self.search.adopt(None, search, at.now);
        self.daily.adopt(&learnt, at.wall);
        if self.daily.is_counted_here() {
            let began = self.daily.began(at.wall);
            self.daily.at_least(book.usage(began, at.wall).requests());
        }
    }

    /// Tells what is worth keeping to the book, and through it to the other processes.
    pub(super) fn teach(&self, book: &dyn SlotBook, day: Option<Day>, is_limit_known: bool) {
        book.learn(Learnt {
            burst: is_limit_known.then(|| self.burst.limit()),
            day,
            resets_at: self.daily.resets_at(),
            refused_until: self.daily.refused_until(),
            setbacks: [self.burst.setback(), self.search.setback()],
        });
    }

    pub(super) fn join(&mut self, lane: Lane, quota: Quota, now: SlotTime, grant: Grant) -> u64 {
        self.waiting[quota as usize].push(lane, now, grant)
    }

    pub(super) fn leave(&mut self, lane: Lane, quota: Quota, id: u64) {
        self.waiting[quota as usize].remove(lane, id);
    }

    /// Whether a timer task must be started; says so once.
    pub(super) fn needs_driver(&mut self) -> bool {
        let needed = !self.driven && !self.nobody_waits();
        self.driven |= needed;
        needed
    }

    /// Whether the timer task may end; marks it as ended in the same breath, so that no waiter is left without one.
    pub(super) fn driver_may_stop(&mut self) -> bool {
        let stop = self.nobody_waits();
        self.driven &= !stop;
        stop
    }

    fn nobody_waits(&self) -> bool {
        self.waiting.iter().all(Lanes::is_empty)
    }

    /// Takes everybody who may go now off the queues. Their slots are leased until `lease`.
    pub(super) fn admit(&mut self, book: &dyn SlotBook, at: Moment, lease: SlotTime) -> Decision {
        let mut decision = Decision::default();
        if self.nobody_waits() {
            return decision;
        }
        self.adopt(book, at);
        self.turn_away(at.wall, &mut decision);
        for quota in [Quota::Burst, Quota::Search, Quota::Free] {
            loop {
                let (lane, slots) = match self.next(book, quota, at, lease, &mut decision.next) {
                    Ok(Some(next)) => next,
                    Ok(None) => break,
                    Err(fault) => {
                        let waiters = Lane::ALL.map(|lane| self.impatient(lane));
                        let told = waiters.into_iter().flatten();
                        decision
                            .refused
                            .extend(told.map(|grant| (grant, NoPermit::Unkept(fault.clone()))));
                        decision.next = (!self.nobody_waits()).then_some(ASK_AGAIN);
                        return decision;
                    }
                };
                let Some((grant, since)) = self.waiting[quota as usize].serve(lane, at.now) else {
                    break;
                };
                let waited = since.until(at.now);
                self.stats.waited += waited;
                decision.admitted.push(Admitted {
                    grant,
                    lane,
                    quota,
                    slots,
                    waited,
                });
            }
        }
        decision
    }

    /// Takes the impatient off the lanes for which the day is spent.
    fn turn_away(&mut self, wall: Timestamp, decision: &mut Decision) {
        for lane in Lane::ALL {
            if let Some(reset) = self.daily.closed_until(lane, wall) {
                let told = self.impatient(lane).into_iter();
                decision
                    .refused
                    .extend(told.map(|grant| (grant, NoPermit::DaySpent(reset))));
            }
        }
    }

    /// Takes the impatient off a lane.
    fn impatient(&mut self, lane: Lane) -> Vec<Grant> {
        let lanes = self.waiting.iter_mut();
        lanes
            .flat_map(|lanes| lanes.take_all(lane, |grant| !grant.patient))
            .collect()
    }

    /// The next lane of a quota that may go, with its slots; else notes in `wake` when to look again.
    ///
    /// # Errors
    /// When the book cannot be written.
    fn next(
        &mut self,
        book: &dyn SlotBook,
        quota: Quota,
        at: Moment,
        lease: SlotTime,
        wake: &mut Option<Duration>,
    ) -> Result<Option<(Lane, Slots)>, Fault> {
        for lane in self.waiting[quota as usize].order(at.now) {
            match self.try_admit(book, lane, quota, at, lease)? {
                Ok(slots) => return Ok(Some((lane, slots))),
                Err(wait) => *wake = Some(wake.map_or(wait, |wake| wake.min(wait))),
            }
        }
        Ok(None)
    }

    /// The slots for one request of `lane`, or how long until it is worth asking again.
    ///
    /// # Errors
    /// When the book cannot be written.
    fn try_admit(
        &mut self,
        book: &dyn SlotBook,
        lane: Lane,
        quota: Quota,
        at: Moment,
        lease: SlotTime,
    ) -> Result<Result<Slots, Duration>, Fault> {
        let Moment { now, wall } = at;
        if let Some(reset) = self.daily.closed_until(lane, wall) {
            return Ok(Err(wall
                .duration_until(reset)
                .unsigned_abs()
                .max(Duration::from_millis(1))));
        }
        if lane == Lane::Sync && self.background_after > now {
            return Ok(Err(now.until(self.background_after)));
        }
        let mut slots = Slots::default();
        for ledger in self.ledgers(quota).into_iter().flatten() {
            let taken = self.try_take(book, ledger, lane, now, lease);
            if let Ok(Ok(slot)) = taken {
                slots.push(ledger, slot);
                continue;
            }
            slots.give_back(book, now);
            return taken.map(|taken| match taken {
                Ok(_) => Ok(slots),
                Err(again) => Err(now.until(again).max(Duration::from_millis(1))),
            });
        }
        if lane == Lane::Sync
            && let Err(wait) = self.hold_back(quota, at)
        {
            slots.give_back(book, now);
            return Ok(Err(wait));
        }
        Ok(Ok(slots))
    }

    fn try_take(
        &self,
        book: &dyn SlotBook,
        ledger: Ledger,
        lane: Lane,
        now: SlotTime,
        lease: SlotTime,
    ) -> Result<Taken, Fault> {
        if let Some(until) = self.window(ledger).frozen(now) {
            return Ok(Err(until));
        }
        let capacity = self.capacity(ledger, lane, now);
        // A slot that is on the wire now will be held for a whole window after its answer, so the next slot is free at
        // the earliest when one that waits out its window is, or in one window.
        let taken = book.try_take(ledger, capacity, now, lease)?;
        Ok(taken.map_err(|free| free.min(now.after(ledger.window()))))
    }

    /// What background work must wait for besides a slot: the smoother while somebody looks, the pace of the day.
    fn hold_back(&mut self, quota: Quota, at: Moment) -> Result<(), Duration> {
        let Moment { now, wall } = at;
        if self.interactive && quota == Quota::Burst {
            let limit = self.capacity(Ledger::Burst, Lane::Sync, now);
            if let Err(wait) = self.smoother.check(limit, now) {
                self.background_after = now.after(wait);
                return Err(wait);
            }
        }
        if let Some(pace) = self.daily.pace(wall) {
            self.background_after = now.after(pace);
        }
        Ok(())
    }

    /// What `lane` may see held and still go. While a dashboard is open or a write waits, background work leaves a
    /// reserve: a twentieth of the window, one search of the second.
    fn capacity(&self, ledger: Ledger, lane: Lane, now: SlotTime) -> u32 {
        let capacity = self.window(ledger).capacity(now);
        let write_waits = self.waiting[Quota::Burst as usize].waiting(Lane::Write) > 0;
        if matches!(lane, Lane::Write | Lane::Read) || !(self.interactive || write_waits) {
            return capacity;
        }
        let reserve = match ledger {
            Ledger::Burst => (capacity * self.reserve_percent).div_ceil(100),
            Ledger::Search => 1,
        };
        capacity.saturating_sub(reserve).max(1)
    }

    fn ledgers(&self, quota: Quota) -> [Option<Ledger>; 2] {
        match quota {
            Quota::Burst => [Some(Ledger::Burst), None],
            Quota::Search => [Some(Ledger::Search), self.search_in_burst.then_some(Ledger::Burst)],
            Quota::Free => [self.free_in_burst.then_some(Ledger::Burst), None],
        }
    }

    pub(super) const fn window(&self, ledger: Ledger) -> &Window {
        match ledger {
            Ledger::Burst => &self.burst,
            Ledger::Search => &self.search,
        }
    }

    pub(super) fn limits(&mut self, book: &dyn SlotBook, at: Moment) -> Limits {
        let Moment { now, wall } = at;
        self.adopt(book, at);
        let gauge = |ledger: Ledger| {
            let capacity = u64::from(self.window(ledger).limit());
            let usable = u64::from(self.window(ledger).capacity(now));
            Gauge {
                capacity,
                left: usable.saturating_sub(u64::from(book.held(ledger, now))),
                window: ledger.window(),
                resets_at: None,
            }
        };
        let (burst, search) = (gauge(Ledger::Burst), gauge(Ledger::Search));
        let lanes = Lane::ALL.map(|lane| LaneLoad {
            waiting: self.waiting.iter().map(|lanes| lanes.waiting(lane)).sum::<usize>() as u32,
            ..self.stats.lanes[lane as usize]
        });
        let shared = [&self.burst, &self.search].map(|window| window.shared_since(now));
        Limits {
            burst,
            search,
            daily: self.daily.gauge(wall),
            daily_low: self.daily.is_low(wall),
            shared_since: shared.into_iter().flatten().min(),
            today: book.usage(self.daily.began(wall), wall),
            lanes,
            total_requests: self.stats.total,
            total_wait: self.stats.waited,
            requests_per_minute: self.stats.per_minute(now),
            rate_limited: self.stats.rate_limited,
            retries: self.stats.retries,
        }
    }
}

/// How long a slot is held after its request was given up without an answer.
pub(super) fn unanswered(ledger: Ledger) -> Duration {
    ledger.window() + GRACE
}
