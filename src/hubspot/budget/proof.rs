//! The proof of the ledger by experiment: whatever the schedule, the latencies and the cancellations, no ten seconds at
//! HubSpot's end see more requests than the limit. And its control: with a token bucket in the ledger's place the same
//! experiment fails.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;

use super::{Budget, Learnt, Ledger, MemoryBook, Quota, Report, SlotBook, SlotId, SlotTime};
use crate::{
    domain::Lane,
    hubspot::{clock::Clock, settings::Settings},
};

const LIMIT: u32 = 40;

/// One request of a schedule.
#[derive(Clone, Debug)]
struct Shot {
    /// When it asks for a permit, in milliseconds.
    at: u64,
    lane: Lane,
    quota: Quota,
    /// From sending to answer, in milliseconds.
    latency: u64,
    /// Which part of that passes before it arrives, in percent.
    arrives: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// The caller gives up after so many milliseconds of waiting or sending; the request may still arrive.
    Dropped(u64),
    /// The permit is never used.
    Unused,
    /// No answer within the deadline; it arrived nevertheless.
    TimedOut,
}

fn shot() -> impl Strategy<Value = Shot> {
    let lane = prop::sample::select(Lane::ALL.to_vec());
    let quota = prop_oneof![6 => Just(Quota::Burst), 1 => Just(Quota::Search)];
    let fate = prop_oneof![
        20 => Just(Fate::Answered),
        1 => (1..4_000_u64).prop_map(Fate::Dropped),
        1 => Just(Fate::Unused),
        1 => Just(Fate::TimedOut),
    ];
    let gap = prop_oneof![8 => 0..30_u64, 1 => 0..3_000_u64];
    (gap, lane, quota, 50..3_000_u64, 0..=100_u64, fate).prop_map(|(at, lane, quota, latency, arrives, fate)| Shot {
        at,
        lane,
        quota,
        latency,
        arrives,
        fate,
    })
}

/// A schedule: gaps added up.
fn schedule(shots: usize) -> impl Strategy<Value = Vec<Shot>> {
    prop::collection::vec(shot(), shots..=shots).prop_map(|mut shots| {
        let mut at = 0;
        for shot in &mut shots {
            at += shot.at;
            shot.at = at;
        }
        shots
    })
}

type Arrivals = Arc<Mutex<Vec<(Quota, SlotTime)>>>;

