//! A filter's plan as SQL over the narrow table of contacts and the property map of any record. Values only ever travel
//! as bound parameters. It must mean exactly what [`Plan::matches`] means in memory; a property test holds both equal.

mod values;

use std::ops::Bound;

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::{Value, ValueRef},
};
use rust_decimal::Decimal;

use super::{Error, Result, mirror::id_value};
use crate::{
    domain::{ObjectType, parse_time},
    filter::{Field, Kind, Plan, Property, Test, fold},
};

/// A property's value. The map's keys are numbers; which one a name has is looked up once, not for every row.
const PROPERTY: &str = "(SELECT nullif(value, '') FROM json_each(r.properties) \
     WHERE key = (SELECT CAST(n AS TEXT) FROM property WHERE name = ?))";

/// A condition over `contact AS c` and `record AS r`, with what its `?` are bound to, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Predicate {
    /// The condition. It may be NULL where it is false.
    pub sql: String,
    /// Values for its `?`.
    pub params: Vec<Value>,
    /// It reads the property map, so `record AS r` must be in the query.
    pub reads_properties: bool,
    /// Its conditions on columns of few values that have an index.
    pub picks: Vec<Pick>,
    /// What stands for the field while a condition is about the values of a column, not about contacts.
    over: Option<&'static str>,
    /// It is for a walk along another index: those of [`Predicate::picks`] are left alone.
    walks: bool,
}

/// A condition on a column of few values that has an index: it may pick a handful of contacts or nearly all of them, and
/// SQLite, which keeps no statistics here, takes it for a handful.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pick {
    /// The column.
    pub column: &'static str,
    /// The condition over `contact AS c`.
    pub sql: String,
    /// Values for its `?`.
    pub params: Vec<Value>,
}

/// Compiles a plan about records of a type.
///
/// # Errors
/// [`Error::Query`] for a field the mirror has no column for: only contacts have columns for their fields.
pub(super) fn compile(object: ObjectType, plan: &Plan) -> Result<Predicate> {
    let mut out = Predicate::empty("");
    out.plan(object, plan)?;
    Ok(out)
}

/// The same for rows that are read along the index of another column than those the plan is about.
///
/// # Errors
/// Those of [`compile`].
pub(super) fn compile_for_a_walk(object: ObjectType, plan: &Plan) -> Result<Predicate> {
    let mut out = Predicate {
        walks: true,
        ..Predicate::empty("")
    };
    out.plan(object, plan)?;
    Ok(out)
}

impl Predicate {
    /// Every record.
    pub(super) fn all() -> Self {
        Self::empty("1")
    }

