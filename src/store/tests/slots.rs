//! Slots shared by several handles.

use std::time::Duration;

use proptest::prelude::*;

use super::{Home, at, cases};
use crate::{
    domain::{Lane, SentRequest},
    store::{LearntLimits, Slots},
};

const SECOND: i64 = 1_000_000;
/// Longer than anything in these tests.
const LEASE: i64 = 3_600 * SECOND;

#[test]
fn a_slot_is_held_until_the_answer_plus_the_window() {
    let home = Home::new();
    let (mut mine, mut theirs) = (
        Slots::open(&home.settings()).unwrap(),
        Slots::open(&home.settings()).unwrap(),
    );
    let a = mine.take("burst", 2, 0, LEASE).unwrap().unwrap();
    let b = theirs.take("burst", 2, SECOND, LEASE).unwrap().unwrap();
    assert_eq!(mine.held("burst", SECOND).unwrap(), 2);
    assert!(mine.take("burst", 2, 2 * SECOND, LEASE).unwrap().is_err());
    assert!(
        mine.take("search", 1, 2 * SECOND, LEASE).unwrap().is_ok(),
        "another ledger"
    );
    mine.release(a, 12 * SECOND).unwrap();
    theirs.release(b, 13 * SECOND).unwrap();
    assert_eq!(theirs.take("burst", 2, 11 * SECOND, LEASE).unwrap(), Err(12 * SECOND));
    assert!(theirs.take("burst", 2, 12 * SECOND, LEASE).unwrap().is_ok());
    assert_eq!(mine.take("burst", 2, 12 * SECOND, LEASE).unwrap(), Err(13 * SECOND));
}

#[test]
fn what_a_killed_process_held_frees_itself() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    slots.take("burst", 1, 0, 100 * SECOND).unwrap().unwrap();
    drop(slots);
    let mut slots = Slots::open(&home.settings()).unwrap();
    assert_eq!(slots.take("burst", 1, 99 * SECOND, LEASE).unwrap(), Err(100 * SECOND));
    assert!(slots.take("burst", 1, 100 * SECOND, LEASE).unwrap().is_ok());
}

#[test]
fn slots_of_before_the_machine_was_started_again_are_free() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    let days = 10 * 86_400 * SECOND;
    slots.take("burst", 1, days, days + 100 * SECOND).unwrap().unwrap();
    assert_eq!(slots.held("burst", 5 * SECOND).unwrap(), 0, "the clock began anew");
    assert!(slots.take("burst", 1, 5 * SECOND, LEASE).unwrap().is_ok());
    assert_eq!(slots.taken().unwrap(), 2);
}

#[test]
fn a_window_that_shrank_waits_for_as_many_slots_as_it_needs() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    for second in 11..14 {
        let slot = slots.take("burst", 3, 0, LEASE).unwrap().unwrap();
        slots.release(slot, second * SECOND).unwrap();
    }
    assert_eq!(slots.take("burst", 3, SECOND, LEASE).unwrap(), Err(11 * SECOND));
    assert_eq!(slots.take("burst", 1, SECOND, LEASE).unwrap(), Err(13 * SECOND));
    assert_eq!(slots.take("burst", 0, SECOND, LEASE).unwrap(), Err(i64::MAX));
}

#[test]
fn what_two_processes_sent_is_added_up_and_the_last_requests_are_told() {
    let home = Home::new();
    let (mut mine, mut theirs) = (
        Slots::open(&home.settings()).unwrap(),
        Slots::open(&home.settings()).unwrap(),
    );
    let request = |lane, second| SentRequest {
        at: at(second),
        lane,
        method: "GET".to_owned(),
        path: "/crm/objects/2026-09/deals".to_owned(),
        status: None,
        took: None,
    };
    let wait = Duration::from_millis(250);
    mine.note_sent(&request(Lane::Sync, -16 * 60), wait).unwrap();
    mine.note_sent(&request(Lane::Sync, 0), wait).unwrap();
    let refused = theirs.note_sent(&request(Lane::Sync, 1), wait).unwrap();
    let last = theirs.note_sent(&request(Lane::Write, 2), Duration::ZERO).unwrap();
    theirs
        .note_ended(refused, Some(429), Duration::from_millis(38))
        .unwrap();
    theirs.note_repeated(at(2)).unwrap();
    mine.note_ended(last + 7, Some(200), wait).unwrap();
    let usage = mine.usage(at(0), at(60)).unwrap();
    assert_eq!(
        (usage.requests(), usage.waited(), usage.rate_limited, usage.retries),
        (3, Duration::from_millis(500), 1, 1)
    );
    assert_eq!(usage.lanes[Lane::Write as usize].requests, 1);
    assert_eq!(usage.per_minute, 2, "of the last sixty seconds");
    assert_eq!(mine.usage(at(-3_600), at(60)).unwrap().requests(), 4);
    let told = mine.requests(2).unwrap();
    assert_eq!(told[0], request(Lane::Write, 2), "still on the wire");
    assert_eq!(told[1].status.zip(told[1].took), Some((429, Duration::from_millis(38))));
}

