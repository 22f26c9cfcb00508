//! The budget's memory in the store, shared by every process on one data directory. It counts and remembers; who goes
//! first is the client's decision.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    domain::{Fault, SentRequest, Usage},
    hubspot::{Clock, Day, EntryId, Learnt, Ledger, Setback, SlotBook, SlotId, SlotTime, Taken},
    store::{self, LearntLimits, LearntWindow, Slots},
};

/// In the order of what is learnt about them.
const LEDGERS: [Ledger; 2] = [Ledger::Burst, Ledger::Search];

/// A book that somebody else writes is asked again after this long, in microseconds.
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
}

/// The journal is for people: that it cannot be kept stops nothing.
fn keep<T>(result: store::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(%error, "the journal of requests could not be kept"))
        .ok()
}

impl SlotBook for StoredSlots {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, lease: SlotTime) -> Result<Taken, Fault> {
        match self.slots().take(ledger.word(), capacity, now.0, lease.0) {
            Ok(taken) => Ok(taken.map(SlotId).map_err(SlotTime)),
            // Another process writes it for unusually long.
            Err(store::Error::Locked) => Ok(Err(SlotTime(now.0.saturating_add(ASK_AGAIN_US)))),
            Err(error) => Err(error.into()),
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

    fn taken(&self) -> u64 {
        self.slots().taken().unwrap_or(u64::MAX)
    }

    fn learn(&self, learnt: Learnt) {
        let mut slots = self.slots();
        // The time belongs to what was said about the day; an answer that says nothing of it does not make it younger.
        let said = slots.limits().ok().flatten().map(|known| known.at);
        let limits = LearntLimits {
            burst_max: learnt.burst,
            daily_max: learnt.day.map(|day| day.limit),
            daily_remaining: learnt.day.map(|day| day.left),
            at: learnt
                .day
                .map(|day| day.at)
                .or(said)
                .unwrap_or_else(|| self.clock.wall()),
            resets_at: learnt.resets_at,
            refused_until: learnt.refused_until,
        };
        let mut kept = slots.put_limits(limits);
        for (ledger, setback) in LEDGERS.into_iter().zip(learnt.setbacks) {
            let known = slots.window(ledger.word()).map(setback_of).unwrap_or_default();
            let both = known.and(setback);
            if both != known {
                kept = kept.and(slots.put_window(ledger.word(), window_of(both)));
            }
        }
        if let Err(error) = kept {
            tracing::warn!(%error, "what was learnt about the limits could not be kept");
        }
    }

    fn learnt(&self) -> Learnt {
        let slots = self.slots();
        let known = slots.limits().ok().flatten();
        Learnt {
            burst: known.and_then(|limits| limits.burst_max),
            day: known.and_then(|limits| {
                let (limit, left) = limits.daily_max.zip(limits.daily_remaining)?;
                Some(Day {
                    limit,
                    left,
                    at: limits.at,
                })
            }),
            resets_at: known.and_then(|limits| limits.resets_at),
            refused_until: known.and_then(|limits| limits.refused_until),
            setbacks: LEDGERS.map(|ledger| slots.window(ledger.word()).map(setback_of).unwrap_or_default()),
        }
    }

    fn sent(&self, request: &SentRequest, waited: Duration) -> EntryId {
        EntryId(keep(self.slots().note_sent(request, waited)).unwrap_or_default())
    }

    fn ended(&self, entry: EntryId, status: Option<u16>, took: Duration) {
        keep(self.slots().note_ended(entry.0, status, took));
    }

    fn repeated(&self, at: Timestamp) {
        keep(self.slots().note_repeated(at));
    }

    fn usage(&self, since: Timestamp, now: Timestamp) -> Usage {
        keep(self.slots().usage(since, now)).unwrap_or_default()
    }

    fn requests(&self, count: usize) -> Vec<SentRequest> {
        keep(self.slots().requests(count)).unwrap_or_default()
    }
}

fn setback_of(window: LearntWindow) -> Setback {
    Setback {
        refused: window.refused.map(|(low, at)| (low, SlotTime(at))),
        frozen_until: window.frozen_until.map(SlotTime),
        shared: window.shared.map(|(since, seen)| (since, SlotTime(seen))),
    }
}

fn window_of(setback: Setback) -> LearntWindow {
    LearntWindow {
        refused: setback.refused.map(|(low, at)| (low, at.0)),
        frozen_until: setback.frozen_until.map(|until| until.0),
        shared: setback.shared.map(|(since, seen)| (since, seen.0)),
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
        let lease = |now| SlotTime(now + 70_000_000);
        let take = |book: &StoredSlots, now| book.try_take(Ledger::Burst, 3, SlotTime(now), lease(now)).unwrap();
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
            Ok(Err(SlotTime(i64::MAX)))
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
        let refused = Setback {
            refused: Some((4, SlotTime(17))),
            frozen_until: Some(SlotTime(1_000_017)),
            shared: Some((day.at, SlotTime(17))),
        };
        let learnt = Learnt {
            burst: Some(190),
            day: Some(day),
            resets_at: Some("2026-11-23T05:00:00Z".parse().unwrap()),
            refused_until: None,
            setbacks: [Setback::default(), refused],
        };
        let book = StoredSlots::open(&place, Clock::system()).unwrap();
        book.learn(learnt);
        book.learn(Learnt {
            day: None,
            setbacks: [Setback::default(); 2],
            ..learnt
        });
        assert_eq!(StoredSlots::open(&place, Clock::system()).unwrap().learnt(), learnt);
    }
}
