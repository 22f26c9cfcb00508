//! Days as the account sees them: what "today", "eoq", "q4" and "+14d" are, and where a day begins and ends in
//! milliseconds. Dates outside jiff's range end at its edge instead of failing: a filter may ask for any age.

use jiff::{
    Span, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::{Context, Day, Length, Unit};

/// A run of days, both ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Days {
    const fn one(day: Date) -> Self {
        Self { first: day, last: day }
    }
}

/// Today in the account's zone.
pub(super) fn today(context: &Context<'_>) -> Date {
    context.now.to_zoned(context.zone.clone()).date()
}

/// The days a written day stands for.
pub(super) fn days(day: Day, context: &Context<'_>) -> Days {
    let today = today(context);
    match day {
        Day::On(date) => Days::one(date),
        Day::Today => Days::one(today),
        Day::Yesterday => Days::one(after(today, -1)),
        Day::Tomorrow => Days::one(after(today, 1)),
        Day::EndOfWeek => Days::one(coming(Weekday::Sunday, today)),
        Day::EndOfMonth => Days::one(today.last_of_month()),
        Day::EndOfQuarter => {
            let (year, quarter) = fiscal_quarter(today, context.fiscal_year_start);
            Days::one(quarter_days(year, quarter, context.fiscal_year_start).last)
        }
        Day::Weekday(weekday) => Days::one(coming(weekday, today)),
        Day::Quarter(quarter) => {
            let (year, _) = fiscal_quarter(today, context.fiscal_year_start);
            quarter_days(year, i16::from(quarter), context.fiscal_year_start)
        }
        Day::FiscalYear(year) => Days {
            first: quarter_days(year, 1, context.fiscal_year_start).first,
            last: quarter_days(year, 4, context.fiscal_year_start).last,
        },
        Day::FromToday(length) => Days::one(today.saturating_add(span(length))),
    }
}

/// A length as a calendar span.
fn span(Length { count, unit }: Length) -> Span {
    let count = i64::from(count);
    let span = match unit {
        Unit::Hour => Span::new().try_hours(count),
        Unit::Day => Span::new().try_days(count),
        Unit::Week => Span::new().try_weeks(count),
        Unit::Month => Span::new().try_months(count),
        Unit::Quarter => Span::new().try_months(count * 3),
        Unit::Year => Span::new().try_years(count),
    };
    // Longer than the calendar: the longest span stands for it.
    span.unwrap_or_else(|_| Span::new().years(if count < 0 { -19_998 } else { 19_998 }))
}

fn after(day: Date, count: i32) -> Date {
    day.saturating_add(Span::new().days(count))
}

/// The next such weekday, today included.
fn coming(weekday: Weekday, today: Date) -> Date {
    after(today, i32::from(today.weekday().until(weekday)))
}

/// Fiscal year (named after the calendar year it ends in) and quarter, 1 to 4, of a day.
fn fiscal_quarter(day: Date, start: i8) -> (i16, i16) {
    let start = start.clamp(1, 12);
    let months = i16::from((day.month() - start).rem_euclid(12));
    let year = day.year() + i16::from(start > 1 && day.month() >= start);
    (year, months / 3 + 1)
}

/// The days of a fiscal quarter.
fn quarter_days(year: i16, quarter: i16, start: i8) -> Days {
    let start = start.clamp(1, 12);
    let begins_in = year - i16::from(start > 1);
    let month = i16::from(start) - 1 + (quarter - 1) * 3;
    let begin = |months: i16| {
        let month = i8::try_from(months % 12 + 1).unwrap_or(1);
        Date::new(begins_in.saturating_add(months / 12), month, 1)
    };
    let first = begin(month).unwrap_or(Date::MAX);
    let last = begin(month + 3).map_or(Date::MAX, |next| after(next, -1));
    Days { first, last }
}

/// The first millisecond of a day in a zone; `None` past the end of time.
pub(super) fn begins(day: Date, zone: &TimeZone) -> Option<i64> {
    day.to_zoned(zone.clone())
        .ok()
        .map(|zoned| zoned.timestamp().as_millisecond())
}

/// The first millisecond after a day in a zone; `None` past the end of time.
pub(super) fn ends(day: Date, zone: &TimeZone) -> Option<i64> {
    begins(day.tomorrow().ok()?, zone)
}

