//! Where slots, lessons and the last requests are remembered. One book is shared by everything that sends with one token:
//! tasks, and, over the store, processes and restarts. A book counts and remembers; it never decides who goes first.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::journal::Journal;
use crate::domain::{Fault, SentRequest, Usage};

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

/// An entry of the journal of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(pub i64);

/// What the answers taught, kept across restarts and told to every process of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// `X-HubSpot-RateLimit-Max`.
    pub burst: Option<u32>,
    /// The day as the last answer told it.
    pub day: Option<Day>,
    /// When the day ends.
    pub resets_at: Option<Timestamp>,
    /// HubSpot refuses everything with its daily policy until then.
    pub refused_until: Option<Timestamp>,
    /// What refusals and other clients took of each window, in the order of [`Ledger`].
    pub setbacks: [Setback; 2],
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

/// Why a window is smaller than HubSpot's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setback {
    /// Capacity right after the last refusal, and when that was.
    pub refused: Option<(u32, SlotTime)>,
    /// Nothing is sent before this time.
    pub frozen_until: Option<SlotTime>,
    /// Somebody else was seen: since when without a pause, and when last.
    pub shared: Option<(Timestamp, SlotTime)>,
}

impl Setback {
    /// What two clients know of the same window together: the later refusal and freeze, the longer sight of others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let later = |one: Option<(u32, SlotTime)>, two: Option<(u32, SlotTime)>| match (one, two) {
            (Some(one), Some(two)) => Some(if two.1 > one.1 { two } else { one }),
            (one, two) => one.or(two),
        };
        let shared = match (self.shared, other.shared) {
            (Some(one), Some(two)) => {
                let (first, last) = if one.1 <= two.1 { (one, two) } else { (two, one) };
                let is_one_sight = first.1.after(SIGHT) > last.1;
                Some((if is_one_sight { first.0.min(last.0) } else { last.0 }, last.1))
            }
            (one, two) => one.or(two),
        };
        Self {
            refused: later(self.refused, other.refused),
            frozen_until: self.frozen_until.max(other.frozen_until),
            shared,
        }
    }
}

/// How long the sight of another client counts: what is seen again within it is the same sight.
pub(super) const SIGHT: Duration = Duration::from_secs(60);

/// A slot, or when to ask for one again.
pub type Taken = Result<SlotId, SlotTime>;

/// The memory of the ledgers. Calls are quick and synchronous (well under a millisecond) and must be atomic between
/// processes that share the book.
pub trait SlotBook: Send + Sync {
    /// Takes a slot when fewer than `capacity` slots of the ledger are held at `now` (held: `free_at > now`). The slot
    /// is then held until `lease`, unless [`SlotBook::release`] says otherwise: a crashed holder's slot frees itself.
    /// Otherwise `Ok(Err(t))`, the earliest time at which enough slots will be free if nothing else happens: the
    /// `free_at` of the `(held − capacity + 1)`-th slot in order of `free_at`; [`SlotTime`]`(i64::MAX)` when capacity is
    /// zero.
    ///
    /// # Errors
    /// Why the book cannot be written: nothing is sent that is not counted.
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, lease: SlotTime) -> Result<Taken, Fault>;

    /// Holds the slot until `free_at` and no longer; a time in the past gives it back. Unknown slots are ignored.
    fn release(&self, slot: SlotId, free_at: SlotTime);

    /// How many slots of the ledger are held at `now`, by everybody who shares the book.
    fn held(&self, ledger: Ledger, now: SlotTime) -> u32;

    /// How many slots were ever taken, of all ledgers and by everybody: it only grows.
    fn taken(&self) -> u64;

    /// Keeps what was learnt; of limit and day, what it does not speak of stays as it was.
    fn learn(&self, learnt: Learnt);

    /// What was kept.
    fn learnt(&self) -> Learnt;

    /// Keeps a request that goes out now, after waiting so long for its slot.
    fn sent(&self, request: &SentRequest, waited: Duration) -> EntryId;

    /// The request of an entry is over; no status when its answer never came.
    fn ended(&self, entry: EntryId, status: Option<u16>, took: Duration);

    /// A request is sent again.
    fn repeated(&self, at: Timestamp);

    /// What everybody who shares the book has used since then, counted in quarters of an hour.
    fn usage(&self, since: Timestamp, now: Timestamp) -> Usage;

    /// The last requests of everybody, newest first: at most so many, and no more than a book remembers.
    fn requests(&self, count: usize) -> Vec<SentRequest>;
}

