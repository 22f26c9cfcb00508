//! Slots of HubSpot's rate windows in `budget.db`, shared by every process on the directory. A slot is held from the send
//! until the answer plus the window, so that no window at HubSpot's end ever sees more requests than it allows; the
//! argument needs no assumption about latency. What a killed process held frees itself. Beside them what the answers
//! taught, and the journal of requests.

mod journal;
mod learnt;

pub use learnt::{LearntLimits, LearntWindow};

use rusqlite::{Connection, TransactionBehavior, params};
use rusqlite_migration::M;

use super::{Result, Settings, files};

const STEPS: &[M<'static>] = &[
    M::up(
        "CREATE TABLE slot (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       ledger TEXT NOT NULL,
       pid INTEGER NOT NULL,
       start INTEGER NOT NULL,   -- microseconds of the callers' common clock
       free_at INTEGER           -- a lease while the request is on the wire
     ) STRICT;
     CREATE INDEX slot_ledger ON slot (ledger, free_at);
     CREATE TABLE limits (
       only INTEGER PRIMARY KEY CHECK (only = 1),
       burst_max INTEGER, daily_max INTEGER, daily_remaining INTEGER, at INTEGER NOT NULL
     ) STRICT;",
    ),
    // A slot carries its lease from the beginning, and a journal and the setbacks stand beside the slots.
    M::up(
        "UPDATE slot SET free_at = start + 70000000 WHERE free_at IS NULL;
     ALTER TABLE limits ADD COLUMN resets_at INTEGER;
     ALTER TABLE limits ADD COLUMN refused_until INTEGER;
     CREATE TABLE window (
       ledger TEXT PRIMARY KEY,
       low INTEGER, refused_at INTEGER, frozen_until INTEGER,
       shared_since INTEGER, shared_seen INTEGER
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE request (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       at INTEGER NOT NULL,      -- microseconds of wall time
       lane TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
       status INTEGER, took INTEGER
     ) STRICT;
     CREATE INDEX request_at ON request (at);
     CREATE TABLE used (
       quarter INTEGER NOT NULL, -- of an hour, since 1970
       lane TEXT NOT NULL,
       sent INTEGER NOT NULL DEFAULT 0, waited INTEGER NOT NULL DEFAULT 0,
       refused INTEGER NOT NULL DEFAULT 0, repeated INTEGER NOT NULL DEFAULT 0,
       PRIMARY KEY (quarter, lane)
     ) STRICT, WITHOUT ROWID;",
    ),
];

/// Clocks of processes on one machine agree better than this. A slot taken later than that was taken before the machine
/// was started again, and its clock with it.
const AHEAD_US: i64 = 60 * 1_000_000;

/// The slots of all ledgers.
#[derive(Debug)]
pub struct Slots {
    conn: Connection,
    pid: u32,
}

impl Slots {
    /// Opens `budget.db`; one that is damaged is moved aside and started afresh, since it is worth nothing by itself.
    ///
    /// # Errors
    /// When the file can neither be read nor made.
    pub fn open(settings: &Settings) -> Result<Self> {
        let (dir, _) = files::directory(&settings.dir)?;
        let (conn, _) = files::open_or_rebuild(&dir, files::BUDGET, STEPS)?;
        Ok(Self {
            conn,
            pid: std::process::id(),
        })
    }

    /// Takes a slot of `ledger` when fewer than `capacity` are held at `now_us`: `Ok(Ok(slot))`. It is then held until
    /// `lease_us`, unless [`Slots::release`] says otherwise. Otherwise `Ok(Err(t))` with the earliest time at which enough
    /// are known to be free; a request that is answered before then may free one sooner. With a capacity of zero that is
    /// never.
    ///
    /// Times are microseconds of one clock all callers share and that never goes back while the machine runs (boot time).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(
        &mut self,
        ledger: &str,
        capacity: u32,
        now_us: i64,
        lease_us: i64,
    ) -> Result<std::result::Result<i64, i64>> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached("DELETE FROM slot WHERE ledger = ?1 AND (free_at <= ?2 OR start > ?2 + ?3)")?
            .execute(params![ledger, now_us, AHEAD_US])?;
        let held: u32 = tx
            .prepare_cached("SELECT count(*) FROM slot WHERE ledger = ?1")?
            .query_row([ledger], |row| row.get(0))?;
        let taken = if held < capacity {
            tx.prepare_cached("INSERT INTO slot (ledger, pid, start, free_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![ledger, self.pid, now_us, lease_us])?;
            Ok(tx.last_insert_rowid())
        } else if capacity == 0 {
            Err(i64::MAX)
        } else {
            let enough = "SELECT free_at FROM slot WHERE ledger = ?1 ORDER BY free_at LIMIT 1 OFFSET ?2";
            Err(tx
                .prepare_cached(enough)?
                .query_row(params![ledger, held - capacity], |row| row.get(0))?)
        };
        tx.commit()?;
        Ok(taken)
    }

    /// The request of a slot is over: the slot is free again at `free_at_us` (the answer's time plus the window).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn release(&mut self, slot: i64, free_at_us: i64) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE slot SET free_at = ?2 WHERE id = ?1")?
            .execute([slot, free_at_us])?;
        Ok(())
    }

    /// How many slots of `ledger` are held at `now_us`, by whichever process.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn held(&self, ledger: &str, now_us: i64) -> Result<u32> {
        let held = self
            .conn
            .prepare_cached("SELECT count(*) FROM slot WHERE ledger = ?1 AND free_at > ?2 AND start <= ?2 + ?3")?
            .query_row(params![ledger, now_us, AHEAD_US], |row| row.get(0))?;
        Ok(held)
    }

    /// How many slots were ever taken, of all ledgers and by whichever process.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn taken(&self) -> Result<u64> {
        let taken: i64 = self
            .conn
            .prepare_cached("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'slot'), 0)")?
            .query_row([], |row| row.get(0))?;
        Ok(taken.cast_unsigned())
    }
}
