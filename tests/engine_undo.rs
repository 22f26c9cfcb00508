//! Taking back: what HubSpot did along with a change goes back, too, and what somebody else did since stays.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says what it saw"
)]

mod common;

use std::time::Duration;

use common::{Acts as _, World, pass};
use dealdeck::domain::{
    Change, DealId, Decision, ObjectType, OpId, OpState, Origin, RecordRef, RedoOutcome, StageId, Submission,
    UndoOutcome,
};
use dealdeck::sync::Handle;
use serde_json::json;

const PATCH: &str = "PATCH /crm/objects/2026-09/deals";
/// Longer than a quarantine with both looks.
const LONG: Duration = Duration::from_secs(600);
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
async fn undo_takes_back_the_note_and_then_the_move_and_nothing_else() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, to) = handle.open_deal(2).await;
    let before = world.truth(ObjectType::Deals).await;
    let notes = world.true_notes(&deal).await.len();
    let moved = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle.reaches(moved.op, &[OpState::Done], SOON).await;
    let noted = handle.note(&deal, "a note").await;
    handle.reaches(noted.op, &[OpState::Done], SOON).await;
    let UndoOutcome::Inverse { of, op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    assert_eq!(of, noted.op);
    assert!(
        handle
            .deal(&deal)
            .await
            .unwrap()
            .unwrap()
            .notes
            .iter()
            .all(|note| !note.body.contains("a note"))
    );
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(world.true_notes(&deal).await.len(), notes);
    let shown = handle.deal(&deal).await.unwrap().unwrap().notes;
    assert!(shown.iter().all(|note| !note.body.contains("a note")), "{shown:?}");
    let UndoOutcome::Inverse { of, op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    assert_eq!(of, moved.op);
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(handle.undo().await.unwrap(), UndoOutcome::Nothing);
    let after = world.truth(ObjectType::Deals).await;
    for (id, record) in &before {
        for name in [
            "dealstage",
            "amount",
            "closedate",
            "dealname",
            "hs_next_step",
            "hubspot_owner_id",
            "pipeline",
        ] {
            assert_eq!(
                after[id]["properties"][name], record["properties"][name],
                "{name} of {id}"
            );
        }
    }
    assert_eq!(handle.deals(&[deal]).await.unwrap()[0].stage, from);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_move_undone_within_its_grace_sends_nothing() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, to) = handle.open_deal(0).await;
    let receipt = handle.move_deal(&deal, &to, Origin::Screen).await.unwrap();
    pass(2).await;
    assert!(matches!(handle.undo().await.unwrap(), UndoOutcome::Cancelled { of, .. } if of == receipt.op));
    pass(20).await;
    assert_eq!(handle.operation(receipt.op).await.unwrap().state, OpState::Cancelled);
    assert_eq!(handle.deals(&[deal]).await.unwrap()[0].stage, from);
    assert_eq!(world.sent(PATCH), 0);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn undoing_a_note_of_unknown_outcome_waits_for_the_truth() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    for plan in ["POST:lost=1", "POST:reset=1"] {
        world.faults(plan).await;
        let receipt = handle.note(&deal, plan).await;
        handle.reaches(receipt.op, &[OpState::Uncertain], SOON).await;
        let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
            panic!("an inverse")
        };
        assert!(
            handle
                .deal(&deal)
                .await
                .unwrap()
                .unwrap()
                .notes
                .iter()
                .all(|note| !note.body.contains(plan))
        );
        handle.reaches(op, &[OpState::Done, OpState::Cancelled], LONG).await;
        handle
            .reaches(receipt.op, &[OpState::Done, OpState::Cancelled], LONG)
            .await;
        assert_eq!(world.true_notes(&deal).await.len(), before, "{plan}");
        assert!(
            world.truth(ObjectType::Deals).await.contains_key(deal.as_str()),
            "the deal itself stays"
        );
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn undo_never_clobbers_a_colleague() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let receipt = handle.set(&deal, "amount", "88000").await.unwrap();
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"amount": "77000"}), "2")
        .await;
    // Not seen yet: the guard is at HubSpot's door.
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Conflict], SOON).await;
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "amount")
            .await
            .as_deref(),
        Some("77000")
    );
    handle.decide(op, Decision::Drop).await.unwrap();
    // Seen: refused at once.
    let receipt = handle.set(&deal, "hs_next_step", "ours").await.unwrap();
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"hs_next_step": "theirs"}), "2")
        .await;
    common::until("their edit", SOON, async || {
        handle.deals(std::slice::from_ref(&deal)).await.unwrap()[0]
            .next_step
            .as_deref()
            == Some("theirs")
    })
    .await;
    assert!(matches!(handle.undo().await.unwrap(), UndoOutcome::Refused { .. }));
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_vanished_deal_does_not_stop_undo() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (kept, ..) = handle.open_deal(0).await;
    let (vanishing, ..) = handle.open_deal(1).await;
    let first = handle.set(&kept, "amount", "88000").await.unwrap();
    handle.reaches(first.op, &[OpState::Done], SOON).await;
    let second = handle.set(&vanishing, "amount", "99000").await.unwrap();
    handle.reaches(second.op, &[OpState::Done], SOON).await;
    world.archive(ObjectType::Deals, vanishing.as_str()).await;
    handle.look_at(&vanishing);
    common::until("the deal to go", SOON, async || {
        handle.deal(&vanishing).await.unwrap().is_none()
    })
    .await;
    let UndoOutcome::Refused { of, why } = handle.undo().await.unwrap() else {
        panic!("a refusal")
    };
    assert_eq!(of, second.op);
    assert!(why.contains("not in HubSpot any more"), "{why}");
    assert!(matches!(handle.undo().await.unwrap(), UndoOutcome::Inverse { of, .. } if of == first.op));
    running.stop().await;
    world.end().await;
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

