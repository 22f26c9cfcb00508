//! The portal's time: one origin, taken when the portal opens. It runs on tokio's clock, so a paused clock holds the whole
//! portal still. Also the text forms of an instant, as HubSpot writes and accepts them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::Instant;

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;

/// Wall and monotonic time of one portal.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    origin: Instant,
    /// Unix milliseconds at the origin.
    wall: i64,
}

impl Clock {
    /// Starts at `now`, or at the system's time when none is given.
    pub(super) fn start(now: Option<Timestamp>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the portal is its own world: its wall clock is read once, here"
        )]
        let wall = now.unwrap_or_else(Timestamp::now);
        Self {
            origin: Instant::now(),
            wall: wall.as_millisecond(),
        }
    }

    /// Microseconds since the portal opened, never going back.
    pub(super) fn micros(&self) -> u64 {
        Instant::now()
            .saturating_duration_since(self.origin)
            .as_micros()
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Unix milliseconds of the wall clock.
    pub(super) fn now(&self) -> i64 {
        self.wall_at(self.micros())
    }

    /// Unix milliseconds at so many microseconds after the start.
    pub(super) fn wall_at(&self, micros: u64) -> i64 {
        self.wall.saturating_add_unsigned(micros / 1_000)
    }
}

/// `2026-01-02T03:04:05.678Z`, without the fraction when it is zero.
pub(super) fn iso(millis: i64) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(at) if millis % 1_000 == 0 => format!("{at:.0}"),
        Ok(at) => format!("{at:.3}"),
        Err(_) => String::new(),
    }
}

/// `YYYY-MM-DD` of an instant, in UTC.
pub(super) fn iso_date(millis: i64) -> String {
    iso(millis).get(..10).unwrap_or_default().to_owned()
}

/// Unix milliseconds of a text HubSpot would accept for a date or a datetime: ISO-8601, a bare date (midnight UTC), or
/// epoch milliseconds.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(millis) = text.parse::<i64>() {
        return Some(millis);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let date: Date = if text.len() == 10 {
        text.parse().ok()?
    } else {
        return None;
    };
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_three_digits_or_none_and_read_in_every_accepted_form() {
        assert_eq!(iso(1_767_323_045_000), "2026-01-02T03:04:05Z");
        assert_eq!(iso(1_767_323_045_120), "2026-01-02T03:04:05.120Z");
        for text in [
            "2026-01-02T03:04:05.120Z",
            "1767323045120",
            "2026-01-02T04:04:05.120+01:00",
        ] {
            assert_eq!(parse(text), Some(1_767_323_045_120), "{text}");
        }
        assert_eq!(parse("2026-01-02"), Some(1_767_312_000_000));
        assert_eq!(parse("soon"), None);
    }
}
