//! Values as they are written: numbers with `k` and `m`, days, ages.

use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;

use super::{Day, Field, Kind, Length, Unit, Value};

/// How far a duration may reach.
const MAX_COUNT: i32 = 100_000;

/// One value of a field's kind, or what was expected instead.
pub(super) fn of_field(field: &Field, text: &str) -> Result<Value, String> {
    match field.kind() {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Choice if *field == Field::State => state(text),
        Kind::Choice => Ok(Value::Text(text.to_owned())),
        Kind::Number => number(text)
            .map(Value::Number)
            .ok_or_else(|| "expected a number like 90000, 90k or 1.2m".to_owned()),
        // Here `m` is a month: the field counts days, not money.
        Kind::Days => length(text)
            .filter(|length| length.unit != Unit::Hour)
            .map(Value::Age)
            .or_else(|| number(text).map(Value::Number))
            .ok_or_else(|| format!("expected days, for '{}' like 14, 14d or 2w", field.name())),
        Kind::Instant | Kind::Day => day(text)
            .map(Value::Day)
            .or_else(|| length(text).map(Value::Age))
            .ok_or_else(|| {
                "expected a date like 2026-12-31, today, eoq, fri, q4 or +14d, or an age like 30d".to_owned()
            }),
        Kind::Flag => match text.to_lowercase().as_str() {
            "yes" | "true" => Ok(Value::Flag(true)),
            "no" | "false" => Ok(Value::Flag(false)),
            _ => Err("expected yes or no".to_owned()),
        },
    }
}

/// The three states are known without an account, so a slip is an error and not an empty result.
fn state(text: &str) -> Result<Value, String> {
    let wanted = text.to_lowercase();
    if super::resolve::STATES.iter().any(|state| state.starts_with(&wanted)) {
        Ok(Value::Text(text.to_owned()))
    } else {
        Err("expected open, won or lost".to_owned())
    }
}

/// `90000`, `-5`, `90k`, `1.2m`.
fn number(text: &str) -> Option<Decimal> {
    let lower = text.to_lowercase();
    let (digits, factor) = match lower.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => lower
            .strip_suffix('m')
            .map_or((lower.as_str(), 1), |digits| (digits, 1_000_000)),
    };
    let bare = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if !bare.starts_with(|c: char| c.is_ascii_digit()) || !bare.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number = Decimal::from_str_exact(digits).ok()?;
    Some(number.checked_mul(Decimal::from(factor))?.normalize())
}

/// `30d`, without a sign.
fn length(text: &str) -> Option<Length> {
    let letter = text.chars().next_back()?.to_ascii_lowercase();
    let unit = Unit::ALL.into_iter().find(|unit| unit.letter() == letter)?;
    let digits = text.get(..text.len() - 1)?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse().ok().filter(|count| *count <= MAX_COUNT)?;
    Some(Length { count, unit })
}

/// A day or a run of days.
fn day(text: &str) -> Option<Day> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "today" => return Some(Day::Today),
        "yesterday" => return Some(Day::Yesterday),
        "tomorrow" => return Some(Day::Tomorrow),
        "eow" => return Some(Day::EndOfWeek),
        "eom" => return Some(Day::EndOfMonth),
        "eoq" => return Some(Day::EndOfQuarter),
        "q1" => return Some(Day::Quarter(1)),
        "q2" => return Some(Day::Quarter(2)),
        "q3" => return Some(Day::Quarter(3)),
        "q4" => return Some(Day::Quarter(4)),
        _ => {}
    }
    from_today(&lower)
        .or_else(|| fiscal_year(&lower))
        .or_else(|| weekday(&lower).map(Day::Weekday))
        .or_else(|| date(text).map(Day::On))
}

/// `+14d`, `-30d`: whole days and more.
fn from_today(text: &str) -> Option<Day> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let Length { count, unit } = length(rest).filter(|length| length.unit != Unit::Hour)?;
    Some(Day::FromToday(Length {
        count: sign * count,
        unit,
    }))
}

/// `fy2026`
fn fiscal_year(text: &str) -> Option<Day> {
    let digits = text.strip_prefix("fy")?;
    let four = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| four).map(Day::FiscalYear)
}

/// `fri`, `friday`
fn weekday(text: &str) -> Option<Weekday> {
    let named = [
        (Weekday::Monday, "monday"),
        (Weekday::Tuesday, "tuesday"),
        (Weekday::Wednesday, "wednesday"),
        (Weekday::Thursday, "thursday"),
        (Weekday::Friday, "friday"),
        (Weekday::Saturday, "saturday"),
        (Weekday::Sunday, "sunday"),
    ];
    let hit = |name: &str| text == name || name.get(..3) == Some(text);
    named.into_iter().find(|(_, name)| hit(name)).map(|(day, _)| day)
}

/// `2026-12-31` and nothing looser.
fn date(text: &str) -> Option<Date> {
    let plain = text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    text.parse().ok().filter(|_| plain)
}
