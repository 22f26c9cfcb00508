//! What HubSpot's answers said about the budgets, for the next run and for the other processes.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::Slots;
use crate::store::Result;

/// What HubSpot's answers said about the budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearntLimits {
    /// Requests per ten seconds.
    pub burst_max: Option<u32>,
    /// Requests per day.
    pub daily_max: Option<u64>,
    /// Requests left today.
    pub daily_remaining: Option<u64>,
    /// Wall time of the answer that said so.
    pub at: Timestamp,
    /// When the day ends.
    pub resets_at: Option<Timestamp>,
    /// HubSpot refuses for the day until then.
    pub refused_until: Option<Timestamp>,
}

/// Why a window is smaller than its limit. Times are those of the slots, unless they say wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearntWindow {
    /// The capacity after the last refusal, and its time.
    pub refused: Option<(u32, i64)>,
    /// Nothing is sent before.
    pub frozen_until: Option<i64>,
    /// Somebody else was seen: since when (wall time) and when last.
    pub shared: Option<(Timestamp, i64)>,
}

impl Slots {
    /// Remembers what HubSpot said last; of both limits and the day's end, what an answer left out stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_limits(&mut self, learnt: LearntLimits) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO limits (only, burst_max, daily_max, daily_remaining, at, resets_at, refused_until) \
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (only) DO UPDATE SET burst_max = coalesce(excluded.burst_max, burst_max), \
                 daily_max = coalesce(excluded.daily_max, daily_max), \
                 daily_remaining = coalesce(excluded.daily_remaining, daily_remaining), at = excluded.at, \
                 resets_at = coalesce(excluded.resets_at, resets_at), refused_until = excluded.refused_until",
            )?
            .execute(params![
                learnt.burst_max,
                learnt.daily_max.map(u64::cast_signed),
                learnt.daily_remaining.map(u64::cast_signed),
                learnt.at.as_microsecond(),
                learnt.resets_at.map(Timestamp::as_microsecond),
                learnt.refused_until.map(Timestamp::as_microsecond),
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
            .prepare_cached("SELECT burst_max, daily_max, daily_remaining, at, resets_at, refused_until FROM limits")?
            .query_row([], |row| {
                Ok(LearntLimits {
                    burst_max: row.get(0)?,
                    daily_max: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
                    daily_remaining: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    at: time(row, 3)?.unwrap_or_default(),
                    resets_at: time(row, 4)?,
                    refused_until: time(row, 5)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// Remembers what took from a window.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_window(&mut self, ledger: &str, window: LearntWindow) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO window (ledger, low, refused_at, frozen_until, shared_since, shared_seen) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                ledger,
                window.refused.map(|(low, _)| low),
                window.refused.map(|(_, at)| at),
                window.frozen_until,
                window.shared.map(|(since, _)| since.as_microsecond()),
                window.shared.map(|(_, seen)| seen),
            ])?;
        Ok(())
    }

    /// What took from a window last; nothing before the first refusal.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn window(&self, ledger: &str) -> Result<LearntWindow> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT low, refused_at, frozen_until, shared_since, shared_seen FROM window WHERE ledger = ?1",
            )?
            .query_row([ledger], |row| {
                let low: Option<u32> = row.get(0)?;
                Ok(LearntWindow {
                    refused: low.zip(row.get(1)?),
                    frozen_until: row.get(2)?,
                    shared: time(row, 3)?.zip(row.get(4)?),
                })
            })
            .optional()?;
        Ok(found.unwrap_or_default())
    }
}

/// Wall time of a column of microseconds.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let micros: Option<i64> = row.get(column)?;
    Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
}
