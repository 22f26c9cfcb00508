//! The first sync against its physical bound, in virtual time: what the engine makes of the limits, whatever the machine.
//!
//! `cargo bench --bench first_sync` reads 20,000 contacts with either kind of cursor, and a million of them
//! (`-- 100000` for another number). Prints how long HubSpot's limits made it take, the bound beside it, and how long the
//! machine took for it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, measures the machine, and stops where it cannot go on"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::World;
use dealdeck::{
    domain::ObjectType,
    portal::{CursorKind, Settings},
    sync::SyncOptions,
};

/// Seconds per page.
const LATENCY: f64 = 0.12;

/// Seconds that `count` rows take at the least: lists within 190 in ten seconds where they can start anywhere, else one
/// cursor; searches of 200 rows, five a second. Both are anchored at the answers.
fn bound(count: f64, cursor: CursorKind) -> f64 {
    let search = 5.0 * 200.0 / (1.0 + LATENCY);
    match cursor {
        CursorKind::Opaque => count / (100.0 / LATENCY + search),
        // The first window is free at once.
        CursorKind::Id if count <= 19_000.0 + 2.0 * search => 2.0,
        CursorKind::Id => (count - 19_000.0) / (1_900.0 + 1_000.0),
    }
}

async fn read(count: u32, cursor: CursorKind) {
    let settings = Settings {
        contacts: count,
        companies: 0,
        deals: 0,
        tickets: 0,
        latency: "120ms".parse().unwrap(),
        daily: 100_000_000,
        cursor,
        ..common::small()
    };
    let world = World::with(settings);
    let (_engine, handle) = world.open();
    let (begun, machine) = (world.clock.now(), Instant::now());
    let options = SyncOptions {
        only: vec![ObjectType::Contacts],
        ..SyncOptions::default()
    };
    let report = handle.sync_once(options, |_| {}).await.unwrap();
    let took = (world.clock.now() - begun).as_secs_f64();
    let bound = bound(f64::from(count), cursor);
    println!(
        "{count:>9} contacts, {cursor:>6} cursors: {took:7.1} s, bound {bound:7.1} s, ratio {:.3}; {} requests, complete {}, \
         {} read, refused {}; the machine took {:.1} s",
        took / bound,
        report.requests,
        report.complete,
        report.objects[&ObjectType::Contacts].fetched,
        report.rate_limited,
        machine.elapsed().as_secs_f64(),
    );
    world.end().await;
}

fn main() {
    let count = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next_back()
        .unwrap_or(1_000_000);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    for (count, cursor) in [
        (20_000, CursorKind::Opaque),
        (20_000, CursorKind::Id),
        (count, CursorKind::Id),
        (count, CursorKind::Opaque),
    ] {
        runtime().block_on(read(count, cursor));
    }
}
