//! Reading a whole list again. What no page named is gone, but only once the last page was read: a list that was read
//! half way must not look like deletions.

use rusqlite::{Connection, params};

use super::{Mirror, codec, names::Tx, put};
use crate::{
    domain::{ObjectType, RecordRef},
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

    /// The last page was read: removes, in one transaction, every live record that was not met, and says which.
    ///
    /// # Errors
    /// [`Error::NotRelisting`] without a beginning: nothing is removed then.
    pub fn relist_finish(&mut self, object: ObjectType) -> Result<Vec<String>> {
        self.write(|tx| {
            if !is_open(tx, object)? {
                return Err(Error::NotRelisting(object));
            }
            let number = codec::number(object);
            if !takes_note(tx, object)? {
                tx.execute("DELETE FROM relist WHERE object = ?1", [number])?;
                return Ok(Vec::new());
            }
            let gone: Vec<String> = tx
                .prepare(
                    "SELECT id FROM record AS r WHERE object = ?1 AND archived = 0 AND NOT EXISTS (\
                     SELECT 1 FROM relist_seen AS s WHERE s.object = ?1 AND s.id = r.id)",
                )?
                .query_map([number], |row| codec::id_text(row, 0))?
                .collect::<rusqlite::Result<_>>()?;
            for id in &gone {
                put::remove_one(tx, &RecordRef::new(object, id.as_str()))?;
            }
            tx.execute("DELETE FROM relist_seen WHERE object = ?1", [number])?;
            tx.execute("DELETE FROM relist WHERE object = ?1", [number])?;
            Ok(gone)
        })
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
