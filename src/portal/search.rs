//! Search: filter groups, one sort, a query text, and a view of the records that lags behind the truth.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::errors::Problem;
use super::kinds::ObjectType;
use super::schema::Kind;
use super::switches::Switch;
use super::truth::{Row, Truth};
use super::wire::Ask;
use super::world::World;

mod filter;
mod span;

use filter::Filter;
use span::Span;

/// A search never gives more than this many rows for one question.
const WALL: usize = 10_000;

/// So many rows are put in order at least, for those who ask for the next page.
const SHALLOW: usize = 1_000;

/// The rows of the last question asked of each type, as long as nothing was written: paging through a window asks the same
/// question fifty times.
#[derive(Default)]
pub(super) struct Cache {
    last: Vec<(ObjectType, String, u64, Arc<Found>)>,
}

/// The first ids in order, at most `WALL`, and how many there are in all.
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
    sort: Sort,
}

/// The one property that rows are sorted by.
struct Sort {
    name: String,
    kind: Kind,
    descending: bool,
}

impl Question {
    /// Whether a record of this id can be among the rows, whatever its values are.
    fn takes(&self, id: u64) -> bool {
        let bounds = |group: &Vec<Filter>| group.iter().all(|filter| filter.takes(id));
        self.groups.is_empty() || self.groups.iter().any(bounds)
    }
}

/// What rows are sorted by. Unset values come first, as the smallest.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Unset,
    Number(f64),
    Text(String),
    /// A record id, which sorts as text.
    Id(u64),
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Id(one), Self::Id(two)) => as_text(*one, *two),
            _ => self.partial_cmp(other).unwrap_or(Ordering::Equal),
        }
    }
}

fn sort_key(row: Row<'_>, id: u64, sort: &Sort) -> Key {
    let name = sort.name.as_str();
    if name == "hs_object_id" {
        return Key::Id(id);
    }
    match sort.kind {
        Kind::DateTime | Kind::Date => row.instant(name).map_or(Key::Unset, |at| Key::Number(at as f64)),
        Kind::Number => row
            .get(name)
            .and_then(|text| text.parse().ok())
            .map_or(Key::Unset, Key::Number),
        _ => row.get(name).map_or(Key::Unset, |text| Key::Text(text.to_lowercase())),
    }
}

/// The ids of the first `depth` rows; rows of one key by id, ascending in either direction.
fn in_order(mut rows: Vec<(Key, u64)>, descending: bool, depth: usize) -> Vec<u64> {
    let order = |a: &(Key, u64), b: &(Key, u64)| {
        let by_key = a.0.order(&b.0);
        if descending { by_key.reverse() } else { by_key }.then(a.1.cmp(&b.1))
    };
    if rows.len() > depth {
        rows.select_nth_unstable_by(depth, order);
        rows.truncate(depth);
    }
    rows.sort_unstable_by(order);
    rows.into_iter().map(|(_, id)| id).collect()
}

/// The order of two numbers as texts, without writing them: "10" < "9", and "10" < "100".
fn as_text(one: u64, two: u64) -> Ordering {
    let digits = |number: u64| number.checked_ilog10().unwrap_or(0);
    let (short, long) = (digits(one), digits(two));
    let widened = |number: u64, by: u32| u128::from(number) * 10_u128.pow(by);
    let (left, right) = (
        widened(one, long.saturating_sub(short)),
        widened(two, short.saturating_sub(long)),
    );
    left.cmp(&right).then(short.cmp(&long))
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
        let found = self.found(object, &question, &body, offset + limit);
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

    /// The rows of a question, at least the first `wanted` of them if there are so many.
    fn found(
        &mut self,
        object: ObjectType,
        question: &Question,
        body: &Map<String, Value>,
        wanted: usize,
    ) -> Arc<Found> {
        let asked = format!(
            "{:?}{:?}{:?}{:?}",
            body.get("query"),
            body.get("filterGroups"),
            body.get("filters"),
            body.get("sorts")
        );
        let asked = format!("{asked}{}", self.switches.on(Switch::NeqMatchesUnset));
        let generation = self.index.generation;
        let known = self.cache.last.iter().find(|(kind, text, at, found)| {
            *kind == object && *text == asked && *at == generation && found.ids.len() >= wanted.min(found.total)
        });
        if let Some((.., found)) = known {
            return Arc::clone(found);
        }
        // Whoever pages on is soon given all there is to see; most never do.
        let depth = (wanted * 5).clamp(SHALLOW, WALL);
        let found = Arc::new(self.look(object, question, depth));
        self.cache.last.retain(|(kind, ..)| *kind != object);
        self.cache.last.push((object, asked, generation, Arc::clone(&found)));
        found
    }

    /// Looks among all records; keeps the first `depth` rows.
    fn look(&self, object: ObjectType, question: &Question, depth: usize) -> Found {
        let Sort { name, descending, .. } = &question.sort;
        let keyed = |row: Row<'_>, id: u64| (sort_key(row, id, &question.sort), id);
        let kept = self.truth.kept_ids(object).filter(|id| question.takes(*id));
        let kept = kept.filter_map(|id| {
            let row = self.seen(object, id)?;
            self.holds(object, question, row, id).then(|| keyed(row, id))
        });
        let mut rows: Vec<(Key, u64)> = kept.collect();
        let mut total = rows.len();
        if let Some(base) = self.truth.generated() {
            let span = Span::new(base, object, question);
            let row = |index| (Truth::generated_row(base, object, index), base.id(object, index));
            let asked_for = |index: u32| {
                let (row, id) = row(index);
                self.holds(object, question, row, id)
            };
            // Ascending, as their ids are.
            let changed = self.truth.kept_ids(object).filter_map(|id| base.index(object, id));
            let changed: Vec<u32> = changed.filter(|index| span.may_hold(*index)).collect();
            let is_changed = |index: u32| changed.binary_search(&index).is_ok();
            let found: Vec<u32> = if span.certain && span.is_along(name) {
                total += span.count() - changed.iter().filter(|index| span.holds(**index, asked_for)).count();
                span.first(depth, *descending, is_changed)
            } else {
                let all = span.indexes().filter(|index| !is_changed(*index));
                let found: Vec<u32> = all.filter(|index| span.certain || asked_for(*index)).collect();
                total += found.len();
                found
            };
            rows.extend(found.into_iter().map(|index| {
                let (row, id) = row(index);
                keyed(row, id)
            }));
        }
        let ids = in_order(rows, *descending, depth);
        Found { ids, total }
    }

    /// Whether a row is what the question asks for.
    fn holds(&self, object: ObjectType, question: &Question, row: Row<'_>, id: u64) -> bool {
        let groups = question.groups.as_slice();
        let any = groups.is_empty() || groups.iter().any(|group| group.iter().all(|f| f.holds(self, row, id)));
        any && has_words(object, row, &question.words)
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

    fn sort(&self, object: ObjectType, sorts: &[Value]) -> Result<Sort, Problem> {
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
            Some(definition) => Ok(Sort {
                kind: definition.kind,
                name,
                descending,
            }),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_their_texts_are() {
        let numbers = [
            0,
            1,
            9,
            10,
            11,
            99,
            100,
            101,
            20_000_000_000,
            20_000_000_007,
            200_000_000_070,
            u64::MAX,
            u64::MAX / 10,
        ];
        for one in numbers {
            for two in numbers {
                let texts = one.to_string().cmp(&two.to_string());
                assert_eq!(as_text(one, two), texts, "{one} and {two}");
            }
        }
    }
}
