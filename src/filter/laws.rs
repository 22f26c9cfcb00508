//! The laws of the language, over arbitrary trees and texts.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{
    tests::{NOW, deal_record, definitions},
    *,
};
use crate::domain::Deal;

/// How many cases a property is tried with: `DEALDECK_TEST_SIZE` is a factor.
fn cases() -> ProptestConfig {
    let factor: u32 = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1);
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256 * factor.max(1))
    }
}

fn length(units: &'static [Unit]) -> impl Strategy<Value = Length> {
    (0..=100_000_i32, prop::sample::select(units)).prop_map(|(count, unit)| Length { count, unit })
}

fn day() -> impl Strategy<Value = Day> {
    let weekdays = (1..=7_i8).prop_map(|nth| Day::Weekday(jiff::civil::Weekday::from_monday_one_offset(nth).unwrap()));
    prop_oneof![
        (0..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| Day::On(jiff::civil::date(y, m, d))),
        prop::sample::select(vec![
            Day::Today,
            Day::Yesterday,
            Day::Tomorrow,
            Day::EndOfWeek,
            Day::EndOfMonth,
            Day::EndOfQuarter
        ]),
        weekdays,
        (1..=4_u8).prop_map(Day::Quarter),
        (0..=9999_i16).prop_map(Day::FiscalYear),
        (length(&Unit::ALL[1..]), prop::bool::ANY).prop_map(|(length, back)| {
            let count = if back { -length.count } else { length.count };
            Day::FromToday(Length { count, ..length })
        }),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    (any::<i64>(), 0..10_u32)
        .prop_map(|(digits, scale)| Value::Number(rust_decimal::Decimal::new(digits, scale).normalize()))
}

fn one_value(field: &Field, op: Op) -> BoxedStrategy<Value> {
    let range = |one: BoxedStrategy<Value>| {
        (one.clone(), one).prop_map(|(a, b)| match (&a, &b) {
            (Value::Number(low), Value::Number(high)) if low > high => Value::Range(Box::new(b), Box::new(a)),
            _ => Value::Range(Box::new(a), Box::new(b)),
        })
    };
    let ranged = |ones: Vec<BoxedStrategy<Value>>| {
        let any = prop::strategy::Union::new(ones.clone());
        if op.is_order() {
            any.boxed()
        } else {
            prop_oneof![any, prop::strategy::Union::new(ones.into_iter().map(range))].boxed()
        }
    };
    let typed = match field.kind() {
        Kind::Choice if *field == Field::State => prop::sample::select(vec!["open", "W", "lo"])
            .prop_map(|state| Value::Text(state.into()))
            .boxed(),
        Kind::Text | Kind::Choice => "\\PC*[^\\s]\\PC*".prop_map(Value::Text).boxed(),
        Kind::Number => ranged(vec![number().boxed()]),
        Kind::Days => ranged(vec![
            number().boxed(),
            length(&Unit::ALL[1..]).prop_map(Value::Age).boxed(),
        ]),
        Kind::Instant | Kind::Day => ranged(vec![
            day().prop_map(Value::Day).boxed(),
            length(&Unit::ALL).prop_map(Value::Age).boxed(),
        ]),
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
    };
    let mut all = vec![typed];
    if matches!(op, Op::Begins | Op::Equal | Op::NotEqual) {
        all.push(Just(Value::None).boxed());
    }
    if *field == Field::Owner {
        all.push(Just(Value::Me).boxed());
    }
    prop::strategy::Union::new(all).boxed()
}

fn comparison() -> impl Strategy<Value = Expr> {
    let schema_fields = || {
        let definitions = definitions();
        let schema = Schema::Deals(&definitions);
        let named = definitions
            .iter()
            .filter_map(|definition| schema.field(&definition.name));
        Field::DEALS.into_iter().chain(named).collect::<Vec<_>>()
    };
    (
        prop::sample::select(schema_fields()),
        prop::sample::select(&Op::ALL[..]),
    )
        .prop_filter("the operator goes with the field", |(field, op)| match field.kind() {
            Kind::Text | Kind::Choice => !op.is_order(),
            Kind::Flag => matches!(op, Op::Begins | Op::Equal | Op::NotEqual),
            _ => !matches!(op, Op::Contains | Op::ContainsNot),
        })
        .prop_flat_map(|(field, op)| {
            let one = one_value(&field, op);
            let many = prop::collection::vec(one.clone(), 1..4).prop_map(Value::AnyOf);
            let value = if op.is_order() {
                one
            } else {
                prop_oneof![3 => one, 1 => many].boxed()
            };
            value.prop_map(move |value| Expr::Compare {
                field: field.clone(),
                op,
                value,
            })
        })
}

fn expr() -> impl Strategy<Value = Expr> {
    let word = "\\PC*[^\\s]\\PC*".prop_map(|text| Expr::Word {
        text,
        fields: Schema::Deals(&[]).word_fields(),
    });
    let leaf = prop_oneof![3 => comparison(), 1 => word];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(expr in expr()) {
        let text = expr.to_string();
        let definitions = definitions();
        prop_assert_eq!(parse(&text, Schema::Deals(&definitions)).map_err(|e| format!("{text}\n{e}")), Ok(expr));
    }

    #[test]
    fn any_tree_can_be_planned_and_held_against_a_row(expr in expr()) {
        let context = Context::new(NOW.parse().unwrap(), TimeZone::get("Asia/Tokyo").unwrap());
        let deal = Deal::from_record(&deal_record());
        let row = DealRow { deal: &deal, companies: &[], properties: None };
        let found = matches(&expr, &row, &context);
        prop_assert_eq!(found, !matches(&Expr::Not(Box::new(expr)), &row, &context));
    }

    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,40}|[-a-z0-9 :=!<>~().,\"\\\\]{0,40}|(stage|amount|close|not|or|[:<>=~(), -]|90k|eoq|\\.\\.|none){0,12}") {
        match parse(&text, Schema::Deals(&[])) {
            Ok(expr) => { let _ = expr.to_string(); }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{}", error),
        }
    }
}