/// A book in memory, for one process that nothing outlives.
#[derive(Debug, Default)]
pub struct MemoryBook {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    taken: u64,
    /// The slots of each ledger, the one that is free first at the front.
    ledgers: [BTreeSet<(SlotTime, SlotId)>; 2],
    /// Where each of those slots stands.
    places: HashMap<SlotId, (Ledger, SlotTime)>,
    learnt: Learnt,
    journal: Journal,
}

impl MemoryBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotBook for MemoryBook {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, lease: SlotTime) -> Result<Taken, Fault> {
        let mut pages = self.pages();
        let pages = &mut *pages;
        let slots = &mut pages.ledgers[ledger as usize];
        while slots.first().is_some_and(|(free_at, _)| *free_at <= now) {
            if let Some((_, slot)) = slots.pop_first() {
                pages.places.remove(&slot);
            }
        }
        let capacity = capacity as usize;
        if slots.len() < capacity {
            pages.taken += 1;
            let slot = SlotId(pages.taken.cast_signed());
            slots.insert((lease, slot));
            pages.places.insert(slot, (ledger, lease));
            return Ok(Ok(slot));
        }
        let enough = slots.iter().nth(slots.len() - capacity);
        Ok(Err(enough.map_or(SlotTime(i64::MAX), |(free_at, _)| *free_at)))
    }

    fn release(&self, slot: SlotId, free_at: SlotTime) {
        let mut pages = self.pages();
        let pages = &mut *pages;
        if let Some((ledger, held_until)) = pages.places.get_mut(&slot) {
            let slots = &mut pages.ledgers[*ledger as usize];
            slots.remove(&(*held_until, slot));
            slots.insert((free_at, slot));
            *held_until = free_at;
        }
    }

    fn held(&self, ledger: Ledger, now: SlotTime) -> u32 {
        let pages = self.pages();
        let slots = &pages.ledgers[ledger as usize];
        let over = slots.iter().take_while(|(free_at, _)| *free_at <= now).count();
        u32::try_from(slots.len() - over).unwrap_or(u32::MAX)
    }

    fn taken(&self) -> u64 {
        self.pages().taken
    }

    fn learn(&self, learnt: Learnt) {
        let known = &mut self.pages().learnt;
        *known = Learnt {
            burst: learnt.burst.or(known.burst),
            day: learnt.day.or(known.day),
            resets_at: learnt.resets_at.or(known.resets_at),
            refused_until: learnt.refused_until,
            setbacks: std::array::from_fn(|ledger| known.setbacks[ledger].and(learnt.setbacks[ledger])),
        };
    }

    fn learnt(&self) -> Learnt {
        self.pages().learnt
    }

    fn sent(&self, request: &SentRequest, waited: Duration) -> EntryId {
        self.pages().journal.sent(request, waited)
    }

    fn ended(&self, entry: EntryId, status: Option<u16>, took: Duration) {
        self.pages().journal.ended(entry, status, took);
    }

    fn repeated(&self, at: Timestamp) {
        self.pages().journal.repeated(at);
    }

    fn usage(&self, since: Timestamp, now: Timestamp) -> Usage {
        self.pages().journal.usage(since, now)
    }

    fn requests(&self, count: usize) -> Vec<SentRequest> {
        self.pages().journal.requests(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ledger_says_when_the_next_slot_is_free() {
        let book = MemoryBook::new();
        let at = |seconds: i64| SlotTime(seconds * 1_000_000);
        let take = |capacity, now| book.try_take(Ledger::Burst, capacity, at(now), at(now + 70)).unwrap();
        let first = take(2, 0).unwrap();
        let second = take(2, 1).unwrap();
        book.release(first, at(12));
        book.release(second, at(11));
        assert_eq!(take(2, 5), Err(at(11)));
        assert_eq!(take(1, 5), Err(at(12)), "a shrunken ledger waits for the second one");
        assert_eq!(take(0, 5), Err(SlotTime(i64::MAX)));
        assert_eq!(book.held(Ledger::Burst, at(11)), 1, "held until, not at");
        assert!(
            book.try_take(Ledger::Search, 1, at(5), at(6)).unwrap().is_ok(),
            "ledgers are apart"
        );
        assert!(take(2, 11).is_ok());
    }

    #[test]
    fn a_slot_given_back_is_free_at_once_and_a_forgotten_one_frees_itself() {
        let book = MemoryBook::new();
        let take = |now, lease| {
            book.try_take(Ledger::Search, 1, SlotTime(now), SlotTime(lease))
                .unwrap()
        };
        let slot = take(0, 100).unwrap();
        book.release(slot, SlotTime(0));
        assert!(take(0, 100).is_ok());
        assert!(take(99, 200).is_err());
        assert!(take(100, 200).is_ok());
    }
}
