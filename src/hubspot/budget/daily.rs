//! The day's budget: what is left, when it is full again, and how fast background work may spend it. Fed by headers and
//! by the usage call, since other integrations of the account spend it too. Pure.

use std::time::Duration;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::{Day, Learnt};
use crate::domain::{Gauge, Lane};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far background work may run ahead of an even spending of the day before it is slowed down: a first sync of a
/// large account should not take all day.
const SLACK: f64 = 0.1;

/// The day.
#[derive(Debug)]
pub(super) struct Daily {
    /// What the settings allow at most.
    ceiling: Option<u64>,
    /// Percent of the day kept for people.
    reserve_percent: u8,
    /// With so few left background work waits, whatever the reserve says, and people are told.
    warn_left: u64,
    /// What HubSpot allows; `None` until it has said so.
    limit: Option<u64>,
    /// Spent since the last reset, by everybody as far as HubSpot says, else by us.
    used: u64,
    /// HubSpot refused with its daily policy; holds until the reset.
    refused: bool,
    resets_at: Option<Timestamp>,
    /// HubSpot itself said when the day ends.
    told: bool,
    /// The account's zone, at whose midnight the day ends.
    zone: Option<TimeZone>,
    /// When an answer last told what is left.
    told_left_at: Option<Timestamp>,
}

impl Daily {
    pub(super) const fn new(ceiling: Option<u64>, reserve_percent: u8, warn_left: u64) -> Self {
        Self {
            ceiling,
            reserve_percent,
            warn_left,
            limit: None,
            used: 0,
            refused: false,
            resets_at: None,
            told: false,
            zone: None,
            told_left_at: None,
        }
    }

    /// The day ends at midnight here.
    pub(super) fn set_zone(&mut self, zone: TimeZone, now: Timestamp) {
        self.resets_at = midnight_after(now, &zone);
        self.zone = Some(zone);
    }

    /// One request was sent.
    pub(super) fn spend(&mut self, now: Timestamp) {
        self.roll(now);
        self.used += 1;
    }

    /// What an earlier run, or another process of the store, has learnt. What was said before the last reset is over.
    pub(super) fn adopt(&mut self, learnt: &Learnt, now: Timestamp) {
        if self.zone.is_none() && !self.told {
            self.resets_at = self
                .resets_at
                .or(learnt.resets_at.filter(|at| *at > now && *at <= now + DAY));
        }
        self.roll(now);
        let is_newer = |day: &Day| day.at <= now && self.told_left_at.is_none_or(|known| known < day.at);
        if let Some(day) = learnt.day.filter(is_newer)
            && day.at >= self.began(now)
        {
            self.observe(day.limit, day.left, day.at);
        }
        if let Some(until) = learnt.refused_until.filter(|until| *until > now && *until <= now + DAY) {
            self.refused = true;
            self.resets_at = Some(until);
        }
    }

    /// What all processes of the store have sent today, where no answer tells how much is left.
    pub(super) fn at_least(&mut self, used: u64) {
        self.used = self.used.max(used);
    }

    /// Nobody but us counts this day: the settings limit it and no answer speaks of it.
    pub(super) const fn is_counted_here(&self) -> bool {
        self.limit.is_none() && self.ceiling.is_some()
    }

    /// When the day began.
    pub(super) fn began(&mut self, now: Timestamp) -> Timestamp {
        self.roll(now);
        let ends = self.resets_at.unwrap_or(now);
        match &self.zone {
            Some(zone) if !self.told => midnight_before(ends, zone).unwrap_or(now),
            _ => ends - DAY,
        }
    }

    /// When the day ends, as far as it is known and not only guessed.
    pub(super) fn resets_at(&self) -> Option<Timestamp> {
        self.resets_at.filter(|_| self.told || self.zone.is_some())
    }

    /// Until when HubSpot's daily refusal holds.
    pub(super) fn refused_until(&self) -> Option<Timestamp> {
        self.resets_at.filter(|_| self.refused)
    }

    /// What an answer said.
    pub(super) fn observe(&mut self, limit: u64, left: u64, now: Timestamp) {
        self.roll(now);
        self.told_left_at = Some(now);
        self.limit = Some(limit);
        self.used = limit.saturating_sub(left);
        self.refused &= left == 0;
        if left == 0 {
            self.ask_again_soon(now);
        }
    }

    /// What the usage call said.
    pub(super) fn observe_usage(&mut self, limit: u64, used: u64, resets_at: Option<Timestamp>, now: Timestamp) {
        self.observe(limit, limit.saturating_sub(used), now);
        if resets_at.is_some_and(|at| at > now) {
            self.resets_at = resets_at;
            self.told = true;
        }
    }

    /// HubSpot said that the day is spent.
    pub(super) fn refuse(&mut self, now: Timestamp) {
        self.roll(now);
        self.refused = true;
        self.ask_again_soon(now);
    }

