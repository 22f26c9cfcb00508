//! From what was written to what it means: labels become ids, days become milliseconds, `me` becomes an owner.

use std::ops::Bound;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{
    Context, Expr, Field, Kind, Length, Op, Plan, Test, Value,
    dates::{self, Days},
    fold, segments,
};

/// The values of `state`.
pub(super) const STATES: [&str; 3] = ["open", "won", "lost"];

/// Forecast categories with the labels people know them by; accounts may rename them.
const CATEGORIES: [(&str, &str); 5] = [
    ("OMIT", "Not forecasted"),
    ("PIPELINE", "Pipeline"),
    ("BEST_CASE", "Best case"),
    ("COMMIT", "Commit"),
    ("CLOSED", "Closed won"),
];

/// Which property a choice field shows, for the labels of its values.
const CHOICES: [(Field, &str); 3] = [
    (Field::Category, "hs_manual_forecast_category"),
    (Field::Lifecycle, "lifecyclestage"),
    (Field::Status, "hs_lead_status"),
];

/// What the tree means in the context.
pub(super) fn plan(expr: &Expr, context: &Context<'_>) -> Plan {
    let all = |parts: &[Expr]| parts.iter().map(|part| plan(part, context)).collect();
    match expr {
        Expr::And(parts) => Plan::All(all(parts)),
        Expr::Or(parts) => Plan::Any(all(parts)),
        Expr::Not(inner) => Plan::Not(Box::new(plan(inner, context))),
        Expr::Compare { field, op, value } => compare(field, *op, value, context),
        Expr::Word { text, fields } => {
            let text = fold(text);
            Plan::Any(
                fields
                    .iter()
                    .map(|field| Plan::Test(field.clone(), Test::Contains(text.clone())))
                    .collect(),
            )
        }
    }
}

fn compare(field: &Field, op: Op, value: &Value, context: &Context<'_>) -> Plan {
    match op {
        Op::NotEqual => return Plan::Not(Box::new(compare(field, Op::Equal, value, context))),
        Op::ContainsNot => return Plan::Not(Box::new(compare(field, Op::Contains, value, context))),
        _ => {}
    }
    let test = match value {
        Value::AnyOf(values) => {
            return Plan::Any(values.iter().map(|value| compare(field, op, value, context)).collect());
        }
        Value::None if *field == Field::Segment => {
            let all = context.segments.iter().map(|(_, plan)| plan.clone());
            return Plan::Not(Box::new(Plan::Any(all.collect())));
        }
        Value::Text(text) if *field == Field::Segment => return segment(op, text, context),
        Value::Text(text) if *field == Field::List => list_test(op, text, context),
        Value::None => return Plan::Not(Box::new(Plan::Test(field.clone(), Test::Set))),
        Value::Me => Test::OneOf(context.me.iter().map(|me| me.to_string()).collect()),
        Value::Text(text) if field.kind() == Kind::Choice => return choice(field, op, text, context),
        Value::Text(text) => text_test(op, text),
        Value::Flag(flag) => Test::Flag(*flag),
        Value::Number(number) => number_test(op, *number, *number),
        Value::Day(day) => days_test(field, op, dates::days(*day, context), context),
        Value::Age(length) if field.kind() == Kind::Days => {
            let days = Decimal::from(dates::whole_days(*length, context));
            number_test(op, days, days)
        }
        Value::Age(length) => age_test(op, *length, context),
        Value::Range(from, to) => range_test(field, from, to, context),
    };
    Plan::Test(field.clone(), test)
}

/// What the segments with this name ask.
fn segment(op: Op, text: &str, context: &Context<'_>) -> Plan {
    let meant = segments::meant(context.segments.iter().map(|(name, _)| name.as_str()), op, text);
    let named = context
        .segments
        .iter()
        .filter(|(name, _)| meant.contains(&name.as_str()));
    Plan::Any(named.map(|(_, plan)| plan.clone()).collect())
}

/// A list by its id, else by its name: the one that is called so, else those whose names begin so. A text that means no
/// list that is known here may still be the id of one.
fn list_test(op: Op, text: &str, context: &Context<'_>) -> Test {
    let wanted = fold(text);
    let named = |hit: &dyn Fn(&str) -> bool| -> Vec<String> {
        let hits = context.lists.iter().filter(|list| hit(&fold(&list.name)));
        hits.map(|list| list.id.to_string()).collect()
    };
    if op == Op::Contains {
        return Test::OneOf(named(&|name| name.contains(&wanted)));
    }
    if context.lists.iter().any(|list| list.id.as_str() == text) {
        return Test::OneOf(vec![text.to_owned()]);
    }
    let mut ids = named(&|name| name == wanted);
    if ids.is_empty() && op == Op::Begins {
        ids = named(&|name| name.starts_with(&wanted));
    }
    if ids.is_empty() {
        ids.push(text.to_owned());
    }
    Test::OneOf(ids)
}

fn text_test(op: Op, text: &str) -> Test {
    let text = fold(text);
    match op {
        Op::Contains => Test::Contains(text),
        Op::Equal => Test::Equals(text),
        _ => Test::Begins(text),
    }
}

