//! One filter of a search: which property, which comparison, which values.

use std::cmp::Ordering;
use std::ops::Range;

use serde_json::Value;

use crate::portal::clock::parse;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::schema::Kind;
use crate::portal::switches::Switch;
use crate::portal::truth::Row;
use crate::portal::world::World;

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    HasProperty,
    NotHasProperty,
    ContainsToken,
    NotContainsToken,
}

/// A value made ready to be compared as its property is.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Term {
    Number(f64),
    Text(String),
}

#[derive(Debug)]
enum Subject {
    /// A property, compared as numbers (dates included) or as text.
    Property { name: String, kind: Kind },
    /// `associations.<type>`.
    Association(ObjectType),
}

/// One comparison of a search.
#[derive(Debug)]
pub(super) struct Filter {
    object: ObjectType,
    subject: Subject,
    operator: Operator,
    terms: Vec<Term>,
}

impl Filter {
    pub(super) fn read(world: &World, object: ObjectType, filter: &Value) -> Result<Self, Problem> {
        let text = |key: &str| filter.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("propertyName");
        let operator = operator(text("operator"))
            .ok_or_else(|| Problem::invalid(format!("Invalid operator '{}' in filter on {name}", text("operator"))))?;
        let subject = match name.strip_prefix("associations.") {
            Some(kind) => Subject::Association(ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?),
            None => match world.schema.get(object, name) {
                Some(definition) => Subject::Property {
                    name: name.to_owned(),
                    kind: definition.kind,
                },
                None => {
                    return Err(Problem::invalid(format!(
                        "There was a problem with the request: property '{name}' does not exist"
                    )));
                }
            },
        };
        let values = match operator {
            Operator::In | Operator::NotIn => filter
                .get("values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .collect(),
            Operator::Between => [filter.get("value"), filter.get("highValue")]
                .into_iter()
                .flatten()
                .collect(),
            Operator::HasProperty | Operator::NotHasProperty => Vec::new(),
            _ => filter.get("value").into_iter().collect::<Vec<_>>(),
        };
        let needed = match operator {
            Operator::HasProperty | Operator::NotHasProperty => 0,
            Operator::Between => 2,
            _ => 1,
        };
        if values.len() < needed {
            return Err(Problem::invalid(format!(
                "The filter on {name} has no value for its operator"
            )));
        }
        let terms = values
            .into_iter()
            .map(|value| term(&subject, operator, value))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            object,
            subject,
            operator,
            terms,
        })
    }

    /// Whether the filter holds for a row. Comparisons never hold for an unset property, negated ones
    /// included unless the switch says otherwise.
    pub(super) fn holds(&self, world: &World, row: Row<'_>, id: u64) -> bool {
        let (name, kind) = match &self.subject {
            Subject::Association(to) => {
                let links = world.truth.links(self.object, id, *to);
                let linked = |term: &Term| matches!(term, Term::Text(text) if text.parse().is_ok_and(|id| links.contains_key(&id)));
                return match self.operator {
                    Operator::HasProperty => !links.is_empty(),
                    Operator::NotHasProperty => links.is_empty(),
                    Operator::Neq | Operator::NotIn => !self.terms.iter().any(linked),
                    _ => self.terms.iter().any(linked),
                };
            }
            Subject::Property { name, kind } => (name.as_str(), *kind),
        };
        let value = if name == "hs_object_id" {
            Some(Self::id(id))
        } else {
            match kind {
                Kind::DateTime | Kind::Date => row.instant(name).map(Self::date),
                Kind::Number => row.get(name).and_then(|text| text.parse().ok()).map(Term::Number),
                // The case of options matters, that of other text does not.
                Kind::Enumeration => row.get(name).map(|text| Term::Text(text.into_owned())),
                Kind::Text | Kind::Bool => row.get(name).map(|text| Term::Text(text.to_lowercase())),
            }
        };
        match (self.operator, value) {
            (Operator::HasProperty, value) => value.is_some(),
            (Operator::NotHasProperty, value) => value.is_none(),
            (Operator::Neq | Operator::NotIn, None) => world.switches.on(Switch::NeqMatchesUnset),
            (_, None) => false,
            (operator, Some(value)) => self.compares(operator, &value),
        }
    }

    /// Whether this is a filter on that property which holds for all its values from one to another.
    pub(super) fn is_run(&self, property: &str) -> bool {
        let Subject::Property { name, kind } = &self.subject else {
            return false;
        };
        let ordered = name == "hs_object_id" || matches!(kind, Kind::DateTime | Kind::Date);
        name == property && ordered && self.terms.first().is_some_and(|first| self.place(first).is_some())
    }

    /// False when the filter holds for no record of this id, whatever the record is like.
    pub(super) fn takes(&self, id: u64) -> bool {
        let on_id = matches!(&self.subject, Subject::Property { name, .. } if name == "hs_object_id");
        !on_id || !self.is_run("hs_object_id") || self.place(&Self::id(id)) == Some(Ordering::Equal)
    }

    /// The part of a run of rows for which the filter holds; their values must go up along the run.
    pub(super) fn part(&self, run: Range<u32>, value: impl Fn(u32) -> Term) -> Range<u32> {
        let place = |row| self.place(&value(row)).unwrap_or(Ordering::Less);
        let from = first(run.clone(), |row| place(row) != Ordering::Less);
        from..first(from..run.end, |row| place(row) == Ordering::Greater)
    }

    /// Where a value stands to those the filter holds for: below, among or above them. `None` when these are not all values
    /// from one to another.
    fn place(&self, value: &Term) -> Option<Ordering> {
        let low = self.terms.first()?;
        let high = self.terms.get(1);
        let above = |holds: bool| if holds { Ordering::Equal } else { Ordering::Greater };
        Some(match self.operator {
            Operator::Eq => value.partial_cmp(low)?,
            Operator::Lt => above(value < low),
            Operator::Lte => above(value <= low),
            Operator::Gt | Operator::Gte | Operator::Between if value < low => Ordering::Less,
            Operator::Gt if value == low => Ordering::Less,
            Operator::Gt | Operator::Gte => Ordering::Equal,
            Operator::Between => above(high.is_some_and(|high| value <= high)),
            _ => return None,
        })
    }

    /// A record id as filters compare it.
    pub(super) fn id(id: u64) -> Term {
        Term::Text(id.to_string())
    }

    /// An instant as filters compare it; Unix milliseconds.
    pub(super) fn date(at: i64) -> Term {
        Term::Number(at as f64)
    }

    fn compares(&self, operator: Operator, value: &Term) -> bool {
        let Some(first) = self.terms.first() else { return false };
        // A property with several options holds each of them.
        let is = |term: &Term| {
            value == term
                || matches!((value, term), (Term::Text(all), Term::Text(one)) if all.contains(';') && all.split(';').any(|part| part == one))
        };
        match operator {
            Operator::Eq => is(first),
            Operator::Neq => !is(first),
            Operator::Lt => value < first,
            Operator::Lte => value <= first,
            Operator::Gt => value > first,
            Operator::Gte => value >= first,
            Operator::Between => value >= first && self.terms.get(1).is_some_and(|high| value <= high),
            Operator::In => self.terms.iter().any(is),
            Operator::NotIn => !self.terms.iter().any(is),
            Operator::ContainsToken => contains_token(value, first),
            Operator::NotContainsToken => !contains_token(value, first),
            Operator::HasProperty | Operator::NotHasProperty => true,
        }
    }
}

