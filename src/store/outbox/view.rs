//! What the outbox shows to everybody: listings, counts, and what is due.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, ToSql};

use super::{Kept, OutboxFilter, OutboxView, queue, rows};
use crate::{
    domain::{Attempt, Bug, OpId, OpState, RecordRef},
    store::Result,
};

/// In the partial index `op_unfinished`.
const UNFINISHED: &str = "state NOT IN ('done', 'dead', 'cancelled', 'superseded')";
/// In the partial index `op_undo`.
pub(in crate::store) const UNDOING: &str = "undo_of = ?1 AND state NOT IN ('done', 'dead', 'cancelled', 'superseded')";

/// In the partial index `op_of_deals`, which SQLite must be told of: it would rather read the whole history of deals.
pub(in crate::store) fn of_deals() -> String {
    format!("INDEXED BY op_of_deals WHERE object IN ('deals', 'notes') AND {UNFINISHED} ORDER BY n")
}

impl OutboxView {
    /// The operation with this id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, id: OpId) -> Result<Option<Kept>> {
        rows::find(&self.conn, id)
    }

    /// The operations whose id begins or ends with this text, newest first; at most so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn named(&self, text: &str, limit: usize) -> Result<Vec<Kept>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        rows::select(
            &self.conn,
            "WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1 ORDER BY n DESC LIMIT ?2",
            &[&text, &limit],
        )
    }

    /// Operations, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self, filter: &OutboxFilter) -> Result<Vec<Kept>> {
        let states: String = filter
            .states
            .iter()
            .map(|state| state.word())
            .collect::<Vec<_>>()
            .join(",");
        let (object, id) = match &filter.entity {
            Some(RecordRef { object, id }) => (Some(object.name()), Some(id.as_str())),
            None => (None, None),
        };
        let limit = filter
            .limit
            .map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        rows::select(
            &self.conn,
            "WHERE (?1 = '' OR instr(',' || ?1 || ',', ',' || state || ',')) \
             AND (?2 IS NULL OR (object = ?2 AND entity = ?3)) ORDER BY n DESC LIMIT ?4",
            &[&states, &object, &id, &limit],
        )
    }

    /// Every operation that is not finished, oldest first: what is shown on top of the mirror.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pending(&self) -> Result<Vec<Kept>> {
        rows::select(&self.conn, &format!("WHERE {UNFINISHED} ORDER BY n"), &[])
    }

    /// What is not finished of deals and their notes, oldest first: what a view of deals needs, however many contacts wait
    /// to be pushed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pending_of_deals(&self) -> Result<Vec<Kept>> {
        rows::select(&self.conn, &of_deals(), &[])
    }

    /// Whether somebody wants this operation taken back once its outcome is known.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_being_undone(&self, id: OpId) -> Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM op WHERE {UNDOING})");
        let mut statement = self.conn.prepare_cached(&sql)?;
        Ok(statement.query_row([id.to_string()], |row| row.get(0))?)
    }

    /// Another account than this one that something unfinished is meant for.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pending_elsewhere(&self, account: u64) -> Result<Option<u64>> {
        let sql = format!("SELECT account FROM op WHERE {UNFINISHED} AND account <> ?1 LIMIT 1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement
            .query_row([account.cast_signed()], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(found.map(i64::cast_unsigned))
    }

    /// Operations that are claimed or sent and not known yet, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn uncertain(&self) -> Result<Vec<Kept>> {
        self.in_state(OpState::Uncertain)
    }

    /// Operations that HubSpot confirmed and the mirror may not show yet, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn landed(&self) -> Result<Vec<Kept>> {
        self.in_state(OpState::Landed)
    }

    fn in_state(&self, state: OpState) -> Result<Vec<Kept>> {
        rows::select(&self.conn, "WHERE state = ?1 ORDER BY n", &[&state.word()])
    }

    /// How many operations are in each state; states nobody is in are absent.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn counts(&self) -> Result<BTreeMap<OpState, u64>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT state, count(*) FROM op GROUP BY state")?;
        let counted = statement.query_map([], |row| {
            Ok((rows::state(row, 0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        Ok(counted.collect::<rusqlite::Result<_>>()?)
    }

    /// Every send of an operation, first to last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn attempts(&self, id: OpId) -> Result<Vec<Attempt>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT n, epoch, intent_at, ended_at, outcome, ambiguous, http_status, correlation_id \
             FROM attempt WHERE op_id = ?1 ORDER BY n",
        )?;
        let attempts = statement.query_map([id.to_string()], rows::attempt)?;
        Ok(attempts.collect::<rusqlite::Result<_>>()?)
    }

    /// What may be claimed now, oldest first: queued, due, and no other operation of the same record in the way. One that
    /// is in flight or uncertain is always in the way (so a record never has two on the wire), an earlier one that is
    /// queued too; an earlier one that waits for a person only if both touch the same property.
    ///
    /// At most so many are answered, without those that are `left_out`: a long queue is not read whole each time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ready(&self, now: Timestamp, limit: usize, left_out: impl Fn(&Kept) -> bool) -> Result<Vec<Kept>> {
        let sql = format!(
            "SELECT {} FROM op WHERE state = 'queued' AND (not_before IS NULL OR not_before <= ?1) AND (?2 OR NOT EXISTS (\
               SELECT 1 FROM op AS other WHERE other.object = op.object AND other.entity = op.entity \
               AND (other.state IN ('in_flight', 'uncertain') OR (other.state = 'queued' AND other.seq < op.seq)))) \
             ORDER BY n",
            rows::COLUMNS
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut due = statement.query_map(
            rusqlite::params![rows::micros(now), self.drill.has(Bug::OrderIgnored)],
            rows::kept,
        )?;
        let mut ready = Vec::new();
        while ready.len() < limit
            && let Some(op) = due.next().transpose()?
        {
            if !left_out(&op) && !queue::waits_for_a_person(&self.conn, &op)? {
                ready.push(op);
            }
        }
        Ok(ready)
    }

    /// The earliest time at which a queued or uncertain operation that waits for its time is due.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>> {
        let due = self
            .conn
            .prepare_cached(
                "SELECT not_before FROM op WHERE state IN ('queued', 'uncertain') AND not_before IS NOT NULL \
                 ORDER BY not_before LIMIT 1",
            )?
            .query_row([], |row| rows::time(row, 0))
            .optional()?;
        Ok(due)
    }

    /// The epoch of the process that sends now; 0 before the first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epoch(&self) -> Result<u64> {
        queue::epoch(&self.conn)
    }

    /// Unfinished operations of one record, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pending_of(&self, entity: &RecordRef) -> Result<Vec<Kept>> {
        let params: [&dyn ToSql; 2] = [&entity.object.name(), &entity.id];
        let tail = format!("WHERE object = ?1 AND entity = ?2 AND {UNFINISHED} ORDER BY seq");
        rows::select(&self.conn, &tail, &params)
    }
}
