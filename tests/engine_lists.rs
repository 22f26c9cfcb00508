//! HubSpot's lists: read page by page, resumed after a kill, each by itself, and not more often than the day allows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{Instead, World, pass, small, until};
use dealdeck::{
    domain::{ObjectType, SyncReport},
    portal,
    sync::SyncOptions,
};
use serde_json::json;

/// The newsletter has every seventh contact: four pages.
const LONG: &str = "/crm/lists/2026-09/101/memberships";
const SHORT: &str = "/crm/lists/2026-09/102/memberships";

fn account() -> portal::Settings {
    portal::Settings {
        contacts: 6_900,
        latency: "20ms".parse().unwrap(),
        ..small()
    }
}

async fn sync(world: &World) -> SyncReport {
    let (_engine, handle) = world.open();
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap()
}

/// A colleague puts somebody on a list and takes somebody off.
async fn change(world: &World, list: &str, nth: usize) {
    let mut contacts = world.truth(ObjectType::Contacts).await.into_keys().skip(nth);
    let (one, other) = (contacts.next().unwrap(), contacts.next().unwrap());
    for (add, remove) in [(&one, &other), (&other, &one), (&one, &other)] {
        let body = json!({"list_id": list, "add": [add], "remove": [remove]});
        world.witness("POST", "list", Some(body)).await;
    }
    // What a list says of itself lags.
    pass(30).await;
}

fn refused(part: &'static str, status: u16) -> Instead {
    Instead {
        method: "GET",
        part,
        status,
        headers: &[],
        body: "{}",
        times: u32::MAX,
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_read_does_not_keep_the_others_from_being_read() {
    for status in [403, 404, 500] {
        let world = World::with(account());
        assert!(sync(&world).await.complete);
        world.assert_listed().await;
        change(&world, "101", 3).await;
        change(&world, "102", 8).await;
        world.answer(refused(SHORT, status));
        let before = world.asked(LONG);
        let report = sync(&world).await;
        assert!(!report.complete, "{status}: {report:?}");
        let fault = report.errors[0].to_string();
        assert!(
            fault.contains("the members of list 'Tea tasting guests' are not read"),
            "{status}: {fault}"
        );
        assert_eq!(world.asked(LONG) - before, 4, "{status}: the other list was read");
        world.answer(Instead {
            times: 0,
            ..refused(SHORT, status)
        });
        let report = sync(&world).await;
        assert!(report.complete, "{status}: {report:?}");
        assert_eq!(world.asked(LONG) - before, 4, "{status}: and is not read again");
        world.assert_listed().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dashboard_tells_of_a_list_that_cannot_be_read_and_reads_the_others() {
    let world = World::new();
    let running = world.start_synced().await;
    until("the lists", Duration::from_mins(2), async || {
        !world.reader().mirror.lists().unwrap().is_empty()
    })
    .await;
    pass(60).await;
    world.answer(refused(SHORT, 403));
    change(&world, "102", 3).await;
    let trouble = || running.handle.freshness().trouble.map(|fault| fault.to_string());
    until("the word about it", Duration::from_mins(10), async || {
        trouble().is_some()
    })
    .await;
    let told = trouble().unwrap();
    assert!(told.contains("'Tea tasting guests'"), "{told}");
    let before = world.asked(SHORT);
    for _ in 0..60 {
        pass(60).await;
        assert_eq!(trouble().as_deref(), Some(told.as_str()), "told once");
    }
    let asked = world.asked(SHORT) - before;
    assert!((1..=4).contains(&asked), "{asked} times in an hour");
    change(&world, "101", 9).await;
    pass(400).await;
    world.answer(Instead {
        times: 0,
        ..refused(SHORT, 403)
    });
    until("it to heal", Duration::from_mins(70), async || trouble().is_none()).await;
    world.assert_listed().await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_pass_goes_on_in_the_middle_of_a_list() {
    let world = World::with(account());
    assert!(sync(&world).await.complete);
    change(&world, "101", 3).await;
    let before = world.asked(LONG);
    tokio::select! {
        report = sync(&world) => unreachable!("{report:?}"),
        () = until("two pages", Duration::from_secs(60), async || world.asked(LONG) - before >= 3) => {}
    }
    let (first, ids) = (world.asked(LONG), world.reader().mirror.members(&"101".into()).unwrap());
    assert!(ids.len() >= 980, "nobody left half way: {}", ids.len());
    assert!(sync(&world).await.complete);
    let rest = world.asked(LONG) - first;
    assert!(rest <= 2, "{rest} pages instead of the rest");
    world.assert_listed().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_stops_changing_costs_its_part_of_the_day_and_a_pass_reads_it_all_the_same() {
    let world = World::with(portal::Settings {
        daily: 100_000,
        ..account()
    });
    let running = world.start_synced().await;
    pass(600).await;
    let before = world.asked(LONG);
    for nth in 0..36 {
        change(&world, "101", nth).await;
        pass(270).await;
    }
    let (asked, share) = (world.asked(LONG) - before, 100_000 / 400 / 8);
    assert!(
        (4..=share + 4).contains(&asked),
        "{asked} pages in three hours, {share} would be its part"
    );
    running.stop().await;
    change(&world, "101", 50).await;
    assert!(sync(&world).await.complete);
    world.assert_listed().await;
    world.end().await;
}