/// The first row of a run for which something holds that holds for all rows after it, too; the run's end if for none.
fn first(run: Range<u32>, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut from, mut to) = (run.start, run.end);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

fn operator(text: &str) -> Option<Operator> {
    Some(match text {
        "EQ" => Operator::Eq,
        "NEQ" => Operator::Neq,
        "LT" => Operator::Lt,
        "LTE" => Operator::Lte,
        "GT" => Operator::Gt,
        "GTE" => Operator::Gte,
        "BETWEEN" => Operator::Between,
        "IN" => Operator::In,
        "NOT_IN" => Operator::NotIn,
        "HAS_PROPERTY" => Operator::HasProperty,
        "NOT_HAS_PROPERTY" => Operator::NotHasProperty,
        "CONTAINS_TOKEN" => Operator::ContainsToken,
        "NOT_CONTAINS_TOKEN" => Operator::NotContainsToken,
        _ => return None,
    })
}

/// The asked value in the form its property is compared in. Text of `IN` and `NOT_IN` is taken as it is: HubSpot finds
/// nothing for upper-case letters there.
fn term(subject: &Subject, operator: Operator, value: &Value) -> Result<Term, Problem> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Subject::Property { name, kind } = subject else {
        return Ok(Term::Text(text));
    };
    let bad = || Problem::invalid(format!("Invalid value '{text}' in the filter on {name}"));
    match kind {
        _ if name == "hs_object_id" => Ok(Term::Text(text)),
        Kind::DateTime | Kind::Date => parse(&text).map(|at| Term::Number(at as f64)).ok_or_else(bad),
        Kind::Number => text.parse().map(Term::Number).map_err(|_| bad()),
        Kind::Enumeration => Ok(Term::Text(text)),
        Kind::Text | Kind::Bool if matches!(operator, Operator::In | Operator::NotIn) => Ok(Term::Text(text)),
        Kind::Text | Kind::Bool => Ok(Term::Text(text.to_lowercase())),
    }
}

/// Every token asked for is a token of the value; `*` stands for any letters, and is also tried on the whole value.
fn contains_token(value: &Term, wanted: &Term) -> bool {
    let (Term::Text(value), Term::Text(wanted)) = (value, wanted) else {
        return value == wanted;
    };
    let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
    let tokens = |text: &str| {
        let parts = text
            .split(|c: char| !c.is_alphanumeric() && c != '*')
            .filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let of_value = tokens(&value);
    let found = |token: &String| of_value.iter().any(|part| wildcard(token, part));
    (wanted.contains('*') && wildcard(&wanted, &value)) || tokens(&wanted).iter().all(found)
}

/// `*` matches any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_match_whole_or_with_stars() {
        let text = |text: &str| Term::Text(text.to_owned());
        let company = text("chainge loom works");
        for (wanted, holds) in [
            ("chainge", true),
            ("chain", false),
            ("chain*", true),
            ("*oom", true),
            ("loom works", true),
            ("w*k*s", true),
            ("w*x", false),
        ] {
            assert_eq!(contains_token(&company, &text(wanted)), holds, "{wanted}");
        }
        assert!(contains_token(&text("pip@teapot.example"), &text("*@teapot.example")));
    }
}
