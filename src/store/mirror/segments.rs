//! Segments of contacts: how many are in each now, and how many were at the end of the last days.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rusqlite::{params, params_from_iter};

use super::{Mirror, MirrorView, codec};
use crate::{
    domain::ObjectType,
    filter::Plan,
    store::{Result, sql},
};

/// How many days of counts are kept per segment.
const KEPT_DAYS: i64 = 31;

impl MirrorView {
    /// How many live contacts each plan matches, by the name it comes with.
    ///
    /// # Errors
    /// [`super::super::Error::Query`] for a field contacts have no column for.
    pub fn segment_counts<S: AsRef<str>>(&self, segments: &[(S, Plan)]) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for (name, plan) in segments {
            let condition = sql::compile(ObjectType::Contacts, plan)?;
            let from = if condition.reads_properties {
                "contact AS c CROSS JOIN record AS r ON r.key = c.key"
            } else {
                "contact AS c"
            };
            let count: i64 = self
                .conn
                .prepare_cached(&format!("SELECT count(*) FROM {from} WHERE {}", condition.sql))?
                .query_row(params_from_iter(&condition.params), |row| row.get(0))?;
            counts.insert(name.as_ref().to_owned(), count.cast_unsigned());
        }
        Ok(counts)
    }

    /// The last `days` counts of a segment, oldest first; days on which nobody counted are absent.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn segment_history(&self, name: &str, days: usize) -> Result<Vec<(Date, u64)>> {
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        let mut statement = self
            .conn
            .prepare_cached("SELECT day, count FROM segment_day WHERE name = ?1 ORDER BY day DESC LIMIT ?2")?;
        let rows = statement.query_map(params![name, days], |row| {
            let day: Date = row
                .get_ref(0)?
                .as_str()?
                .parse()
                .map_err(|error: jiff::Error| codec::broken(0, error))?;
            Ok((day, row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        let mut history: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
        history.reverse();
        Ok(history)
    }
}

impl Mirror {
    /// Notes the counts of a day (of the account's zone), replacing earlier ones of the same day.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn segment_snapshot<S: AsRef<str>>(&mut self, day: Date, counts: &[(S, u64)]) -> Result<()> {
        self.write(|tx| {
            for (name, count) in counts {
                tx.execute(
                    "INSERT OR REPLACE INTO segment_day (name, day, count) VALUES (?1, ?2, ?3)",
                    params![name.as_ref(), day.to_string(), count.cast_signed()],
                )?;
            }
            tx.execute(
                "DELETE FROM segment_day WHERE day < date(?1, ?2)",
                [day.to_string(), format!("-{KEPT_DAYS} days")],
            )?;
            Ok(())
        })
    }
}
