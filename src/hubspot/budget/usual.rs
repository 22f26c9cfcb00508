//! Books for tests. The usual limiters, for the controls of the proof: they must break the limit; and one that cannot be
//! written for a while.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use super::{EntryId, Learnt, Ledger, SlotBook, SlotId, SlotTime, Taken};
use crate::domain::{Fault, SentRequest, Usage};

/// The usual limiters, both told the times of sending only.
#[derive(Debug)]
pub(super) enum Usual {
    /// Tokens that refill evenly.
    TokenBucket,
    /// At most so many sent in any window.
    SendLog,
}

#[derive(Debug)]
pub(super) struct UsualBook {
    kind: Usual,
    taken: AtomicU64,
    sent: Mutex<[Vec<SlotTime>; 2]>,
    tokens: Mutex<[Option<(f64, SlotTime)>; 2]>,
    fault: Mutex<Option<Fault>>,
}

impl UsualBook {
    pub(super) fn new(kind: Usual) -> Arc<Self> {
        Arc::new(Self {
            kind,
            taken: AtomicU64::new(0),
            sent: Mutex::default(),
            tokens: Mutex::default(),
            fault: Mutex::default(),
        })
    }

    /// Why it cannot be written from now on.
    pub(super) fn breaks(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn take_from_bucket(&self, ledger: Ledger, capacity: u32, now: SlotTime) -> Result<SlotId, SlotTime> {
        let (full, rate) = (f64::from(capacity), f64::from(capacity) / ledger.window().as_secs_f64());
        let mut buckets = self.tokens.lock().unwrap();
        let bucket = &mut buckets[ledger as usize];
        let (tokens, since) = bucket.unwrap_or((full, now));
        let tokens = (tokens + rate * since.until(now).as_secs_f64()).min(full);
        let taken = tokens >= 1.0;
        *bucket = Some((if taken { tokens - 1.0 } else { tokens }, now));
        if taken {
            Ok(SlotId(0))
        } else {
            Err(now.after(Duration::from_secs_f64((1.0 - tokens) / rate)))
        }
    }

    fn take_from_log(&self, ledger: Ledger, capacity: u32, now: SlotTime) -> Result<SlotId, SlotTime> {
        let mut logs = self.sent.lock().unwrap();
        let log = &mut logs[ledger as usize];
        log.retain(|sent| sent.after(ledger.window()) > now);
        if log.len() < capacity as usize {
            log.push(now);
            Ok(SlotId(0))
        } else {
            Err(log[log.len() - capacity as usize].after(ledger.window()))
        }
    }
}

impl SlotBook for UsualBook {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, _lease: SlotTime) -> Result<Taken, Fault> {
        if let Some(fault) = self.fault.lock().unwrap().clone() {
            return Err(fault);
        }
        let slot = match self.kind {
            Usual::TokenBucket => self.take_from_bucket(ledger, capacity, now),
            Usual::SendLog => self.take_from_log(ledger, capacity, now),
        };
        self.taken.fetch_add(u64::from(slot.is_ok()), Ordering::Relaxed);
        Ok(slot)
    }

    fn release(&self, _slot: SlotId, _free_at: SlotTime) {}

    fn held(&self, _ledger: Ledger, _now: SlotTime) -> u32 {
        0
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn learn(&self, _learnt: Learnt) {}

    fn learnt(&self) -> Learnt {
        Learnt::default()
    }

    fn sent(&self, _request: &SentRequest, _waited: Duration) -> EntryId {
        EntryId(0)
    }

    fn ended(&self, _entry: EntryId, _status: Option<u16>, _took: Duration) {}

    fn repeated(&self, _at: Timestamp) {}

    fn usage(&self, _since: Timestamp, _now: Timestamp) -> Usage {
        Usage::default()
    }

    fn requests(&self, _count: usize) -> Vec<SentRequest> {
        Vec::new()
    }
}