/// Runs a schedule in virtual time; returns when each request arrived at HubSpot.
fn run(shots: Vec<Shot>, book: Arc<dyn SlotBook>, interactive: bool) -> Vec<(Quota, SlotTime)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
        let settings = Settings {
            burst: Some(LIMIT),
            ..Settings::default()
        };
        let budget = Budget::new(&settings, clock.clone(), book);
        budget.set_interactive(interactive);
        let arrivals = Arrivals::default();
        let tasks: Vec<_> = shots
            .into_iter()
            .map(|shot| {
                let (budget, clock, arrivals) = (budget.clone(), clock.clone(), arrivals.clone());
                tokio::spawn(async move {
                    clock.sleep(Duration::from_millis(shot.at)).await;
                    let send = fire(&budget, &clock, &shot, &arrivals);
                    match shot.fate {
                        Fate::Dropped(after) => {
                            let _ = tokio::time::timeout(Duration::from_millis(after), send).await;
                        }
                        _ => send.await,
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        // What was dropped on the wire still arrives.
        clock.sleep(Duration::from_secs(60)).await;
        let limits = budget.limits();
        assert!(
            limits.lanes.iter().all(|lane| lane.active == 0 && lane.waiting == 0),
            "{limits:?}"
        );
        std::mem::take(&mut *arrivals.lock().unwrap())
    })
}

async fn fire(budget: &Budget, clock: &Clock, shot: &Shot, arrivals: &Arrivals) {
    let mut permit = budget.permit(shot.lane, shot.quota).await;
    if shot.fate == Fate::Unused {
        return;
    }
    permit.begin();
    let (quota, at, log) = (shot.quota, shot.latency * shot.arrives / 100, arrivals.clone());
    let wire = clock.clone();
    tokio::spawn(async move {
        wire.sleep(Duration::from_millis(at)).await;
        log.lock().unwrap().push((quota, wire.slot_time()));
    });
    clock.sleep(Duration::from_millis(shot.latency)).await;
    match shot.fate {
        Fate::TimedOut => drop(permit),
        _ => permit.answered(&Report::default()),
    }
}

/// The most arrivals in any window of the ledger's length.
fn worst(arrivals: &[(Quota, SlotTime)], quota: Quota, ledger: Ledger) -> usize {
    let mut times: Vec<SlotTime> = arrivals
        .iter()
        .filter(|(of, _)| *of == quota)
        .map(|(_, at)| *at)
        .collect();
    times.sort_unstable();
    let within = |from: usize| {
        times[from..]
            .iter()
            .take_while(|at| **at < times[from].after(ledger.window()))
            .count()
    };
    (0..times.len()).map(within).max().unwrap_or(0)
}

/// A factor for the sizes of the experiments.
fn size() -> u32 {
    std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

#[test]
fn no_ten_seconds_see_more_than_the_limit_and_no_second_more_than_five_searches() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(24 * size())
    };
    proptest!(config, |(shots in schedule(400), interactive: bool)| {
        let arrivals = run(shots, Arc::new(MemoryBook::new()), interactive);
        prop_assert!(worst(&arrivals, Quota::Burst, Ledger::Burst) <= LIMIT as usize);
        prop_assert!(worst(&arrivals, Quota::Search, Ledger::Search) <= 5);
    });
}

/// Clients that start, send what they can and are killed after half a second, for a minute: the book outlives them.
#[tokio::test(start_paused = true)]
async fn a_crash_loop_does_not_burst_at_every_start() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let book = Arc::new(MemoryBook::new());
    let settings = Settings {
        burst: Some(LIMIT),
        ..Settings::default()
    };
    let arrivals = Arrivals::default();
    let shot = Shot {
        at: 0,
        lane: Lane::Sync,
        quota: Quota::Burst,
        latency: 700,
        arrives: 30,
        fate: Fate::Answered,
    };
    for _ in 0..120 {
        let budget = Budget::new(&settings, clock.clone(), book.clone());
        let tasks: Vec<_> = (0..60)
            .map(|_| {
                let (budget, clock, shot, arrivals) = (budget.clone(), clock.clone(), shot.clone(), arrivals.clone());
                tokio::spawn(async move { fire(&budget, &clock, &shot, &arrivals).await })
            })
            .collect();
        clock.sleep(Duration::from_millis(500)).await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
    let arrivals = arrivals.lock().unwrap();
    assert!(
        arrivals.len() > LIMIT as usize,
        "it sends again once the abandoned slots are free"
    );
    assert!(worst(&arrivals, Quota::Burst, Ledger::Burst) <= LIMIT as usize);
}

/// The usual limiter: tokens that refill evenly, taken at sending.
#[derive(Debug, Default)]
struct TokenBucket(Mutex<Option<(f64, SlotTime)>>);

impl SlotBook for TokenBucket {
    fn try_take(&self, ledger: Ledger, capacity: u32, now: SlotTime, _lease: SlotTime) -> Result<SlotId, SlotTime> {
        let (full, rate) = (f64::from(capacity), f64::from(capacity) / ledger.window().as_secs_f64());
        let mut bucket = self.0.lock().unwrap();
        let (tokens, since) = bucket.unwrap_or((full, now));
        let tokens = (tokens + rate * since.until(now).as_secs_f64()).min(full);
        let taken = tokens >= 1.0;
        *bucket = Some((if taken { tokens - 1.0 } else { tokens }, now));
        if taken {
            Ok(SlotId(0))
        } else {
            Err(now.after(Duration::from_secs_f64((1.0 - tokens) / rate)))
        }
    }

    fn release(&self, _slot: SlotId, _free_at: SlotTime) {}

    fn held(&self, _ledger: Ledger, _now: SlotTime) -> u32 {
        0
    }

    fn learn(&self, _learnt: Learnt) {}

    fn learnt(&self) -> Learnt {
        Learnt::default()
    }
}

#[test]
fn a_token_bucket_in_the_ledgers_place_breaks_the_limit() {
    let shots = vec![
        Shot {
            at: 0,
            lane: Lane::Sync,
            quota: Quota::Burst,
            latency: 200,
            arrives: 50,
            fate: Fate::Answered,
        };
        150
    ];
    let bucket = run(shots.clone(), Arc::new(TokenBucket::default()), false);
    assert!(
        worst(&bucket, Quota::Burst, Ledger::Burst) > LIMIT as usize,
        "the experiment must be able to fail"
    );
    let ledger = run(shots, Arc::new(MemoryBook::new()), false);
    assert_eq!(worst(&ledger, Quota::Burst, Ledger::Burst), LIMIT as usize);
}
