//! The first load of a type: rows first, then what makes them quick to find. A million rows are written several times faster
//! without the indexes, and no screen sorts them before they are there. Everything here is done in small steps, so that
//! nobody else waits long for the file, and can be gone on with by the next process.

use rusqlite::OptionalExtension;

use super::{Mirror, MirrorView, codec, names::Tx};
use crate::{
    domain::{ObjectType, Record},
    store::{Result, files},
};

/// What contacts are sorted and counted by.
const INDEXES: [(&str, &str); 8] = [
    ("contact_name", "contact (name COLLATE NOCASE)"),
    ("contact_email", "contact (email COLLATE NOCASE)"),
    ("contact_company", "contact (company COLLATE NOCASE)"),
    ("contact_lifecycle", "contact (lifecycle)"),
    ("contact_owner", "contact (owner)"),
    ("contact_created", "contact (created)"),
    ("contact_updated", "contact (updated)"),
    ("contact_activity", "contact (activity) WHERE activity IS NOT NULL"),
];
/// What sorting the keys of an index may take, in KiB.
const SORTER_KIB: i64 = 1_024;
/// Up to so many records, keeping the indexes while they are loaded costs less time than the pages take to come.
const FEW: u64 = 100_000;
/// Rows that are made findable in one step: a few hundredths of a second.
const STEP: i64 = 2_000;
/// The types whose words can be looked for.
pub(super) const FOUND: [ObjectType; 3] = [ObjectType::Deals, ObjectType::Contacts, ObjectType::Companies];

impl Mirror {
    /// One step towards finding the records of a type quickly; `false` = there is nothing left to do. Called when a type
    /// was read whole, and again later: what a newer version adds here, older mirrors get then.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn settle_load(&mut self, object: ObjectType) -> Result<bool> {
        if self.make_an_index(object)? {
            return Ok(true);
        }
        if !FOUND.contains(&object) {
            return Ok(false);
        }
        let Some(upto) = self.found_upto(object)? else {
            return Ok(false);
        };
        self.write(|tx| make_findable(tx, object, upto, true))?;
        Ok(true)
    }

    /// Makes the next index of a type; `false` = it has them all.
    fn make_an_index(&mut self, object: ObjectType) -> Result<bool> {
        if object != ObjectType::Contacts {
            return Ok(false);
        }
        for (name, on) in INDEXES {
            let is_there: bool = self
                .conn
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1)")?
                .query_row([name], |row| row.get(0))?;
            if !is_there {
                // The sorter would keep a million keys in memory otherwise: it takes as much as the page cache may.
                self.sort_with("FILE", SORTER_KIB)?;
                let made = self.write(|tx| Ok(tx.execute(&format!("CREATE INDEX {name} ON {on}"), [])?));
                self.sort_with("MEMORY", files::MIRROR.cache_kib)?;
                made?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sort_with(&self, temp_store: &str, cache_kib: i64) -> Result<()> {
        self.conn.pragma_update(None, "temp_store", temp_store)?;
        self.conn.pragma_update(None, "cache_size", -cache_kib)?;
        Ok(())
    }

    /// One step of the same for what was loaded so far, while the next pages are still on their way. `about`: how many
    /// records there will be, where that is known; few are quick to write with their indexes, too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn settle_some(&mut self, object: ObjectType, about: Option<u64>) -> Result<()> {
        if about.is_some_and(|count| count <= FEW) {
            self.make_an_index(object)?;
        }
        match self.found_upto(object)? {
            Some(upto) if FOUND.contains(&object) => self.write(|tx| make_findable(tx, object, upto, false)),
            _ => Ok(()),
        }
    }
}

impl MirrorView {
    /// Up to which row the words of a type can be found; `None` = all of them.
    fn found_upto(&self, object: ObjectType) -> Result<Option<i64>> {
        match self.cursor(&found(object))?.as_deref() {
            Some(ALL) => Ok(None),
            upto => Ok(Some(upto.and_then(|upto| upto.parse().ok()).unwrap_or(0))),
        }
    }

