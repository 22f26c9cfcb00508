//! Where slots are remembered. One book is shared by everything that sends with one token: tasks, and, over the store,
//! processes and restarts. A book counts and remembers; it never decides who goes first.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

/// A point of the clock all processes of the machine share, in microseconds (see `Clock::slot_time`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotTime(pub i64);

impl SlotTime {
    /// This much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// How long until then; zero when it is past.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_micros(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

/// Which window a slot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// The rolling ten seconds of one token.
    Burst,
    /// The rolling second of searches, shared by the account.
    Search,
}

impl Ledger {
    /// Length of the window.
    #[must_use]
    pub const fn window(self) -> Duration {
        match self {
            Self::Burst => Duration::from_secs(10),
            Self::Search => Duration::from_secs(1),
        }
    }

    /// The word in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Search => "search",
        }
    }
}

/// A slot in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub i64);

/// What the answers taught, kept across restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// `X-HubSpot-RateLimit-Max`.
    pub burst: Option<u32>,
    /// Searches per second after refusals.
    pub search: Option<u32>,
    /// The day as the last answer told it.
    pub day: Option<Day>,
}

/// What an answer said about the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Requests allowed.
    pub limit: u64,
    /// Requests left, all integrations of the account together.
    pub left: u64,
    /// When it said so.
    pub at: Timestamp,
}

/// The memory of the ledgers. Calls are quick and synchronous (well under a millisecond) and must be atomic between
/// processes that share the book. A book that cannot answer refuses: it returns a later time.
pub trait SlotBook: Send + Sync {
    /// Takes a slot when fewer than `capacity` slots of the ledger are held at `now` (held: `free_at > now`). The slot
    /// is then held until `lease`, unless [`SlotBook::release`] says otherwise: a crashed holder's slot frees itself.
    ///
    /// # Errors
    /// The earliest time at which enough slots will be free if nothing else happens: the `free_at` of the
    /// `(held − capacity + 1)`-th slot in order of `free_at`; [`SlotTime`]`(i64::MAX)` when capacity is zero.
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, lease: SlotTime) -> Result<SlotId, SlotTime>;

    /// Holds the slot until `free_at` and no longer; a time in the past gives it back. Unknown slots are ignored.
    fn release(&self, slot: SlotId, free_at: SlotTime);

    /// How many slots of the ledger are held at `now`, by everybody who shares the book.
    fn held(&self, ledger: Ledger, now: SlotTime) -> u32;

    /// Keeps what was learnt; what it does not speak of stays as it was.
    fn learn(&self, learnt: Learnt);

    /// What was kept.
    fn learnt(&self) -> Learnt;
}

/// A book in memory, for one process that nothing outlives.
#[derive(Debug, Default)]
pub struct MemoryBook {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    next: i64,
    /// Every slot that was held when last looked at.
    slots: BTreeMap<SlotId, (Ledger, SlotTime)>,
    learnt: Learnt,
}

impl MemoryBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotBook for MemoryBook {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, lease: SlotTime) -> Result<SlotId, SlotTime> {
        let mut pages = self.pages();
        pages.slots.retain(|_, (_, free_at)| *free_at > now);
        let mut held: Vec<SlotTime> = pages.of(ledger).collect();
        let capacity = capacity as usize;
        if held.len() < capacity {
            pages.next += 1;
            let slot = SlotId(pages.next);
            pages.slots.insert(slot, (ledger, lease));
            return Ok(slot);
        }
        if capacity == 0 {
            return Err(SlotTime(i64::MAX));
        }
        let over = held.len() - capacity;
        Err(*held.select_nth_unstable(over).1)
    }

    fn release(&self, slot: SlotId, free_at: SlotTime) {
        if let Some((_, held_until)) = self.pages().slots.get_mut(&slot) {
            *held_until = free_at;
        }
    }

    fn held(&self, ledger: Ledger, now: SlotTime) -> u32 {
        let count = self.pages().of(ledger).filter(|free_at| *free_at > now).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn learn(&self, learnt: Learnt) {
        let known = &mut self.pages().learnt;
        *known = Learnt {
            burst: learnt.burst.or(known.burst),
            search: learnt.search.or(known.search),
            day: learnt.day.or(known.day),
        };
    }

    fn learnt(&self) -> Learnt {
        self.pages().learnt
    }
}

impl Pages {
    fn of(&self, ledger: Ledger) -> impl Iterator<Item = SlotTime> + '_ {
        self.slots
            .values()
            .filter(move |(of, _)| *of == ledger)
            .map(|(_, free_at)| *free_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ledger_says_when_the_next_slot_is_free() {
        let book = MemoryBook::new();
        let at = |seconds: i64| SlotTime(seconds * 1_000_000);
        let take = |capacity, now| book.try_take(Ledger::Burst, capacity, at(now), at(now + 70));
        let first = take(2, 0).unwrap();
        let second = take(2, 1).unwrap();
        book.release(first, at(12));
        book.release(second, at(11));
        assert_eq!(take(2, 5), Err(at(11)));
        assert_eq!(take(1, 5), Err(at(12)), "a shrunken ledger waits for the second one");
        assert_eq!(take(0, 5), Err(SlotTime(i64::MAX)));
        assert_eq!(book.held(Ledger::Burst, at(11)), 1, "held until, not at");
        assert!(
            book.try_take(Ledger::Search, 1, at(5), at(6)).is_ok(),
            "ledgers are apart"
        );
        assert!(take(2, 11).is_ok());
    }

    #[test]
    fn a_slot_given_back_is_free_at_once_and_a_forgotten_one_frees_itself() {
        let book = MemoryBook::new();
        let slot = book.try_take(Ledger::Search, 1, SlotTime(0), SlotTime(100)).unwrap();
        book.release(slot, SlotTime(0));
        assert!(book.try_take(Ledger::Search, 1, SlotTime(0), SlotTime(100)).is_ok());
        assert!(book.try_take(Ledger::Search, 1, SlotTime(99), SlotTime(200)).is_err());
        assert!(book.try_take(Ledger::Search, 1, SlotTime(100), SlotTime(200)).is_ok());
    }
}