/// Label or id: the labels known here become ids, and the text is also held against the raw value, because a deal may
/// name a stage that no pipeline knows.
fn choice(field: &Field, op: Op, text: &str, context: &Context<'_>) -> Plan {
    let wanted = fold(text);
    let hit = |label: &str| {
        let label = fold(label);
        match op {
            Op::Contains => label.contains(&wanted),
            Op::Equal => label == wanted,
            _ => label.starts_with(&wanted),
        }
    };
    let mut ids: Vec<String> = Vec::new();
    match field {
        Field::State => {
            ids.extend(STATES.into_iter().filter(|state| hit(state)).map(str::to_owned));
            return Plan::Test(field.clone(), Test::OneOf(ids));
        }
        Field::Stage => {
            let stages = context.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
            ids.extend(
                stages
                    .filter(|stage| hit(&stage.label))
                    .map(|stage| stage.id.to_string()),
            );
        }
        Field::Pipeline => {
            let pipelines = context.pipelines.iter();
            ids.extend(
                pipelines
                    .filter(|pipeline| hit(&pipeline.label))
                    .map(|pipeline| pipeline.id.to_string()),
            );
        }
        // People are known by either name: `owner:quill` is Robin Quill.
        Field::Owner => ids.extend(
            context
                .owners
                .iter()
                .filter(|owner| {
                    [&owner.name(), &owner.last_name, &owner.first_name, &owner.email]
                        .into_iter()
                        .any(|name| hit(name))
                })
                .map(|owner| owner.id.to_string()),
        ),
        _ => ids.extend(
            options(field, context)
                .into_iter()
                .filter(|(_, label)| hit(label))
                .map(|(id, _)| id.to_owned()),
        ),
    }
    ids.sort_unstable();
    ids.dedup();
    let raw = Plan::Test(field.clone(), text_test(op, text));
    if ids.is_empty() {
        raw
    } else {
        Plan::Any(vec![Plan::Test(field.clone(), Test::OneOf(ids)), raw])
    }
}

/// `(value, label)` of a choice, from the property definitions, for categories else from the names HubSpot ships.
fn options<'a>(field: &'a Field, context: &Context<'a>) -> Vec<(&'a str, &'a str)> {
    let property = CHOICES
        .iter()
        .find(|(choice, _)| choice == field)
        .map_or(field.name(), |(_, property)| property);
    let definition = context
        .definitions
        .iter()
        .find(|definition| definition.name == property);
    match definition {
        Some(definition) => definition
            .options
            .iter()
            .map(|(value, label)| (value.as_str(), label.as_str()))
            .collect(),
        None if *field == Field::Category => CATEGORIES.to_vec(),
        None => Vec::new(),
    }
}

fn number_test(op: Op, low: Decimal, high: Decimal) -> Test {
    match op {
        Op::Less => Test::Number(Bound::Unbounded, Bound::Excluded(low)),
        Op::AtMost => Test::Number(Bound::Unbounded, Bound::Included(high)),
        Op::More => Test::Number(Bound::Excluded(high), Bound::Unbounded),
        Op::AtLeast => Test::Number(Bound::Included(low), Bound::Unbounded),
        _ => Test::Number(Bound::Included(low), Bound::Included(high)),
    }
}

/// Days against an instant, in the account's zone; against a property without a time, which is kept as midnight UTC, in UTC.
fn days_test(field: &Field, op: Op, days: Days, context: &Context<'_>) -> Test {
    let utc = TimeZone::UTC;
    let zone = if field.kind() == Kind::Day { &utc } else { &context.zone };
    let (begin, end) = (dates::begins(days.first, zone), dates::ends(days.last, zone));
    // Past the end of time nothing is later, so a bound there is the last millisecond.
    let (begin, end) = (begin.or(Some(i64::MAX)), end.or(Some(i64::MAX)));
    let (from, to) = match op {
        Op::Less => (None, begin),
        Op::AtMost => (None, end),
        Op::More => (end, None),
        Op::AtLeast => (begin, None),
        _ => (begin, end),
    };
    Test::Millis { from, to }
}

/// An age against an instant: less old is later. Equal means in that very unit: `updated:3d` is three days and some hours ago.
fn age_test(op: Op, length: Length, context: &Context<'_>) -> Test {
    let then = dates::ago(length, context);
    let (from, to) = match op {
        Op::Less => (Some(then + 1), None),
        Op::AtMost => (Some(then), None),
        Op::More => (None, Some(then)),
        Op::AtLeast => (None, Some(then + 1)),
        _ => {
            let longer = Length {
                count: length.count.saturating_add(1),
                ..length
            };
            (Some(dates::ago(longer, context) + 1), Some(then + 1))
        }
    };
    Test::Millis { from, to }
}

/// Both ends in.
fn range_test(field: &Field, from: &Value, to: &Value, context: &Context<'_>) -> Test {
    match (from, to) {
        (Value::Number(low), Value::Number(high)) => number_test(Op::Equal, *low, *high),
        (Value::Day(first), Value::Day(last)) => {
            let days = Days {
                first: dates::days(*first, context).first,
                last: dates::days(*last, context).last,
            };
            days_test(field, Op::Equal, days, context)
        }
        (Value::Age(young), Value::Age(old)) if field.kind() == Kind::Days => {
            let days = |length| Decimal::from(dates::whole_days(length, context));
            number_test(Op::Equal, days(*young), days(*old))
        }
        (Value::Age(young), Value::Age(old)) => Test::Millis {
            from: Some(dates::ago(*old, context)),
            to: Some(dates::ago(*young, context) + 1),
        },
        // The parser lets no other pair through; nothing lies between values of two sorts.
        _ => Test::OneOf(Vec::new()),
    }
}
