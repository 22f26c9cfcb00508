//! How money, dates, counts and ages are written, for every face. The screen only fits these to cells.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};

/// What stands for "not known".
pub const UNKNOWN: &str = "—";

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The sign of a currency where everybody knows it; others are written as their code after the number.
fn symbol(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" => Some("$"),
        _ => None,
    }
}

/// Money in at most three figures and a letter: `$950`, `$7.2K`, `$145K`, `$1.01M`, `30.0K EUR`, `−$4.0K`.
#[must_use]
pub fn money_short(amount: Decimal, currency: &str) -> String {
    let sign = if amount.is_sign_negative() && !amount.is_zero() {
        "−"
    } else {
        ""
    };
    with_currency(sign, &short(amount.abs()), currency)
}

/// Money in full with grouping and code: `$96,000.00 USD`, `30,000.00 EUR`.
#[must_use]
pub fn money_exact(amount: Decimal, currency: &str) -> String {
    let sign = if amount.is_sign_negative() && !amount.is_zero() {
        "−"
    } else {
        ""
    };
    let cents = amount
        .abs()
        .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let text = format!("{cents:.2}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let number = format!("{}.{fraction}", grouped(whole));
    match symbol(currency) {
        Some(symbol) => format!("{sign}{symbol}{number} {currency}"),
        None => format!("{sign}{number} {currency}"),
    }
}

fn with_currency(sign: &str, number: &str, currency: &str) -> String {
    match symbol(currency) {
        Some(symbol) => format!("{sign}{symbol}{number}"),
        None if currency.is_empty() => format!("{sign}{number}"),
        None => format!("{sign}{number} {currency}"),
    }
}

/// A non-negative number in short form. Rounding decides the unit: 999,950 is `1.00M`, never `1000K`.
fn short(number: Decimal) -> String {
    let whole = number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    if whole < Decimal::from(1_000) {
        return whole.normalize().to_string();
    }
    let units = [
        (1_000_u64, "K"),
        (1_000_000, "M"),
        (1_000_000_000, "B"),
        (1_000_000_000_000, "T"),
    ];
    for (nth, (unit, letter)) in units.into_iter().enumerate() {
        let scaled = number / Decimal::from(unit);
        // Thousands show one decimal below 100; millions and more show three figures.
        let places = match (nth, scaled) {
            (0, n) if n < Decimal::from(100) => 1,
            (_, n) if nth > 0 && n < Decimal::from(10) => 2,
            (_, n) if nth > 0 && n < Decimal::from(100) => 1,
            _ => 0,
        };
        let rounded = scaled.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        if rounded < Decimal::from(1_000) || letter == "T" {
            let places = if nth == 0 && rounded >= Decimal::from(100) {
                0
            } else {
                places as usize
            };
            return format!("{rounded:.places$}{letter}");
        }
    }
    whole.to_string()
}

/// Digits in groups of three: `1,234,567`.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (nth, c) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A count: grouped above 9,999, plain below.
#[must_use]
pub fn count(number: u64) -> String {
    if number > 9_999 {
        grouped(&number.to_string())
    } else {
        number.to_string()
    }
}

/// A request count for a gauge: `950`, `71.2K`, `625K`.
#[must_use]
pub fn count_short(number: u64) -> String {
    short(Decimal::from(number))
}

/// A ratio as a whole percentage: `39%`.
#[must_use]
pub fn percent(ratio: Decimal) -> String {
    let hundredths = (ratio * Decimal::from(100)).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    format!("{}%", hundredths.normalize())
}

/// A day as cards show it: `15 Dec` within twelve months of today, `15 Dec 27` otherwise.
#[must_use]
pub fn day(date: Date, today: Date) -> String {
    let near = (date - today).get_days().abs() <= 365;
    let month = month(date);
    if near {
        format!("{} {month}", date.day())
    } else {
        format!("{} {month} {:02}", date.day(), date.year() % 100)
    }
}

/// A day with its year, where it is edited or sent: `15 Dec 2026`.
#[must_use]
pub fn day_exact(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// A day in a sentence: with its weekday when it is within a week, `Thu 26 Nov`.
#[must_use]
pub fn day_spoken(date: Date, today: Date) -> String {
    let away = (date - today).get_days();
    if (-7..=7).contains(&away) {
        format!("{} {}", weekday(date), day(date, today))
    } else {
        day(date, today)
    }
}

/// A time of day for today, a day for anything older: `09:12`, `16 Nov`.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (then, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()).date());
    if then.date() == today {
        clock(at, zone)
    } else {
        day(then.date(), today)
    }
}

/// `09:12` in the zone.
#[must_use]
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let then = at.to_zoned(zone.clone());
    format!("{:02}:{:02}", then.hour(), then.minute())
}

/// `10:42:03` in the zone.
#[must_use]
pub fn clock_seconds(at: Timestamp, zone: &TimeZone) -> String {
    let then = at.to_zoned(zone.clone());
    format!("{:02}:{:02}:{:02}", then.hour(), then.minute(), then.second())
}

/// How old something is, in one unit: `37 min`, `14 h`, `3 d`.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_second() - since.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn month(date: Date) -> &'static str {
    MONTHS
        .get(usize::try_from(date.month()).unwrap_or(1).saturating_sub(1))
        .copied()
        .unwrap_or("?")
}

/// `Thu`
#[must_use]
pub fn weekday(date: Date) -> &'static str {
    let nth = date.weekday().to_monday_zero_offset();
    DAYS.get(usize::try_from(nth).unwrap_or(0)).copied().unwrap_or("?")
}

/// `1 deal`, `3 deals`.
#[must_use]
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_takes_three_figures_and_a_letter() {
        for (amount, text) in [
            ("0", "$0"),
            ("950", "$950"),
            ("999.4", "$999"),
            ("999.6", "$1.0K"),
            ("7200", "$7.2K"),
            ("48000", "$48.0K"),
            ("99949", "$99.9K"),
            ("99951", "$100K"),
            ("145000", "$145K"),
            ("999949", "$1.00M"),
            ("1010000", "$1.01M"),
            ("12400000000", "$12.4B"),
            ("-4000", "−$4.0K"),
        ] {
            assert_eq!(money_short(amount.parse().unwrap(), "USD"), text, "{amount}");
        }
        assert_eq!(money_short("30000".parse().unwrap(), "EUR"), "30.0K EUR");
        assert_eq!(money_exact("96000".parse().unwrap(), "USD"), "$96,000.00 USD");
        assert_eq!(money_exact("-1234567.5".parse().unwrap(), "EUR"), "−1,234,567.50 EUR");
    }

    #[test]
    fn days_show_the_year_only_when_it_is_far() {
        let today = jiff::civil::date(2026, 11, 22);
        assert_eq!(day(jiff::civil::date(2026, 12, 15), today), "15 Dec");
        assert_eq!(day(jiff::civil::date(2027, 12, 15), today), "15 Dec 27");
        assert_eq!(day_spoken(jiff::civil::date(2026, 11, 26), today), "Thu 26 Nov");
        assert_eq!(day_exact(jiff::civil::date(2026, 12, 15)), "15 Dec 2026");
    }

    #[test]
    fn counts_and_ages() {
        assert_eq!((count(9_999), count(10_000)), ("9999".to_owned(), "10,000".to_owned()));
        assert_eq!(
            (count_short(71_240), count_short(625_000)),
            ("71.2K".to_owned(), "625K".to_owned())
        );
        assert_eq!(percent("0.385".parse().unwrap()), "39%");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(age(at("2026-11-22T00:00:00Z"), at("2026-11-22T14:30:00Z")), "14 h");
    }
}
