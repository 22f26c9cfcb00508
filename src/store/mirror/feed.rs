//! The live feed: what happened to deals, the newest entries only.

use rusqlite::params;

use super::{Mirror, MirrorView};
use crate::{domain::ActivityItem, store::Result};

/// How many entries are kept.
const KEPT: u32 = 500;

impl MirrorView {
    /// The newest entries, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn feed(&self, limit: usize) -> Result<Vec<ActivityItem>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self
            .conn
            .prepare_cached("SELECT json FROM feed ORDER BY at DESC, n DESC LIMIT ?1")?;
        let jsons = statement.query_map([limit], |row| row.get::<_, String>(0))?;
        jsons.map(|json| Ok(serde_json::from_str(&json?)?)).collect()
    }
}

impl Mirror {
    /// Adds entries; those that were new. The same thing told twice is one entry, and only the newest are kept.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn feed_add(&mut self, items: &[ActivityItem]) -> Result<Vec<ActivityItem>> {
        self.write(|tx| {
            let mut new = Vec::new();
            for item in items {
                let added = tx
                    .prepare_cached("INSERT OR IGNORE INTO feed (at, json) VALUES (?1, ?2)")?
                    .execute(params![item.at.as_millisecond(), serde_json::to_string(item)?])?;
                if added == 1 {
                    new.push(item.clone());
                }
            }
            tx.prepare_cached(
                "DELETE FROM feed WHERE n NOT IN (SELECT n FROM feed ORDER BY at DESC, n DESC LIMIT ?1)",
            )?
            .execute([KEPT])?;
            Ok(new)
        })
    }
}
