//! One page of a listing, cheap at any depth: the next page starts behind the last row of this one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::{
    params_from_iter,
    types::{Value, ValueRef},
};
use serde::{Deserialize, Serialize};

use super::{MirrorView, Query, Sort, SortKey, codec};
use crate::{
    domain::{ObjectType, Page, Record},
    store::{Error, Result, sql},
};

/// Where a page ended: the sort value of its last row (`None` = among the unset ones) and the row's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark(Option<Place>, i64);

/// A mark and the order it is a place of, in letters that a shell and an address leave alone.
fn written(mark: &Mark, sort: Sort) -> Result<String> {
    let order = format!("{sort:?}");
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_string(&(order, mark))?))
}

fn read(text: &str, sort: Sort) -> Option<Mark> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (order, mark): (String, Mark) = serde_json::from_slice(&json).ok()?;
    (order == format!("{sort:?}")).then_some(mark)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Place {
    Number(i64),
    Text(String),
}

/// A listing, ready to be asked for its rows.
struct Listing<'a> {
    object: ObjectType,
    query: &'a Query,
    from: &'static str,
    condition: sql::Predicate,
    /// What it is sorted by, and whether that may be unset.
    column: &'static str,
    may_be_unset: bool,
}

impl MirrorView {
    /// One page of the live records of a type.
    ///
    /// # Errors
    /// [`Error::Query`] when the type has no column for the filter's field or the sort key, or `after` is not ours.
    pub fn page(&self, object: ObjectType, query: &Query) -> Result<Page<Record>> {
        let listing = Listing::new(object, query)?;
        let total = match &query.plan {
            _ if query.uncounted => 0,
            None => self.count(object)?,
            Some(_) => listing.count(self, false)?,
        };
        let mark: Option<Mark> = query
            .after
            .as_deref()
            .map(|after| {
                let unknown = || Error::Query(format!("'{after}' is not the end of a page in this order"));
                read(after, query.sort).ok_or_else(unknown)
            })
            .transpose()?;
        let mut rows = Vec::new();
        let mut skip = query.offset;
        if !matches!(mark, Some(Mark(None, _))) {
            rows = listing.rows(self, true, mark.as_ref(), skip, query.limit)?;
            if rows.is_empty() && skip > 0 {
                let passed = usize::try_from(listing.count(self, true)?).unwrap_or(usize::MAX);
                skip = skip.saturating_sub(passed);
            } else {
                skip = 0;
            }
        }
        if listing.may_be_unset && rows.len() < query.limit {
            let mark = mark.filter(|mark| mark.0.is_none());
            let rest = query.limit - rows.len();
            rows.extend(listing.rows(self, false, mark.as_ref(), skip, rest)?);
        }
        let full = rows.len() == query.limit && query.limit > 0;
        let next_after = match rows.last() {
            Some((_, mark)) if full => Some(written(mark, query.sort)?),
            _ => None,
        };
        Ok(Page {
            rows: rows.into_iter().map(|(record, _)| record).collect(),
            total: usize::try_from(total).unwrap_or(usize::MAX),
            next_after,
        })
    }
}

impl<'a> Listing<'a> {
    fn new(object: ObjectType, query: &'a Query) -> Result<Self> {
        let condition = match &query.plan {
            Some(plan) => sql::compile(object, plan)?,
            None => sql::Predicate::all(),
        };
        let contacts = object == ObjectType::Contacts;
        let (column, may_be_unset) = match query.sort.key {
            SortKey::Id => ("r.id", false),
            SortKey::Created if contacts => ("c.created", false),
            SortKey::Created => ("r.created", false),
            SortKey::Updated if contacts => ("c.updated", false),
            SortKey::Updated => ("r.version", false),
            SortKey::Name if contacts => ("c.name COLLATE NOCASE", false),
            SortKey::Email if contacts => ("c.email COLLATE NOCASE", true),
            SortKey::Company if contacts => ("c.company COLLATE NOCASE", true),
            SortKey::Lifecycle if contacts => ("c.lifecycle", true),
            SortKey::Owner if contacts => ("c.owner", true),
            SortKey::Activity if contacts => ("c.activity", true),
            key => {
                let key = format!("{key:?}").to_lowercase();
                return Err(Error::Query(format!(
                    "{object} cannot be sorted by '{key}' in the store"
                )));
            }
        };
        // CROSS JOIN keeps the order of the loops: along the index that sorts, then to the wide row.
        let from = match (contacts, query.sort.key) {
            (true, SortKey::Id) => "record AS r CROSS JOIN contact AS c ON c.key = r.key",
            (true, _) => "contact AS c CROSS JOIN record AS r ON r.key = c.key",
            (false, _) => "record AS r",
        };
        Ok(Self {
            object,
            query,
            from,
            condition,
            column,
            may_be_unset,
        })
    }

