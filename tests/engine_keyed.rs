//! What may be repeated: notes with a key that HubSpot keeps unique, contacts by their addresses; and how few requests it
//! takes to find out about a hundred operations at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{Acts as _, World, pass, until};
use dealdeck::{
    domain::{
        DealId, Lane, NewProperty, ObjectType, OpState, Payload, Properties, PropertyKind, RecordRef, SentRequest,
    },
    store::{Keeper, NewOperation},
};
use serde_json::{Value, json};

const NOTES: &str = "POST /crm/objects/2026-09/notes";
const UPSERT: &str = "POST /crm/objects/2026-09/contacts/batch/upsert";
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(900);

/// An account whose notes can be kept apart by HubSpot's own key.
fn keyed() -> World {
    World::with(dealdeck::portal::Settings {
        switches: "creation-key".parse().unwrap(),
        ..common::small()
    })
}

fn notes_with<'a>(notes: &'a [Value], text: &str) -> Vec<&'a Value> {
    let has = |note: &&Value| note["properties"]["hs_note_body"].as_str() == Some(text);
    notes.iter().filter(has).collect()
}

async fn copies(world: &World, deal: &DealId, text: &str) -> usize {
    notes_with(&world.true_notes(deal).await, text).len()
}

#[tokio::test(start_paused = true)]
async fn a_keyed_note_whose_reply_was_lost_is_found_by_its_key_at_once() {
    let world = keyed();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    world.faults("POST:lost=1").await;
    let receipt = handle.note(&deal, "a lost reply").await;
    let kept = handle.operation(receipt.op).await.unwrap();
    assert!(
        matches!(&kept.payload, Payload::CreateNote { key: Some(key), .. } if key == "hs_unique_creation_key"),
        "{kept:?}"
    );
    let waited = handle.wait_for(receipt.op, LONG).await.unwrap();
    assert!(
        matches!(waited.state, OpState::Landed | OpState::Done),
        "whoever waits hears what became of it, not that nobody knows: {waited:?}"
    );
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    assert_eq!(copies(&world, &deal, "a lost reply").await, 1);
    assert_eq!(world.sent(NOTES), 1, "found, not sent again");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_keyed_note_that_never_arrived_is_sent_again_and_a_late_one_clashes_with_itself() {
    let world = keyed();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    for (plan, text) in [
        ("POST:reset=1", "never arrived"),
        ("POST:late=1", "arrives late"),
        ("POST:later=2", "twice late"),
    ] {
        world.faults(plan).await;
        let receipt = handle.note(&deal, text).await;
        handle.reaches(receipt.op, &[OpState::Done], LONG).await;
        pass(300).await;
        assert_eq!(copies(&world, &deal, text).await, 1, "{plan}");
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_that_a_colleague_archived_meanwhile_is_not_written_again() {
    let world = keyed();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    world.faults("POST:lost=1").await;
    let receipt = handle.note(&deal, "archived meanwhile").await;
    until("the note is in HubSpot", SOON, async || {
        copies(&world, &deal, "archived meanwhile").await == 1
    })
    .await;
    let id = notes_with(&world.true_notes(&deal).await, "archived meanwhile")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.archive(ObjectType::Notes, &id).await;
    handle.reaches(receipt.op, &[OpState::Done], LONG).await;
    pass(300).await;
    assert_eq!(copies(&world, &deal, "archived meanwhile").await, 0);
    assert_eq!(world.sent(NOTES), 1);
    running.stop().await;
    world.end().await;
}

/// An account with a property of our own, and the client's way to take it away.
async fn with_our_own(world: &World) {
    let property = NewProperty {
        name: "dealdeck_key".to_owned(),
        label: "dealdeck key".to_owned(),
        description: String::new(),
        group: "engagement".to_owned(),
        kind: PropertyKind::Text,
        unique: true,
    };
    let client = world.client();
    let permit = client.permit(Lane::Write, dealdeck::hubspot::Quota::Burst).await;
    client
        .ensure_property(permit, ObjectType::Notes, &property)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_property_of_our_own_carries_the_key_and_when_it_is_gone_notes_go_without() {
    let world = World::new();
    with_our_own(&world).await;
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let receipt = handle.note(&deal, "with our own key").await;
    let kept = handle.operation(receipt.op).await.unwrap();
    assert!(matches!(&kept.payload, Payload::CreateNote { key: Some(key), .. } if key == "dealdeck_key"));
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    let notes = world.true_notes(&deal).await;
    let note = notes_with(&notes, "with our own key")[0];
    assert_eq!(note["properties"]["dealdeck_key"], json!(receipt.op.to_string()));
    // Somebody takes the property away; one note is on its way, the other's reply was lost just before.
    world.faults("POST:lost=1").await;
    world.answer(common::Instead {
        method: "POST",
        part: "/notes/batch/read",
        status: 0,
        headers: &[],
        body: "",
        times: 1,
    });
    let lost = handle.note(&deal, "its reply was lost").await;
    until("the note is in HubSpot", SOON, async || {
        copies(&world, &deal, "its reply was lost").await == 1
    })
    .await;
    let client = world.client();
    let permit = client.permit(Lane::Write, dealdeck::hubspot::Quota::Burst).await;
    client
        .archive_property(permit, ObjectType::Notes, "dealdeck_key")
        .await
        .unwrap();
    let without = handle.note(&deal, "goes without").await;
    handle.reaches(lost.op, &[OpState::Done], LONG).await;
    handle.reaches(without.op, &[OpState::Done], LONG).await;
    pass(300).await;
    assert_eq!(copies(&world, &deal, "its reply was lost").await, 1);
    assert_eq!(copies(&world, &deal, "goes without").await, 1);
    running.stop().await;
    world.end().await;
}

fn upsert(account: u64, email: &str, first: &str) -> NewOperation {
    NewOperation {
        account,
        entity: RecordRef::by_email(email),
        payload: Payload::UpsertContact {
            email: email.to_owned(),
            values: Properties::from([("firstname".to_owned(), Some(first.to_owned()))]),
        },
        title: format!("contact {email}"),
        not_before: None,
        undo_of: None,
        op_key: None,
    }
}

async fn with_address(world: &World, email: &str) -> Vec<Value> {
    let contacts = world.truth(ObjectType::Contacts).await.into_values();
    contacts
        .filter(|contact| contact["properties"]["email"].as_str() == Some(email))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_contacts_leave_in_ten_requests_and_a_bad_one_does_not_keep_the_others() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let account = handle.facts().await.unwrap().account.unwrap().portal_id;
    let known = world.mirror(ObjectType::Contacts)[0].get("email").unwrap().to_owned();
    world.cut(true);
    let mut keeper = Keeper::open(&world.place()).unwrap();
    let now = handle.clock().wall();
    for nth in 0..999 {
        keeper
            .outbox
            .keep(upsert(account, &format!("new{nth}@push.example"), "New"), now)
            .unwrap();
    }
    let update = keeper.outbox.keep(upsert(account, &known, "Known"), now).unwrap();
    world.cut(false);
    handle.refresh();
    handle.reaches(update.id, &[OpState::Done], LONG).await;
    until("all are done", LONG, async || {
        let waiting = [OpState::Queued, OpState::InFlight, OpState::Uncertain, OpState::Landed];
        handle.operations(Some(&waiting), 10).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(world.asked(UPSERT), 10);
    let truth = world.truth(ObjectType::Contacts).await;
    assert_eq!(truth.len(), 60 + 999);
    assert_eq!(
        with_address(&world, &known).await[0]["properties"]["firstname"],
        json!("Known")
    );
    // One that HubSpot refuses is cut out of its batch.
    let bad = keeper
        .outbox
        .keep(upsert(account, "no address at all", "Bad"), now)
        .unwrap();
    let good = keeper
        .outbox
        .keep(upsert(account, "good@push.example", "Good"), now)
        .unwrap();
    handle.reaches(good.id, &[OpState::Done], LONG).await;
    handle.reaches(bad.id, &[OpState::Dead], LONG).await;
    let error = handle.operation(bad.id).await.unwrap().error.unwrap();
    assert_eq!(error.class, "validation", "{error:?}");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_create_that_somebody_was_faster_with_becomes_an_update_and_an_update_a_create() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let account = handle.facts().await.unwrap().account.unwrap().portal_id;
    let known = world.mirror(ObjectType::Contacts)[0].get("email").unwrap().to_owned();
    let mut keeper = Keeper::open(&world.place()).unwrap();
    for (email, status) in [
        (known.as_str(), 409),
        ("fresh@push.example", 409),
        ("other@push.example", 404),
    ] {
        let body = r#"{"status":"error","message":"Contact already exists. Existing ID: 1","category":"CONFLICT"}"#;
        world.answer(common::Instead {
            method: "POST",
            part: "/contacts/batch/upsert",
            status,
            headers: &[],
            body,
            times: 1,
        });
        let op = keeper
            .outbox
            .keep(upsert(account, email, "Turned"), handle.clock().wall())
            .unwrap();
        handle.reaches(op.id, &[OpState::Done], LONG).await;
        let there = with_address(&world, email).await;
        assert_eq!(there.len(), 1, "{email}");
        assert_eq!(there[0]["properties"]["firstname"], json!("Turned"));
        let remote = handle.operation(op.id).await.unwrap().remote_id;
        assert_eq!(remote.as_deref(), there[0]["id"].as_str());
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_uncertain_operations_take_at_most_fifteen_requests() {
    let mut world = World::with(dealdeck::portal::Settings {
        switches: "creation-key".parse().unwrap(),
        deals: 120,
        ..common::small()
    });
    world.settings.parallel_writes = 100;
    let running = world.start_synced().await;
    let handle = &running.handle;
    let account = handle.facts().await.unwrap().account.unwrap().portal_id;
    let deals: Vec<DealId> = handle
        .board()
        .await
        .unwrap()
        .deals
        .into_iter()
        .map(|deal| deal.id)
        .collect();
    until("the contacts are here", SOON, async || {
        world.mirror(ObjectType::Contacts).len() == 60
    })
    .await;
    let contacts = world.mirror(ObjectType::Contacts);
    // Every kind, each on a record of its own. They are sent, HubSpot carries them out, and the process dies while it waits
    // for the answers.
    world
        .faults("POST:slow=100%,PATCH:slow=100%,PUT:slow=100%,DELETE:slow=100%")
        .await;
    let mut ops = Vec::new();
    for (nth, deal) in deals.iter().take(80).enumerate() {
        ops.push(match nth % 4 {
            0 | 1 => {
                handle
                    .set(deal, "hs_next_step", &format!("step {nth}"))
                    .await
                    .unwrap()
                    .op
            }
            2 => handle.note(deal, &format!("keyed note {nth}")).await.op,
            _ => {
                let note = Payload::CreateNote {
                    body: format!("plain note {nth}"),
                    at: handle.clock().wall(),
                    owner: None,
                    links: vec![RecordRef::new(ObjectType::Deals, deal.as_str())],
                    key: None,
                };
                let entity = RecordRef::new(ObjectType::Deals, deal.as_str());
                keep(&world, account, entity, note)
            }
        });
    }
    for (nth, contact) in contacts.iter().take(20).enumerate() {
        let deal = RecordRef::new(ObjectType::Deals, deals[90 + nth].as_str());
        ops.push(if nth % 2 == 0 {
            keep(&world, account, deal, Payload::Archive)
        } else {
            let payload = Payload::Associate {
                with: deal,
                linked: true,
            };
            keep(&world, account, contact.reference(), payload)
        });
    }
    until("all are on the wire", LONG, async || {
        // Archiving has no answer to wait for.
        handle.operations(Some(&[OpState::InFlight]), 200).await.unwrap().len() == 90
    })
    .await;
    pass(1).await;
    running.kill().await;
    world.faults("").await;
    pass(60).await;
    let before = world.client().budget().requests(10_000).len();
    let running = world.start();
    let handle = &running.handle;
    until("all are done", LONG, async || {
        handle.operations(Some(&[OpState::Done]), 200).await.unwrap().len() == 100
    })
    .await;
    let requests = handle.requests(10_000);
    let is_lookup = |request: &&SentRequest| {
        request.lane == Lane::Verify
            && ["/objects/", "/associations/"]
                .iter()
                .any(|part| request.path.contains(part))
    };
    let lookups: Vec<String> = requests
        .iter()
        .take(requests.len() - before)
        .filter(is_lookup)
        .map(|request| format!("{:?} {} {}", request.lane, request.method, request.path))
        .collect();
    assert!(
        (1..=15).contains(&lookups.len()),
        "{} lookups: {lookups:#?}",
        lookups.len()
    );
    running.stop().await;
    world.end().await;
}

fn keep(world: &World, account: u64, entity: RecordRef, payload: Payload) -> dealdeck::domain::OpId {
    let mut keeper = Keeper::open(&world.place()).unwrap();
    let new = NewOperation {
        account,
        entity,
        payload,
        title: "kept by hand".to_owned(),
        not_before: None,
        undo_of: None,
        op_key: None,
    };
    keeper.outbox.keep(new, world.clock.wall()).unwrap().id
}
