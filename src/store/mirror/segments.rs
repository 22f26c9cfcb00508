//! Segments of contacts: how many are in each now, and how many were at the end of the last days.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rusqlite::{params, params_from_iter};

use super::{Mirror, MirrorView, codec};
use crate::{
    domain::ObjectType,
    filter::Plan,
    store::{Result, sql},
};

/// How many days of counts are kept per segment.
const KEPT_DAYS: i64 = 31;
/// The cursor that keeps what was last counted.
const COUNTED: &str = "counted";

/// A segment's count as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCount {
    /// The segment.
    pub name: String,
    /// What was counted, [`crate::domain::Segment::definition`].
    pub definition: String,
    /// How many contacts matched.
    pub count: u64,
    /// When.
    pub at: Timestamp,
}

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

    /// What tells the contacts and lists of one moment from those of another, without a look at each of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contacts_mark(&self) -> Result<String> {
        let mark = self
            .conn
            .prepare_cached(
                "SELECT json_array((SELECT n FROM tally WHERE object = 1), (SELECT max(updated) FROM contact), \
                 (SELECT group_concat(value) FROM cursor WHERE name IN ('since:contacts', 'seen:contacts', 'with:contacts')), \
                 (SELECT group_concat(told) FROM list), (SELECT max(n) FROM member_change))",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(mark)
    }

    /// The counts as they were kept last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn kept_counts(&self) -> Result<Vec<KeptCount>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT name, definition, count, at FROM segment_count")?;
        let rows = statement.query_map([], |row| {
            Ok(KeptCount {
                name: row.get(0)?,
                definition: row.get(1)?,
                count: row.get::<_, i64>(2)?.cast_unsigned(),
                at: codec::time(row, 3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The [`MirrorView::contacts_mark`] the kept counts are of.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn counted_mark(&self) -> Result<Option<String>> {
        self.cursor(COUNTED)
    }

    /// Ids of the live contacts that a plan matches, in the order in which the mirror met them.
    ///
    /// # Errors
    /// [`super::super::Error::Query`] for a field contacts have no column for.
    pub fn matching_contacts(&self, plan: &Plan) -> Result<Vec<String>> {
        let condition = sql::compile(ObjectType::Contacts, plan)?;
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT r.id FROM contact AS c CROSS JOIN record AS r ON r.key = c.key WHERE {} ORDER BY c.key",
            condition.sql
        ))?;
        let rows = statement.query_map(params_from_iter(&condition.params), |row| codec::id_text(row, 0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
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
    /// Keeps what was counted, and of which contacts; segments that are not named any more are forgotten.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_counts(&mut self, counts: &[KeptCount], mark: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM segment_count", [])?;
            for kept in counts {
                tx.execute(
                    "INSERT OR REPLACE INTO segment_count (name, definition, count, at) VALUES (?1, ?2, ?3, ?4)",
                    params![
                        kept.name,
                        kept.definition,
                        kept.count.cast_signed(),
                        kept.at.as_millisecond()
                    ],
                )?;
            }
            super::catalog::set_cursor(tx, COUNTED, mark)
        })
    }

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
