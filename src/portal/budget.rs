//! The quotas as HubSpot holds them: an exact rolling log per window, and a daily count that starts anew at midnight of the
//! account's zone. Decides on arrival; never waits.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::settings::Quota;

/// A rolling window: in any span of its length, at most `count` requests pass.
pub(super) struct Window {
    quota: Quota,
    /// Arrivals that passed, oldest first, microseconds since the start. Refused requests are not in it.
    passed: VecDeque<u64>,
}

impl Window {
    pub(super) fn new(quota: Quota) -> Self {
        Self {
            quota,
            passed: VecDeque::new(),
        }
    }

    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    /// How many more would pass now.
    pub(super) fn left(&mut self, now: u64) -> u32 {
        let span = micros(self.quota.window);
        while self.passed.front().is_some_and(|at| now.saturating_sub(*at) >= span) {
            self.passed.pop_front();
        }
        self.quota
            .count
            .saturating_sub(self.passed.len().try_into().unwrap_or(u32::MAX))
    }

    /// Lets the request of this instant pass, or refuses it.
    pub(super) fn admit(&mut self, now: u64) -> bool {
        let free = self.left(now) > 0;
        if free {
            self.passed.push_back(now);
        }
        free
    }
}

/// The day's allowance.
pub(super) struct Daily {
    allowance: u64,
    used: u64,
    /// The day `used` belongs to, in `zone`.
    day: Date,
    zone: TimeZone,
}

impl Daily {
    pub(super) fn new(allowance: u64, zone: TimeZone, now: i64) -> Self {
        let day = date_in(&zone, now);
        Self {
            allowance,
            used: 0,
            day,
            zone,
        }
    }

    pub(super) fn allowance(&self) -> u64 {
        self.allowance
    }

    pub(super) fn used(&mut self, now: i64) -> u64 {
        let today = date_in(&self.zone, now);
        if today != self.day {
            self.day = today;
            self.used = 0;
        }
        self.used
    }

    pub(super) fn left(&mut self, now: i64) -> u64 {
        self.allowance.saturating_sub(self.used(now))
    }

    pub(super) fn spend(&mut self, now: i64) {
        self.used = self.used(now) + 1;
    }

    /// Unix milliseconds of the next midnight of the account's zone.
    pub(super) fn resets_at(&self, now: i64) -> i64 {
        let next = date_in(&self.zone, now)
            .tomorrow()
            .and_then(|day| day.to_zoned(self.zone.clone()));
        next.map_or(now, |midnight| midnight.timestamp().as_millisecond())
    }
}

fn date_in(zone: &TimeZone, millis: i64) -> Date {
    zone.to_datetime(Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH))
        .date()
}

fn micros(span: Duration) -> u64 {
    span.as_micros().try_into().unwrap_or(u64::MAX)
}

/// The most arrivals in any span of this length; `arrivals` in order, microseconds.
pub(super) fn worst(arrivals: &[u64], span: Duration) -> usize {
    let span = micros(span);
    let mut first = 0;
    let mut worst = 0;
    for (last, at) in arrivals.iter().enumerate() {
        while at - arrivals[first] >= span {
            first += 1;
        }
        worst = worst.max(last + 1 - first);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_rolls_to_the_microsecond() {
        let mut window = Window::new("2/1s".parse().unwrap());
        assert!(window.admit(0) && window.admit(400_000));
        assert!(!window.admit(999_999), "the first is still inside");
        assert!(window.admit(1_000_000), "the first has just left");
        assert!(!window.admit(1_399_999));
        assert_eq!(window.left(1_400_000), 1);
    }

    #[test]
    fn the_worst_span_is_half_open() {
        let second = Duration::from_secs(1);
        assert_eq!(worst(&[0, 400_000, 1_000_000], second), 2);
        assert_eq!(worst(&[0, 400_000, 999_999], second), 3);
        assert_eq!(worst(&[], second), 0);
    }

    #[test]
    fn the_day_ends_at_midnight_of_the_account() {
        let zone = TimeZone::get("US/Eastern").unwrap();
        let evening: i64 = "2026-11-22T23:59:59-05:00"
            .parse::<Timestamp>()
            .unwrap()
            .as_millisecond();
        let mut daily = Daily::new(2, zone, evening);
        daily.spend(evening);
        daily.spend(evening);
        assert_eq!(daily.left(evening), 0);
        assert_eq!(daily.resets_at(evening), evening + 1_000);
        assert_eq!(daily.left(evening + 1_000), 2);
    }
}