    /// Where nobody told us when the day ends, we ask again in an hour.
    fn ask_again_soon(&mut self, now: Timestamp) {
        if !self.told && self.zone.is_none() {
            self.resets_at = self.resets_at.min(now.checked_add(1.hour()).ok());
        }
    }

    /// When `lane` may send again, while the day is spent: background stops at the reserve, people at the end.
    pub(super) fn closed_until(&mut self, lane: Lane, now: Timestamp) -> Option<Timestamp> {
        self.roll(now);
        let spent = match self.allowed() {
            Some(limit) if lane == Lane::Sync => self.left(limit) <= self.kept(limit),
            Some(limit) => self.left(limit) == 0,
            None => false,
        };
        (spent || self.refused).then_some(self.resets_at).flatten()
    }

    /// The time between two background requests, when background work has run ahead of the day.
    pub(super) fn pace(&mut self, now: Timestamp) -> Option<Duration> {
        self.roll(now);
        let limit = self.allowed()?;
        let rest = now.duration_until(self.resets_at?).unsigned_abs().min(DAY);
        let all = limit.saturating_sub(self.kept(limit)).max(1);
        let spendable = self.left(limit).saturating_sub(self.kept(limit));
        let ahead = spendable as f64 / all as f64 + SLACK < rest.as_secs_f64() / DAY.as_secs_f64();
        ahead.then(|| rest.div_f64(spendable.max(1) as f64))
    }

    /// For people.
    pub(super) fn gauge(&mut self, now: Timestamp) -> Option<Gauge> {
        self.roll(now);
        let capacity = self.allowed()?;
        Some(Gauge {
            capacity,
            left: if self.refused { 0 } else { self.left(capacity) },
            window: Duration::ZERO,
            resets_at: self.resets_at,
        })
    }

    fn allowed(&self) -> Option<u64> {
        match (self.limit, self.ceiling) {
            (Some(limit), Some(ceiling)) => Some(limit.min(ceiling)),
            (limit, ceiling) => limit.or(ceiling),
        }
    }

    /// Little is left: people should know.
    pub(super) fn is_low(&mut self, now: Timestamp) -> bool {
        self.roll(now);
        let left = self.allowed().map(|limit| (self.left(limit), self.warning(limit)));
        self.refused || left.is_some_and(|(left, warning)| left <= warning)
    }

    const fn left(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.used)
    }

    /// What background work leaves to people.
    fn kept(&self, limit: u64) -> u64 {
        let reserve = limit * u64::from(self.reserve_percent) / 100;
        reserve.max(self.warning(limit))
    }

    /// With how many left people are told: never more than half of a day, however small it is.
    fn warning(&self, limit: u64) -> u64 {
        self.warn_left.min(limit / 2)
    }

    /// Starts a new day when the old one is over, and finds out when the day ends.
    fn roll(&mut self, now: Timestamp) {
        let over = self.resets_at.is_some_and(|at| at <= now);
        if over {
            self.used = 0;
            self.refused = false;
        }
        if over || self.resets_at.is_none() {
            self.resets_at = midnight_after(now, self.zone.as_ref().unwrap_or(&TimeZone::UTC));
        }
    }
}

/// The first instant of the next day: where clocks skip midnight, the day begins after it.
fn midnight_after(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    midnight(now.to_zoned(zone.clone()).date().tomorrow().ok()?, zone)
}

