//! What a person decides about an operation: sent again, sent with other values, given up; and what cannot be decided.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::{Acts as _, Running, World, pass, until};
use dealdeck::domain::{DealId, Decision, FaultKind, ObjectType, OpId, OpState, Payload, Properties};
use serde_json::json;

const SOON: Duration = Duration::from_secs(60);

fn values(name: &str, value: &str) -> Properties {
    Properties::from([(name.to_owned(), Some(value.to_owned()))])
}

/// A deal whose amount a colleague set to 77000 while we set it to 88000.
async fn conflict(world: &World, running: &Running) -> (DealId, OpId) {
    let (deal, ..) = running.handle.open_deal(0).await;
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"amount": "77000"}), "2")
        .await;
    let receipt = running.handle.set(&deal, "amount", "88000").await.unwrap();
    running.handle.reaches(receipt.op, &[OpState::Conflict], SOON).await;
    (deal, receipt.op)
}

async fn amount(world: &World, deal: &DealId) -> String {
    let there = world.true_value(ObjectType::Deals, deal.as_str(), "amount").await;
    there.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_conflict_shows_what_everybody_wants_and_can_end_with_theirs_or_a_third_value() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, op) = conflict(&world, &running).await;
    let story = handle.operation_story(op).await.unwrap();
    assert_eq!(
        story.mirrored,
        values("amount", "77000"),
        "theirs, read before the conflict was told"
    );
    assert!(story.attempts.is_empty(), "nothing was sent: {:?}", story.attempts);

    let third = Decision::SendWith(values("amount", "80000"));
    handle.decide(op, third).await.unwrap();
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(amount(&world, &deal).await, "80000");
    let story = handle.operation_story(op).await.unwrap();
    assert_eq!(story.attempts.len(), 1);

    let (deal, op) = conflict(&world, &running).await;
    assert_eq!(
        handle.decide(op, Decision::Drop).await.unwrap().state,
        OpState::Cancelled
    );
    pass(60).await;
    assert_eq!(amount(&world, &deal).await, "77000");
    let shown = handle.deals(&[deal]).await.unwrap();
    assert_eq!(
        shown[0].amount.unwrap().to_string(),
        "77000",
        "and that is what is shown"
    );
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_value_that_makes_no_sense_decides_nothing() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (_, op) = conflict(&world, &running).await;
    for (name, value) in [
        ("no_such_property", "1"),
        ("dealstage", "nowhere"),
        ("amount", "a lot"),
        ("closedate", "2026-02-30"),
        ("createdate", "2026-01-01"),
    ] {
        let refused = handle
            .decide(op, Decision::SendWith(values(name, value)))
            .await
            .unwrap_err();
        assert_eq!(refused.kind, FaultKind::Usage, "{name}: {refused}");
        assert_eq!(handle.operation(op).await.unwrap().state, OpState::Conflict, "{name}");
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_taken_back_and_what_may_have_been_is_not() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    world.cut(true);
    let waiting = handle.note(&deal, "written offline").await;
    pass(5).await;
    let cancelled = handle.decide(waiting.op, Decision::Drop).await.unwrap();
    assert_eq!(cancelled.state, OpState::Cancelled);
    let again = handle.decide(waiting.op, Decision::Send).await.unwrap_err();
    assert_eq!(again.kind, FaultKind::Refused, "{again}");
    world.cut(false);
    pass(120).await;
    assert_eq!(world.true_notes(&deal).await.len(), before);

    world.faults("POST:lost=1").await;
    let lost = handle.note(&deal, "the answer got lost").await;
    handle.reaches(lost.op, &[OpState::Uncertain], SOON).await;
    for decision in [Decision::Drop, Decision::Send] {
        let refused = handle.decide(lost.op, decision).await.unwrap_err();
        assert!(refused.what.contains("may have it already"), "{refused}");
    }
    handle
        .reaches(lost.op, &[OpState::Done], Duration::from_secs(600))
        .await;
    let refused = handle.decide(lost.op, Decision::Drop).await.unwrap_err();
    assert!(refused.what.contains("HubSpot has it"), "{refused}");
    assert_eq!(world.true_notes(&deal).await.len(), before + 1);
    running.stop().await;
    world.end().await;
}

/// The note goes nowhere while a contact it is linked to is archived; it is neither lost nor refused for ever.
#[tokio::test(start_paused = true)]
async fn a_note_that_was_refused_for_an_archived_contact_goes_out_without_that_link() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let board = handle.board().await.unwrap();
    let deal = board.deals.iter().find(|deal| !deal.contacts.is_empty()).unwrap();
    let before = world.true_notes(&deal.id).await.len();
    world.cut(true);
    let kept = handle.note(&deal.id, "not to be lost").await;
    let gone = deal.contacts[0].as_str();
    world.archive(ObjectType::Contacts, gone).await;
    world.cut(false);
    let dead = handle
        .reaches(kept.op, &[OpState::Dead], Duration::from_secs(600))
        .await;
    let said = dead.error.as_ref().unwrap();
    assert_eq!(
        said.message, "One or more associations are invalid",
        "HubSpot's own words"
    );
    assert!(said.correlation_id.is_some(), "{said:?}");
    assert!(matches!(&dead.payload, Payload::CreateNote { body, .. } if body.contains("not to be lost")));
    let learnt = async || {
        !handle.deals(std::slice::from_ref(&deal.id)).await.unwrap()[0]
            .contacts
            .contains(&deal.contacts[0])
            || world
                .mirror(ObjectType::Contacts)
                .iter()
                .all(|contact| contact.id != gone || contact.archived)
    };
    until("the mirror knows", Duration::from_secs(7200), learnt).await;
    handle.decide(kept.op, Decision::Send).await.unwrap();
    handle
        .reaches(kept.op, &[OpState::Done], Duration::from_secs(600))
        .await;
    assert_eq!(world.true_notes(&deal.id).await.len(), before + 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn operations_are_named_by_how_their_ids_begin_or_end() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let one = handle.note(&deal, "one").await.op;
    let two = handle.note(&deal, "two").await.op;
    for op in [one, two] {
        assert_eq!(handle.find_operation(&op.tail().to_uppercase()).await.unwrap(), op);
        assert_eq!(handle.find_operation(&op.to_string()).await.unwrap(), op);
    }
    let both = handle.find_operation(&one.to_string()[..4]).await.unwrap_err();
    assert!(both.what.contains("several"), "{both}");
    for nobody in ["zz", "", "%"] {
        assert_eq!(
            handle.find_operation(nobody).await.unwrap_err().kind,
            FaultKind::Usage,
            "{nobody}"
        );
    }
    running.stop().await;
    world.end().await;
}
