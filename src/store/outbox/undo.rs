//! The undo stack: one for all faces. A move made by a command can be undone on the screen.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Kept, Outbox, OutboxView, rows};
use crate::{
    domain::OpId,
    store::{Error, Result},
};

impl OutboxView {
    /// The newest action that was not undone yet, whatever became of it; one that was taken back or replaced before it
    /// was sent has nothing to undo.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn newest_undo(&self) -> Result<Option<Kept>> {
        let found = rows::select(
            &self.conn,
            "JOIN undo ON undo.op_id = op.id WHERE undone_at IS NULL AND state NOT IN ('cancelled', 'superseded') \
             ORDER BY position DESC LIMIT 1",
            &[],
        )?;
        Ok(found.into_iter().next())
    }
}

impl Outbox {
    /// Takes an action off the stack: it was undone by the operation `by`, or without one (nothing had been sent).
    ///
    /// # Errors
    /// [`Error::Undone`] when it was undone before, or never was an action of its own.
    pub fn mark_undone(&mut self, of: OpId, by: Option<OpId>, now: Timestamp) -> Result<()> {
        self.write(|tx| mark(tx, of, by, now))
    }
}

/// Puts an action on the stack.
pub(super) fn push(conn: &Connection, id: OpId) -> Result<()> {
    conn.prepare_cached("INSERT INTO undo (op_id) VALUES (?1)")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Marks an action as undone; it can be undone once.
pub(super) fn mark(conn: &Connection, of: OpId, by: Option<OpId>, now: Timestamp) -> Result<()> {
    let marked = conn
        .prepare_cached("UPDATE undo SET undone_at = ?2, undone_by = ?3 WHERE op_id = ?1 AND undone_at IS NULL")?
        .execute(params![of.to_string(), rows::micros(now), by.map(|by| by.to_string())])?;
    if marked == 1 { Ok(()) } else { Err(Error::Undone(of)) }
}
