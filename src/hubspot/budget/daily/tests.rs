//! How a day is counted, when it ends, and who stops before its end.

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
