//! Search: filter groups, one sort, a query text, and a view of the records that lags behind the truth.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::errors::Problem;
use super::kinds::ObjectType;
use super::switches::Switch;
use super::truth::Row;
use super::wire::Ask;
use super::world::World;

mod filter;

use filter::Filter;

/// A search never gives more than this many rows for one question.
const WALL: usize = 10_000;

/// The rows of the last question asked of each type, as long as nothing was written: paging through a window asks the same
/// question fifty times.
#[derive(Default)]
pub(super) struct Cache {
    last: Vec<(ObjectType, String, u64, Arc<Found>)>,
}

/// At most `WALL` ids in order, and how many there are in all.
struct Found {
    ids: Vec<u64>,
    total: usize,
}

/// A question, read from a search body.
struct Question {
    /// Any group of which every filter holds.
    groups: Vec<Vec<Filter>>,
    /// Lower-case words, each to be found somewhere.
    words: Vec<String>,
    /// Property and whether it descends.
    sort: (String, bool),
}

/// What rows are sorted by. Unset values come first, as the smallest.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Unset,
    Number(f64),
    Text(String),
}

impl World {
    /// Answers `POST …/search`.
    pub(super) fn search(&mut self, object: ObjectType, body: &[u8]) -> Reply {
        if body.len() > 3_000 {
            return Err(Problem::invalid(
                "The request body is too long: it may have at most 3000 characters.",
            ));
        }
        let body: Map<String, Value> = match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err(Problem::wrong_shape("PublicObjectSearchRequest")),
            Err(error) => return Err(Problem::malformed(&error)),
        };
        let (limit, offset) = page(&body)?;
        let question = self.question(object, &body)?;
        self.index.settle(self.clock.micros());
        let found = self.found(object, &question, &body);
        let ask = Ask::from_body(&body);
        let ids = found.ids.iter().skip(offset).take(limit);
        let results: Vec<Value> = ids
            .filter_map(|id| Some(self.object_json(object, *id, self.seen(object, *id)?, &ask)))
            .collect();
        let capped = self.switches.on(Switch::TotalCapped);
        let total = if capped { found.total.min(WALL) } else { found.total };
        let mut answer = json!({"total": total, "results": results});
        if offset + limit < found.total {
            answer["paging"] = json!({"next": {"after": (offset + limit).to_string()}});
        }
        Answer::ok(answer)
    }

    /// The record as search knows it; archived and merged ones are gone at once, restored ones come back after the lag.
    fn seen(&self, object: ObjectType, id: u64) -> Option<Row<'_>> {
        let row = self.truth.row(object, id).filter(|row| row.archived_at().is_none())?;
        match self.index.shown((object, id)) {
            None => Some(row),
            Some(shown) => shown
                .filter(|record| record.archived_at.is_none())
                .map(|record| self.truth.kept_row(object, record)),
        }
    }

    fn found(&mut self, object: ObjectType, question: &Question, body: &Map<String, Value>) -> Arc<Found> {
        let asked = format!(
            "{:?}{:?}{:?}{:?}",
            body.get("query"),
            body.get("filterGroups"),
            body.get("filters"),
            body.get("sorts")
        );
        let asked = format!("{asked}{}", self.switches.on(Switch::NeqMatchesUnset));
        let generation = self.index.generation;
        let known = self
            .cache
            .last
            .iter()
            .find(|(kind, text, at, _)| *kind == object && *text == asked && *at == generation);
        if let Some((.., found)) = known {
            return Arc::clone(found);
        }
        let found = Arc::new(self.look(object, question));
        self.cache.last.retain(|(kind, ..)| *kind != object);
        self.cache.last.push((object, asked, generation, Arc::clone(&found)));
        found
    }

    fn look(&self, object: ObjectType, question: &Question) -> Found {
        let (name, descending) = &question.sort;
        let matching = self.truth.ids(object, 0).filter_map(|id| {
            let row = self.seen(object, id)?;
            let any = question.groups.is_empty()
                || question
                    .groups
                    .iter()
                    .any(|group| group.iter().all(|f| f.holds(self, row, id)));
            (any && has_words(object, row, &question.words)).then(|| (self.sort_key(object, row, id, name), id))
        });
        let mut rows: Vec<(Key, u64)> = matching.collect();
        let total = rows.len();
        let order = |a: &(Key, u64), b: &(Key, u64)| {
            let by_key = a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal);
            if *descending { by_key.reverse() } else { by_key }.then(a.1.cmp(&b.1))
        };
        if total > WALL {
            rows.select_nth_unstable_by(WALL, order);
            rows.truncate(WALL);
        }
        rows.sort_unstable_by(order);
        Found {
            ids: rows.into_iter().map(|(_, id)| id).collect(),
            total,
        }
    }

    fn sort_key(&self, object: ObjectType, row: Row<'_>, id: u64, name: &str) -> Key {
        use super::schema::Kind;
        if name == "hs_object_id" {
            return Key::Text(id.to_string());
        }
        match self.schema.get(object, name).map(|definition| definition.kind) {
            Some(Kind::DateTime | Kind::Date) => row.instant(name).map_or(Key::Unset, |at| Key::Number(at as f64)),
            Some(Kind::Number) => row
                .get(name)
                .and_then(|text| text.parse().ok())
                .map_or(Key::Unset, Key::Number),
            _ => row.get(name).map_or(Key::Unset, |text| Key::Text(text.to_lowercase())),
        }
    }

    fn question(&self, object: ObjectType, body: &Map<String, Value>) -> Result<Question, Problem> {
        let array = |key: &str| body.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut groups = Vec::new();
        for group in array("filterGroups") {
            let filters = group
                .get("filters")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            groups.push(
                filters
                    .iter()
                    .map(|f| Filter::read(self, object, f))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        }
        let top = array("filters")
            .iter()
            .map(|f| Filter::read(self, object, f))
            .collect::<Result<Vec<_>, _>>()?;
        if !top.is_empty() {
            groups.push(top);
        }
        let filters: usize = groups.iter().map(Vec::len).sum();
        if groups.len() > 5 || groups.iter().any(|group| group.len() > 6) || filters > 18 {
            return Err(Problem::invalid(
                "The maximum number of filter groups is 5, of filters per group 6 and of filters in all 18.",
            ));
        }
        let words = body
            .get("query")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_lowercase();
        let words = words.split_whitespace().map(str::to_owned).collect();
        Ok(Question {
            groups,
            words,
            sort: self.sort(object, array("sorts"))?,
        })
    }

    fn sort(&self, object: ObjectType, sorts: &[Value]) -> Result<(String, bool), Problem> {
        let (name, descending) = match sorts {
            [] => (object.created_property().to_owned(), false),
            [Value::String(text)] => match text.strip_prefix('-') {
                Some(name) => (name.to_owned(), true),
                None => (text.clone(), false),
            },
            [sort] => {
                let name = sort
                    .get("propertyName")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                (
                    name,
                    sort.get("direction").and_then(Value::as_str) == Some("DESCENDING"),
                )
            }
            _ => return Err(Problem::invalid("Only one sort is allowed.")),
        };
        match self.schema.get(object, &name) {
            Some(_) => Ok((name, descending)),
            None => Err(Problem::invalid(format!(
                "There was a problem with the request: property '{name}' does not exist"
            ))),
        }
    }
}

/// Page size and offset of a search body.
fn page(body: &Map<String, Value>) -> Result<(usize, usize), Problem> {
    let number = |key: &str| match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(n)) => Ok(n.as_u64()),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => text
            .parse()
            .map(Some)
            .map_err(|_| Problem::invalid(format!("Invalid value '{text}' for {key}"))),
        Some(_) => Err(Problem::wrong_shape("int")),
    };
    let limit = number("limit")?.unwrap_or(10);
    if !(1..=200).contains(&limit) {
        return Err(Problem::invalid(format!(
            "Invalid value '{limit}' for limit: it must be between 1 and 200"
        )));
    }
    let offset = number("after")?.unwrap_or(0);
    if limit + offset > WALL as u64 {
        return Err(Problem::invalid(
            "The total number of results is limited to 10000: after + limit goes beyond it.",
        ));
    }
    Ok((limit as usize, offset as usize))
}

/// Whether every word begins some token of the searchable properties.
fn has_words(object: ObjectType, row: Row<'_>, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text: Vec<String> = object
        .searchable()
        .iter()
        .filter_map(|name| Some(row.get(name)?.to_lowercase()))
        .collect();
    words
        .iter()
        .all(|word| text.iter().any(|value| value.contains(word.as_str())))
}
