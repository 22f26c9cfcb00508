//! What watched properties were before: stage, amount, close date, owner and category of deals, lifecycle stage of contacts.
//! A record is due to be read when it is new and whenever one of them changed; who reads it says so here.

use jiff::Timestamp;
use rusqlite::params;

use super::{Mirror, MirrorView, codec, names::Tx};
use crate::{
    domain::{ObjectType, PropertyVersion, Record, RecordRef},
    store::Result,
};

/// The properties whose past is kept.
#[must_use]
pub const fn watched(object: ObjectType) -> &'static [&'static str] {
    match object {
        ObjectType::Deals => &[
            "dealstage",
            "pipeline",
            "amount",
            "closedate",
            "hubspot_owner_id",
            "hs_manual_forecast_category",
        ],
        ObjectType::Contacts => &["lifecyclestage"],
        _ => &[],
    }
}

/// A record whose past is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: String,
    /// Its version when that was found out: what is read now tells of nothing that comes later.
    pub version: Timestamp,
}

/// One change of one watched property of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastChange {
    /// The record's id.
    pub id: String,
    /// The property.
    pub property: String,
    /// What it became, when and through whom.
    pub version: PropertyVersion,
}

impl MirrorView {
    /// Records whose past is not known, or not up to now: those the mirror met last first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history_due(&self, object: ObjectType, limit: usize) -> Result<Vec<Due>> {
        // Deals are few enough to be sorted by their age.
        let order = match object {
            ObjectType::Deals => "r.created DESC, r.key DESC",
            _ => "d.key DESC",
        };
        let sql = format!(
            "SELECT r.id, r.version FROM history_due AS d CROSS JOIN record AS r ON r.key = d.key \
             WHERE d.object = ?1 ORDER BY {order} LIMIT ?2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let due = statement.query_map([codec::number(object), limit], |row| {
            Ok(Due {
                id: codec::id_text(row, 0)?,
                version: codec::time(row, 1)?,
            })
        })?;
        Ok(due.collect::<rusqlite::Result<_>>()?)
    }

    /// How many records of a type have a past that is not known, or not up to now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history_left(&self, object: ObjectType) -> Result<u64> {
        let left: i64 = self
            .conn
            .prepare_cached("SELECT count(*) FROM history_due WHERE object = ?1")?
            .query_row([codec::number(object)], |row| row.get(0))?;
        Ok(left.unsigned_abs())
    }

    /// The past of a record's watched properties, newest first; empty until it was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history(&self, record: &RecordRef) -> Result<Vec<PastChange>> {
        self.past(
            "h.object = ?1 AND h.id = ?2 ORDER BY h.at DESC",
            params![codec::number(record.object), codec::id(&record.id)],
        )
    }

    /// What changed in the watched properties of a type from `since` on, before `until`, newest first, as far as it was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn changes(&self, object: ObjectType, since: Timestamp, until: Timestamp) -> Result<Vec<PastChange>> {
        self.past(
            "h.object = ?1 AND h.at >= ?2 AND h.at < ?3 ORDER BY h.at DESC",
            params![codec::number(object), since.as_millisecond(), until.as_millisecond()],
        )
    }

    fn past(&self, which: &str, params: impl rusqlite::Params) -> Result<Vec<PastChange>> {
        let sql = format!(
            "SELECT h.id, p.name, h.value, h.at, h.source, h.user FROM history AS h JOIN property AS p ON p.n = h.property \
             WHERE {which}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params, |row| {
            Ok(PastChange {
                id: codec::id_text(row, 0)?,
                property: row.get(1)?,
                version: PropertyVersion {
                    value: row.get(2)?,
                    at: codec::time(row, 3)?,
                    source: row.get(4)?,
                    user: row.get::<_, Option<String>>(5)?.map(Into::into),
                },
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Mirror {
    /// Keeps the past of records as it was just read; `asked` are all that were asked for, found or not: they are not due
    /// any more, but for those that changed while the answer was on its way. It may not tell of that.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_history(&mut self, object: ObjectType, asked: &[Due], records: &[Record]) -> Result<()> {
        self.write(|tx| {
            let number = codec::number(object);
            for record in records {
                tx.prepare_cached("DELETE FROM history WHERE object = ?1 AND id = ?2")?
                    .execute(params![number, codec::id(&record.id)])?;
                for (property, versions) in &record.history {
                    let property = tx.names.number(tx, property)?;
                    for version in versions {
                        tx.prepare_cached(
                            "INSERT OR REPLACE INTO history (object, id, property, at, value, source, user) \
                             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        )?
                        .execute(params![
                            number,
                            codec::id(&record.id),
                            property,
                            version.at.as_millisecond(),
                            version.value,
                            version.source,
                            version.user.as_ref().map(|user| user.as_str()),
                        ])?;
                    }
                }
            }
            for due in asked {
                tx.prepare_cached(
                    "DELETE FROM history_due WHERE object = ?1 AND key IN \
                     (SELECT key FROM record WHERE object = ?1 AND id = ?2 AND version = ?3)",
                )?
                .execute(params![number, codec::id(&due.id), due.version.as_millisecond()])?;
            }
            Ok(())
        })
    }
}

/// The record is due when it is new or a watched property changed, and not any more when it is gone.
pub(super) fn note(tx: &Tx<'_>, key: i64, before: Option<&Record>, after: Option<&Record>) -> Result<()> {
    let Some(object) = after.or(before).map(|record| record.object) else {
        return Ok(());
    };
    let names = watched(object);
    if names.is_empty() {
        return Ok(());
    }
    let number = codec::number(object);
    let Some(after) = after else {
        tx.prepare_cached("DELETE FROM history_due WHERE object = ?1 AND key = ?2")?
            .execute([number, key])?;
        return Ok(());
    };
    let is_changed = before.is_none_or(|before| names.iter().any(|name| before.get(name) != after.get(name)));
    if is_changed && !after.archived {
        tx.prepare_cached("INSERT OR IGNORE INTO history_due (object, key) VALUES (?1, ?2)")?
            .execute([number, key])?;
    }
    Ok(())
}
