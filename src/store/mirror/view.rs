//! Records out of the mirror.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Mirror, MirrorView, codec, typed};
use crate::{
    domain::{Contact, Deal, ObjectType, Record, RecordRef},
    store::Result,
};

impl MirrorView {
    /// One record, archived ones included.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn record(&self, record: &RecordRef) -> Result<Option<Record>> {
        let sql = format!(
            "SELECT {} FROM record AS r WHERE object = ?1 AND id = ?2",
            codec::COLUMNS
        );
        let found = self
            .conn
            .prepare_cached(&sql)?
            .query_row(params![codec::number(record.object), codec::id(&record.id)], |row| {
                codec::Raw::of(row)
            })
            .optional()?;
        found.map(|raw| self.read(record.object, raw)).transpose()
    }

    /// Records in the order of their ids, archived ones included; unknown ids are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn records<S: AsRef<str>>(&self, object: ObjectType, ids: &[S]) -> Result<Vec<Record>> {
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.extend(self.record(&RecordRef::new(object, id.as_ref()))?);
        }
        Ok(records)
    }

    /// Every live record of a type, in the order in which the mirror met them. For deals, [`MirrorView::deals`] is many
    /// times faster.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn all(&self, object: ObjectType) -> Result<Vec<Record>> {
        let sql = format!(
            "SELECT {} FROM record AS r WHERE object = ?1 AND archived = 0 ORDER BY key",
            codec::COLUMNS
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([codec::number(object)], codec::Raw::of)?;
        rows.map(|raw| self.read(object, raw?)).collect()
    }

    /// Every live deal as [`Deal::from_record`] reads it, times in whole milliseconds, without pending operations.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn deals(&self) -> Result<Vec<Deal>> {
        typed::deals(&self.conn)
    }

    /// Contacts in the order of their ids; unknown and archived ones are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contacts<S: AsRef<str>>(&self, ids: &[S]) -> Result<Vec<Contact>> {
        let records = self.records(ObjectType::Contacts, ids)?;
        Ok(records
            .iter()
            .filter(|record| !record.archived)
            .map(Contact::from_record)
            .collect())
    }

    /// Live contacts with this e-mail address, however it is capitalised.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contacts_by_email(&self, email: &str) -> Result<Vec<Record>> {
        let sql = format!(
            "SELECT {} FROM contact AS c CROSS JOIN record AS r ON r.key = c.key WHERE c.email = ?1 COLLATE NOCASE \
             ORDER BY r.key",
            codec::COLUMNS
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([email], codec::Raw::of)?;
        rows.map(|raw| self.read(ObjectType::Contacts, raw?)).collect()
    }

    /// How many live records of a type there are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self, object: ObjectType) -> Result<u64> {
        let n: Option<i64> = self
            .conn
            .prepare_cached("SELECT n FROM tally WHERE object = ?1")?
            .query_row([codec::number(object)], |row| row.get(0))
            .optional()?;
        Ok(n.unwrap_or_default().cast_unsigned())
    }

    /// The newest version of a record that came from a direct read or from the answer to a write of ours: what an
    /// operation must reach before it is done. `None` = only lists and searches told of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn direct_version(&self, record: &RecordRef) -> Result<Option<Timestamp>> {
        let version = self
            .conn
            .prepare_cached("SELECT direct FROM record WHERE object = ?1 AND id = ?2")?
            .query_row(params![codec::number(record.object), codec::id(&record.id)], |row| {
                codec::time_or_none(row, 0)
            })
            .optional()?;
        Ok(version.flatten())
    }

    /// Ids of records of type `to` associated with a record, whichever side named the other: first those the record
    /// names, in HubSpot's order, then those that name it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn associated(&self, record: &RecordRef, to: ObjectType) -> Result<Vec<String>> {
        let mut ids = self
            .record(record)?
            .and_then(|mut stored| stored.associations.remove(&to))
            .unwrap_or_default();
        let mut seen: HashSet<String> = ids.iter().cloned().collect();
        let mut statement = self.conn.prepare_cached(
            "SELECT from_id FROM backlink WHERE to_object = ?1 AND to_id = ?2 AND from_object = ?3 ORDER BY from_id",
        )?;
        let others = statement.query_map(
            params![codec::number(record.object), codec::id(&record.id), codec::number(to)],
            |row| codec::id_text(row, 0),
        )?;
        for id in others {
            let id = id?;
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

impl MirrorView {
    fn read(&self, object: ObjectType, raw: codec::Raw) -> Result<Record> {
        Ok(raw.read(object, &self.conn, &self.names)?.record)
    }
}

impl Mirror {
    /// Forgets everything, and leaves no trace of it in the file.
    ///
    /// # Errors
    /// When the file cannot be written; [`super::super::Error::Locked`] while somebody reads.
    pub fn clear(&mut self) -> Result<()> {
        self.write(|tx| {
            for table in [
                "record",
                "contact",
                "deal",
                "backlink",
                "gone",
                "tally",
                "relist",
                "relist_seen",
                "document",
                "cursor",
                "notes_read",
                "feed",
                "segment_day",
                "segment_count",
                "list",
                "member",
                "member_change",
                "find",
                "history",
                "history_due",
            ] {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(())
        })?;
        self.leave_no_trace()
    }

    /// Forgets the contacts and lists, whatever was counted of them, and how far they were read; answers how many contacts
    /// there were. What others say of contacts (a deal's) stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn clear_contacts(&mut self) -> Result<u64> {
        let cleared = self.view.count(ObjectType::Contacts)?;
        self.write(|tx| {
            tx.execute_batch(
                "DELETE FROM find WHERE rowid IN (SELECT key FROM record WHERE object = 1);
                 DELETE FROM record WHERE object = 1;
                 DELETE FROM history WHERE object = 1;
                 DELETE FROM history_due WHERE object = 1;
                 DELETE FROM backlink WHERE from_object = 1;
                 DELETE FROM gone WHERE object = 1;
                 DELETE FROM relist WHERE object = 1 OR object < 0;
                 DELETE FROM relist_seen WHERE object = 1 OR object < 0;
                 DELETE FROM cursor WHERE name LIKE '%:contacts' OR name IN ('counted', 'pass');",
            )?;
            for table in ["contact", "list", "member", "member_change", "segment_count"] {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(())
        })?;
        // They are gone whether or not somebody reads just now; then their pages are only written over later.
        if let Err(error) = self.leave_no_trace() {
            tracing::info!(%error, "the mirror's file keeps its size");
        }
        Ok(cleared)
    }

    /// Gives back the room of what was removed.
    fn leave_no_trace(&self) -> Result<()> {
        self.view.conn.execute_batch("VACUUM")?;
        self.view
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