/// The moment that was this long ago, in milliseconds. Hours, days and weeks have fixed lengths (a day is 24 hours, as in
/// every "days since"); months and longer follow the calendar of the account's zone.
pub(super) fn ago(length: Length, context: &Context<'_>) -> i64 {
    let hours = match length.unit {
        Unit::Hour => Some(1),
        Unit::Day => Some(24),
        Unit::Week => Some(24 * 7),
        _ => None,
    };
    let then = match hours {
        Some(hours) => Ok(context.now.as_millisecond() - i64::from(length.count) * hours * 3_600_000),
        None => context
            .now
            .to_zoned(context.zone.clone())
            .checked_sub(span(length))
            .map(|zoned| zoned.timestamp().as_millisecond()),
    };
    then.unwrap_or_else(|_| Timestamp::MIN.as_millisecond())
}

/// An age as whole days, for fields that count days.
pub(super) fn whole_days(length: Length, context: &Context<'_>) -> i64 {
    match length.unit {
        Unit::Hour => i64::from(length.count) / 24,
        Unit::Day => i64::from(length.count),
        Unit::Week => i64::from(length.count) * 7,
        _ => {
            let today = today(context);
            let then = today.saturating_sub(span(length));
            i64::from((today - then).get_days())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn context(start: i8) -> Context<'static> {
        // Sunday evening in New York, Monday already in UTC.
        let mut context = Context::new(
            "2026-11-23T02:00:00Z".parse().unwrap(),
            TimeZone::get("America/New_York").unwrap(),
        );
        context.fiscal_year_start = start;
        context
    }

    #[test]
    fn days_are_the_accounts_days() {
        let context = context(1);
        let one = |day| {
            let Days { first, last } = days(day, &context);
            assert_eq!(first, last);
            first
        };
        assert_eq!(one(Day::Today), date(2026, 11, 22));
        assert_eq!(one(Day::Yesterday), date(2026, 11, 21));
        assert_eq!(one(Day::Tomorrow), date(2026, 11, 23));
        assert_eq!(one(Day::EndOfWeek), date(2026, 11, 22));
        assert_eq!(one(Day::EndOfMonth), date(2026, 11, 30));
        assert_eq!(one(Day::EndOfQuarter), date(2026, 12, 31));
        assert_eq!(one(Day::Weekday(Weekday::Sunday)), date(2026, 11, 22));
        assert_eq!(one(Day::Weekday(Weekday::Friday)), date(2026, 11, 27));
        let from = |count, unit| one(Day::FromToday(Length { count, unit }));
        assert_eq!(from(14, Unit::Day), date(2026, 12, 6));
        assert_eq!(from(-1, Unit::Quarter), date(2026, 8, 22));
        assert_eq!(from(100_000, Unit::Year), Date::MAX);
        assert_eq!(
            from(-100_000, Unit::Week),
            date(2026, 11, 22).saturating_sub(Span::new().weeks(100_000))
        );
    }

    #[test]
    fn fiscal_periods_are_named_after_the_year_they_end_in() {
        for (day, year, quarter) in [
            (date(2025, 5, 1), 2026, 2),
            (date(2026, 1, 31), 2026, 4),
            (date(2026, 11, 22), 2027, 4),
        ] {
            assert_eq!(fiscal_quarter(day, 2), (year, quarter), "{day}");
        }
        let year = days(Day::FiscalYear(2026), &context(2));
        assert_eq!((year.first, year.last), (date(2025, 2, 1), date(2026, 1, 31)));
        let quarter = days(Day::Quarter(4), &context(2));
        assert_eq!((quarter.first, quarter.last), (date(2026, 11, 1), date(2027, 1, 31)));
        let calendar = days(Day::FiscalYear(2026), &context(1));
        assert_eq!((calendar.first, calendar.last), (date(2026, 1, 1), date(2026, 12, 31)));
        assert_eq!(days(Day::FiscalYear(9999), &context(1)).last, Date::MAX);
    }

    #[test]
    fn a_day_has_23_hours_when_clocks_go_forward() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let day = date(2026, 3, 8);
        let hours = (ends(day, &zone).unwrap() - begins(day, &zone).unwrap()) / 3_600_000;
        assert_eq!(hours, 23);
    }
}
