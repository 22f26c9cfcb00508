//! The budget's memory in the store, shared by every process on one data directory. It counts and remembers; who goes
//! first is the client's decision.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::{
    domain::Fault,
    hubspot::{Clock, Day, Learnt, Ledger, SlotBook, SlotId, SlotTime},
    store::{self, LearntLimits, Slots},
};

/// A book that cannot answer asks again after this long, in microseconds.
const ASK_AGAIN_US: i64 = 1_000_000;

/// Slots over `budget.db`.
pub struct StoredSlots {
    slots: Mutex<Slots>,
    clock: Clock,
}

impl StoredSlots {
    /// Opens the slots of a data directory.
    ///
    /// # Errors
    /// When the file can neither be read nor made.
    pub fn open(place: &store::Settings, clock: Clock) -> Result<Self, Fault> {
        Ok(Self {
            slots: Mutex::new(Slots::open(place)?),
            clock,
        })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }
}

impl SlotBook for StoredSlots {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, _lease: SlotTime) -> Result<SlotId, SlotTime> {
        if capacity == 0 {
            return Err(SlotTime(i64::MAX));
        }
        match self.slots().take(ledger.word(), capacity, now.0) {
            Ok(Ok(slot)) => Ok(SlotId(slot)),
            Ok(Err(free_at)) => Err(SlotTime(free_at.max(now.0 + 1))),
            Err(error) => {
                // Refuse rather than lie: without a memory nothing is sent.
                tracing::warn!(%error, "the slots cannot be read");
                Err(SlotTime(now.0.saturating_add(ASK_AGAIN_US)))
            }
        }
    }

    fn release(&self, slot: SlotId, free_at: SlotTime) {
        if let Err(error) = self.slots().release(slot.0, free_at.0) {
            tracing::warn!(%error, "a slot could not be given back; it frees itself");
        }
    }

    fn held(&self, ledger: Ledger, now: SlotTime) -> u32 {
        self.slots().held(ledger.word(), now.0).unwrap_or(u32::MAX)
    }

    fn learn(&self, learnt: Learnt) {
        let mut slots = self.slots();
        // The time belongs to what was said about the day; an answer that says nothing of it does not make it younger.
        let said = slots.limits().ok().flatten().map(|known| known.at);
        let limits = LearntLimits {
            burst_max: learnt.burst,
            daily_max: learnt.day.map(|day| day.limit),
            daily_remaining: learnt.day.map(|day| day.left),
            at: learnt.day.map(|day| day.at).or(said).unwrap_or_else(|| self.wall()),
        };
        if let Err(error) = slots.put_limits(limits) {
            tracing::warn!(%error, "what was learnt about the limits could not be kept");
        }
    }

    fn learnt(&self) -> Learnt {
        let known = self.slots().limits().ok().flatten();
        Learnt {
            burst: known.and_then(|limits| limits.burst_max),
            search: None,
            day: known.and_then(|limits| {
                let (limit, left) = limits.daily_max.zip(limits.daily_remaining)?;
                Some(Day {
                    limit,
                    left,
                    at: limits.at,
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_never_hold_more_than_the_window_together() {
        let dir = tempfile::tempdir().unwrap();
        let place = store::Settings {
            dir: dir.path().join("data"),
        };
        let open = || StoredSlots::open(&place, Clock::system()).unwrap();
        let (one, two) = (open(), open());
        let take = |book: &StoredSlots, now| book.try_take(Ledger::Burst, 3, SlotTime(now), SlotTime(now + 70_000_000));
        let first = take(&one, 0).unwrap();
        take(&two, 1).unwrap();
        take(&one, 2).unwrap();
        assert!(take(&two, 3).is_err());
        assert_eq!(two.held(Ledger::Burst, SlotTime(3)), 3);
        one.release(first, SlotTime(10_000_000));
        assert_eq!(take(&two, 9_999_999), Err(SlotTime(10_000_000)));
        assert!(take(&two, 10_000_000).is_ok());
        assert!(take(&two, 10_000_000).is_err(), "one slot was free, not two");
        assert_eq!(
            one.try_take(Ledger::Search, 0, SlotTime(0), SlotTime(1)),
            Err(SlotTime(i64::MAX))
        );
    }

    #[test]
    fn what_was_learnt_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let place = store::Settings {
            dir: dir.path().join("data"),
        };
        let day = Day {
            limit: 625_000,
            left: 612_345,
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
        };
        let learnt = Learnt {
            burst: Some(190),
            search: None,
            day: Some(day),
        };
        let book = StoredSlots::open(&place, Clock::system()).unwrap();
        book.learn(learnt);
        book.learn(Learnt { day: None, ..learnt });
        assert_eq!(StoredSlots::open(&place, Clock::system()).unwrap().learnt(), learnt);
    }
}