#[tokio::test(start_paused = true)]
async fn what_was_undone_is_done_again_as_something_new_and_survives_a_restart() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, to) = handle.open_deal(0).await;
    let notes = world.true_notes(&deal).await.len();
    let moved = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle.reaches(moved.op, &[OpState::Done], SOON).await;
    let noted = handle.note(&deal, "written twice, there once").await;
    handle.reaches(noted.op, &[OpState::Done], SOON).await;
    assert_eq!(handle.redo().await.unwrap(), RedoOutcome::Nothing);
    for _ in 0..2 {
        let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
            panic!("an inverse")
        };
        handle.reaches(op, &[OpState::Done], SOON).await;
    }
    running.stop().await;
    let running = world.start_synced().await;
    let handle = &running.handle;
    // The move was undone last and is done again first.
    let again = redone(handle).await;
    assert_ne!(again, moved.op);
    handle.reaches(again, &[OpState::Done], SOON).await;
    let stage = world.true_value(ObjectType::Deals, deal.as_str(), "dealstage").await;
    assert_eq!(stage.as_deref(), Some(to.as_str()), "not {from} any more");
    handle.reaches(redone(handle).await, &[OpState::Done], SOON).await;
    assert_eq!(world.true_notes(&deal).await.len(), notes + 1);
    assert_eq!(handle.redo().await.unwrap(), RedoOutcome::Nothing, "all of it is back");
    // Something new ends it.
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Done], SOON).await;
    let new = handle.set(&deal, "hs_next_step", "something new").await.unwrap();
    handle.reaches(new.op, &[OpState::Done], SOON).await;
    assert_eq!(handle.redo().await.unwrap(), RedoOutcome::Nothing);
    running.stop().await;
    world.end().await;
}

