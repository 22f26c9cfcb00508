//! Records into the mirror: forward only, one transaction a page, with the cursor that says how far the page reached.

use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::{
    Changed, Mirror, MirrorView, Put, Via,
    codec::{self, Stored},
    history, links, lists, load,
    names::Tx,
    typed,
};
use crate::{
    domain::{ObjectType, Record, RecordRef},
    store::{Moment, Result, reached},
};

impl Mirror {
    /// Puts records of one type into the mirror and moves the cursors, in one transaction; what looks different now.
    ///
    /// A record that is older than the mirror's row is dropped. Properties it does not name and associations of types it
    /// does not name stay as they are. History is not kept.
    ///
    /// # Errors
    /// When the file cannot be written; neither records nor cursors moved then.
    pub fn put(&mut self, object: ObjectType, records: &[Record], how: Put<'_>) -> Result<Vec<Changed>> {
        self.write(|tx| {
            let mut changed = Vec::new();
            let relisting = super::relist::takes_note(tx, object)?;
            for record in records {
                if relisting {
                    super::relist::saw(tx, object, &record.id)?;
                }
                changed.extend(put_one(tx, object, record, how.via)?);
            }
            for (name, value) in how.cursors {
                super::catalog::set_cursor(tx, name, value)?;
            }
            Ok(changed)
        })
    }

    /// Removes records (deleted, merged away); what was there, and which other records named them. A search that lags
    /// cannot bring them back.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove<S: AsRef<str>>(&mut self, object: ObjectType, ids: &[S]) -> Result<(Vec<Record>, Vec<Changed>)> {
        self.write(|tx| {
            let mut removed = Vec::new();
            for id in ids {
                removed.extend(remove_one(tx, &RecordRef::new(object, id.as_ref()))?);
            }
            let gone: Vec<_> = removed.iter().map(|record| (record.id.as_str(), None)).collect();
            let touched = links::rename(tx, object, &gone)?;
            Ok((removed, touched))
        })
    }

    /// Removes a record that was merged into another one: whoever named it names the survivor. What was there, and which
    /// records look different now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn merge(&mut self, object: ObjectType, old: &str, new: &str) -> Result<(Option<Record>, Vec<Changed>)> {
        self.write(|tx| {
            let reference = RecordRef::new(object, old);
            let touched = links::rename(tx, object, &[(old, Some(new))])?;
            Ok((remove_one(tx, &reference)?, touched))
        })
    }

    /// One transaction that takes the write lock at once.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let MirrorView { conn, names } = &mut self.view;
        let tx = Tx {
            tx: conn.transaction_with_behavior(TransactionBehavior::Immediate)?,
            names,
        };
        let outcome = work(&tx).and_then(|value| {
            reached(Moment::MirrorBegun);
            tx.tx.commit()?;
            reached(Moment::MirrorCommitted);
            Ok(value)
        });
        if outcome.is_err() {
            names.forget();
        }
        outcome
    }
}

/// Puts one record; `None` when the mirror looks the same as before.
pub(super) fn put_one(tx: &Tx<'_>, object: ObjectType, incoming: &Record, via: Via) -> Result<Option<Changed>> {
    let reference = RecordRef::new(object, incoming.id.as_str());
    let Some(old) = find(tx, &reference)? else {
        return put_new(tx, &reference, incoming, via);
    };
    if codec::whole_millis(incoming.updated_at) < old.record.updated_at {
        return Ok(None);
    }
    let after = merged(&old.record, incoming);
    if via == Via::Direct {
        tx.prepare_cached("UPDATE record SET direct = max(coalesce(direct, ?2), ?2) WHERE key = ?1")?
            .execute([old.key, after.updated_at.as_millisecond()])?;
    }
    if after == old.record {
        return Ok(None);
    }
    rewrite(tx, old.key, &old.record, &after)?;
    Ok(Some(Changed {
        id: reference.id,
        before: Some(old.record),
        after,
    }))
}

