//! Notes of a deal. A note is a record that links to the deal; a complete read of a deal's notes replaces what was there.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{Mirror, MirrorView, Via, codec, put};
use crate::{
    domain::{DealId, Note, ObjectType, Record, RecordRef},
    store::Result,
};

/// A note this young may be missing in a read that began before it was written.
const YOUNG: SignedDuration = SignedDuration::from_secs(60);

impl MirrorView {
    /// A deal's notes, newest first, and when they were last read whole (`None` = never).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn notes_of(&self, deal: &DealId) -> Result<(Vec<Record>, Option<Timestamp>)> {
        let deal_ref = RecordRef::new(ObjectType::Deals, deal.as_str());
        let ids = self.associated(&deal_ref, ObjectType::Notes)?;
        let mut notes = self.records(ObjectType::Notes, &ids)?;
        notes.retain(|note| !note.archived);
        notes.sort_by_cached_key(|note| std::cmp::Reverse(Note::from_record(note).at));
        let as_of = self
            .conn
            .prepare_cached("SELECT as_of FROM notes_read WHERE deal = ?1")?
            .query_row([codec::id(deal.as_str())], |row| codec::time(row, 0))
            .optional()?;
        Ok((notes, as_of))
    }
}

impl Mirror {
    /// Puts all notes of a deal as they were at `as_of`; notes the mirror had and HubSpot did not name are gone, except
    /// those made in the last minute before, which the read may have missed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_notes(&mut self, deal: &DealId, notes: &[Record], as_of: Timestamp) -> Result<()> {
        let (known, _) = self.notes_of(deal)?;
        self.write(|tx| {
            for old in known {
                let named = notes.iter().any(|note| note.id == old.id);
                let old_enough = as_of.duration_since(old.created_at) >= YOUNG;
                if !named && old_enough {
                    put::remove_one(tx, &old.reference())?;
                }
            }
            for note in notes {
                let mut note = note.clone();
                let links = note.associations.entry(ObjectType::Deals).or_default();
                if !links.iter().any(|id| id == deal.as_str()) {
                    links.push(deal.as_str().to_owned());
                }
                put::put_one(tx, ObjectType::Notes, &note, Via::Direct)?;
            }
            tx.execute(
                "INSERT OR REPLACE INTO notes_read (deal, as_of) VALUES (?1, ?2)",
                params![codec::id(deal.as_str()), as_of.as_millisecond()],
            )?;
            Ok(())
        })
    }
}
