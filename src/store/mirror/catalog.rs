//! What records are read against: account, pipelines, owners, property definitions; and how far reading has come.

use rusqlite::{Connection, OptionalExtension};
use serde::{Serialize, de::DeserializeOwned};

use super::{Mirror, MirrorView};
use crate::{
    domain::{Account, ObjectType, Owner, Pipeline, PropertyDefinition},
    store::{Moment, Result, reached},
};

impl MirrorView {
    /// The account; `None` before it was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn account(&self) -> Result<Option<Account>> {
        self.document("account")
    }

    /// Deal pipelines, as they were put.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pipelines(&self) -> Result<Vec<Pipeline>> {
        Ok(self.document("pipelines")?.unwrap_or_default())
    }

    /// Owners, live and archived, as they were put.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn owners(&self) -> Result<Vec<Owner>> {
        Ok(self.document("owners")?.unwrap_or_default())
    }

    /// Property definitions of a type; empty before they were read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn definitions(&self, object: ObjectType) -> Result<Vec<PropertyDefinition>> {
        Ok(self.document(&definitions_of(object))?.unwrap_or_default())
    }

    /// How far something has come; `None` before its first step.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cursor(&self, name: &str) -> Result<Option<String>> {
        let found = self
            .conn
            .prepare_cached("SELECT value FROM cursor WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let json: Option<String> = self
            .conn
            .prepare_cached("SELECT json FROM document WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
    }
}

impl Mirror {
    /// Replaces the account.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_account(&mut self, account: &Account) -> Result<()> {
        self.put_document("account", account)
    }

    /// Replaces the deal pipelines.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_pipelines(&mut self, pipelines: &[Pipeline]) -> Result<()> {
        self.put_document("pipelines", pipelines)
    }

    /// Replaces the owners.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_owners(&mut self, owners: &[Owner]) -> Result<()> {
        self.put_document("owners", owners)
    }

    /// Replaces the property definitions of a type.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_definitions(&mut self, object: ObjectType, definitions: &[PropertyDefinition]) -> Result<()> {
        self.put_document(&definitions_of(object), definitions)
    }

    /// Moves a cursor by itself; with records, [`Mirror::put`] moves it in their transaction.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_cursor(&mut self, name: &str, value: &str) -> Result<()> {
        self.write(|tx| {
            set_cursor(tx, name, value)?;
            reached(Moment::CursorBegun);
            Ok(())
        })
    }

    /// Forgets a cursor: what it counted starts from the beginning.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn drop_cursor(&mut self, name: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM cursor WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    fn put_document<T: Serialize + ?Sized>(&mut self, name: &str, document: &T) -> Result<()> {
        let json = serde_json::to_string(document)?;
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO document (name, json) VALUES (?1, ?2)",
                [name, &json],
            )?;
            Ok(())
        })
    }
}

pub(super) fn set_cursor(conn: &Connection, name: &str, value: &str) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO cursor (name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

fn definitions_of(object: ObjectType) -> String {
    format!("definitions of {object}")
}
