//! Slots of HubSpot's rate windows in `budget.db`, shared by every process on the directory. A slot is held from the send
//! until the answer plus the window, so that no window at HubSpot's end ever sees more requests than it allows; the
//! argument needs no assumption about latency. What a killed process held frees itself.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use rusqlite_migration::M;

use super::{Result, Settings, files};

const STEPS: &[M<'static>] = &[M::up(
    "CREATE TABLE slot (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       ledger TEXT NOT NULL,
       pid INTEGER NOT NULL,
       start INTEGER NOT NULL,   -- microseconds of the callers' common clock
       free_at INTEGER           -- NULL while the request is on the wire
     ) STRICT;
     CREATE INDEX slot_ledger ON slot (ledger, free_at);
     CREATE TABLE limits (
       only INTEGER PRIMARY KEY CHECK (only = 1),
       burst_max INTEGER, daily_max INTEGER, daily_remaining INTEGER, at INTEGER NOT NULL
     ) STRICT;",
)];

/// A slot on the wire is given up after the request's timeout (30 s), the longest window (10 s) and a grace of 30 s: its
/// process died.
const ABANDONED_US: i64 = 70 * 1_000_000;

/// What HubSpot's answers said about the budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearntLimits {
    /// Requests per ten seconds.
    pub burst_max: Option<u32>,
    /// Requests per day.
    pub daily_max: Option<u64>,
    /// Requests left today.
    pub daily_remaining: Option<u64>,
    /// Wall time of the answer.
    pub at: Timestamp,
}

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

    /// Takes a slot of `ledger` when fewer than `capacity` are held at `now_us`: `Ok(Ok(slot))`. Otherwise `Ok(Err(t))`
    /// with the earliest time at which one is known to be free; a request that is answered before then may free one
    /// sooner.
    ///
    /// Times are microseconds of one clock all callers share and that never goes back (boot time).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, ledger: &str, capacity: u32, now_us: i64) -> Result<std::result::Result<i64, i64>> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached("DELETE FROM slot WHERE ledger = ?1 AND coalesce(free_at, start + ?3) <= ?2")?
            .execute(params![ledger, now_us, ABANDONED_US])?;
        let (held, earliest): (u32, Option<i64>) = tx
            .prepare_cached("SELECT count(*), min(coalesce(free_at, start + ?2)) FROM slot WHERE ledger = ?1")?
            .query_row(params![ledger, ABANDONED_US], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let taken = if held < capacity {
            tx.prepare_cached("INSERT INTO slot (ledger, pid, start) VALUES (?1, ?2, ?3)")?
                .execute(params![ledger, self.pid, now_us])?;
            Ok(tx.last_insert_rowid())
        } else {
            Err(earliest.unwrap_or(now_us))
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
            .prepare_cached("SELECT count(*) FROM slot WHERE ledger = ?1 AND coalesce(free_at, start + ?3) > ?2")?
            .query_row(params![ledger, now_us, ABANDONED_US], |row| row.get(0))?;
        Ok(held)
    }

    /// Remembers what HubSpot said last; what an answer left out stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_limits(&mut self, learnt: LearntLimits) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO limits (only, burst_max, daily_max, daily_remaining, at) VALUES (1, ?1, ?2, ?3, ?4) \
                 ON CONFLICT (only) DO UPDATE SET burst_max = coalesce(excluded.burst_max, burst_max), \
                 daily_max = coalesce(excluded.daily_max, daily_max), \
                 daily_remaining = coalesce(excluded.daily_remaining, daily_remaining), at = excluded.at",
            )?
            .execute(params![
                learnt.burst_max,
                learnt.daily_max.map(u64::cast_signed),
                learnt.daily_remaining.map(u64::cast_signed),
                learnt.at.as_microsecond(),
            ])?;
        Ok(())
    }

    /// What HubSpot said last; `None` before its first answer.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn limits(&self) -> Result<Option<LearntLimits>> {
        let found = self
            .conn
            .prepare_cached("SELECT burst_max, daily_max, daily_remaining, at FROM limits")?
            .query_row([], |row| {
                Ok(LearntLimits {
                    burst_max: row.get(0)?,
                    daily_max: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
                    daily_remaining: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    at: Timestamp::from_microsecond(row.get(3)?).unwrap_or_default(),
                })
            })
            .optional()?;
        Ok(found)
    }
}
