//! Property names as numbers: a million records repeat the same few dozen names, and the file would be a third larger with
//! them. The numbers are the file's own; what they stand for is kept beside the records.

use std::{cell::RefCell, collections::HashMap, ops::Deref, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::de::{Deserializer as _, MapAccess, Visitor};

use crate::{
    domain::Properties,
    store::{Error, Result},
};

/// The names as far as this connection has met them.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<Arc<str>, i64>,
    names: HashMap<i64, Arc<str>>,
}

/// A transaction that can read and write property maps.
pub(super) struct Tx<'a> {
    /// The transaction.
    pub tx: Transaction<'a>,
    /// The names.
    pub names: &'a Names,
}

impl<'a> Deref for Tx<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Transaction<'a> {
        &self.tx
    }
}

impl Names {
    /// Forgets them: a transaction that was rolled back may have made some up.
    pub(super) fn forget(&self) {
        *self.known.borrow_mut() = Known::default();
    }

    /// Properties as the file keeps them; new names get numbers.
    pub(super) fn encode(&self, conn: &Connection, properties: &Properties) -> Result<String> {
        let mut map = serde_json::Map::with_capacity(properties.len());
        for (name, value) in properties {
            let number = self.number(conn, name)?;
            let value = value.clone().map_or(serde_json::Value::Null, serde_json::Value::String);
            map.insert(number.to_string(), value);
        }
        Ok(serde_json::to_string(&map)?)
    }

    /// Properties out of what the file keeps.
    pub(super) fn decode(&self, conn: &Connection, text: &str) -> Result<Properties> {
        let pairs = serde_json::Deserializer::from_str(text).deserialize_map(Pairs)?;
        let mut properties = Properties::new();
        for (number, value) in pairs {
            properties.insert(self.name(conn, number)?.to_string(), value);
        }
        Ok(properties)
    }

    /// The number of a name; a new one gets one.
    pub(super) fn number(&self, conn: &Connection, name: &str) -> Result<i64> {
        if let Some(number) = self.known.borrow().numbers.get(name) {
            return Ok(*number);
        }
        let kept: Option<i64> = conn
            .prepare_cached("SELECT n FROM property WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let number = match kept {
            Some(number) => number,
            None => conn
                .prepare_cached("INSERT INTO property (name) VALUES (?1) RETURNING n")?
                .query_row([name], |row| row.get(0))?,
        };
        self.met(number, name);
        Ok(number)
    }

    fn name(&self, conn: &Connection, number: i64) -> Result<Arc<str>> {
        if let Some(name) = self.known.borrow().names.get(&number) {
            return Ok(Arc::clone(name));
        }
        let name: Option<String> = conn
            .prepare_cached("SELECT name FROM property WHERE n = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        let name = name.ok_or_else(|| Error::Row(format!("property '{number}' has no name")))?;
        Ok(self.met(number, &name))
    }

    fn met(&self, number: i64, name: &str) -> Arc<str> {
        let name: Arc<str> = name.into();
        let mut known = self.known.borrow_mut();
        known.numbers.insert(Arc::clone(&name), number);
        known.names.insert(number, Arc::clone(&name));
        name
    }
}

/// `{"3": "value", "4": null}` as pairs.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(i64, Option<String>)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("properties by their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
