//! Which records name which. A pair of types is kept with one of the two; the other side is found through `backlink`.

use rusqlite::params;

use super::{Changed, Mirror, codec, names::Tx, put};
use crate::{
    domain::{ObjectType, Record, RecordRef},
    store::Result,
};

impl Mirror {
    /// Takes over what the other side says: each of these records of type `of` is named by exactly these records of the
    /// keeping type. Those that look different now; records the mirror does not have are passed over.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn told(
        &mut self,
        keeper: ObjectType,
        of: ObjectType,
        links: &[(String, Vec<String>)],
    ) -> Result<Vec<Changed>> {
        self.write(|tx| {
            let mut changed = Vec::new();
            for (id, keepers) in links {
                let known = naming(tx, &RecordRef::new(of, id.as_str()), keeper)?;
                for lost in known.iter().filter(|known| !keepers.contains(known)) {
                    changed.extend(change(tx, keeper, lost, of, |ids| ids.retain(|other| other != id))?);
                }
                for won in keepers.iter().filter(|keeper| !known.contains(keeper)) {
                    changed.extend(change(tx, keeper, won, of, |ids| ids.push(id.clone()))?);
                }
            }
            Ok(changed)
        })
    }
}

/// Whoever names a record names another one from now on, or none.
pub(super) fn rename(tx: &Tx<'_>, record: &RecordRef, to: Option<&str>) -> Result<Vec<Changed>> {
    let mut changed = Vec::new();
    for keeper in ObjectType::ALL {
        for id in naming(tx, record, keeper)? {
            changed.extend(change(tx, keeper, &id, record.object, |ids| {
                ids.retain(|other| *other != record.id);
                ids.extend(to.map(str::to_owned));
            })?);
        }
    }
    Ok(changed)
}

/// The records of a type that name this one.
fn naming(tx: &Tx<'_>, record: &RecordRef, keeper: ObjectType) -> Result<Vec<String>> {
    let mut statement =
        tx.prepare_cached("SELECT from_id FROM backlink WHERE to_object = ?1 AND to_id = ?2 AND from_object = ?3")?;
    let ids = statement.query_map(
        params![
            codec::number(record.object),
            codec::id(&record.id),
            codec::number(keeper)
        ],
        |row| codec::id_text(row, 0),
    )?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

fn change(
    tx: &Tx<'_>,
    keeper: ObjectType,
    id: &str,
    of: ObjectType,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<Option<Changed>> {
    let Some(old) = put::find(tx, &RecordRef::new(keeper, id))? else {
        return Ok(None);
    };
    let mut after = old.record.clone();
    let ids = after.associations.entry(of).or_default();
    change(ids);
    *ids = put::deduplicated(ids);
    if after == old.record {
        return Ok(None);
    }
    put::rewrite(tx, old.key, &old.record, &after)?;
    Ok(Some(Changed {
        id: id.to_owned(),
        before: Some(old.record),
        after,
    }))
}

pub(super) fn link(tx: &Tx<'_>, record: &Record) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO backlink (to_object, to_id, from_object, from_id) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let (from, from_id) = (codec::number(record.object), codec::id(&record.id));
    for (to, ids) in &record.associations {
        for id in ids {
            insert.execute(params![codec::number(*to), codec::id(id), from, from_id])?;
        }
    }
    Ok(())
}

pub(super) fn unlink(tx: &Tx<'_>, record: &Record) -> Result<()> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM backlink WHERE to_object = ?1 AND to_id = ?2 AND from_object = ?3 AND from_id = ?4",
    )?;
    let (from, from_id) = (codec::number(record.object), codec::id(&record.id));
    for (to, ids) in &record.associations {
        for id in ids {
            delete.execute(params![codec::number(*to), codec::id(id), from, from_id])?;
        }
    }
    Ok(())
}
