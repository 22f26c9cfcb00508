//! What was sent by every process of the store: counts per quarter of an hour and lane, and the last requests. Nothing here
//! decides anything; it is for people.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use rusqlite::{TransactionBehavior, params};

use super::{Slots, learnt::time};
use crate::{
    domain::{Lane, LaneUsage, SentRequest, Usage},
    store::Result,
};

impl Slots {
    /// Keeps a request that goes out now, after waiting so long; returns its entry.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_sent(&mut self, request: &SentRequest, waited: Duration) -> Result<i64> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached("INSERT INTO request (at, lane, method, path) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                request.at.as_microsecond(),
                request.lane.word(),
                request.method,
                request.path,
            ])?;
        let entry = tx.last_insert_rowid();
        tx.prepare_cached("DELETE FROM request WHERE id <= ?1")?
            .execute([entry - SentRequest::REMEMBERED as i64])?;
        let quarter = Usage::quarter(request.at);
        let waited = i64::try_from(waited.as_micros()).unwrap_or(i64::MAX);
        tx.prepare_cached(
            "INSERT INTO used (quarter, lane, sent, waited) VALUES (?1, ?2, 1, ?3) \
             ON CONFLICT DO UPDATE SET sent = sent + 1, waited = waited + excluded.waited",
        )?
        .execute(params![quarter, request.lane.word(), waited])?;
        tx.prepare_cached("DELETE FROM used WHERE quarter < ?1")?
            .execute([quarter - Usage::QUARTERS_KEPT])?;
        tx.commit()?;
        Ok(entry)
    }

    /// The request of an entry is over; one that is not remembered any more is left alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_ended(&mut self, entry: i64, status: Option<u16>, took: Duration) -> Result<()> {
        let took = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        self.conn
            .prepare_cached("UPDATE request SET status = ?2, took = ?3 WHERE id = ?1")?
            .execute(params![entry, status, took])?;
        if status == Some(429) {
            // 900,000,000 microseconds are a quarter of an hour.
            self.conn
                .prepare_cached(
                    "UPDATE used SET refused = refused + 1 \
                     WHERE (quarter, lane) IN (SELECT at / 900000000, lane FROM request WHERE id = ?1)",
                )?
                .execute([entry])?;
        }
        Ok(())
    }

    /// A request is sent again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_repeated(&mut self, at: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO used (quarter, lane, repeated) VALUES (?1, '', 1) \
                 ON CONFLICT DO UPDATE SET repeated = repeated + 1",
            )?
            .execute([Usage::quarter(at)])?;
        Ok(())
    }

    /// What was used since then, and in the minute before `now`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn usage(&self, since: Timestamp, now: Timestamp) -> Result<Usage> {
        let minute_ago = now.saturating_sub(1.minute()).unwrap_or(now);
        let per_minute: i64 = self
            .conn
            .prepare_cached("SELECT count(*) FROM request WHERE at > ?1")?
            .query_row([minute_ago.as_microsecond()], |row| row.get(0))?;
        let mut usage = Usage {
            since: Some(since),
            per_minute: per_minute.cast_unsigned(),
            ..Usage::default()
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT lane, sum(sent), sum(waited), sum(refused), sum(repeated) FROM used WHERE quarter >= ?1 \
             GROUP BY lane",
        )?;
        let mut rows = statement.query([Usage::quarter(since)])?;
        while let Some(row) = rows.next()? {
            let number = |column: usize| row.get(column).map(i64::cast_unsigned);
            let word: String = row.get(0)?;
            if let Some(lane) = lane(&word) {
                usage.lanes[lane as usize] = LaneUsage {
                    requests: number(1)?,
                    waited: Duration::from_micros(number(2)?),
                };
            }
            usage.rate_limited += number(3)?;
            usage.retries += number(4)?;
        }
        Ok(usage)
    }

    /// The last requests, newest first, at most so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn requests(&self, count: usize) -> Result<Vec<SentRequest>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT at, lane, method, path, status, took FROM request ORDER BY id DESC LIMIT ?1")?;
        let rows = statement.query_map([i64::try_from(count).unwrap_or(i64::MAX)], |row| {
            let word: String = row.get(1)?;
            let took: Option<i64> = row.get(5)?;
            Ok(SentRequest {
                at: time(row, 0)?.unwrap_or_default(),
                lane: lane(&word).unwrap_or(Lane::Sync),
                method: row.get(2)?,
                path: row.get(3)?,
                status: row.get(4)?,
                took: took.map(|took| Duration::from_micros(took.cast_unsigned())),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn lane(word: &str) -> Option<Lane> {
    Lane::ALL.into_iter().find(|lane| lane.word() == word)
}
