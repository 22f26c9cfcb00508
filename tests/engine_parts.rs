//! One endpoint that fails, for long: everything else goes on, and people hear of it once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{Acts as _, Instead, Running, World, pass, until};
use dealdeck::domain::{ActivityKind, Connection, ObjectType, OpState, Origin};
use jiff::SignedDuration;
use serde_json::json;

const DEFINITIONS: (&str, &str) = ("GET", "/crm/properties/2026-09/tasks");
const TICKETS: (&str, &str) = ("POST", "/objects/2026-09/tickets/search");
const DEALS: (&str, &str) = ("POST", "/objects/2026-09/deals/search");
const LISTS: (&str, &str) = ("POST", "/crm/lists/2026-09/");
const OWNERS: (&str, &str) = ("GET", "/crm/owners/");

fn failing((method, part): (&'static str, &'static str), status: u16) -> Instead {
    Instead {
        method,
        part,
        status,
        headers: &[],
        body: "{}",
        times: u32::MAX,
    }
}

fn trouble(running: &Running) -> String {
    running
        .handle
        .freshness()
        .trouble
        .map_or_else(String::new, |fault| fault.to_string())
}

/// What the feed says of the line.
async fn said(running: &Running) -> Vec<String> {
    let board = running.handle.board().await.unwrap();
    let entries = board.activity.into_iter();
    entries
        .filter_map(|item| match item.kind {
            ActivityKind::Said(sentence) => Some(sentence),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_for_an_hour_stops_nothing_else() {
    for (endpoint, status) in [
        (DEFINITIONS, 500),
        (TICKETS, 500),
        (LISTS, 503),
        (OWNERS, 504),
        (OWNERS, 0),
    ] {
        let name = format!("{endpoint:?} {status}");
        let world = World::new();
        let running = world.start_synced().await;
        world.answer(failing(endpoint, status));
        until(&name, Duration::from_mins(15), async || !trouble(&running).is_empty()).await;
        let told = trouble(&running);
        let asked = world.asked(endpoint.1);
        for nth in 0..6_usize {
            let (deal, ..) = running.handle.open_deal(nth).await;
            let value = format!("step {nth}");
            world
                .edit(ObjectType::Deals, deal.as_str(), json!({"hs_next_step": value}), "2")
                .await;
            let (moved, _, stage) = running.handle.open_deal(nth + 7).await;
            let receipt = running.handle.move_deal(&moved, &stage, Origin::Command).await.unwrap();
            running
                .handle
                .reaches(receipt.op, &[OpState::Done], Duration::from_secs(30))
                .await;
            until(&format!("{name}: the edit"), Duration::from_secs(60), async || {
                let deals = running.handle.deals(std::slice::from_ref(&deal)).await.unwrap();
                deals[0].next_step.as_deref() == Some(&value)
            })
            .await;
            for _ in 0..9 {
                pass(60).await;
                let freshness = running.handle.freshness();
                let age = world.clock.wall().duration_since(freshness.as_of.unwrap());
                assert!(age < SignedDuration::from_secs(60), "{name}: {age:#}");
                assert!(
                    !matches!(freshness.connection, Connection::Offline { .. }),
                    "{name}: {freshness:?}"
                );
                assert_eq!(trouble(&running), told, "{name}: told once");
            }
        }
        let said = said(&running).await;
        assert!(said.len() <= 2, "{name}: {said:?}");
        let asked = world.asked(endpoint.1) - asked;
        assert!((1..100).contains(&asked), "{name}: asked {asked} times in an hour");
        world.answer(Instead {
            times: 0,
            ..failing(endpoint, status)
        });
        running.handle.refresh();
        until(&format!("{name}: it to heal"), Duration::from_secs(60), async || {
            trouble(&running).is_empty()
        })
        .await;
        running.stop().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_run_reads_everything_that_can_be_read() {
    for endpoint in [
        DEFINITIONS,
        ("GET", "/objects/2026-09/companies"),
        ("GET", "/objects/2026-09/deals"),
    ] {
        let world = World::new();
        world.answer(failing(endpoint, 500));
        let running = world.start();
        running.handle.set_watched(true);
        for object in common::MIRRORED {
            if !endpoint.1.ends_with(object.name()) || endpoint == DEFINITIONS {
                let there = world.truth(object).await.len();
                until(
                    &format!("{endpoint:?}: {object}"),
                    Duration::from_mins(10),
                    async || world.mirror(object).len() == there,
                )
                .await;
            }
        }
        until(&format!("{endpoint:?}: the word"), Duration::from_mins(2), async || {
            !trouble(&running).is_empty()
        })
        .await;
        let said = said(&running).await;
        assert!(said.len() <= 2, "{endpoint:?}: {said:?}");
        running.stop().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn deals_that_cannot_be_read_keep_nothing_else_from_being_read() {
    let world = World::new();
    let running = world.start_synced().await;
    world.answer(failing(DEALS, 500));
    until("the word about it", Duration::from_secs(120), async || {
        !trouble(&running).is_empty()
    })
    .await;
    let contact = world.truth(ObjectType::Contacts).await.into_keys().next().unwrap();
    world
        .edit(ObjectType::Contacts, &contact, json!({"jobtitle": "Tea taster"}), "2")
        .await;
    until("the contact", Duration::from_mins(5), async || {
        let contacts = running.handle.contacts(&[contact.as_str().into()]).await.unwrap();
        contacts[0].job_title.as_deref() == Some("Tea taster")
    })
    .await;
    pass(1_800).await;
    assert!(
        !matches!(running.handle.freshness().connection, Connection::Offline { .. }),
        "{:?}",
        running.handle.freshness()
    );
    let age = world
        .clock
        .wall()
        .duration_since(running.handle.freshness().as_of.unwrap());
    assert!(age > SignedDuration::from_mins(29), "nothing new is claimed: {age:#}");
    let said = said(&running).await;
    assert!(said.len() <= 2, "{said:?}");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_stops_every_part() {
    let world = World::new();
    let running = world.start_synced().await;
    world.answer(failing(TICKETS, 401));
    until("the refusal", Duration::from_mins(5), async || {
        matches!(running.handle.freshness().connection, Connection::ReadOnly(_))
    })
    .await;
    let before = world.requests();
    pass(600).await;
    assert_eq!(world.requests(), before, "nothing is asked of a token that is refused");
    running.stop().await;
    world.end().await;
}
