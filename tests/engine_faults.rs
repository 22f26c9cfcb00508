//! What the engine does about every way HubSpot can fail: the limits of a sync (S2.4, S5.9), the breaker, the day's budget,
//! and every answer to a write.

mod common;

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::{Acts as _, Instead, World, pass, small, until};
use dealdeck::{
    domain::{Connection, FaultKind, ObjectType, OpState, Origin},
    sync::SyncOptions,
};

const DAY: &str = r#"{"message":"You have reached your daily limit.","errorType":"RATE_LIMIT","policyName":"DAILY"}"#;
const TEN: &str =
    r#"{"message":"You have reached your ten_secondly_rolling limit.","policyName":"TEN_SECONDLY_ROLLING"}"#;
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];

fn to_deals(method: &'static str, status: u16) -> Instead {
    Instead {
        method,
        part: "/objects/2026-09/deals/",
        status,
        headers: &[],
        body: "{}",
        times: 1,
    }
}

/// Ten minutes before midnight of the account.
fn late_in_the_day() -> dealdeck::portal::Settings {
    dealdeck::portal::Settings {
        now: "2026-11-23T04:50:00Z".parse().ok(),
        ..small()
    }
}

#[tokio::test(start_paused = true)]
async fn s2_4_a_401_stops_the_sync() {
    let world = World::new();
    let (_engine, handle) = world.open();
    world.faults("401=100%").await;
    let fault = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
    assert_eq!(
        world.requests(),
        2,
        "whose account and whose token are asked at once, and then nothing any more"
    );
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn s2_4_a_429_waits_and_goes_on() {
    let world = World::with(dealdeck::portal::Settings {
        contacts: 1_500,
        ..small()
    });
    let (_engine, handle) = world.open();
    world.faults("429=30%").await;
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete && report.errors.is_empty(), "{report:?}");
    assert!(report.rate_limited >= 5, "{report:?}");
    assert!(report.waited >= Duration::from_secs(5), "{report:?}");
    world.assert_mirrored().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn s2_4_a_5xx_is_logged_and_the_sync_goes_on() {
    let world = World::with(dealdeck::portal::Settings {
        contacts: 1_500,
        ..small()
    });
    let (_engine, handle) = world.open();
    world.faults("500=5%,502=5%,503=5%").await;
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete && report.errors.is_empty(), "{report:?}");
    assert!(report.retries >= 2, "{report:?}");
    world.assert_mirrored().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn s2_4_a_type_that_only_fails_does_not_keep_the_others_from_being_read() {
    let world = World::new();
    world.answer(Instead {
        part: "/objects/2026-09/companies",
        times: u32::MAX,
        ..to_deals("GET", 500)
    });
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(!report.complete);
    // What comes after the types is told as well, while HubSpot is left alone.
    assert!(
        report.errors.iter().all(|fault| fault.kind == FaultKind::Offline),
        "{report:?}"
    );
    assert_eq!(world.mirror(ObjectType::Deals).len(), 30);
    assert_eq!(world.mirror(ObjectType::Contacts).len(), 60);
    assert!(world.asked("/companies") < 20, "nobody is hammered");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn s2_4_a_network_failure_keeps_what_was_fetched_and_resumes_there() {
    let world = World::with(dealdeck::portal::Settings {
        contacts: 3_000,
        ..small()
    });
    let (_engine, handle) = world.open();
    let cut = async {
        until("half of the contacts", Duration::from_secs(60), async || {
            world.mirror(ObjectType::Contacts).len() >= 1_500
        })
        .await;
        world.cut(true);
    };
    let (report, ()) = tokio::join!(handle.sync_once(SyncOptions::default(), |_| {}), cut);
    let report = report.unwrap();
    assert!(!report.complete);
    assert_eq!(report.errors[0].kind, FaultKind::Offline, "{report:?}");
    let kept = world.mirror(ObjectType::Contacts).len();
    assert!((1_500..3_000).contains(&kept), "{kept}");
    world.cut(false);
    let before = world.asked("/objects/2026-09/contacts");
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    let pages = world.asked("/objects/2026-09/contacts") - before;
    assert!(pages <= 20, "{pages} pages for the rest");
    world.assert_mirrored().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_spent_day_stops_reads_names_the_reset_and_lets_people_go_on() {
    let world = World::with(dealdeck::portal::Settings {
        daily: 400,
        ..late_in_the_day()
    });
    let running = world.start_synced().await;
    let handle = &running.handle;
    let midnight = "2026-11-23T05:00:00Z".parse().unwrap();
    world.spend_the_day(400, 30).await;
    let (deal, from, to) = handle.open_deal(0).await;
    let receipt = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle
        .reaches(receipt.op, &[OpState::Done], Duration::from_secs(20))
        .await;
    until("reading to stop", Duration::from_secs(60), async || {
        handle.freshness().connection == Connection::Slowed { until: midnight }
    })
    .await;
    let before = world.requests();
    pass(120).await;
    assert_eq!(world.requests(), before, "nothing is read");
    let receipt = handle.move_deal(&deal, &from, Origin::Command).await.unwrap();
    handle
        .reaches(receipt.op, &[OpState::Done], Duration::from_secs(20))
        .await;
    running.stop().await;

    let (_engine, handle) = world.open();
    let receipt = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    let outcome = handle.sync_once(SyncOptions::default(), |_| {}).await;
    let fault = outcome.map_or_else(|fault| fault, |report| report.errors[0].clone());
    let sent = handle.operation(receipt.op).await.unwrap();
    assert_eq!(sent.state, OpState::Done, "what people changed goes out all the same");
    assert_eq!(
        (fault.kind, fault.retry_at),
        (FaultKind::Rate, Some(midnight)),
        "{fault}"
    );
    assert!(fault.to_string().contains("2026-11-23 05:00 UTC"), "{fault}");

    let running = world.start();
    let as_of = running.handle.freshness().as_of;
    until("the new day", Duration::from_secs(900), async || {
        running.handle.freshness().as_of > as_of
    })
    .await;
    assert!(world.clock.wall() >= midnight);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_hubspot_that_only_fails_is_left_alone_and_found_again() {
    for plan in ["503=100%", "html=100%", "reset=100%"] {
        let world = World::new();
        let running = world.start_synced().await;
        world.faults(plan).await;
        pass(60).await;
        let Connection::Offline { next_try, .. } = running.handle.freshness().connection else {
            unreachable!("{plan}: {:?}", running.handle.freshness());
        };
        assert!(next_try > world.clock.wall(), "people are told when it is tried again");
        let before = world.requests();
        for _ in 0..60 {
            // Whoever presses the key again and again does not hammer it either.
            running.handle.refresh();
            pass(60).await;
        }
        let requests = world.requests() - before;
        assert!((5..40).contains(&requests), "{plan}: {requests} requests in an hour");
        world.faults("").await;
        let as_of = running.handle.freshness().as_of;
        until("live again", Duration::from_secs(360), async || {
            running.handle.freshness().as_of > as_of && running.handle.freshness().connection == Connection::Live
        })
        .await;
        running.stop().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_to_a_write_ends_where_the_table_says() {
    let answer = |status, headers, body| Instead {
        headers,
        body,
        ..to_deals("PATCH", status)
    };
    // The answer to the first send, where the operation is in the end, and how many attempts it is charged.
    for (name, instead, state, attempts) in [
        ("423", to_deals("PATCH", 423), OpState::Done, 2),
        ("500", to_deals("PATCH", 500), OpState::Done, 2),
        ("503", answer(503, &[("retry-after", "5")], "{}"), OpState::Done, 2),
        ("524", answer(524, HTML, "<html>"), OpState::Done, 2),
        ("200 html", answer(200, HTML, "<html>log in</html>"), OpState::Done, 2),
        ("200 cut off", answer(200, &[], r#"{"id":"1","#), OpState::Done, 2),
        ("418", to_deals("PATCH", 418), OpState::Done, 2),
        ("409", to_deals("PATCH", 409), OpState::Done, 2),
        ("429", answer(429, &[], TEN), OpState::Done, 1),
        ("477", answer(477, &[("retry-after", "600")], "{}"), OpState::Done, 1),
        ("488", to_deals("PATCH", 488), OpState::Done, 1),
        ("403 edge", answer(403, HTML, "<html>1020</html>"), OpState::Done, 1),
        ("530", answer(530, HTML, "<html>"), OpState::Done, 1),
        ("413", to_deals("PATCH", 413), OpState::Dead, 1),
        ("400", answer(400, &[], r#"{"message":"bad"}"#), OpState::Dead, 1),
        (
            "403 user",
            answer(403, &[], r#"{"category":"FORBIDDEN","message":"no"}"#),
            OpState::Held,
            1,
        ),
        ("404", answer(404, &[], r#"{"message":"no"}"#), OpState::Held, 1),
        ("401", to_deals("PATCH", 401), OpState::Done, 1),
        (
            "302",
            answer(302, &[("location", "https://evil.example")], ""),
            OpState::Done,
            1,
        ),
    ] {
        let world = World::new();
        let running = world.start_synced().await;
        let (deal, _, to) = running.handle.open_deal(0).await;
        world.answer(instead);
        let receipt = running.handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
        until(name, Duration::from_secs(30), async || world.answers_left() == 0).await;
        if matches!(name, "401" | "302") {
            pass(60).await;
            assert_eq!(world.asked("PATCH"), 1, "{name}: nothing goes out before somebody asks");
            running.handle.refresh();
        }
        let op = running
            .handle
            .reaches(receipt.op, &[state], Duration::from_secs(900))
            .await;
        assert_eq!(op.attempts, attempts, "{name}: {op:?}");
        assert_eq!(
            world.asked("PATCH"),
            1 + usize::from(state == OpState::Done),
            "{name}: once refused, once sent"
        );
        running.stop().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_account_is_moved_nothing_at_all_is_sent() {
    let world = World::new();
    let running = world.start_synced().await;
    let (deal, from, to) = running.handle.open_deal(0).await;
    world.answer(Instead {
        headers: &[("retry-after", "600")],
        ..to_deals("PATCH", 477)
    });
    let first = running.handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    until("the word", Duration::from_secs(10), async || world.answers_left() == 0).await;
    pass(5).await;
    let before = world.requests();
    let (other, _, stage) = running.handle.open_deal(3).await;
    let second = running.handle.move_deal(&other, &stage, Origin::Command).await.unwrap();
    running.handle.look_at(&deal);
    running.handle.refresh();
    pass(500).await;
    assert_eq!(world.requests(), before, "nothing for ten minutes");
    assert!(matches!(
        running.handle.freshness().connection,
        Connection::Slowed { .. }
    ));
    for op in [first.op, second.op] {
        let op = running
            .handle
            .reaches(op, &[OpState::Done], Duration::from_secs(300))
            .await;
        assert_eq!(op.attempts, 1, "{op:?}");
    }
    assert_ne!(from, to);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_daily_refusal_of_a_write_waits_for_midnight() {
    let world = World::with(late_in_the_day());
    let running = world.start_synced().await;
    let (deal, _, to) = running.handle.open_deal(0).await;
    world.answer(Instead {
        body: DAY,
        ..to_deals("PATCH", 429)
    });
    let receipt = running.handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    until("the refusal", Duration::from_secs(10), async || {
        world.answers_left() == 0
    })
    .await;
    pass(60).await;
    let midnight = "2026-11-23T05:00:00Z".parse().unwrap();
    assert_eq!(world.asked("PATCH"), 1, "it waits");
    let op = running
        .handle
        .reaches(receipt.op, &[OpState::Done], Duration::from_secs(900))
        .await;
    assert_eq!(op.attempts, 1, "{op:?}");
    assert!(world.clock.wall() >= midnight);
    assert_eq!(world.asked("PATCH"), 2);
    running.stop().await;
    world.end().await;
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn s1_3_the_statistics_are_logged_when_a_session_ends() {
    let kept = Kept::default();
    let sink = kept.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .finish();
    // For the whole process: what a thread-local one hears depends on what the other tests did before.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new();
    let running = world.start_synced().await;
    let limits = running.handle.limits();
    running.stop().await;
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let ours = format!("requests={} ", limits.total_requests);
    let is_ours = |line: &&str| line.contains("INFO") && line.contains("the session ends") && line.contains(&ours);
    let line = log.lines().find(is_ours).unwrap();
    for part in [
        "waited_ms=".to_owned(),
        "refused=0".to_owned(),
        "retries=0".to_owned(),
        "window=190".to_owned(),
        "window_left=".to_owned(),
        "day=625000".to_owned(),
        "day_left=".to_owned(),
    ] {
        assert!(line.contains(&part), "{part} in {line}");
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_answers_nothing_is_not_live_for_longer_than_two_polls() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    assert_eq!(handle.freshness().connection, Connection::Live);
    world.faults("hang=100%").await;
    pass(11).await;
    let freshness = handle.freshness();
    assert_eq!(
        freshness.connection,
        Connection::Cached,
        "the first time-out is far away"
    );
    assert!(freshness.as_of.is_some(), "it says as of when");
    world.faults("").await;
    until("live again", Duration::from_secs(120), async || {
        handle.freshness().connection == Connection::Live
    })
    .await;
    running.stop().await;
    world.end().await;
}
