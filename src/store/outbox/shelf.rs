//! Small things that must survive as well: unsent drafts, remembered values (the last look, what the portal can do), and
//! which records were merged into which.

use rusqlite::{OptionalExtension, params};

use super::{Outbox, OutboxView};
use crate::{
    domain::{ObjectType, RecordRef},
    store::Result,
};

impl OutboxView {
    /// The draft under this key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn draft(&self, key: &str) -> Result<Option<String>> {
        self.text("SELECT text FROM draft WHERE key = ?1", key)
    }

    /// The value noted under this key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn value(&self, key: &str) -> Result<Option<String>> {
        self.text("SELECT value FROM value WHERE key = ?1", key)
    }

    /// The record that stands for this one since they were merged; `None` when nothing is known of a merge.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn alias(&self, record: &RecordRef) -> Result<Option<RecordRef>> {
        let new = self
            .conn
            .prepare_cached("SELECT new_id FROM alias WHERE object = ?1 AND old_id = ?2")?
            .query_row([record.object.name(), &record.id], |row| row.get::<_, String>(0))
            .optional()?;
        Ok(new.map(|id| RecordRef::new(record.object, id)))
    }

    fn text(&self, sql: &str, key: &str) -> Result<Option<String>> {
        let found = self
            .conn
            .prepare_cached(sql)?
            .query_row([key], |row| row.get(0))
            .optional()?;
        Ok(found)
    }
}

impl Outbox {
    /// Keeps a draft, replacing an earlier one under the same key.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_draft(&mut self, key: &str, text: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("INSERT OR REPLACE INTO draft (key, text) VALUES (?1, ?2)", [key, text])?;
            Ok(())
        })
    }

    /// Forgets a draft.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn drop_draft(&mut self, key: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM draft WHERE key = ?1", [key])?;
            Ok(())
        })
    }

    /// Notes a value, replacing an earlier one under the same key.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_value(&mut self, key: &str, value: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO value (key, value) VALUES (?1, ?2)",
                [key, value],
            )?;
            Ok(())
        })
    }

    /// Learns that `old` was merged into `new`. What pointed at `old` points at `new` from now on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_alias(&mut self, object: ObjectType, old: &str, new: &str) -> Result<()> {
        self.write(|tx| {
            let kind = object.name();
            tx.execute(
                "UPDATE alias SET new_id = ?3 WHERE object = ?1 AND new_id = ?2",
                [kind, old, new],
            )?;
            tx.execute(
                "INSERT OR REPLACE INTO alias (object, old_id, new_id) VALUES (?1, ?2, ?3)",
                params![kind, old, new],
            )?;
            tx.execute("DELETE FROM alias WHERE object = ?1 AND old_id = new_id", [kind])?;
            Ok(())
        })
    }
}
