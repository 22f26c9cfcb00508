//! The right to send one request: the slots it holds, and how long it keeps them once the request is over.

use std::{sync::Arc, time::Duration};

use http::Method;

use super::{
    Day, EntryId, Inner, Ledger, Quota, RateHeaders, SlotBook, SlotId, SlotTime,
    admission::{Moment, State, unanswered},
};
use crate::{
    domain::{Lane, SentRequest},
    hubspot::paths,
};

/// How long a permit may wait to be used before its lease is renewed.
const PROMPT: Duration = Duration::from_secs(2);

/// The right to send one request. Dropped unused, its slots are given back; dropped while its request is on the wire
/// (a cancelled call), they stay held until that request can no longer arrive.
pub struct Permit {
    inner: Arc<Inner>,
    lane: Lane,
    quota: Quota,
    slots: Slots,
    taken: SlotTime,
    waited: Duration,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Unused,
    /// On the wire. `held` and `taken` at that moment tell, with the answer, how much of HubSpot's window can be ours.
    Sent {
        held: u32,
        taken: u64,
        at: SlotTime,
        entry: EntryId,
    },
    Settled,
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit")
            .field("lane", &self.lane)
            .field("quota", &self.quota)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// The slots of one request: at most one of each ledger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slots([Option<(Ledger, SlotId)>; 2]);

impl Slots {
    pub(super) fn push(&mut self, ledger: Ledger, slot: SlotId) {
        self.0[usize::from(self.0[0].is_some())] = Some((ledger, slot));
    }

    pub(super) fn give_back(&self, book: &dyn SlotBook, now: SlotTime) {
        self.iter().for_each(|(_, slot)| book.release(slot, now));
    }

    fn iter(&self) -> impl Iterator<Item = (Ledger, SlotId)> {
        self.0.into_iter().flatten()
    }
}

/// Which limit HubSpot says was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hubspot) enum Refusal {
    Window,
    Second,
    Daily,
}

/// What an answer said about the budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::hubspot) struct Report {
    pub(in crate::hubspot) status: u16,
    pub(in crate::hubspot) headers: RateHeaders,
    pub(in crate::hubspot) refusal: Option<(Refusal, Option<Duration>)>,
}

impl Permit {
    pub(super) const fn new(
        inner: Arc<Inner>,
        lane: Lane,
        quota: Quota,
        slots: Slots,
        taken: SlotTime,
        waited: Duration,
    ) -> Self {
        Self {
            inner,
            lane,
            quota,
            slots,
            taken,
            waited,
            phase: Phase::Unused,
        }
    }

    /// The lane it was taken in.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        self.lane
    }

    /// The quota it was taken from.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Whether its lease has run out: the slot may belong to somebody else by now.
    pub(in crate::hubspot) fn is_stale(&self) -> bool {
        self.taken.until(self.inner.clock.slot_time()) > self.inner.timeout
    }

    /// The request goes out now: this method to this path. The journal keeps of the path what people may see.
    pub(in crate::hubspot) fn begin(&mut self, method: &Method, path: &str) {
        let inner = &self.inner;
        let Moment { now, wall } = inner.moment();
        if self.taken.until(now) > PROMPT {
            for (ledger, slot) in self.slots.iter() {
                inner.book.release(slot, now.after(inner.timeout + unanswered(ledger)));
            }
        }
        let request = SentRequest {
            at: wall,
            lane: self.lane,
            method: method.to_string(),
            path: paths::shown(path),
            status: None,
            took: None,
        };
        self.phase = Phase::Sent {
            held: inner.book.held(Ledger::Burst, now),
            taken: inner.book.taken(),
            at: now,
            entry: inner.book.sent(&request, self.waited),
        };
        inner.lock().stats.sent(self.lane, now);
    }

    /// No byte of the request left: the slots are free at once.
    pub(in crate::hubspot) fn not_sent(mut self) {
        self.settle(|_| Duration::ZERO, None);
    }

    /// The request was answered.
    pub(in crate::hubspot) fn answered(mut self, report: &Report) {
        if let Phase::Sent { held, taken, .. } = self.phase {
            let book = &*self.inner.book;
            let at = self.inner.moment();
            let held_now = book.held(Ledger::Burst, at.now);
            // Whatever any of our processes took meanwhile may have arrived before this request.
            let since = u32::try_from(book.taken().saturating_sub(taken)).unwrap_or(u32::MAX);
            let ours = held.saturating_add(since).max(held_now);
            self.inner.lock().learn(book, self.quota, report, ours, at);
        }
        self.settle(Ledger::window, Some(report.status));
    }

    /// Ends the request; its slots stay held for as long as `hold` says.
    fn settle(&mut self, hold: impl Fn(Ledger) -> Duration, status: Option<u16>) {
        let now = self.inner.clock.slot_time();
        for (ledger, slot) in self.slots.iter() {
            self.inner.book.release(slot, now.after(hold(ledger)));
        }
        if let Phase::Sent { at, entry, .. } = self.phase {
            self.inner.book.ended(entry, status, at.until(now));
            self.inner.lock().stats.ended(self.lane);
        }
        self.phase = Phase::Settled;
        self.inner.changed.notify_one();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.phase {
            Phase::Settled => {}
            Phase::Unused => self.settle(|_| Duration::ZERO, None),
            Phase::Sent { .. } => {
                self.inner.lock().daily.spend(self.inner.clock.wall());
                self.settle(unanswered, None);
            }
        }
    }
}

impl State {
    /// Learns from an answer. `ours` is the most that we can have in HubSpot's window.
    fn learn(&mut self, book: &dyn SlotBook, quota: Quota, report: &Report, ours: u32, at: Moment) {
        let Moment { now, wall } = at;
        self.daily.spend(wall);
        if quota == Quota::Burst {
            self.burst.answered();
        }
        let mut is_news = report.refusal.is_some();
        if let Some((max, remaining)) = report.headers.window {
            is_news |= self.burst.observe(max, remaining, ours, now, wall);
        }
        if let Some((refusal, wait)) = report.refusal {
            self.stats.rate_limited += 1;
            self.refused(quota, refusal, wait, at);
        }
        let day = report.headers.daily.map(|(limit, left)| Day { limit, left, at: wall });
        if let Some(day) = day {
            self.daily.observe(day.limit, day.left, wall);
        }
        if let Some((Refusal::Daily, _)) = report.refusal {
            self.daily.refuse(wall);
        }
        if is_news || day.is_some() {
            self.teach(book, day, report.headers.window.is_some());
        }
    }

    fn refused(&mut self, quota: Quota, refusal: Refusal, wait: Option<Duration>, at: Moment) {
        match refusal {
            Refusal::Window => {
                let wait = self.jittered(wait.unwrap_or(Ledger::Burst.window()));
                self.burst.refused(wait, at.now, at.wall);
                self.search_in_burst |= quota == Quota::Search;
                self.free_in_burst |= quota == Quota::Free;
            }
            Refusal::Second => {
                let wait = self.jittered(wait.unwrap_or(Ledger::Search.window()));
                self.search.refused(wait, at.now, at.wall);
            }
            Refusal::Daily => {}
        }
    }
}
