//! Slots shared by several handles.

use proptest::prelude::*;

use super::{Home, at, cases};
use crate::store::{LearntLimits, Slots};

const SECOND: i64 = 1_000_000;

#[test]
fn a_slot_is_held_until_the_answer_plus_the_window() {
    let home = Home::new();
    let (mut mine, mut theirs) = (
        Slots::open(&home.settings()).unwrap(),
        Slots::open(&home.settings()).unwrap(),
    );
    let a = mine.take("burst", 2, 0).unwrap().unwrap();
    let b = theirs.take("burst", 2, SECOND).unwrap().unwrap();
    assert_eq!(mine.held("burst", SECOND).unwrap(), 2);
    assert!(mine.take("burst", 2, 2 * SECOND).unwrap().is_err());
    assert!(mine.take("search", 1, 2 * SECOND).unwrap().is_ok(), "another ledger");
    mine.release(a, 12 * SECOND).unwrap();
    theirs.release(b, 13 * SECOND).unwrap();
    assert_eq!(theirs.take("burst", 2, 11 * SECOND).unwrap(), Err(12 * SECOND));
    assert!(theirs.take("burst", 2, 12 * SECOND).unwrap().is_ok());
    assert_eq!(mine.take("burst", 2, 12 * SECOND).unwrap(), Err(13 * SECOND));
}

#[test]
fn what_a_killed_process_held_frees_itself() {
    let home = Home::new();
    let mut slots = Slots::open(&home.settings()).unwrap();
    slots.take("burst", 1, 0).unwrap().unwrap();
    drop(slots);
    let mut slots = Slots::open(&home.settings()).unwrap();
    assert_eq!(slots.take("burst", 1, 69 * SECOND).unwrap(), Err(70 * SECOND));
    assert!(slots.take("burst", 1, 70 * SECOND).unwrap().is_ok());
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
    };
    slots.put_limits(first).unwrap();
    let second = LearntLimits {
        burst_max: None,
        daily_max: None,
        daily_remaining: Some(599_000),
        at: at(1),
    };
    slots.put_limits(second).unwrap();
    let known = Slots::open(&home.settings()).unwrap().limits().unwrap().unwrap();
    assert_eq!(
        (known.burst_max, known.daily_remaining, known.at),
        (Some(190), Some(599_000), at(1))
    );
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
                match handles[who].take("burst", capacity, now).unwrap() {
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
