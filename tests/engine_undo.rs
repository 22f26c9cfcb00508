//! Taking back: what HubSpot did along with a change goes back, too, and what somebody else did since stays.

mod common;

use std::time::Duration;

use common::{Acts as _, World};
use dealdeck::domain::{DealId, ObjectType, OpState, Origin, StageId, UndoOutcome};
use dealdeck::sync::Handle;
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);

/// A stage that closes the deal as lost.
async fn lost(handle: &Handle, from: &StageId) -> StageId {
    let board = handle.board().await.unwrap();
    let pipeline = board.pipelines.iter().find(|pipeline| pipeline.stage(from).is_some());
    let stages = &pipeline.unwrap().stages;
    let lost = stages.iter().find(|stage| stage.closed && stage.probability.is_zero());
    lost.unwrap().id.clone()
}

async fn close_date(world: &World, deal: &DealId) -> Option<String> {
    world.true_value(ObjectType::Deals, deal.as_str(), "closedate").await
}

#[tokio::test(start_paused = true)]
async fn undo_of_a_closed_deal_brings_its_close_date_back() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, _) = handle.open_deal(0).await;
    let before = close_date(&world, &deal).await;
    let lost = lost(handle, &from).await;
    let closed = handle.move_deal(&deal, &lost, Origin::Command).await.unwrap();
    handle.reaches(closed.op, &[OpState::Done], SOON).await;
    assert_ne!(close_date(&world, &deal).await, before, "HubSpot closes it today");
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(close_date(&world, &deal).await, before);
    let stage = world.true_value(ObjectType::Deals, deal.as_str(), "dealstage").await;
    assert_eq!(stage.as_deref(), Some(from.as_str()));
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_close_date_that_somebody_set_since_stays_and_does_not_stop_the_undo() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, _) = handle.open_deal(0).await;
    let lost = lost(handle, &from).await;
    let closed = handle.move_deal(&deal, &lost, Origin::Command).await.unwrap();
    handle.reaches(closed.op, &[OpState::Done], SOON).await;
    let theirs = "2027-03-31T12:00:00Z";
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"closedate": theirs}), "2")
        .await;
    let there = close_date(&world, &deal).await;
    common::until("their edit", SOON, async || {
        let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap().remove(0);
        shown.close == Some(theirs.parse().unwrap())
    })
    .await;
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(close_date(&world, &deal).await, there);
    running.stop().await;
    world.end().await;
}