    fn empty(sql: &str) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
            reads_properties: false,
            picks: Vec::new(),
            over: None,
            walks: false,
        }
    }

    /// What was written since then (lengths of the condition and its values) is a condition on this column alone.
    fn picks(&mut self, column: &'static str, (sql, params): (usize, usize)) {
        self.picks.push(Pick {
            column,
            sql: self.sql[sql..].to_owned(),
            params: self.params[params..].to_vec(),
        });
    }

    fn plan(&mut self, object: ObjectType, plan: &Plan) -> Result<()> {
        if object == ObjectType::Contacts
            && self.over.is_none()
            && let Some(column) = values::column(plan)
        {
            return self.by_value(&column, plan);
        }
        match plan {
            Plan::All(parts) => self.join(object, parts, " AND ", "1"),
            Plan::Any(parts) => self.join(object, parts, " OR ", "0"),
            Plan::Not(inner) => {
                // Unset is false, and its opposite true: SQL's third value must not leak.
                self.sql.push_str("NOT ifnull(");
                self.plan(object, inner)?;
                self.sql.push_str(", 0)");
                Ok(())
            }
            Plan::Test(field, test) => self.test(object, field, test),
        }
    }

    fn join(&mut self, object: ObjectType, parts: &[Plan], word: &str, of_none: &str) -> Result<()> {
        if parts.is_empty() {
            self.sql.push_str(of_none);
            return Ok(());
        }
        self.sql.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.sql.push_str(word);
            }
            self.plan(object, part)?;
        }
        self.sql.push(')');
        Ok(())
    }

    fn test(&mut self, object: ObjectType, field: &Field, test: &Test) -> Result<()> {
        let text = matches!(field.kind(), Kind::Text | Kind::Choice);
        let number = field.kind() == Kind::Number;
        let time = matches!(field.kind(), Kind::Instant | Kind::Day);
        let flag = field.kind() == Kind::Flag;
        if (object, field) == (ObjectType::Contacts, &Field::List) {
            self.in_lists(test);
            return Ok(());
        }
        match test {
            Test::Set => self.is_set(object, field),
            Test::Equals(wanted) if text => self.call("text_is", object, field, wanted),
            Test::Begins(wanted) if text => self.call("text_begins", object, field, wanted),
            Test::Contains(wanted) if text => self.call("text_has", object, field, wanted),
            Test::OneOf(ids) if text && !ids.is_empty() => {
                let from = (self.sql.len(), self.params.len());
                let column = match field {
                    _ if self.over.is_some() || object != ObjectType::Contacts => None,
                    Field::Owner => Some("c.owner"),
                    Field::Lifecycle => Some("c.lifecycle"),
                    _ => None,
                };
                if self.walks && column.is_some() {
                    self.sql.push('+');
                }
                self.value(object, field)?;
                let marks = vec!["?"; ids.len()].join(", ");
                self.sql.push_str(&format!(" IN ({marks})"));
                self.params.extend(ids.iter().cloned().map(Value::Text));
                if let Some(column) = column {
                    self.picks(column, from);
                }
                Ok(())
            }
            Test::Number(from, to) if number => {
                self.sql.push_str("number_within(");
                self.value(object, field)?;
                self.sql.push_str(", ?, ?, ?, ?)");
                self.bound(from);
                self.bound(to);
                Ok(())
            }
            Test::Millis { from, to } if time => self.between(object, field, *from, *to),
            Test::Flag(wanted) if flag => {
                self.value(object, field)?;
                self.sql.push_str(if *wanted { " = 'true'" } else { " = 'false'" });
                Ok(())
            }
            // A test of another kind than the field's holds for no value.
            _ => {
                self.sql.push('0');
                Ok(())
            }
        }
    }

    /// The contact is in a list that passes the test. The members are looked up once, not per contact.
    fn in_lists(&mut self, test: &Test) {
        self.sql.push_str(
            "c.key IN (SELECT x.key FROM member AS m CROSS JOIN record AS x ON x.object = 1 AND x.id = m.record WHERE ",
        );
        let mut text = |function: &str, wanted: &str| {
            self.sql.push_str(function);
            self.sql.push_str("(CAST(m.list AS TEXT), ?)");
            self.params.push(Value::Text(wanted.to_owned()));
        };
        match test {
            Test::Set => self.sql.push('1'),
            Test::OneOf(ids) if !ids.is_empty() => {
                let marks = vec!["?"; ids.len()].join(", ");
                self.sql.push_str(&format!("m.list IN ({marks})"));
                self.params.extend(ids.iter().map(|id| id_value(id)));
            }
            Test::Equals(wanted) => text("text_is", wanted),
            Test::Begins(wanted) => text("text_begins", wanted),
            Test::Contains(wanted) => text("text_has", wanted),
            _ => self.sql.push('0'),
        }
        self.sql.push(')');
    }

    /// Has a value that can be read as what the field holds.
    fn is_set(&mut self, object: ObjectType, field: &Field) -> Result<()> {
        match (field, field.kind()) {
            (Field::Property(_), Kind::Number) => {
                self.sql.push_str("number_within(");
                self.value(object, field)?;
                self.sql.push_str(", NULL, 0, NULL, 0)");
            }
            (Field::Property(_), Kind::Flag) => {
                self.value(object, field)?;
                self.sql.push_str(" IN ('true', 'false')");
            }
            _ => {
                self.instant_or_value(object, field)?;
                self.sql.push_str(" IS NOT NULL");
            }
        }
        Ok(())
    }

    fn between(&mut self, object: ObjectType, field: &Field, from: Option<i64>, to: Option<i64>) -> Result<()> {
        if from.is_none() && to.is_none() {
            return self.is_set(object, field);
        }
        let ends = [(" >= ?", from), (" < ?", to)];
        let mut word = "(";
        for (sign, end) in ends {
            let Some(end) = end else { continue };
            self.sql.push_str(word);
            self.instant_or_value(object, field)?;
            self.sql.push_str(sign);
            self.params.push(Value::Integer(end));
            word = " AND ";
        }
        self.sql.push(')');
        Ok(())
    }

    /// Columns hold milliseconds; properties hold text that says an instant.
    fn instant_or_value(&mut self, object: ObjectType, field: &Field) -> Result<()> {
        let read = matches!(field, Field::Property(_)) && matches!(field.kind(), Kind::Instant | Kind::Day);
        if read {
            self.sql.push_str("instant(");
        }
        self.value(object, field)?;
        if read {
            self.sql.push(')');
        }
        Ok(())
    }

    fn call(&mut self, function: &str, object: ObjectType, field: &Field, wanted: &str) -> Result<()> {
        self.sql.push_str(function);
        self.sql.push('(');
        self.value(object, field)?;
        self.sql.push_str(", ?)");
        self.params.push(Value::Text(wanted.to_owned()));
        Ok(())
    }

    fn bound(&mut self, bound: &Bound<Decimal>) {
        let (number, included) = match bound {
            Bound::Included(number) => (Value::Text(number.to_string()), 1),
            Bound::Excluded(number) => (Value::Text(number.to_string()), 0),
            Bound::Unbounded => (Value::Null, 0),
        };
        self.params.extend([number, Value::Integer(included)]);
    }

    /// The field's value; NULL where it is unset or empty.
    fn value(&mut self, object: ObjectType, field: &Field) -> Result<()> {
        if let Some(over) = self.over {
            self.sql.push_str(over);
            return Ok(());
        }
        if let Field::Property(Property { name, .. }) = field {
            self.reads_properties = true;
            self.sql.push_str(PROPERTY);
            self.params.push(Value::Text(name.clone()));
            return Ok(());
        }
        let column = match field {
            _ if object != ObjectType::Contacts => None,
            Field::Name => Some("iif(c.named, c.name, NULL)"),
            Field::Email => Some("c.email"),
            Field::Company => Some("c.company"),
            Field::Phone => Some("c.phone"),
            Field::Title => Some("c.title"),
            Field::Lifecycle => Some("c.lifecycle"),
            Field::Status => Some("c.status"),
            Field::Owner => Some("c.owner"),
            Field::Created => Some("c.created"),
            Field::Updated => Some("c.updated"),
            Field::Activity => Some("c.activity"),
            _ => None,
        };
        let missing = || {
            Error::Query(format!(
                "'{}' of {object} cannot be filtered in the store",
                field.name()
            ))
        };
        self.sql.push_str(column.ok_or_else(missing)?);
        Ok(())
    }
}

