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

/// So many rows are no longer picked and sorted for one page. Where so many of a million contacts match, a walk along the
/// index that sorts has met a page of sixty after about as many.
const MANY: i64 = 8_000;

/// A listing, ready to be asked for its rows.
struct Listing<'a> {
    object: ObjectType,
    query: &'a Query,
    from: &'static str,
    condition: sql::Predicate,
    /// The condition for a walk along the index that sorts, where that reads less than picking the rows and sorting them.
    walk: Option<sql::Predicate>,
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
        let listing = Listing::new(object, query)?.chosen(self)?;
        let total = match &query.plan {
            _ if query.uncounted => 0,
            None => self.count(object)?,
            Some(_) => listing.count(self, false)?,
        };
        let mark: Option<Mark> = query
            .after
            .as_deref()
            .map(|after| {
                let unknown = || Error::After(after.to_owned());
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
            walk: None,
            column,
            may_be_unset,
        })
    }

    /// Chooses between a walk along the index that sorts and the index of what the filter is about.
    fn chosen(mut self, view: &MirrorView) -> Result<Self> {
        let Some(plan) = &self.query.plan else { return Ok(self) };
        let picks = &self.condition.picks;
        if picks.is_empty() || self.query.sort.key == SortKey::Id || picks.iter().any(|pick| pick.column == self.column)
        {
            return Ok(self);
        }
        for pick in picks {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM contact AS c WHERE {} LIMIT {MANY})",
                pick.sql
            );
            let picked: i64 = view
                .conn
                .prepare_cached(&sql)?
                .query_row(params_from_iter(&pick.params), |row| row.get(0))?;
            if picked < MANY {
                return Ok(self);
            }
        }
        self.walk = Some(sql::compile_for_a_walk(self.object, plan)?);
        Ok(self)
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
        let (sql, mut params) = self.select(set, mark);
        params.extend([limit, skip].map(|n| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))));
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

    /// The query for them, and values for all of its `?` but the last two: how many, and how many to skip.
    fn select(&self, set: bool, mark: Option<&Mark>) -> (String, Vec<Value>) {
        let condition = self.walk.as_ref().unwrap_or(&self.condition);
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
        let mut params = condition.params.clone();
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
        let sql = format!(
            "SELECT {columns}, {column} FROM {from} WHERE {live} AND {condition} AND {section} \
             ORDER BY {column} {way}, {key} {way} LIMIT ? OFFSET ?",
            columns = codec::COLUMNS,
            from = self.from,
            live = self.live(),
            condition = condition.sql,
        );
        (sql, params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        filter::{Field, Plan, Test},
        store::{
            Put, Via,
            tests::{Home, at, plan_of, record},
        },
    };

    /// How a page of contacts is read, in SQLite's words.
    fn plan(view: &MirrorView, query: &Query) -> Vec<String> {
        let listing = Listing::new(ObjectType::Contacts, query).unwrap();
        let listing = listing.chosen(view).unwrap();
        plan_of(&view.conn, &listing.select(true, None).0)
    }

    fn sorted(key: SortKey, plan: Option<Plan>) -> Query {
        Query {
            plan,
            sort: Sort { key, descending: false },
            limit: 60,
            ..Query::default()
        }
    }

    #[test]
    fn every_order_of_contacts_has_an_index() {
        let mut store = Home::new().open();
        while store.mirror.settle_load(ObjectType::Contacts).unwrap() {}
        for key in [
            SortKey::Created,
            SortKey::Updated,
            SortKey::Activity,
            SortKey::Name,
            SortKey::Email,
            SortKey::Company,
            SortKey::Lifecycle,
            SortKey::Owner,
        ] {
            let plan = plan(&store.mirror, &sorted(key, None));
            assert!(
                !plan.iter().any(|step| step.contains("TEMP B-TREE")),
                "{key:?}: {plan:?}"
            );
        }
    }

    #[test]
    fn the_few_contacts_of_an_owner_are_picked_and_the_many_of_another_are_met() {
        let mut store = Home::new().open();
        let many = usize::try_from(MANY).unwrap();
        let contacts: Vec<_> = (0..many + 2)
            .map(|nth| {
                let owner = if nth < many { "4" } else { "5" };
                let name = format!("N{}", nth % 1_000);
                let properties = [("firstname", name.as_str()), ("hubspot_owner_id", owner)];
                record(ObjectType::Contacts, &nth.to_string(), 1, &properties)
            })
            .collect();
        store
            .mirror
            .put(ObjectType::Contacts, &contacts, Put::via(Via::List))
            .unwrap();
        while store.mirror.settle_load(ObjectType::Contacts).unwrap() {}
        let of = |test: Test| Some(Plan::Test(Field::Owner, test));
        for (test, index, count) in [
            (Test::OneOf(vec!["4".into()]), "contact_name", many),
            (Test::OneOf(vec!["5".into()]), "contact_owner", 2),
            (Test::Begins("4".into()), "contact_name", many),
            (Test::Begins("5".into()), "contact_owner", 2),
        ] {
            let query = sorted(SortKey::Name, of(test));
            let plan = plan(&store.mirror, &query);
            assert!(plan[0].contains(index), "{query:?}: {plan:?}");
            let page = store.mirror.page(ObjectType::Contacts, &query).unwrap();
            assert_eq!((page.total, page.rows.len()), (count, count.min(60)), "{query:?}");
            let is_sorted = |rows: &[Record]| rows.is_sorted_by_key(|row| row.get("firstname").map(str::to_owned));
            assert!(is_sorted(&page.rows));
            assert_eq!(page.rows[0].updated_at, at(1));
        }
    }
}
