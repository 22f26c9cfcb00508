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
mod tests;
