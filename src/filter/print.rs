//! Tree to text: the canonical spelling, which parses to the same tree.

use std::fmt;

use jiff::civil::Weekday;

use super::{Day, Expr, Length, Value, parse::is_keyword};

pub(super) fn expr(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::And(parts) => joined(parts, " ", f),
        Expr::Or(parts) => joined(parts, " or ", f),
        Expr::Not(inner) => {
            f.write_str("not ")?;
            operand(inner, f)
        }
        Expr::Compare { field, op, value } => {
            write!(f, "{}{}", field.name(), op.sign())?;
            self::value(value, f)
        }
        Expr::Word { text, .. } => self::text(text, f),
    }
}

fn joined(parts: &[Expr], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (nth, part) in parts.iter().enumerate() {
        if nth > 0 {
            f.write_str(between)?;
        }
        operand(part, f)?;
    }
    Ok(())
}

/// Groups keep their brackets: they are part of the tree.
fn operand(part: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if matches!(part, Expr::And(_) | Expr::Or(_)) {
        f.write_str("(")?;
        expr(part, f)?;
        f.write_str(")")
    } else {
        expr(part, f)
    }
}

fn value(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::None => f.write_str("none"),
        Value::Me => f.write_str("me"),
        Value::Text(text) => self::text(text, f),
        Value::Number(number) => write!(f, "{number}"),
        Value::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
        Value::Day(day) => self::day(*day, f),
        Value::Age(length) => self::length(*length, f),
        Value::Range(from, to) => {
            self::value(from, f)?;
            f.write_str("..")?;
            self::value(to, f)
        }
        Value::AnyOf(values) => {
            f.write_str("(")?;
            for (nth, one) in values.iter().enumerate() {
                f.write_str(if nth > 0 { ", " } else { "" })?;
                self::value(one, f)?;
            }
            f.write_str(")")
        }
    }
}

/// Bare where it can only be read as text, quoted otherwise.
fn text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = text.starts_with(|c: char| c.is_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'));
    let reserved = is_keyword(text) || ["none", "me"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain && !reserved {
        return f.write_str(text);
    }
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn day(day: Day, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match day {
        Day::On(date) => write!(f, "{date}"),
        Day::Today => f.write_str("today"),
        Day::Yesterday => f.write_str("yesterday"),
        Day::Tomorrow => f.write_str("tomorrow"),
        Day::EndOfWeek => f.write_str("eow"),
        Day::EndOfMonth => f.write_str("eom"),
        Day::EndOfQuarter => f.write_str("eoq"),
        Day::Weekday(weekday) => f.write_str(match weekday {
            Weekday::Monday => "mon",
            Weekday::Tuesday => "tue",
            Weekday::Wednesday => "wed",
            Weekday::Thursday => "thu",
            Weekday::Friday => "fri",
            Weekday::Saturday => "sat",
            Weekday::Sunday => "sun",
        }),
        Day::Quarter(quarter) => write!(f, "q{quarter}"),
        Day::FiscalYear(year) => write!(f, "fy{year:04}"),
        Day::FromToday(Length { count, unit }) => write!(f, "{count:+}{}", unit.letter()),
    }
}

fn length(length: Length, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}{}", length.count, length.unit.letter())
}