/// The first instant of the day that ends then.
fn midnight_before(end: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let last = end.checked_sub(1.microsecond()).ok()?;
    midnight(last.to_zoned(zone.clone()).date(), zone)
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = date.to_zoned(zone.clone()).ok()?;
    zoned.start_of_day().ok().map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn background_stops_at_the_reserve_and_people_at_the_end() {
        let now = at("2026-11-22T12:00:00Z");
        let mut daily = Daily::new(None, 10, 0);
        assert_eq!(daily.closed_until(Lane::Sync, now), None, "nothing is known yet");
        daily.observe(1000, 101, now);
        assert_eq!(daily.closed_until(Lane::Sync, now), None);
        daily.spend(now);
        let midnight = Some(at("2026-11-23T00:00:00Z"));
        assert_eq!(daily.closed_until(Lane::Sync, now), midnight);
        assert_eq!(daily.closed_until(Lane::Write, now), None);
        daily.set_zone(TimeZone::UTC, now);
        daily.observe(1000, 0, now);
        assert_eq!(daily.closed_until(Lane::Write, now), midnight);
        assert_eq!(
            daily.closed_until(Lane::Sync, at("2026-11-23T00:00:00Z")),
            None,
            "a new day"
        );
    }

    #[test]
    fn the_day_ends_at_midnight_of_the_account() {
        let now = at("2026-11-22T12:00:00Z");
        let mut daily = Daily::new(Some(5), 0, 0);
        daily.set_zone(TimeZone::get("US/Eastern").unwrap(), now);
        for _ in 0..5 {
            daily.spend(now);
        }
        assert_eq!(daily.closed_until(Lane::Read, now), Some(at("2026-11-23T05:00:00Z")));
        daily.observe_usage(5, 5, Some(at("2026-11-22T18:00:00Z")), now);
        assert_eq!(
            daily.gauge(now).unwrap().resets_at,
            Some(at("2026-11-22T18:00:00Z")),
            "HubSpot knows better"
        );
    }

    #[test]
    fn a_refusal_of_unknown_end_is_tried_again_in_an_hour() {
        let now = at("2026-11-22T12:00:00Z");
        let mut daily = Daily::new(None, 10, 0);
        daily.refuse(now);
        assert_eq!(daily.closed_until(Lane::Write, now), Some(at("2026-11-22T13:00:00Z")));
        assert_eq!(daily.closed_until(Lane::Write, at("2026-11-22T13:00:00Z")), None);
    }

    #[test]
    fn background_is_slowed_only_when_it_runs_ahead_of_the_day() {
        let noon = at("2026-11-22T12:00:00Z");
        let mut daily = Daily::new(None, 10, 0);
        daily.observe(100_000, 91_000, at("2026-11-22T00:10:00Z"));
        assert_eq!(
            daily.pace(at("2026-11-22T00:10:00Z")),
            None,
            "a tenth at once is allowed"
        );
        daily.observe(100_000, 46_000, noon);
        assert_eq!(daily.pace(noon), None);
        daily.observe(100_000, 31_600, noon);
        assert_eq!(
            daily.pace(noon),
            Some(Duration::from_secs(2)),
            "21,600 left to spend in 43,200 s"
        );
    }

    #[test]
    fn the_day_ends_at_midnight_when_the_clocks_change_too() {
        for (zone, now, began, ends) in [
            // 25 hours, 23 hours, and a day whose midnight is skipped.
            (
                "US/Eastern",
                "2026-11-01T12:00:00Z",
                "2026-11-01T04:00:00Z",
                "2026-11-02T05:00:00Z",
            ),
            (
                "US/Eastern",
                "2026-03-08T12:00:00Z",
                "2026-03-08T05:00:00Z",
                "2026-03-09T04:00:00Z",
            ),
            (
                "Asia/Beirut",
                "2026-03-28T12:00:00Z",
                "2026-03-27T22:00:00Z",
                "2026-03-28T22:00:00Z",
            ),
            (
                "Asia/Kolkata",
                "2026-11-22T12:00:00Z",
                "2026-11-21T18:30:00Z",
                "2026-11-22T18:30:00Z",
            ),
        ] {
            let mut daily = Daily::new(Some(10), 0, 0);
            daily.set_zone(TimeZone::get(zone).unwrap(), at(now));
            assert_eq!(daily.began(at(now)), at(began), "{zone}");
            assert_eq!(daily.gauge(at(now)).unwrap().resets_at, Some(at(ends)), "{zone}");
            daily.spend(at(now));
            assert_eq!(daily.gauge(at(ends)).unwrap().left, 10, "{zone}: a new day");
        }
    }

    #[test]
    fn with_little_left_background_waits_and_people_are_told() {
        let now = at("2026-11-22T12:00:00Z");
        let mut daily = Daily::new(None, 0, 1_000);
        daily.observe(250_000, 1_001, now);
        assert!(!daily.is_low(now));
        assert_eq!(daily.closed_until(Lane::Sync, now), None);
        daily.spend(now);
        assert!(daily.is_low(now));
        assert!(daily.closed_until(Lane::Sync, now).is_some());
        assert_eq!(daily.closed_until(Lane::Read, now), None);
        let mut small = Daily::new(Some(500), 0, 1_000);
        small.spend(now);
        assert!(!small.is_low(now), "a small day is not low from its beginning");
    }

    #[test]
    fn a_restart_knows_what_is_left_and_that_the_day_is_spent() {
        let now = at("2026-11-22T12:00:00Z");
        let day = |at: Timestamp| {
            Some(Day {
                limit: 1_000,
                left: 400,
                at,
            })
        };
        let learnt = Learnt {
            day: day(at("2026-11-22T05:30:00Z")),
            resets_at: Some(at("2026-11-23T05:00:00Z")),
            ..Learnt::default()
        };
        let mut daily = Daily::new(None, 10, 0);
        daily.adopt(&learnt, now);
        let gauge = daily.gauge(now).unwrap();
        assert_eq!((gauge.left, gauge.resets_at), (400, learnt.resets_at));
        let mut stale = Daily::new(None, 10, 0);
        stale.adopt(
            &Learnt {
                day: day(at("2026-11-22T04:30:00Z")),
                ..learnt
            },
            now,
        );
        assert_eq!(stale.gauge(now), None, "yesterday's");
        let mut spent = Daily::new(None, 10, 0);
        spent.adopt(
            &Learnt {
                refused_until: learnt.resets_at,
                ..learnt
            },
            now,
        );
        assert_eq!(spent.closed_until(Lane::Write, now), learnt.resets_at);
    }
}
