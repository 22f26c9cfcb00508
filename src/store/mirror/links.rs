//! Which records name which. A pair of types is kept with one of the two; the other side is found through `backlink`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

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
        self.write(|tx| told(tx, keeper, of, links))
    }
}

/// What [`Mirror::told`] does, as a part of a transaction.
pub(super) fn told(
    tx: &Tx<'_>,
    keeper: ObjectType,
    of: ObjectType,
    links: &[(String, Vec<String>)],
) -> Result<Vec<Changed>> {
    let mut news = News::default();
    // A record that is named twice is as it was named last.
    let links: BTreeMap<&str, &[String]> = links.iter().map(|(id, ids)| (id.as_str(), ids.as_slice())).collect();
    for (id, keepers) in links {
        let known = naming(tx, &RecordRef::new(of, id), keeper)?;
        let keepers: BTreeSet<&str> = keepers.iter().map(String::as_str).collect();
        for lost in known.iter().filter(|known| !keepers.contains(known.as_str())) {
            news.of(lost).lost.insert(id.to_owned());
        }
        for won in keepers.iter().filter(|keeper| !known.contains(**keeper)) {
            news.of(won).won.push(id.to_owned());
        }
    }
    news.write(tx, keeper, of)
}

/// Whoever names a record of these names what it became from now on, or nothing.
pub(super) fn rename(tx: &Tx<'_>, of: ObjectType, renamed: &[(&str, Option<&str>)]) -> Result<Vec<Changed>> {
    let mut changed = Vec::new();
    for keeper in ObjectType::ALL {
        let mut news = News::default();
        for (id, to) in renamed {
            for naming in naming(tx, &RecordRef::new(of, *id), keeper)? {
                let news = news.of(&naming);
                news.lost.insert((*id).to_owned());
                news.won.extend(to.map(str::to_owned));
            }
        }
        changed.extend(news.write(tx, keeper, of)?);
    }
    Ok(changed)
}

/// Whether any record names this one.
pub(super) fn is_named(tx: &Tx<'_>, record: &RecordRef) -> Result<bool> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM backlink WHERE to_object = ?1 AND to_id = ?2)")?
        .query_row(params![codec::number(record.object), codec::id(&record.id)], |row| {
            row.get(0)
        })?)
}

/// The records of a type that name this one.
fn naming(tx: &Tx<'_>, record: &RecordRef, keeper: ObjectType) -> Result<BTreeSet<String>> {
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

/// What changes in whom keepers name, by keeper: one that names ten thousand records is written once, not once for each
/// that comes or goes.
#[derive(Default)]
struct News(BTreeMap<String, Delta>);

/// The ids a keeper does not name any more, and those it names now.
#[derive(Default)]
struct Delta {
    lost: HashSet<String>,
    won: Vec<String>,
}

impl News {
    fn of(&mut self, keeper: &str) -> &mut Delta {
        self.0.entry(keeper.to_owned()).or_default()
    }

    /// Those that look different now.
    fn write(self, tx: &Tx<'_>, keeper: ObjectType, of: ObjectType) -> Result<Vec<Changed>> {
        let mut changed = Vec::new();
        for (id, delta) in self.0 {
            let Some(old) = put::find(tx, &RecordRef::new(keeper, id.as_str()))? else {
                continue;
            };
            let mut after = old.record.clone();
            let ids = after.associations.entry(of).or_default();
            ids.retain(|id| !delta.lost.contains(id));
            ids.extend(delta.won);
            *ids = put::deduplicated(ids);
            if after == old.record {
                continue;
            }
            put::rewrite(tx, old.key, &old.record, &after)?;
            changed.push(Changed {
                id,
                before: Some(old.record),
                after,
            });
        }
        Ok(changed)
    }
}

/// Who is named, by type.
type Links = BTreeMap<ObjectType, Vec<String>>;

pub(super) fn link(tx: &Tx<'_>, record: &Record) -> Result<()> {
    add(tx, record, &record.associations)
}

pub(super) fn unlink(tx: &Tx<'_>, record: &Record) -> Result<()> {
    take_away(tx, record, &record.associations)
}

/// A record names others than before: only what differs is written.
pub(super) fn relink(tx: &Tx<'_>, before: &Record, after: &Record) -> Result<()> {
    take_away(tx, before, &without(&before.associations, &after.associations))?;
    add(tx, after, &without(&after.associations, &before.associations))
}

/// Those of the links that are not among the others.
fn without(links: &Links, others: &Links) -> Links {
    let mut left = Links::new();
    for (object, ids) in links {
        let others: HashSet<&str> = others.get(object).into_iter().flatten().map(String::as_str).collect();
        let ids = ids.iter().filter(|id| !others.contains(id.as_str())).cloned();
        left.insert(*object, ids.collect());
    }
    left
}

fn add(tx: &Tx<'_>, record: &Record, links: &Links) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO backlink (to_object, to_id, from_object, from_id) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let (from, from_id) = (codec::number(record.object), codec::id(&record.id));
    for (to, ids) in links {
        for id in ids {
            insert.execute(params![codec::number(*to), codec::id(id), from, from_id])?;
        }
    }
    Ok(())
}

fn take_away(tx: &Tx<'_>, record: &Record, links: &Links) -> Result<()> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM backlink WHERE to_object = ?1 AND to_id = ?2 AND from_object = ?3 AND from_id = ?4",
    )?;
    let (from, from_id) = (codec::number(record.object), codec::id(&record.id));
    for (to, ids) in links {
        for id in ids {
            delete.execute(params![codec::number(*to), codec::id(id), from, from_id])?;
        }
    }
    Ok(())
}
