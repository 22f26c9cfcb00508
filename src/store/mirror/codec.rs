//! Records as rows of `mirror.db`, and back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{
    Connection, Row,
    types::{Type, Value, ValueRef},
};

use super::names::Names;
use crate::{
    domain::{ObjectType, Record},
    store::Result,
};

/// The columns a [`Raw`] reads, in its order.
pub(super) const COLUMNS: &str = "r.key, r.id, r.created, r.version, r.archived, r.properties, r.links";

/// A record with the key of its row.
pub(super) struct Stored {
    pub key: i64,
    pub record: Record,
}

/// HubSpot's number of a type: `0-3` → 3.
pub(super) fn number(object: ObjectType) -> i64 {
    match object {
        ObjectType::Contacts => 1,
        ObjectType::Companies => 2,
        ObjectType::Deals => 3,
        ObjectType::Tickets => 5,
        ObjectType::Tasks => 27,
        ObjectType::Notes => 46,
        ObjectType::Meetings => 47,
        ObjectType::Calls => 48,
        ObjectType::Emails => 49,
    }
}

/// An id as the file keeps it: a number where that is the same text.
pub(in crate::store) fn id(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Integer(number),
        _ => Value::Text(text.to_owned()),
    }
}

/// An id as HubSpot spells it.
pub(super) fn id_text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    match row.get_ref(column)? {
        ValueRef::Integer(number) => Ok(number.to_string()),
        value => Ok(value.as_str()?.to_owned()),
    }
}

/// A row of [`COLUMNS`], its maps still as text.
pub(super) struct Raw {
    key: i64,
    id: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    archived: bool,
    properties: String,
    links: String,
}

impl Raw {
    /// Out of a row of [`COLUMNS`].
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            id: id_text(row, 1)?,
            created_at: time(row, 2)?,
            updated_at: time(row, 3)?,
            archived: row.get(4)?,
            properties: row.get(5)?,
            links: row.get(6)?,
        })
    }

    /// The record, with its properties under their names.
    pub(super) fn read(self, object: ObjectType, conn: &Connection, names: &Names) -> Result<Stored> {
        Ok(Stored {
            key: self.key,
            record: Record {
                object,
                id: self.id,
                created_at: self.created_at,
                updated_at: self.updated_at,
                archived: self.archived,
                properties: names.decode(conn, &self.properties)?,
                associations: serde_json::from_str(&self.links)?,
                history: BTreeMap::new(),
            },
        })
    }
}

/// A time of the file.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|error| broken(column, error))
}

/// A time of the file that may be unset.
pub(super) fn time_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?
        .map(|_| time(row, column))
        .transpose()
}

/// A time without what the file does not keep: less than a millisecond.
pub(super) fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

pub(super) fn broken(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_spelling() {
        for text in [
            "1",
            "9007199254740993",
            "0",
            "007",
            "+7",
            "",
            "abc",
            "92233720368547758070",
            "-0",
        ] {
            let kept = match id(text) {
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text,
                other => panic!("{other:?}"),
            };
            assert_eq!(kept, text);
        }
    }

    #[test]
    fn numbers_are_the_ones_hubspot_uses() {
        for object in ObjectType::ALL {
            assert_eq!(format!("0-{}", number(object)), object.type_id());
        }
    }
}