async fn redone(handle: &Handle) -> OpId {
    match handle.redo().await.unwrap() {
        RedoOutcome::Redone { ops, refused, .. } if refused.is_empty() => ops[0],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn redo_never_clobbers_a_colleague() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let set = handle.set(&deal, "hs_next_step", "ours").await.unwrap();
    handle.reaches(set.op, &[OpState::Done], SOON).await;
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Done], SOON).await;
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"hs_next_step": "theirs"}), "2")
        .await;
    common::until("their edit", SOON, async || {
        let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap().remove(0);
        shown.next_step.as_deref() == Some("theirs")
    })
    .await;
    let RedoOutcome::Refused { of, why } = handle.redo().await.unwrap() else {
        panic!("refused")
    };
    assert_eq!(of, set.op);
    assert!(why.contains("'theirs'"), "{why}");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_bulk_edit_is_one_undo_and_one_redo_and_a_bad_row_stops_no_other() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let board = handle.board().await.unwrap();
    let open = board.deals.iter().filter(|deal| deal.is_closed != Some(true));
    let deals: Vec<_> = open
        .take(4)
        .map(|deal| (deal.id.clone(), deal.next_step.clone()))
        .collect();
    let change = |deal: &DealId, name: &str| Submission {
        change: Change::SetProperties {
            record: RecordRef::new(ObjectType::Deals, deal.as_str()),
            values: [(name.to_owned(), Some("call them".to_owned()))].into(),
        },
        origin: Origin::Command,
    };
    let mut changes: Vec<Submission> = deals.iter().map(|(deal, _)| change(deal, "hs_next_step")).collect();
    changes.insert(2, change(&deals[0].0, "no_such_property"));
    let kept = handle.submit_all(changes).await.unwrap();
    assert_eq!(kept.iter().filter(|kept| kept.is_err()).count(), 1);
    let fault = kept[2].as_ref().unwrap_err();
    assert!(fault.what.contains("no_such_property"), "{fault}");
    for receipt in kept.iter().flatten() {
        handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    }
    let UndoOutcome::Several { undone, refused } = handle.undo().await.unwrap() else {
        panic!("several")
    };
    assert_eq!((undone.len(), refused.len()), (4, 0));
    common::until("all as they were", SOON, async || {
        let mut same = true;
        for (deal, before) in &deals {
            let there = world.true_value(ObjectType::Deals, deal.as_str(), "hs_next_step").await;
            same &= there.filter(|text| !text.is_empty()) == before.clone().filter(|text| !text.is_empty());
        }
        same
    })
    .await;
    let RedoOutcome::Redone { ops, refused, .. } = handle.redo().await.unwrap() else {
        panic!("done again")
    };
    assert_eq!((ops.len(), refused.len()), (4, 0));
    for op in &ops {
        handle.reaches(*op, &[OpState::Done], SOON).await;
    }
    let UndoOutcome::Several { undone, .. } = handle.undo().await.unwrap() else {
        panic!("several")
    };
    assert_eq!(undone.len(), 4, "what was done again as one is undone as one");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_merged_deal_goes_to_the_one_that_is_left_when_a_person_says_so() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let board = handle.board().await.unwrap();
    let (one, other) = (board.deals[0].id.clone(), board.deals[1].id.clone());
    world.cut(true);
    let kept = handle.set(&one, "hs_next_step", "before the merge").await.unwrap();
    world.merge(ObjectType::Deals, other.as_str(), one.as_str()).await;
    world.cut(false);
    handle
        .reaches(kept.op, &[OpState::Held], Duration::from_secs(300))
        .await;
    let held = handle.operation(kept.op).await.unwrap();
    assert_eq!(held.error.unwrap().class, "merged");
    handle.decide(kept.op, Decision::Send).await.unwrap();
    let then = handle.reaches(kept.op, &[OpState::Done, OpState::Conflict], SOON).await;
    if then.state == OpState::Conflict {
        // The one that is left had a next step of its own.
        handle.decide(kept.op, Decision::Send).await.unwrap();
        handle.reaches(kept.op, &[OpState::Done], SOON).await;
    }
    let moved = handle.operation(kept.op).await.unwrap();
    assert_ne!(moved.entity.id, one.as_str());
    let there = world
        .true_value(ObjectType::Deals, &moved.entity.id, "hs_next_step")
        .await;
    assert_eq!(there.as_deref(), Some("before the merge"));
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_was_not_sent_is_taken_back_and_no_note_is_written_twice() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    let noted = handle.note(&deal, "there once").await;
    handle.reaches(noted.op, &[OpState::Done], SOON).await;
    world.cut(true);
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    assert_eq!(redone(handle).await, noted.op, "the note stands as it was");
    assert_eq!(handle.operation(op).await.unwrap().state, OpState::Cancelled);
    // An undo that a person gave up leaves the note where it is.
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.decide(op, Decision::Drop).await.unwrap();
    let refused = handle.redo().await.unwrap();
    assert!(
        matches!(&refused, RedoOutcome::Refused { of, .. } if *of == noted.op),
        "{refused:?}"
    );
    world.cut(false);
    pass(120).await;
    assert_eq!(world.true_notes(&deal).await.len(), before + 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn undo_of_a_closed_deal_brings_back_the_date_that_was_there_right_before_it_was_sent() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, _) = handle.open_deal(0).await;
    let lost = lost(handle, &from).await;
    world.cut(true);
    let closed = handle.move_deal(&deal, &lost, Origin::Command).await.unwrap();
    world
        .edit(
            ObjectType::Deals,
            deal.as_str(),
            json!({"closedate": "2027-03-31T12:00:00Z"}),
            "2",
        )
        .await;
    let theirs = close_date(&world, &deal).await;
    world.cut(false);
    handle.reaches(closed.op, &[OpState::Done], LONG).await;
    assert_ne!(close_date(&world, &deal).await, theirs);
    let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() else {
        panic!("an inverse")
    };
    handle.reaches(op, &[OpState::Done], SOON).await;
    assert_eq!(close_date(&world, &deal).await, theirs);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_on_a_deal_that_was_merged_away_is_not_lost() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let board = handle.board().await.unwrap();
    let (one, other) = (board.deals[0].id.clone(), board.deals[1].id.clone());
    world.cut(true);
    let kept = handle.note(&one, "before the merge").await;
    world.merge(ObjectType::Deals, other.as_str(), one.as_str()).await;
    world.cut(false);
    let ends = [OpState::Done, OpState::Held, OpState::Dead];
    let then = handle.reaches(kept.op, &ends, LONG).await;
    if then.state != OpState::Done {
        // The mirror hears of the merge by itself.
        common::until("the merge", LONG, async || {
            !handle.board().await.unwrap().deals.iter().any(|deal| deal.id == one)
        })
        .await;
        handle.decide(kept.op, Decision::Send).await.unwrap();
        handle.reaches(kept.op, &[OpState::Done], LONG).await;
    }
    let everything = world.truth(ObjectType::Notes).await;
    let copies = everything
        .values()
        .filter(|note| note["properties"]["hs_note_body"] == "before the merge")
        .count();
    assert_eq!(copies, 1);
    running.stop().await;
    world.end().await;
}
