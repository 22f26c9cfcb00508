//! The first sync against its physical bound, in virtual time: no machine is too slow for it, and none too fast.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::World;
use dealdeck::{domain::ObjectType, portal::CursorKind, sync::SyncOptions};

/// Searches in a second.
const SEARCHES: f64 = 5.0;

fn contacts(count: u32, cursor: CursorKind) -> dealdeck::portal::Settings {
    dealdeck::portal::Settings {
        contacts: count,
        companies: 0,
        deals: 0,
        tickets: 0,
        latency: "120ms".parse().unwrap(),
        cursor,
        ..common::small()
    }
}

/// Reads all contacts; how long it took.
async fn read_all(world: &World, count: u64) -> Duration {
    let (_engine, handle) = world.open();
    let begun = world.clock.now();
    let options = SyncOptions {
        only: vec![ObjectType::Contacts],
        ..SyncOptions::default()
    };
    let report = handle.sync_once(options, |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.objects[&ObjectType::Contacts].fetched, count);
    world.clock.now() - begun
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_contacts_from_both_ends() {
    let world = World::with(contacts(20_000, CursorKind::Opaque));
    let took = read_all(&world, 20_000).await;
    println!("opaque cursors: {took:?}");
    // One list cursor and the searches of one second, each as fast as 120 ms allow.
    let bound = 20_000.0 / (100.0 / 0.12 + SEARCHES * 200.0 / 1.12);
    assert!(took.as_secs_f64() <= bound + 0.9, "{took:?} instead of {bound}");
    world.assert_mirrored().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_contacts_from_everywhere() {
    let world = World::with(contacts(20_000, CursorKind::Id));
    let took = read_all(&world, 20_000).await;
    println!("id cursors: {took:?}");
    assert!(took <= Duration::from_secs(5), "{took:?}");
    world.assert_mirrored().await;
    world.end().await;
}