    /// Records with all these words in name, e-mail, company or domain, each at least as a beginning: at most so many, in
    /// no particular order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, object: ObjectType, words: &str, limit: usize) -> Result<Vec<Record>> {
        // Quoted, so that nothing in them is an operator.
        let terms: Vec<String> = words
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| format!("\"{word}\"*"))
            .collect();
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let terms = format!("kind : {} AND text : ({})", kind(object), terms.join(" AND "));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ids: Vec<String> = self
            .conn
            .prepare_cached(
                "SELECT r.id FROM find AS f CROSS JOIN record AS r ON r.key = f.rowid WHERE find MATCH ?1 LIMIT ?2",
            )?
            .query_map((terms, limit), |row| codec::id_text(row, 0))?
            .collect::<rusqlite::Result<_>>()?;
        self.records(object, &ids)
    }
}

const ALL: &str = "all";

/// The name of the cursor that says up to which row words can be found.
fn found(object: ObjectType) -> String {
    format!("found:{object}")
}

fn kind(object: ObjectType) -> String {
    format!("kind{}", codec::number(object))
}

/// The words a record is found by.
fn text(record: &Record) -> String {
    let names: &[&str] = match record.object {
        ObjectType::Contacts => &["firstname", "lastname", "email", "company"],
        ObjectType::Companies => &["name", "domain"],
        ObjectType::Deals => &["dealname"],
        _ => &[],
    };
    let words: Vec<&str> = names.iter().filter_map(|name| record.get(name)).collect();
    words.join(" ")
}

/// Keeps the words of one record as they are now; before its type was loaded there is nothing to keep.
pub(super) fn keep_words(tx: &Tx<'_>, key: i64, before: Option<&Record>, after: Option<&Record>) -> Result<()> {
    let Some(record) = after.or(before).filter(|record| FOUND.contains(&record.object)) else {
        return Ok(());
    };
    let live = |record: Option<&Record>| record.filter(|record| !record.archived).map(text);
    let (old, new) = (live(before), live(after));
    if old == new || !is_found(tx, record.object, key)? {
        return Ok(());
    }
    if old.is_some() {
        tx.prepare_cached("DELETE FROM find WHERE rowid = ?1")?.execute([key])?;
    }
    if let Some(new) = new {
        insert(tx, key, record.object, &new)?;
    }
    Ok(())
}

/// Whether the row is among those whose words are kept already.
fn is_found(tx: &Tx<'_>, object: ObjectType, key: i64) -> Result<bool> {
    let upto: Option<String> = tx
        .prepare_cached("SELECT value FROM cursor WHERE name = ?1")?
        .query_row([found(object)], |row| row.get(0))
        .optional()?;
    Ok(match upto.as_deref() {
        Some(ALL) => true,
        upto => upto
            .and_then(|upto| upto.parse().ok())
            .is_some_and(|upto: i64| key <= upto),
    })
}

/// The next rows of a type by their key. The plus keeps SQLite from the index of types: along it, every step would visit
/// and sort all rows of the type.
fn next_rows() -> String {
    format!(
        "SELECT {} FROM record AS r WHERE r.key > ?1 AND +r.object = ?2 ORDER BY r.key LIMIT ?3",
        codec::COLUMNS
    )
}

/// One step further. `is_whole`: everything is there, and the last step is the last one.
fn make_findable(tx: &Tx<'_>, object: ObjectType, upto: i64, is_whole: bool) -> Result<()> {
    let rows: Vec<codec::Raw> = tx
        .prepare_cached(&next_rows())?
        .query_map((upto, codec::number(object), STEP), codec::Raw::of)?
        .collect::<rusqlite::Result<_>>()?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < STEP);
    let mut upto = upto;
    for raw in rows {
        let stored = raw.read(object, tx, tx.names)?;
        upto = stored.key;
        if !stored.record.archived {
            insert(tx, stored.key, object, &text(&stored.record))?;
        }
    }
    let upto = if is_last && is_whole {
        ALL.to_owned()
    } else {
        upto.to_string()
    };
    super::catalog::set_cursor(tx, &found(object), &upto)
}

fn insert(tx: &Tx<'_>, key: i64, object: ObjectType, text: &str) -> Result<()> {
    tx.prepare_cached("INSERT INTO find (rowid, kind, text) VALUES (?1, ?2, ?3)")?
        .execute((key, kind(object), text))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{Home, plan_of};

    #[test]
    fn a_step_walks_from_where_the_last_one_ended() {
        let store = Home::new().open();
        let plan = plan_of(store.mirror.connection(), &next_rows());
        assert_eq!(plan, ["SEARCH r USING INTEGER PRIMARY KEY (rowid>?)"]);
    }
}
