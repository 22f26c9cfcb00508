//! Reading a whole list again. What no page named may be gone, but only once the last page was read: a list that was read
//! half way must not look like deletions. It refuses to delete: a list may leave out what is there.

use rusqlite::{Connection, params, types::Value};

use super::{Mirror, MirrorView, codec, names::Tx};
use crate::{
    domain::ObjectType,
    store::{Error, Result},
};

impl Mirror {
    /// Begins (or begins again) to read the list of a type from its start. Every record that is put from now on counts
    /// as met, however it was read, also by the next process if this one ends in between. Where there is nothing yet,
    /// nothing can be found to be gone, and nobody takes note of what is met.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn relist_begin(&mut self, object: ObjectType) -> Result<()> {
        self.write(|tx| {
            let number = codec::number(object);
            tx.execute("DELETE FROM relist_seen WHERE object = ?1", [number])?;
            tx.execute(
                "INSERT OR REPLACE INTO relist (object, is_first) \
                 SELECT ?1, NOT EXISTS (SELECT 1 FROM record WHERE object = ?1)",
                [number],
            )?;
            Ok(())
        })
    }

    /// The last page was read, and whoever it left out was asked about: nobody takes note any more.
    ///
    /// # Errors
    /// [`Error::NotRelisting`] without a beginning.
    pub fn relist_end(&mut self, object: ObjectType) -> Result<()> {
        self.write(|tx| {
            if !is_open(tx, object)? {
                return Err(Error::NotRelisting(object));
            }
            let number = codec::number(object);
            tx.execute("DELETE FROM relist_seen WHERE object = ?1", [number])?;
            tx.execute("DELETE FROM relist WHERE object = ?1", [number])?;
            Ok(())
        })
    }
}

impl MirrorView {
    /// Live records that no page has named since the relist began, above this id: at most `limit`, in the order of their
    /// ids. They may be gone, or were left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unmet(&self, object: ObjectType, above: Option<&str>, limit: usize) -> Result<Vec<String>> {
        if !takes_note(&self.conn, object)? {
            return Ok(Vec::new());
        }
        let above = above.map_or(Value::Integer(i64::MIN), codec::id);
        self.conn
            .prepare_cached(
                "SELECT id FROM record AS r WHERE object = ?1 AND archived = 0 AND id > ?2 \
                 AND NOT EXISTS (SELECT 1 FROM relist_seen AS s WHERE s.object = ?1 AND s.id = r.id) \
                 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![codec::number(object), above, limit as i64], |row| {
                codec::id_text(row, 0)
            })?
            .map(|id| Ok(id?))
            .collect()
    }
}

fn is_open(conn: &Connection, object: ObjectType) -> Result<bool> {
    let open = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM relist WHERE object = ?1)")?
        .query_row([codec::number(object)], |row| row.get(0))?;
    Ok(open)
}

/// Whether what is met has to be noted.
pub(super) fn takes_note(conn: &Connection, object: ObjectType) -> Result<bool> {
    let takes = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM relist WHERE object = ?1 AND is_first = 0)")?
        .query_row([codec::number(object)], |row| row.get(0))?;
    Ok(takes)
}

pub(super) fn saw(tx: &Tx<'_>, object: ObjectType, id: &str) -> Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO relist_seen (object, id) VALUES (?1, ?2)")?
        .execute(params![codec::number(object), codec::id(id)])?;
    Ok(())
}
