//! Ids as numbers: what is compared when records are counted instead of read. Live records only.

use rusqlite::{OptionalExtension, params, types::ValueRef};

use super::{MirrorView, codec};
use crate::{domain::ObjectType, store::Result};

impl MirrorView {
    /// How many digits every id of a type has; `None` when they differ, when one is no number, or when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn id_length(&self, object: ObjectType) -> Result<Option<u32>> {
        let length = |value: ValueRef<'_>| match value {
            ValueRef::Integer(id) => id.checked_ilog10().map(|digits| digits + 1),
            _ => None,
        };
        let (lowest, highest) = self
            .conn
            .prepare_cached(
                "SELECT (SELECT min(id) FROM record WHERE object = ?1), (SELECT max(id) FROM record WHERE object = ?1)",
            )?
            .query_row([codec::number(object)], |row| {
                Ok((length(row.get_ref(0)?), length(row.get_ref(1)?)))
            })?;
        Ok(lowest.filter(|_| lowest == highest))
    }

    /// How many live records have ids from `low` to `high`, both included.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_between(&self, object: ObjectType, low: u64, high: u64) -> Result<u64> {
        let count = |table: &str| -> Result<i64> {
            Ok(self
                .conn
                .prepare_cached(&format!(
                    "SELECT count(*) FROM {table} AND object = ?1 AND id BETWEEN ?2 AND ?3"
                ))?
                .query_row(params![codec::number(object), signed(low), signed(high)], |row| {
                    row.get(0)
                })?)
        };
        // Archived records are few and have an index of their own; both counts need no row of the table.
        let all = count("record WHERE 1")?;
        let archived = count("record INDEXED BY record_archived WHERE archived = 1")?;
        Ok((all - archived).max(0).cast_unsigned())
    }

    /// The ids of live records from `low` to `high`, both included.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ids_between(&self, object: ObjectType, low: u64, high: u64) -> Result<Vec<String>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM record WHERE object = ?1 AND id BETWEEN ?2 AND ?3 AND archived = 0 ORDER BY id",
        )?;
        let ids = statement.query_map(params![codec::number(object), signed(low), signed(high)], |row| {
            codec::id_text(row, 0)
        })?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// The id in the middle of those from `low` to `high`; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn middle_id(&self, object: ObjectType, low: u64, high: u64) -> Result<Option<u64>> {
        let half = self.count_between(object, low, high)? / 2;
        let id: Option<i64> = self
            .conn
            .prepare_cached(
                "SELECT id FROM record WHERE object = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id LIMIT 1 OFFSET ?4",
            )?
            .query_row(
                params![codec::number(object), signed(low), signed(high), signed(half)],
                |row| row.get(0),
            )
            .optional()?;
        Ok(id.map(i64::cast_unsigned))
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
