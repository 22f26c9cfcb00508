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

    /// The actions that were one with the newest action, newest first; that one alone where it was one by itself.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn newest_undos(&self) -> Result<Vec<Kept>> {
        let Some(newest) = self.newest_undo()? else {
            return Ok(Vec::new());
        };
        let together = rows::select(
            &self.conn,
            "JOIN undo ON undo.op_id = op.id WHERE undone_at IS NULL AND state NOT IN ('cancelled', 'superseded') \
             AND bundle = (SELECT bundle FROM undo WHERE op_id = ?1) ORDER BY position DESC",
            &[&newest.id.to_string()],
        )?;
        Ok(if together.is_empty() { vec![newest] } else { together })
    }

    /// What was undone last and can be done again, oldest first; none when something new was done since. What undo refused
    /// was not undone.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn newest_redos(&self) -> Result<Vec<Kept>> {
        const UNDONE: &str =
            "undone_at IS NOT NULL AND redone_at IS NULL AND (undone_by IS NOT NULL OR state = 'cancelled')";
        let newest = rows::select(
            &self.conn,
            &format!(
                "JOIN undo ON undo.op_id = op.id WHERE {UNDONE} AND NOT EXISTS (SELECT 1 FROM undo AS later JOIN op AS did \
                 ON did.id = later.op_id WHERE later.redo_of IS NULL AND did.created_at > undo.undone_at) \
                 ORDER BY undone_at DESC, position LIMIT 1"
            ),
            &[],
        )?;
        let Some(newest) = newest.into_iter().next() else {
            return Ok(Vec::new());
        };
        let together = rows::select(
            &self.conn,
            &format!(
                "JOIN undo ON undo.op_id = op.id WHERE {UNDONE} AND bundle = (SELECT bundle FROM undo WHERE op_id = ?1) \
                 ORDER BY position"
            ),
            &[&newest.id.to_string()],
        )?;
        Ok(if together.is_empty() { vec![newest] } else { together })
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

    /// An action that was undone is done again by the operation `by`, or was refused; it is not asked for again.
    ///
    /// # Errors
    /// [`Error::Missing`] when it never was an action of its own.
    pub fn mark_redone(&mut self, of: OpId, by: Option<OpId>, now: Timestamp) -> Result<()> {
        let by = by.map(|by| by.to_string());
        self.write(|tx| {
            let marked = tx.execute(
                "UPDATE undo SET redone_at = ?2, redone_by = ?3 WHERE op_id = ?1",
                params![of.to_string(), rows::micros(now), by],
            )?;
            tx.execute(
                "UPDATE undo SET redo_of = ?1 WHERE op_id = ?2",
                params![of.to_string(), by],
            )?;
            if marked == 1 { Ok(()) } else { Err(Error::Missing(of)) }
        })
    }

    /// Makes actions one: one undo takes all of them back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn bundle(&mut self, actions: &[OpId]) -> Result<()> {
        let Some(first) = actions.first().map(ToString::to_string) else {
            return Ok(());
        };
        self.write(|tx| {
            let mut put = tx.prepare_cached("UPDATE undo SET bundle = ?1 WHERE op_id = ?2")?;
            for action in actions {
                put.execute([&first, &action.to_string()])?;
            }
            Ok(())
        })
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
