//! The undo stack: one for all faces. A move made by a command can be undone on the screen.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Kept, NewOperation, Outbox, OutboxView, queue::insert, rows};
use crate::{
    domain::{OpId, OpState},
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
        const OPEN: &str = "undone_n IS NOT NULL AND refused = 0 AND redone_by IS NULL AND redo_refused = 0";
        let newest = rows::select(
            &self.conn,
            &format!("JOIN undo ON undo.op_id = op.id WHERE {OPEN} ORDER BY undone_n DESC LIMIT 1"),
            &[],
        )?;
        let Some(newest) = newest.into_iter().next() else {
            return Ok(Vec::new());
        };
        let id = newest.id.to_string();
        let is_over: bool = self
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM undo WHERE redo_of IS NULL \
                 AND position > (SELECT undone_after FROM undo WHERE op_id = ?1))",
            )?
            .query_row([&id], |row| row.get(0))?;
        if is_over {
            return Ok(Vec::new());
        }
        let together = rows::select(
            &self.conn,
            &format!(
                "JOIN undo ON undo.op_id = op.id WHERE {OPEN} AND bundle = (SELECT bundle FROM undo WHERE op_id = ?1) \
                 ORDER BY position"
            ),
            &[&id],
        )?;
        Ok(if together.is_empty() { vec![newest] } else { together })
    }

    /// The operation that undid an action; `None` where it was taken back before it was sent.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn undone_by(&self, of: OpId) -> Result<Option<Kept>> {
        let found = rows::select(
            &self.conn,
            "WHERE id = (SELECT undone_by FROM undo WHERE op_id = ?1)",
            &[&of.to_string()],
        )?;
        Ok(found.into_iter().next())
    }
}

impl Outbox {
    /// Takes an action off the stack: it was taken back before it was sent, or it cannot be undone and must not be in the way
    /// of what can.
    ///
    /// # Errors
    /// [`Error::Undone`] when it was undone before, or never was an action of its own.
    pub fn mark_undone(&mut self, of: OpId, refused: bool, now: Timestamp) -> Result<()> {
        self.write(|tx| mark(tx, of, None, refused, now))
    }

    /// Does an undone action again, as a new operation that is on the stack in its place; `None`, and nothing is kept, when
    /// somebody else did it again meanwhile.
    ///
    /// # Errors
    /// [`Error::Full`]; nothing is kept then.
    pub fn keep_again(&mut self, new: &NewOperation, of: OpId, now: Timestamp) -> Result<Option<Kept>> {
        self.write(|tx| {
            let is_open: bool = tx
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM undo WHERE op_id = ?1 AND redone_by IS NULL)")?
                .query_row([of.to_string()], |row| row.get(0))?;
            if !is_open {
                return Ok(None);
            }
            let id = insert(tx, new, OpState::Queued, now)?;
            push(tx, id)?;
            tx.execute(
                "UPDATE undo SET redone_by = ?2 WHERE op_id = ?1",
                [of.to_string(), id.to_string()],
            )?;
            tx.execute(
                "UPDATE undo SET redo_of = ?1 WHERE op_id = ?2",
                [of.to_string(), id.to_string()],
            )?;
            rows::load(tx, id).map(Some)
        })
    }

    /// Takes an undo back that was not sent yet: the action stands as if nobody had undone it. `false` when it is too late.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take_undo_back(&mut self, of: OpId, undo: OpId, now: Timestamp) -> Result<bool> {
        if !self.cancel(undo, now)? {
            return Ok(false);
        }
        self.write(|tx| {
            tx.execute(
                "UPDATE undo SET undone_at = NULL, undone_by = NULL, undone_n = NULL, undone_after = NULL \
                 WHERE op_id = ?1 AND undone_by = ?2",
                [of.to_string(), undo.to_string()],
            )?;
            Ok(true)
        })
    }

    /// An undone action cannot be done again and must not be in the way of what can.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn refuse_redo(&mut self, of: OpId) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE undo SET redo_refused = 1 WHERE op_id = ?1", [of.to_string()])?;
            Ok(())
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

/// Marks an action as undone, by an operation where one is sent; it can be undone once.
pub(super) fn mark(conn: &Connection, of: OpId, by: Option<OpId>, refused: bool, now: Timestamp) -> Result<()> {
    let marked = conn
        .prepare_cached(
            "UPDATE undo SET undone_at = ?2, undone_by = ?3, refused = ?4, \
             undone_n = (SELECT coalesce(max(undone_n), 0) + 1 FROM undo), \
             undone_after = (SELECT max(position) FROM undo) WHERE op_id = ?1 AND undone_at IS NULL",
        )?
        .execute(params![
            of.to_string(),
            rows::micros(now),
            by.map(|by| by.to_string()),
            refused
        ])?;
    if marked == 1 { Ok(()) } else { Err(Error::Undone(of)) }
}
