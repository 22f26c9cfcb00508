//! The right to send one request: the slots it holds, and how long it keeps them once the request is over.

use std::{sync::Arc, time::Duration};

use super::{
    Day, Inner, Learnt, Ledger, Quota, RateHeaders, SlotBook, SlotId, SlotTime,
    admission::{State, unanswered},
};
use crate::domain::Lane;

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
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Unused,
    /// On the wire. `held` and `taken` at that moment tell, with the answer, how much of HubSpot's window can be ours.
    Sent {
        held: u32,
        taken: u64,
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

    pub(super) fn holds(&self, ledger: Ledger) -> bool {
        self.iter().any(|(of, _)| of == ledger)
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
    pub(in crate::hubspot) headers: RateHeaders,
    pub(in crate::hubspot) refusal: Option<(Refusal, Option<Duration>)>,
}

impl Permit {
    pub(super) const fn new(inner: Arc<Inner>, lane: Lane, quota: Quota, slots: Slots, taken: SlotTime) -> Self {
        Self {
            inner,
            lane,
            quota,
            slots,
            taken,
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

    /// The request goes out now.
    pub(in crate::hubspot) fn begin(&mut self) {
        let inner = &self.inner;
        let now = inner.clock.slot_time();
        if self.taken.until(now) > PROMPT {
            for (ledger, slot) in self.slots.iter() {
                inner.book.release(slot, now.after(inner.timeout + unanswered(ledger)));
            }
        }
        let held = inner.book.held(Ledger::Burst, now);
        let mut state = inner.lock();
        state.stats.sent(self.lane, now);
        self.phase = Phase::Sent {
            held,
            taken: state.burst_taken,
        };
    }

    /// No byte of the request left: the slots are free at once.
    pub(in crate::hubspot) fn not_sent(mut self) {
        self.settle(|_| Duration::ZERO);
    }

    /// The request was answered.
    pub(in crate::hubspot) fn answered(mut self, report: &Report) {
        if let Phase::Sent { held, taken } = self.phase {
            let (now, wall) = (self.inner.clock.slot_time(), self.inner.clock.wall());
            let held_now = self.inner.book.held(Ledger::Burst, now);
            let mut state = self.inner.lock();
            state.daily.spend(wall);
            let since = u32::try_from(state.burst_taken - taken).unwrap_or(u32::MAX);
            state.learn(self.quota, report, held.saturating_add(since).max(held_now), now);
            if let Some((limit, left)) = report.headers.daily {
                state.daily.observe(limit, left, wall);
                let day = Some(Day { limit, left, at: wall });
                state.taught = Some(Learnt {
                    day,
                    ..state.taught.unwrap_or_default()
                });
            }
            if let Some((Refusal::Daily, _)) = report.refusal {
                state.daily.refuse(wall);
            }
            let learnt = std::mem::take(&mut state.taught);
            drop(state);
            if let Some(learnt) = learnt {
                self.inner.book.learn(learnt);
            }
        }
        self.settle(Ledger::window);
    }

    /// Ends the request; its slots stay held for as long as `hold` says.
    fn settle(&mut self, hold: impl Fn(Ledger) -> Duration) {
        let now = self.inner.clock.slot_time();
        for (ledger, slot) in self.slots.iter() {
            self.inner.book.release(slot, now.after(hold(ledger)));
        }
        if matches!(self.phase, Phase::Sent { .. }) {
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
            Phase::Unused => self.settle(|_| Duration::ZERO),
            Phase::Sent { .. } => {
                self.inner.lock().daily.spend(self.inner.clock.wall());
                self.settle(unanswered);
            }
        }
    }
}

impl State {
    /// Learns from an answer. `ours` is the most that we can have in HubSpot's window.
    fn learn(&mut self, quota: Quota, report: &Report, ours: u32, now: SlotTime) {
        if quota == Quota::Burst {
            self.burst.answered();
        }
        let mut changed = false;
        if let Some((max, remaining)) = report.headers.window {
            changed |= self.burst.observe(max, remaining, ours, now);
        }
        if let Some((refusal, wait)) = report.refusal {
            self.stats.rate_limited += 1;
            match refusal {
                Refusal::Window => {
                    let wait = self.jittered(wait.unwrap_or(Ledger::Burst.window()));
                    self.burst.refused(wait, now);
                    self.search_in_burst |= quota == Quota::Search;
                    self.free_in_burst |= quota == Quota::Free;
                }
                Refusal::Second => {
                    let wait = self.jittered(wait.unwrap_or(Ledger::Search.window()));
                    self.search.refused(wait, now);
                    changed = true;
                }
                Refusal::Daily => {}
            }
        }
        if changed {
            self.taught = Some(Learnt {
                burst: Some(self.burst.limit()),
                search: Some(self.search.capacity(now)),
                day: None,
            });
        }
    }
}
