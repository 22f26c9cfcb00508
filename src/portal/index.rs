//! The search index: the truth as it was a few seconds ago. Holds only what differs from the truth, so a quiet portal holds
//! nothing. Archived records are hidden by the searcher at once; everything else lags.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::kinds::ObjectType;
use super::record::Record;
use super::settings::Latency;

type Key = (ObjectType, u64);

/// What search shows of a record whose newest version it does not know yet.
struct Shown {
    /// `None` while a new record is not yet to be found at all.
    record: Option<Arc<Record>>,
    /// Versions on their way.
    waiting: u32,
    /// When the last of them arrives, microseconds: versions never overtake each other.
    last: u64,
}

pub(super) struct SearchIndex {
    lag: Latency,
    dice: ChaCha8Rng,
    shown: HashMap<Key, Shown>,
    /// Versions by arrival (microseconds, then order of writing).
    queue: BTreeMap<(u64, u64), (Key, Arc<Record>)>,
    written: u64,
    /// Grows whenever an answer may have changed.
    pub generation: u64,
}

impl SearchIndex {
    pub(super) fn new(lag: Latency, seed: u64) -> Self {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        Self {
            lag,
            dice,
            shown: HashMap::new(),
            queue: BTreeMap::new(),
            written: 0,
            generation: 0,
        }
    }

    /// A record was written: search goes on showing `before` until the lag has passed.
    pub(super) fn written(&mut self, key: Key, before: Option<Arc<Record>>, after: Arc<Record>, now: u64) {
        self.generation += 1;
        let lag = self.lag.at(self.dice.random::<f64>()).as_micros();
        let due = now.saturating_add(u64::try_from(lag).unwrap_or(u64::MAX));
        let shown = self.shown.entry(key).or_insert(Shown {
            record: before,
            waiting: 0,
            last: 0,
        });
        shown.waiting += 1;
        shown.last = shown.last.max(due);
        self.written += 1;
        self.queue.insert((shown.last, self.written), (key, after));
    }

    /// Takes in every version that is due.
    pub(super) fn settle(&mut self, now: u64) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            let (key, record) = entry.remove();
            self.generation += 1;
            let Some(shown) = self.shown.get_mut(&key) else {
                continue;
            };
            shown.waiting -= 1;
            if shown.waiting == 0 {
                self.shown.remove(&key);
            } else {
                shown.record = Some(record);
            }
        }
    }

    /// `None`: search knows the truth. `Some(None)`: search does not know the record yet.
    pub(super) fn shown(&self, key: Key) -> Option<Option<&Record>> {
        self.shown.get(&key).map(|shown| shown.record.as_deref())
    }
}
