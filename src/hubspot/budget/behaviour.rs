//! What the budget does for people and for background work, and what it learns, in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use super::{
    Budget, MemoryBook, NoPermit, Quota, RateHeaders, Refusal, Report, SlotBook,
    usual::{Usual, UsualBook},
};
use crate::{
    domain::{Fault, FaultKind, Lane},
    hubspot::{clock::Clock, settings::Settings},
};

#[tokio::test(start_paused = true)]
async fn headless_work_uses_nearly_all_of_the_window() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(190),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    let start = clock.now();
    let tasks: Vec<_> = (0..190 * 20)
        .map(|_| {
            let (budget, clock) = (budget.clone(), clock.clone());
            tokio::spawn(async move {
                let mut permit = budget.permit(Lane::Sync, Quota::Burst).await;
                permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
                clock.sleep(Duration::from_millis(200)).await;
                permit.answered(&Report::default());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // Nineteen windows and the last answers, in which a limiter that knew no latency would have sent the same.
    let ideal = Duration::from_secs(190);
    let took = clock.now() - start;
    assert!(took.as_secs_f64() <= ideal.as_secs_f64() / 0.97, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_overtakes_five_hundred_waiting_syncs() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let budget = Budget::new(&Settings::default(), clock.clone(), Arc::new(MemoryBook::new()));
    budget
        .permit(Lane::Read, Quota::Burst)
        .await
        .answered(&Report::default());
    let order = Arc::new(Mutex::new(Vec::new()));
    let spawn = |lane: Lane| {
        let (budget, clock, order) = (budget.clone(), clock.clone(), order.clone());
        tokio::spawn(async move {
            let mut permit = budget.permit(lane, Quota::Burst).await;
            permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
            order.lock().unwrap().push(lane);
            clock.sleep(Duration::from_millis(300)).await;
            permit.answered(&Report::default());
        })
    };
    let mut tasks: Vec<_> = (0..500).map(|_| spawn(Lane::Sync)).collect();
    clock.sleep(Duration::from_secs(25)).await;
    let before = order.lock().unwrap().len();
    assert!(
        budget.limits().lanes[Lane::Sync as usize].waiting > 100,
        "syncs wait, and have waited long"
    );
    tasks.push(spawn(Lane::Write));
    clock.sleep(Duration::from_secs(11)).await;
    let after: Vec<Lane> = order.lock().unwrap()[before..].to_vec();
    assert_eq!(after.first(), Some(&Lane::Write), "the next one to go");
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn sync_is_not_starved_by_people_who_never_stop() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(10),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    let people: Vec<_> = (0..30)
        .map(|_| {
            let (budget, clock) = (budget.clone(), clock.clone());
            tokio::spawn(async move {
                loop {
                    let mut permit = budget.permit(Lane::Read, Quota::Burst).await;
                    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
                    clock.sleep(Duration::from_millis(100)).await;
                    permit.answered(&Report::default());
                }
            })
        })
        .collect();
    clock.sleep(Duration::from_secs(5)).await;
    let start = clock.now();
    drop(budget.permit(Lane::Sync, Quota::Burst).await);
    assert!(
        clock.now() - start < Duration::from_secs(31),
        "at most two steps of ageing and a window"
    );
    people.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_dashboard_keeps_a_twentieth_for_people() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(100),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    budget.set_interactive(true);
    let syncs: Vec<_> = (0..300)
        .map(|_| {
            let budget = budget.clone();
            tokio::spawn(async move {
                let mut permit = budget.permit(Lane::Sync, Quota::Burst).await;
                permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
                permit.answered(&Report::default());
            })
        })
        .collect();
    let mut least = u64::MAX;
    for _ in 0..200 {
        clock.sleep(Duration::from_millis(100)).await;
        least = least.min(budget.limits().burst.left);
    }
    assert!(
        (5..=8).contains(&least),
        "{least}: what is left to people, all of the rest in use"
    );
    let start = clock.now();
    drop(budget.permit(Lane::Write, Quota::Burst).await);
    assert_eq!(clock.now(), start, "a write finds a slot at once");
    syncs.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn the_answers_teach_the_limit_and_who_else_uses_it() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let book = Arc::new(MemoryBook::new());
    let budget = Budget::new(&Settings::default(), clock.clone(), book.clone());
    let answer = |max: &'static str, remaining: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-hubspot-ratelimit-max", HeaderValue::from_static(max));
        headers.insert("x-hubspot-ratelimit-remaining", HeaderValue::from_static(remaining));
        Report {
            headers: RateHeaders::read(&headers),
            ..Report::default()
        }
    };
    let mut permit = budget.permit(Lane::Read, Quota::Burst).await;
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    permit.answered(&answer("190", "189"));
    assert_eq!(budget.limits().burst.capacity, 190);
    assert_eq!(budget.limits().burst.left, 189);
    assert_eq!(book.learnt().burst, Some(190));
    assert_eq!(budget.limits().shared_since, None);
    let mut permit = budget.permit(Lane::Read, Quota::Burst).await;
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    permit.answered(&answer("190", "100"));
    assert_eq!(
        budget.limits().shared_since,
        Some(clock.wall()),
        "ninety used, two of them ours"
    );
    assert_eq!(budget.limits().burst.left, 190 - 88 - 2);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_leaves_the_queue_and_an_unused_permit_gives_its_slot_back() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(1),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    let held = budget.permit(Lane::Read, Quota::Burst).await;
    let waits = tokio::time::timeout(Duration::from_secs(1), budget.permit(Lane::Write, Quota::Burst)).await;
    assert!(waits.is_err());
    assert_eq!(budget.limits().lanes[Lane::Write as usize].waiting, 0);
    drop(held);
    let start = clock.now();
    let mut permit = budget.permit(Lane::Sync, Quota::Burst).await;
    assert_eq!(clock.now(), start);
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    drop(permit);
    drop(budget.permit(Lane::Sync, Quota::Burst).await);
    let waited = clock.now() - start;
    assert!(
        waited >= Duration::from_secs(40),
        "abandoned on the wire: window and grace, {waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_search_slows_searches_only() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let budget = Budget::new(&Settings::default(), clock.clone(), Arc::new(MemoryBook::new()));
    let mut permit = budget.permit(Lane::Sync, Quota::Search).await;
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    permit.answered(&Report {
        refusal: Some((Refusal::Second, None)),
        ..Report::default()
    });
    let start = clock.now();
    drop(budget.permit(Lane::Sync, Quota::Burst).await);
    assert_eq!(clock.now(), start, "the window is not touched");
    drop(budget.permit(Lane::Sync, Quota::Search).await);
    assert!(clock.now() - start >= Duration::from_secs(1), "frozen for the second");
    clock.sleep(Duration::from_secs(2)).await;
    assert_eq!(budget.limits().search.left, 4);
}

#[tokio::test(start_paused = true)]
async fn searches_that_turn_out_to_count_take_slots_of_both_windows() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(100),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    let mut permit = budget.permit(Lane::Sync, Quota::Search).await;
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    assert_eq!(budget.limits().burst.left, 100);
    permit.answered(&Report {
        refusal: Some((Refusal::Window, None)),
        ..Report::default()
    });
    let start = clock.now();
    let _held = budget.permit(Lane::Sync, Quota::Search).await;
    assert!(
        clock.now() - start >= Duration::from_secs(10),
        "the refused window is waited out"
    );
    assert_eq!(budget.limits().burst.left, 49, "half of it, and one is held");
}

#[tokio::test(start_paused = true)]
async fn a_slow_claim_keeps_its_slot() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(1),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    let mut permit = budget.permit(Lane::Write, Quota::Burst).await;
    clock.sleep(Duration::from_secs(29)).await;
    assert!(!permit.is_stale());
    permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
    clock.sleep(Duration::from_secs(30)).await;
    assert_eq!(budget.limits().burst.left, 0);
    permit.answered(&Report::default());
    clock.sleep(Duration::from_secs(9)).await;
    assert_eq!(budget.limits().burst.left, 0, "a window after the answer");
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(budget.limits().burst.left, 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_waits_when_the_day_ends_is_told_and_a_write_waits_for_the_new_day() {
    let clock = Clock::starting_at("2026-11-22T23:00:00Z".parse().unwrap());
    let settings = Settings {
        burst: Some(1),
        ..Settings::default()
    };
    let budget = Budget::new(&settings, clock.clone(), Arc::new(MemoryBook::new()));
    budget.set_zone(jiff::tz::TimeZone::UTC);
    let mut first = budget.permit(Lane::Read, Quota::Burst).await;
    first.begin(&Method::GET, "/crm/objects/2026-09/deals");
    let wait = |lane: Lane| {
        let budget = budget.clone();
        tokio::spawn(async move { budget.permit_today(lane, Quota::Burst).await.map(drop) })
    };
    let (read, write) = (wait(Lane::Read), {
        let budget = budget.clone();
        tokio::spawn(async move { drop(budget.permit(Lane::Write, Quota::Burst).await) })
    });
    clock.sleep(Duration::from_secs(1)).await;
    first.answered(&Report {
        refusal: Some((Refusal::Daily, None)),
        ..Report::default()
    });
    let midnight: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    assert_eq!(read.await.unwrap(), Err(NoPermit::DaySpent(midnight)));
    assert!(clock.wall() < midnight);
    write.await.unwrap();
    assert!(clock.wall() >= midnight, "kept, and sent on the new day");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_obeyed_by_other_processes_and_after_a_restart_and_says_why() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let book = Arc::new(MemoryBook::new());
    let settings = Settings {
        burst: Some(100),
        ..Settings::default()
    };
    let start = || Budget::new(&settings, clock.clone(), book.clone());
    let (mine, theirs) = (start(), start());
    for (quota, refusal) in [(Quota::Burst, Refusal::Window), (Quota::Search, Refusal::Second)] {
        let mut permit = mine.permit(Lane::Sync, quota).await;
        permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
        permit.answered(&Report {
            status: 429,
            refusal: Some((refusal, None)),
            ..Report::default()
        });
    }
    let (since, before) = (clock.wall(), clock.now());
    drop(theirs.permit(Lane::Write, Quota::Burst).await);
    let waited = clock.now() - before;
    assert!(
        waited >= Duration::from_secs(10),
        "the freeze is everybody's: {waited:?}"
    );
    clock.sleep(Duration::from_secs(5)).await;
    let restarted = start();
    for budget in [&mine, &theirs, &restarted] {
        let limits = budget.limits();
        assert_eq!(
            (limits.burst.left, limits.search.left),
            (50, 4),
            "half, and one search less"
        );
        assert_eq!(limits.shared_since, Some(since));
        assert_eq!((limits.today.requests(), limits.today.rate_limited), (2, 2));
    }
    clock.sleep(Duration::from_secs(600)).await;
    let limits = start().limits();
    assert_eq!(limits.search.left, 5, "it recovers over a restart, too");
    assert_eq!(limits.shared_since, None);
}

#[tokio::test(start_paused = true)]
async fn the_day_is_counted_over_restarts_and_by_all_processes() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let book = Arc::new(MemoryBook::new());
    let settings = Settings {
        daily: Some(10),
        daily_reserve_percent: 0,
        warn_daily_left: 0,
        ..Settings::default()
    };
    let start = || Budget::new(&settings, clock.clone(), book.clone());
    let beside = start();
    for _ in 0..10 {
        // Killed with its request on the wire.
        let budget = start();
        let mut permit = budget.permit_today(Lane::Read, Quota::Burst).await.unwrap();
        permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
        std::mem::forget(permit);
    }
    let midnight: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    for budget in [beside, start()] {
        let refused = budget.permit_today(Lane::Read, Quota::Burst).await;
        assert_eq!(refused.map(drop), Err(NoPermit::DaySpent(midnight)));
        assert!(budget.limits().daily_low);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_book_cannot_be_written_nothing_is_sent_reads_are_told_why_and_writes_wait() {
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let book = UsualBook::new(Usual::SendLog);
    let full = Fault::new(FaultKind::Store, "the disk is full", "free some space");
    book.breaks(Some(full.clone()));
    let budget = Budget::new(&Settings::default(), clock.clone(), book.clone());
    let write = tokio::spawn({
        let budget = budget.clone();
        async move { drop(budget.permit(Lane::Write, Quota::Burst).await) }
    });
    for (lane, quota) in [(Lane::Read, Quota::Burst), (Lane::Sync, Quota::Search)] {
        let told = budget.permit_today(lane, quota).await;
        assert_eq!(told.map(drop), Err(NoPermit::Unkept(full.clone())));
    }
    clock.sleep(Duration::from_mins(10)).await;
    assert!(!write.is_finished());
    book.breaks(None);
    clock.sleep(Duration::from_secs(2)).await;
    assert!(write.is_finished());
    assert!(budget.permit_today(Lane::Read, Quota::Burst).await.is_ok());
}