/// Gives a connection the functions a [`Predicate`] calls: case is ignored by the filter's own rule, numbers compare as
/// decimals and instants are read as HubSpot spells them.
pub(super) fn functions(conn: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("text_is", 2, pure, |context| {
        text(context, |text, wanted| text == wanted)
    })?;
    conn.create_scalar_function("text_begins", 2, pure, |context| {
        text(context, |text, wanted| text.starts_with(wanted))
    })?;
    conn.create_scalar_function("text_has", 2, pure, |context| {
        text(context, |text, wanted| text.contains(wanted))
    })?;
    conn.create_scalar_function("number_within", 5, pure, number_within)?;
    conn.create_scalar_function("instant", 1, pure, |context| {
        let at = context.get_raw(0).as_str_or_null()?.and_then(parse_time);
        Ok(at.map(jiff::Timestamp::as_millisecond))
    })?;
    Ok(())
}

fn text(context: &Context<'_>, test: impl Fn(&str, &str) -> bool) -> rusqlite::Result<bool> {
    let ValueRef::Text(_) = context.get_raw(0) else {
        return Ok(false);
    };
    let text = context.get_raw(0).as_str()?;
    Ok(test(&fold(text), context.get_raw(1).as_str()?))
}

/// `(text, from, from is in, to, to is in)`; NULL = no bound. False for text that is no number.
fn number_within(context: &Context<'_>) -> rusqlite::Result<bool> {
    let decimal = |index| -> rusqlite::Result<Option<Decimal>> {
        Ok(context
            .get_raw(index)
            .as_str_or_null()?
            .and_then(|text| text.parse().ok()))
    };
    let Some(number) = decimal(0)? else { return Ok(false) };
    let above = match decimal(1)? {
        Some(from) if context.get(2)? => number >= from,
        Some(from) => number > from,
        None => true,
    };
    let below = match decimal(3)? {
        Some(to) if context.get(4)? => number <= to,
        Some(to) => number < to,
        None => true,
    };
    Ok(above && below)
}
