//! Notes of a deal. A note is a record that links to the deal; a complete read of a deal's notes replaces what was there.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{Mirror, MirrorView, Via, codec, links, put};
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
    /// Puts all notes of a deal as they were at `as_of`. Notes the mirror had and HubSpot did not name are not the deal's
    /// any more, except those made in the last minute before, which the read may have missed; those that belong to nothing
    /// else are gone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_notes(&mut self, deal: &DealId, notes: &[Record], as_of: Timestamp) -> Result<()> {
        let (known, _) = self.notes_of(deal)?;
        let young = known
            .into_iter()
            .filter(|note| as_of.duration_since(note.created_at) < YOUNG);
        let ids: Vec<String> = notes.iter().cloned().chain(young).map(|note| note.id).collect();
        self.write(|tx| {
            for note in notes {
                put::put_one(tx, ObjectType::Notes, note, Via::Direct)?;
            }
            // A read by id names no deals, and a note may belong to several: only this one's part of it changes.
            let now = [(deal.to_string(), ids)];
            for changed in links::told(tx, ObjectType::Notes, ObjectType::Deals, &now)? {
                let note = changed.after;
                let is_anywhere = note.associations.values().any(|ids| !ids.is_empty());
                if !is_anywhere && !links::is_named(tx, &note.reference())? {
                    put::remove_one(tx, &note.reference())?;
                }
            }
            tx.execute(
                "INSERT OR REPLACE INTO notes_read (deal, as_of) VALUES (?1, ?2)",
                params![codec::id(deal.as_str()), as_of.as_millisecond()],
            )?;
            Ok(())
        })
    }
}