    /// How many rows match; `sorted` = of those whose sort value is set.
    fn count(&self, view: &MirrorView, sorted: bool) -> Result<u64> {
        let split = sorted && self.may_be_unset;
        let and = if split {
            format!("{} IS NOT NULL", self.column)
        } else {
            "1".into()
        };
        // Contacts are counted without a look at their wide rows where that is possible.
        let (from, live) = if self.object == ObjectType::Contacts && !self.condition.reads_properties {
            ("contact AS c", "1".into())
        } else {
            (self.from, self.live())
        };
        let sql = format!(
            "SELECT count(*) FROM {from} WHERE {live} AND {and} AND {}",
            self.condition.sql
        );
        let n: i64 = view
            .conn
            .prepare_cached(&sql)?
            .query_row(params_from_iter(&self.condition.params), |row| row.get(0))?;
        Ok(n.cast_unsigned())
    }

    fn live(&self) -> String {
        format!("r.object = {} AND r.archived = 0", codec::number(self.object))
    }

    /// Rows whose sort value is set (or unset), from behind the mark on.
    fn rows(
        &self,
        view: &MirrorView,
        set: bool,
        mark: Option<&Mark>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<(Record, Mark)>> {
        let column = self.column;
        let key = if self.from.starts_with("contact") {
            "c.key"
        } else {
            "r.key"
        };
        let (way, beyond) = if self.query.sort.descending {
            ("DESC", "<")
        } else {
            ("ASC", ">")
        };
        let mut params = self.condition.params.clone();
        let section = match (set, mark) {
            (false, None) => format!("{column} IS NULL"),
            (false, Some(Mark(_, last))) => {
                params.push(Value::Integer(*last));
                format!("{column} IS NULL AND {key} {beyond} ?")
            }
            (true, Some(Mark(Some(place), last))) => {
                let place = match place {
                    Place::Number(number) => Value::Integer(*number),
                    Place::Text(text) => Value::Text(text.clone()),
                };
                params.extend([place.clone(), place, Value::Integer(*last)]);
                format!("{column} {beyond}= ? AND ({column} {beyond} ? OR {key} {beyond} ?)")
            }
            (true, _) => format!("{column} IS NOT NULL"),
        };
        params.extend([limit, skip].map(|n| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))));
        let sql = format!(
            "SELECT {columns}, {column} FROM {from} WHERE {live} AND {condition} AND {section} \
             ORDER BY {column} {way}, {key} {way} LIMIT ? OFFSET ?",
            columns = codec::COLUMNS,
            from = self.from,
            live = self.live(),
            condition = self.condition.sql,
        );
        let mut statement = view.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(&params), |row| {
            let place = match row.get_ref(7)? {
                ValueRef::Integer(number) => Some(Place::Number(number)),
                ValueRef::Text(_) => Some(Place::Text(row.get(7)?)),
                _ => None,
            };
            Ok((codec::Raw::of(row)?, place))
        })?;
        rows.map(|row| {
            let (raw, place) = row?;
            let stored = raw.read(self.object, &view.conn, &view.names)?;
            Ok((stored.record, Mark(place, stored.key)))
        })
        .collect()
    }
}