fn put_new(tx: &Tx<'_>, reference: &RecordRef, incoming: &Record, via: Via) -> Result<Option<Changed>> {
    let number = codec::number(reference.object);
    let id = codec::id(&reference.id);
    let version = incoming.updated_at.as_millisecond();
    let gone: Option<i64> = tx
        .prepare_cached("SELECT version FROM gone WHERE object = ?1 AND id = ?2")?
        .query_row(params![number, id], |row| row.get(0))
        .optional()?;
    if let Some(last) = gone {
        if via == Via::Search && version <= last {
            return Ok(None);
        }
        tx.prepare_cached("DELETE FROM gone WHERE object = ?1 AND id = ?2")?
            .execute(params![number, id])?;
    }
    let after = as_kept(reference, incoming);
    let direct = (via == Via::Direct).then_some(version);
    tx.prepare_cached(
        "INSERT INTO record (object, id, created, version, direct, archived, properties, links) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        number,
        id,
        after.created_at.as_millisecond(),
        version,
        direct,
        after.archived,
        tx.names.encode(tx, &after.properties)?,
        serde_json::to_string(&after.associations)?,
    ])?;
    let key = tx.last_insert_rowid();
    typed::write(tx, key, &after)?;
    load::keep_words(tx, key, None, Some(&after))?;
    history::note(tx, key, None, Some(&after))?;
    links::link(tx, &after)?;
    Ok(Some(Changed {
        id: reference.id.clone(),
        before: None,
        after,
    }))
}

/// The incoming record as the mirror keeps it when there was none.
fn as_kept(reference: &RecordRef, incoming: &Record) -> Record {
    Record {
        object: reference.object,
        id: reference.id.clone(),
        properties: incoming.properties.clone(),
        created_at: codec::whole_millis(incoming.created_at),
        updated_at: codec::whole_millis(incoming.updated_at),
        archived: incoming.archived,
        associations: incoming
            .associations
            .iter()
            .map(|(object, ids)| (*object, deduplicated(ids)))
            .collect(),
        history: std::collections::BTreeMap::new(),
    }
}

/// The incoming record over the old one; what it does not name stays.
fn merged(old: &Record, incoming: &Record) -> Record {
    let new = as_kept(&old.reference(), incoming);
    let mut properties = old.properties.clone();
    properties.extend(new.properties);
    let mut associations = old.associations.clone();
    associations.extend(new.associations);
    Record {
        properties,
        associations,
        ..new
    }
}

pub(super) fn deduplicated(ids: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.iter().filter(|id| seen.insert(id.as_str())).cloned().collect()
}

/// The row of a record.
pub(super) fn find(tx: &Tx<'_>, record: &RecordRef) -> Result<Option<Stored>> {
    let sql = format!(
        "SELECT {} FROM record AS r WHERE r.object = ?1 AND r.id = ?2",
        codec::COLUMNS
    );
    let found = tx
        .prepare_cached(&sql)?
        .query_row(params![codec::number(record.object), codec::id(&record.id)], |row| {
            codec::Raw::of(row)
        })
        .optional()?;
    found.map(|raw| raw.read(record.object, tx, tx.names)).transpose()
}

pub(super) fn rewrite(tx: &Tx<'_>, key: i64, before: &Record, after: &Record) -> Result<()> {
    tx.prepare_cached(
        "UPDATE record SET created = ?2, version = ?3, archived = ?4, properties = ?5, links = ?6 WHERE key = ?1",
    )?
    .execute(params![
        key,
        after.created_at.as_millisecond(),
        after.updated_at.as_millisecond(),
        after.archived,
        tx.names.encode(tx, &after.properties)?,
        serde_json::to_string(&after.associations)?,
    ])?;
    typed::write(tx, key, after)?;
    load::keep_words(tx, key, Some(before), Some(after))?;
    history::note(tx, key, Some(before), Some(after))?;
    if before.associations != after.associations {
        links::relink(tx, before, after)?;
    }
    Ok(())
}

/// Removes one record, and remembers which version is gone.
pub(super) fn remove_one(tx: &Tx<'_>, reference: &RecordRef) -> Result<Option<Record>> {
    let Some(Stored { key, record }) = find(tx, reference)? else {
        return Ok(None);
    };
    links::unlink(tx, &record)?;
    if record.object == ObjectType::Contacts {
        lists::leave_all(tx, &record.id)?;
    }
    load::keep_words(tx, key, Some(&record), None)?;
    history::note(tx, key, Some(&record), None)?;
    typed::erase(tx, key, record.object)?;
    tx.prepare_cached("DELETE FROM record WHERE key = ?1")?.execute([key])?;
    tx.prepare_cached("INSERT OR REPLACE INTO gone (object, id, version) VALUES (?1, ?2, ?3)")?
        .execute(params![
            codec::number(record.object),
            codec::id(&record.id),
            record.updated_at.as_millisecond()
        ])?;
    Ok(Some(record))
}