#[test]
fn the_journal_stays_small() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    let mut request = SentRequest {
        at: at(0),
        lane: Lane::Sync,
        method: "GET".to_owned(),
        path: "/".to_owned(),
        status: None,
        took: None,
    };
    slots.note_sent(&request, Duration::ZERO).unwrap();
    request.at = at(9 * 86_400);
    for _ in 0..SentRequest::REMEMBERED {
        slots.note_sent(&request, Duration::ZERO).unwrap();
    }
    let told = slots.requests(usize::MAX).unwrap();
    assert_eq!(told.len(), SentRequest::REMEMBERED);
    assert_eq!(told.last().unwrap().at, request.at);
    let usage = slots.usage(at(0), request.at).unwrap();
    assert_eq!(
        usage.requests(),
        SentRequest::REMEMBERED as u64,
        "counts end after eight days"
    );
}

#[test]
fn limits_are_learnt_bit_by_bit() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    assert_eq!(slots.limits().unwrap(), None);
    let first = LearntLimits {
        burst_max: Some(190),
        daily_max: Some(625_000),
        daily_remaining: Some(600_000),
        at: at(0),
        resets_at: Some(at(3_600)),
        refused_until: Some(at(3_600)),
    };
    slots.put_limits(first).unwrap();
    let second = LearntLimits {
        burst_max: None,
        daily_max: None,
        daily_remaining: Some(599_000),
        at: at(1),
        resets_at: None,
        refused_until: None,
    };
    slots.put_limits(second).unwrap();
    let known = Slots::open(&home.settings()).unwrap().limits().unwrap().unwrap();
    assert_eq!(
        (known.burst_max, known.daily_remaining, known.at),
        (Some(190), Some(599_000), at(1))
    );
    assert_eq!((known.resets_at, known.refused_until), (Some(at(3_600)), None));
}

proptest! {
    #![proptest_config(cases(12))]

    /// Requests of two processes at any times and with any latencies: no window of HubSpot's ever sees more than its limit.
    #[test]
    fn two_handles_never_exceed_the_window(
        requests in prop::collection::vec((any::<bool>(), 0..2_000_000_i64, 0..3_000_000_i64), 1..120),
        capacity in 1..6_u32,
    ) {
        let home = Home::new();
        let mut handles = [Slots::open(&home.settings()).unwrap(), Slots::open(&home.settings()).unwrap()];
        let window = 10 * SECOND;
        let mut now = 0;
        let mut arrivals = Vec::new();
        let mut open: Vec<(i64, usize, i64)> = Vec::new();
        for (who, pause, latency) in requests {
            now += pause;
            let who = usize::from(who);
            let slot = loop {
                open.retain(|(answered, owner, slot)| {
                    let over = *answered <= now;
                    if over {
                        handles[*owner].release(*slot, answered + window).unwrap();
                    }
                    !over
                });
                match handles[who].take("burst", capacity, now, LEASE).unwrap() {
                    Ok(slot) => break slot,
                    Err(retry) => {
                        let answer = open.iter().map(|(answered, ..)| *answered).min().unwrap_or(i64::MAX);
                        prop_assert!(retry.min(answer) > now, "a refusal names a later time");
                        now = retry.min(answer);
                    }
                }
            };
            arrivals.push(now + latency / 2);
            open.push((now + latency, who, slot));
        }
        arrivals.sort_unstable();
        for (index, first) in arrivals.iter().enumerate() {
            let inside = arrivals[index..].iter().take_while(|at| **at < first + window).count();
            prop_assert!(inside <= capacity as usize, "{inside} in the window from {first}");
        }
    }
}
