//! The engine writing: what people do lands once, whatever the wire does, and can be taken back.

mod common;

use std::time::Duration;

use common::{Acts as _, World, pass, until};
use dealdeck::domain::{
    ActivityKind, Change, Connection, Decision, FaultKind, ObjectType, OpState, Origin, Payload, RecordRef, Submission,
    UndoOutcome, Who,
};
use dealdeck::store::{NewOperation, Outcome, Store};
use dealdeck::sync::{ContactQuery, DealQuery, DealSort, SyncOptions};
use serde_json::json;

const NOTES: &str = "POST /crm/objects/2026-09/notes";
const PATCH: &str = "PATCH /crm/objects/2026-09/deals";
/// Longer than a quarantine with both looks.
const LONG: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn a_moved_deal_is_shown_at_once_and_lands() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, _, to) = handle.open_deal(0).await;
    let receipt = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    assert!(receipt.said.starts_with("stage of "), "{}", receipt.said);
    let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap().remove(0);
    assert_eq!(shown.stage, to);
    assert_eq!(shown.pending[0].op, receipt.op);
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
            .await
            .as_deref(),
        Some(to.as_str())
    );
    let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap().remove(0);
    assert_eq!((shown.stage, shown.pending.len()), (to, 0));
    assert_eq!(world.sent(PATCH), 1);
    let kept = world.mirror(ObjectType::Deals);
    assert!(
        kept.iter()
            .all(|deal| deal.properties.keys().eq(kept[0].properties.keys())),
        "the answer leaves nothing behind that no read would ever bring up to date"
    );
    let feed = handle.board().await.unwrap().activity;
    assert!(
        matches!(feed[0].kind, ActivityKind::Moved(_)) && feed[0].who == Who::You,
        "{feed:?}"
    );
    pass(30).await;
    assert_eq!(
        handle.board().await.unwrap().activity.len(),
        1,
        "the poll does not tell it again"
    );
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_lands_once_with_every_link() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(1).await;
    let before = world.true_notes(&deal).await.len();
    let receipt = handle.note(&deal, "Call with Pip & Wren\nsend <quote>").await;
    let shown = handle.deal(&deal).await.unwrap().unwrap();
    assert!(shown.notes[0].op.is_some() && shown.notes[0].body.contains("&lt;quote&gt;"));
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    let notes = world.true_notes(&deal).await;
    assert_eq!(notes.len(), before + 1);
    let note = notes
        .iter()
        .find(|note| note["properties"]["hs_note_body"].as_str().unwrap().contains("Pip"))
        .unwrap();
    let detail = handle.deal(&deal).await.unwrap().unwrap();
    let linked = |name: &str| note["associations"][name].as_array().map_or(0, Vec::len);
    assert_eq!(linked("contacts"), detail.deal.contacts.len());
    assert_eq!(linked("companies"), detail.deal.companies.len());
    assert!(note["properties"]["hubspot_owner_id"].is_string());
    assert_eq!(detail.notes.len(), before + 1);
    assert!(detail.notes[0].op.is_none() && detail.notes[0].id.is_some());
    assert_eq!(world.sent(NOTES), 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn moves_within_the_grace_become_one() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, from, b) = handle.open_deal(0).await;
    let board = handle.board().await.unwrap();
    let pipeline = board
        .pipelines
        .iter()
        .find(|pipeline| pipeline.stage(&from).is_some())
        .unwrap();
    let c = pipeline
        .stages
        .iter()
        .find(|stage| !stage.closed && stage.id != from && stage.id != b)
        .unwrap()
        .id
        .clone();
    let first = handle.move_deal(&deal, &b, Origin::Screen).await.unwrap();
    pass(1).await;
    let second = handle.move_deal(&deal, &c, Origin::Screen).await.unwrap();
    handle.reaches(second.op, &[OpState::Done], SOON).await;
    assert_eq!(handle.operation(first.op).await.unwrap().state, OpState::Superseded);
    assert_eq!(world.sent(PATCH), 1);
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
            .await
            .as_deref(),
        Some(c.as_str())
    );
    // There and back within the grace: nothing to send.
    handle.move_deal(&deal, &b, Origin::Screen).await.unwrap();
    let back = handle.move_deal(&deal, &c, Origin::Screen).await.unwrap();
    assert_eq!(handle.operation(back.op).await.unwrap().state, OpState::Cancelled);
    pass(20).await;
    assert_eq!(world.sent(PATCH), 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_stage_is_refused_with_the_ones_there_are() {
    let world = World::new();
    let running = world.start_synced().await;
    let (deal, from, _) = running.handle.open_deal(0).await;
    let fault = running
        .handle
        .move_deal(&deal, &"nowhere".into(), Origin::Command)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Usage);
    let board = running.handle.board().await.unwrap();
    let pipeline = board
        .pipelines
        .iter()
        .find(|pipeline| pipeline.stage(&from).is_some())
        .unwrap();
    for stage in &pipeline.stages {
        assert!(fault.next.contains(&stage.label), "{fault}");
    }
    assert!(
        running
            .handle
            .move_deal(&"1".into(), &from, Origin::Command)
            .await
            .is_err()
    );
    assert!(
        running.handle.move_deal(&deal, &from, Origin::Command).await.is_err(),
        "it is there already"
    );
    assert!(
        running.handle.set(&deal, "hs_is_closed", "true").await.is_err(),
        "computed by HubSpot"
    );
    assert!(running.handle.operations(None, 10).await.unwrap().is_empty());
    running.stop().await;
    world.end().await;
}

/// The field and the reason are named, and the outbox is as empty as before.
#[tokio::test(start_paused = true)]
async fn a_value_its_property_does_not_take_is_refused_before_anything_is_kept() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    for (field, value, reason) in [
        ("amount", "a lot", "'a lot' is no number"),
        ("amount", "1,500", "'1,500' is no number"),
        ("closedate", "2026-02-30", "there is no day '2026-02-30'"),
        ("closedate", "12/31/2026", "'12/31/2026' is no date"),
        ("dealtype", "friendship", "'friendship' is none of its options"),
        ("hubspot_owner_id", "424242", "'424242' is no owner"),
        ("dealname", &"x".repeat(65_537), "'65537' characters"),
        ("dealstage", "nowhere", "no stage 'nowhere'"),
        ("dealstage", "", "cannot be cleared"),
        ("pipeline", "nowhere", "no pipeline 'nowhere'"),
        ("no_such_property", "1", "no property 'no_such_property'"),
    ] {
        let refused = handle.set(&deal, field, value).await.unwrap_err();
        assert_eq!(refused.kind, FaultKind::Usage, "{field}: {refused}");
        assert!(refused.what.contains(reason), "{field}: {refused}");
        let names_itself = field.contains("stage") || field == "pipeline";
        assert!(names_itself || refused.what.contains(field), "{field}: {refused}");
    }
    let change = Change::SetProperties {
        record: world.mirror(ObjectType::Contacts).remove(0).reference(),
        values: [("email".to_owned(), Some("ada".to_owned()))].into(),
    };
    let origin = Origin::Screen;
    let refused = handle.submit(Submission { change, origin }).await.unwrap_err();
    assert!(
        refused.what.contains("'email'") && refused.what.contains("'ada' is no e-mail address"),
        "{refused}"
    );
    assert!(handle.operations(None, 10).await.unwrap().is_empty());
    assert_eq!(handle.undo().await.unwrap(), UndoOutcome::Nothing);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stage_and_a_pipeline_go_together() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (id, ..) = handle.open_deal(0).await;
    let board = handle.board().await.unwrap();
    let deal = board.deals.iter().find(|deal| deal.id == id).unwrap();
    let other = board.pipelines.iter().find(|other| other.id != deal.pipeline).unwrap();
    let theirs = &other.stages[0].id;
    for (field, value) in [("dealstage", theirs.as_str()), ("pipeline", other.id.as_str())] {
        let refused = handle.set(&id, field, value).await.unwrap_err();
        assert!(refused.what.contains("there is no stage"), "{field}: {refused}");
    }
    assert!(handle.move_deal(&id, theirs, Origin::Screen).await.is_err());
    assert!(handle.operations(None, 10).await.unwrap().is_empty());
    let values = [("dealstage", theirs.as_str()), ("pipeline", other.id.as_str())];
    let change = Change::SetProperties {
        record: RecordRef::new(ObjectType::Deals, id.as_str()),
        values: values
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .into(),
    };
    let origin = Origin::Command;
    let both = handle.submit(Submission { change, origin }).await.unwrap();
    handle.reaches(both.op, &[OpState::Done], SOON).await;
    running.stop().await;
    world.end().await;
}

/// Written as people write them, sent as HubSpot takes them.
#[tokio::test(start_paused = true)]
async fn values_are_sent_as_hubspot_takes_them() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let owner = handle
        .board()
        .await
        .unwrap()
        .owners
        .into_iter()
        .find(|owner| !owner.archived)
        .unwrap();
    let another = world.true_value(ObjectType::Deals, deal.as_str(), "dealtype").await;
    let another = if another.as_deref() == Some("newbusiness") {
        "Existing Business"
    } else {
        "New Business"
    };
    for (field, written, sent) in [
        ("amount", " +71500.50 ", "71500.50"),
        ("closedate", "2031-12-24", "2031-12-24T00:00:00Z"),
        ("dealtype", another, &another.to_lowercase().replace(' ', "")),
    ] {
        let kept = handle.set(&deal, field, written).await.unwrap();
        let kept = handle.operation(kept.op).await.unwrap();
        let Payload::SetProperties { values, .. } = &kept.payload else {
            panic!("{kept:?}")
        };
        assert_eq!(values[field].as_deref(), Some(sent), "{field}");
        pass(30).await;
        let now = handle.operation(kept.id).await.unwrap();
        // What is not mirrored was not seen, so that a person is asked before it is overwritten.
        let ends = if field == "dealtype" {
            OpState::Conflict
        } else {
            OpState::Done
        };
        assert_eq!(now.state, ends, "{field}: {now:?}");
    }
    if handle.set(&deal, "hubspot_owner_id", &owner.email).await.is_ok() {
        let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap().remove(0);
        assert_eq!(shown.owner, Some(owner.id));
    }
    let cleared = handle.set(&deal, "amount", "").await.unwrap();
    pass(30).await;
    let now = handle.operation(cleared.op).await.unwrap();
    assert_eq!(now.state, OpState::Done, "{now:?}");
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "amount")
            .await
            .unwrap_or_default(),
        ""
    );
    running.stop().await;
    world.end().await;
}

/// Characters, not bytes; of the HTML, which is what HubSpot keeps.
#[tokio::test(start_paused = true)]
async fn a_note_may_have_65536_characters() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let note = |text: String| {
        let change = Change::AddNote {
            deal: deal.clone(),
            text,
            at: None,
        };
        let origin = Origin::Screen;
        handle.submit(Submission { change, origin })
    };
    let around = dealdeck::domain::body_to_html("é").chars().count() - 1;
    let most = 65_536 - around;
    for text in ["é".repeat(most + 1), "&".repeat(most / 5 + 1)] {
        let refused = note(text).await.unwrap_err();
        assert_eq!(refused.kind, FaultKind::Usage);
        assert!(
            refused.what.contains("the note has") && refused.what.contains("65536"),
            "{refused}"
        );
    }
    assert!(note(" \n ".to_owned()).await.is_err(), "an empty one");
    assert!(handle.operations(None, 10).await.unwrap().is_empty());
    let kept = note("é".repeat(most)).await.unwrap();
    handle.reaches(kept.op, &[OpState::Done], SOON).await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_done_offline_is_kept_and_sent_once_when_the_line_is_back() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    world.cut(true);
    until("offline", Duration::from_secs(60), async || {
        matches!(handle.freshness().connection, Connection::Offline { .. })
    })
    .await;
    let note = handle.note(&deal, "written on a train").await;
    pass(300).await;
    let kept = handle.operation(note.op).await.unwrap();
    assert_eq!(
        (kept.state, kept.attempts),
        (OpState::Queued, 0),
        "being offline costs no attempt"
    );
    world.cut(false);
    handle.reaches(note.op, &[OpState::Done], Duration::from_secs(90)).await;
    assert_eq!(world.true_notes(&deal).await.len(), before + 1);
    assert_eq!(world.sent(NOTES), 1);
    running.stop().await;
    world.end().await;
}

/// Virtual time says how long it waited: not at all once it is known that nothing can be sent.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_what_cannot_be_sent() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, _, to) = handle.open_deal(0).await;
    world.cut(true);
    let moved = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    let hour = Duration::from_secs(3600);
    let before = handle.clock().now();
    let waits = handle.wait_for(moved.op, hour).await.unwrap();
    assert_eq!(waits.state, OpState::Queued);
    assert!(matches!(handle.freshness().connection, Connection::Offline { .. }));
    assert!(handle.clock().now() - before < hour / 2, "it did not wait to the end");
    let again = handle.clock().now();
    handle.wait_for(moved.op, hour).await.unwrap();
    assert_eq!(handle.clock().now(), again, "known from the start");
    world.cut(false);
    handle.reaches(moved.op, &[OpState::Done], LONG).await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_claimed_note_on_a_dead_line_goes_back_to_the_queue_uncharged() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    world.cut(true);
    let note = handle.note(&deal, "just as the train enters the tunnel").await;
    pass(20).await;
    let kept = handle.operation(note.op).await.unwrap();
    assert_eq!((kept.state, kept.attempts), (OpState::Queued, 0));
    world.cut(false);
    handle.reaches(note.op, &[OpState::Done], Duration::from_secs(90)).await;
    assert_eq!(world.sent(NOTES), 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_move_is_looked_up() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, _, to) = handle.open_deal(0).await;
    world.faults("PATCH:lost=1").await;
    let receipt = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle.reaches(receipt.op, &[OpState::Landed], SOON).await;
    assert_eq!(world.sent(PATCH), 1);
    handle.reaches(receipt.op, &[OpState::Done], LONG).await;
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
            .await
            .as_deref(),
        Some(to.as_str())
    );
    assert_eq!(world.sent(PATCH), 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_move_that_never_arrived_is_sent_again() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, _, to) = handle.open_deal(0).await;
    world.faults("PATCH:reset=1").await;
    let receipt = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle.reaches(receipt.op, &[OpState::Done], LONG).await;
    assert_eq!(world.sent(PATCH), 2);
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
            .await
            .as_deref(),
        Some(to.as_str())
    );
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_note_is_never_answered_by_a_second_note() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    world.faults("POST:lost=1").await;
    let receipt = handle.note(&deal, "the answer got lost").await;
    handle.reaches(receipt.op, &[OpState::Uncertain], SOON).await;
    pass(120).await;
    assert_eq!(
        handle.operation(receipt.op).await.unwrap().state,
        OpState::Uncertain,
        "the quarantine is not over"
    );
    handle.reaches(receipt.op, &[OpState::Done], LONG).await;
    assert_eq!(world.sent(NOTES), 1);
    assert_eq!(world.true_notes(&deal).await.len(), before + 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_that_never_arrived_becomes_a_question() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let before = world.true_notes(&deal).await.len();
    world.faults("POST:reset=1").await;
    let receipt = handle.note(&deal, "nobody got it").await;
    let held = handle.reaches(receipt.op, &[OpState::Held], LONG).await;
    let error = held.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.message.as_str()),
        ("unknown_outcome", "not found in HubSpot – send again?")
    );
    assert_eq!(world.true_notes(&deal).await.len(), before);
    // Lost again: the look of the first time does not count for the second.
    world.faults("POST:reset=1").await;
    handle.decide(receipt.op, Decision::Send).await.unwrap();
    let again = tokio::time::Instant::now();
    handle.reaches(receipt.op, &[OpState::Uncertain], SOON).await;
    handle.reaches(receipt.op, &[OpState::Held], LONG).await;
    let (quarantine, between_looks) = (Duration::from_secs(180), Duration::from_secs(60));
    assert!(again.elapsed() >= quarantine + between_looks, "{:?}", again.elapsed());
    handle.decide(receipt.op, Decision::Send).await.unwrap();
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    assert_eq!(world.true_notes(&deal).await.len(), before + 1);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_process_killed_between_claim_and_outcome_loses_nothing_and_doubles_nothing() {
    for delay_ms in [5, 60, 150, 250, 400] {
        let world = World::new();
        let running = world.start_synced().await;
        let (deal, _, to) = running.handle.open_deal(0).await;
        let (other, ..) = running.handle.open_deal(3).await;
        let before = world.true_notes(&other).await.len();
        let moved = running.handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
        let noted = running.handle.note(&other, "written just before the crash").await;
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        running.kill().await;
        pass(1).await;
        let running = world.start();
        let ends = [OpState::Done, OpState::Held];
        running.handle.reaches(moved.op, &[OpState::Done], LONG).await;
        let note = running.handle.reaches(noted.op, &ends, LONG).await;
        if note.state == OpState::Held {
            running.handle.decide(noted.op, Decision::Send).await.unwrap();
            running.handle.reaches(noted.op, &[OpState::Done], SOON).await;
        }
        assert_eq!(
            world
                .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
                .await
                .as_deref(),
            Some(to.as_str())
        );
        assert_eq!(
            world.true_notes(&other).await.len(),
            before + 1,
            "killed after {delay_ms} ms"
        );
        running.stop().await;
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_colleague_who_was_faster_is_not_overwritten() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let board = handle.board().await.unwrap();
    let colleague = board
        .owners
        .iter()
        .find(|owner| !owner.archived && Some(&owner.id) != board.me.as_ref())
        .unwrap();
    let actor = colleague.user.as_ref().unwrap().to_string();
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"amount": "77000"}), &actor)
        .await;
    let receipt = handle.set(&deal, "amount", "88000").await.unwrap();
    let lost = handle.reaches(receipt.op, &[OpState::Conflict], SOON).await;
    let message = lost.error.unwrap().message;
    assert!(
        message.contains(&colleague.name()) && message.contains("'$77,000.00 USD'"),
        "{message}"
    );
    assert_eq!(world.sent(PATCH), 0);
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "amount")
            .await
            .as_deref(),
        Some("77000")
    );
    handle.decide(receipt.op, Decision::Send).await.unwrap();
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "amount")
            .await
            .as_deref(),
        Some("88000")
    );
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_between_look_and_write_is_told() {
    let world = World::with(dealdeck::portal::Settings {
        latency: "200ms".parse().unwrap(),
        ..common::small()
    });
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    let receipt = handle.set(&deal, "amount", "88000").await.unwrap();
    while world.sent(PATCH) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world
        .edit(ObjectType::Deals, deal.as_str(), json!({"amount": "77000"}), "2")
        .await;
    handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    pass(2).await;
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "amount")
            .await
            .as_deref(),
        Some("88000")
    );
    let feed = handle.board().await.unwrap().activity;
    let told =
        |kind: &ActivityKind| matches!(kind, ActivityKind::Said(said) if said.contains("'Amount' = '$77,000.00 USD'"));
    assert!(feed.iter().any(|item| told(&item.kind)), "{feed:#?}");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn listings_show_what_is_pending() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    world.cut(true);
    let (deal, _, to) = handle.open_deal(0).await;
    handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    let query = DealQuery {
        stage: Some(to.clone()),
        limit: 2,
        sort: DealSort::Updated,
        ..DealQuery::default()
    };
    let page = handle.list_deals(query.clone()).await.unwrap();
    let board = handle.board().await.unwrap();
    assert_eq!(page.total, board.deals.iter().filter(|shown| shown.stage == to).count());
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = handle.list_deals(DealQuery { after, ..query.clone() }).await.unwrap();
        seen.extend(page.rows.into_iter().map(|shown| shown.id));
        after = page.next_after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), page.total);
    assert!(seen.contains(&deal));
    let definitions = handle.deal(&deal).await.unwrap().unwrap().definitions;
    let filter = dealdeck::filter::parse("owner:me state:open", dealdeck::filter::Schema::Deals(&definitions)).unwrap();
    let mine = handle
        .list_deals(DealQuery {
            filter: Some(filter),
            ..DealQuery::default()
        })
        .await
        .unwrap();
    assert!(!mine.rows.is_empty() && mine.rows.iter().all(|shown| shown.owner == board.me));
    let people = handle
        .list_contacts(ContactQuery {
            limit: 5,
            ..ContactQuery::default()
        })
        .await
        .unwrap();
    assert_eq!((people.rows.len(), people.total), (5, 60));
    running.stop().await;
    world.cut(false);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn repairing_a_late_send_is_nobodys_action() {
    let world = World::new();
    let running = world.start_synced().await;
    let handle = &running.handle;
    let (deal, ..) = handle.open_deal(0).await;
    world.faults("PATCH:late=1").await;
    let first = handle.set(&deal, "amount", "11000").await.unwrap();
    handle.reaches(first.op, &[OpState::Landed], SOON).await;
    let second = handle.set(&deal, "amount", "22000").await.unwrap();
    handle.reaches(second.op, &[OpState::Landed, OpState::Done], SOON).await;
    let amount = async || world.true_value(ObjectType::Deals, deal.as_str(), "amount").await;
    pass(60).await;
    assert_eq!(amount().await.as_deref(), Some("11000"), "the late send");
    handle.reaches(second.op, &[OpState::Done], LONG).await;
    pass(30).await;
    assert_eq!(amount().await.as_deref(), Some("22000"), "the repair");
    assert_eq!(
        handle.operations(None, 10).await.unwrap().len(),
        3,
        "it is repaired once"
    );
    assert!(matches!(handle.undo().await.unwrap(), UndoOutcome::Inverse { of, .. } if of == second.op));
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_meant_for_another_account_is_neither_sent_nor_looked_up() {
    let world = World::new();
    let running = world.start_synced().await;
    let (deal, ..) = running.handle.open_deal(0).await;
    let stray = {
        let mut outbox = Store::open(&world.place()).unwrap().store.outbox;
        let values = [("amount".to_owned(), Some("1".to_owned()))].into();
        let stray = NewOperation {
            account: 999,
            entity: RecordRef::new(ObjectType::Deals, deal.as_str()),
            payload: Payload::SetProperties {
                values,
                base: [("amount".to_owned(), None)].into(),
            },
            title: "of another account".to_owned(),
            not_before: None,
            undo_of: None,
            op_key: None,
        };
        let (now, epoch) = (world.clock.wall(), outbox.epoch().unwrap());
        let stray = outbox.keep(stray, now).unwrap();
        outbox.claim(stray.id, epoch, now).unwrap();
        let lost = Outcome {
            ambiguous: true,
            ..Outcome::to(OpState::Uncertain)
        };
        outbox.finish(stray.id, &lost, now).unwrap();
        stray.id
    };
    let looks = format!("GET /crm/objects/2026-09/deals/{deal}");
    let before = world.sent(&looks);
    let held = running.handle.reaches(stray, &[OpState::Held], SOON).await;
    assert_eq!(held.error.unwrap().class, "auth");
    assert_eq!((world.sent(&looks), world.sent(PATCH)), (before, 0));
    running.stop().await;
    // The next process does not even begin: the token is another account's.
    let running = world.start();
    until("the refusal", SOON, async || {
        matches!(running.handle.freshness().connection, Connection::ReadOnly(fault) if fault.what.contains("'999'"))
    })
    .await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_deal_archived_meanwhile_is_held_and_never_made_anew() {
    let world = World::new();
    let running = world.start_synced().await;
    let (deal, ..) = running.handle.open_deal(0).await;
    world.archive(ObjectType::Deals, deal.as_str()).await;
    let receipt = running.handle.set(&deal, "amount", "88000").await.unwrap();
    let held = running.handle.reaches(receipt.op, &[OpState::Held], SOON).await;
    assert_eq!(held.error.unwrap().class, "not_found");
    assert_eq!(world.sent(PATCH), 0);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_account_holds_the_move_and_names_the_field() {
    let world = World::with(dealdeck::portal::Settings {
        strict_rules: true,
        ..common::small()
    });
    let running = world.start_synced().await;
    let (deal, from, _) = running.handle.open_deal(0).await;
    let board = running.handle.board().await.unwrap();
    let pipeline = board
        .pipelines
        .iter()
        .find(|pipeline| pipeline.stage(&from).is_some())
        .unwrap();
    let lost = pipeline
        .stages
        .iter()
        .find(|stage| stage.kind() == dealdeck::domain::StageKind::Lost)
        .unwrap();
    let receipt = running
        .handle
        .move_deal(&deal, &lost.id, Origin::Command)
        .await
        .unwrap();
    let held = running
        .handle
        .reaches(receipt.op, &[OpState::Held, OpState::Dead], SOON)
        .await;
    let error = held.error.unwrap();
    assert_eq!(
        (held.state, error.class.as_str()),
        (OpState::Held, "needs_fields"),
        "{}",
        error.message
    );
    assert!(error.message.contains("closed_lost_reason"), "{}", error.message);
    // The person fills it in, and both go out together.
    let reason = [("closed_lost_reason".to_owned(), Some("Price".to_owned()))];
    let decided = running
        .handle
        .decide(receipt.op, Decision::SendWith(reason.into()))
        .await
        .unwrap();
    assert_eq!(decided.state, OpState::Queued);
    running.handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    for (name, wanted) in [("dealstage", lost.id.as_str()), ("closed_lost_reason", "Price")] {
        let there = world.true_value(ObjectType::Deals, deal.as_str(), name).await;
        assert_eq!(there.as_deref(), Some(wanted), "{name}");
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_another_process_keeps_is_sent_by_the_one_that_holds_the_lock() {
    let world = World::new();
    let leader = world.start_synced().await;
    let watcher = world.start();
    let (deal, ..) = watcher.handle.open_deal(0).await;
    let note = watcher.handle.note(&deal, "from beside").await;
    let sent = watcher.handle.wait_for(note.op, SOON).await.unwrap();
    assert!(matches!(sent.state, OpState::Landed | OpState::Done), "{sent:?}");
    assert_eq!(world.sent(NOTES), 1);
    watcher.stop().await;
    leader.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_read_only_session_changes_nothing() {
    let mut world = World::new();
    world.start_synced().await.stop().await;
    let (engine, handle) = world.open();
    let (deal, _, to) = handle.open_deal(0).await;
    let queued = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    drop((engine, handle));
    world.settings.read_only = true;
    let running = world.start_synced().await;
    assert!(running.handle.move_deal(&deal, &to, Origin::Screen).await.is_err());
    assert!(running.handle.undo().await.is_err());
    pass(60).await;
    assert_eq!(
        running.handle.operation(queued.op).await.unwrap().state,
        OpState::Queued,
        "what an earlier session left is not sent by this one"
    );
    running.stop().await;
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.pushed, dealdeck::domain::PushCount::default());
    assert_eq!(handle.operation(queued.op).await.unwrap().state, OpState::Queued);
    assert_eq!(world.sent(PATCH), 0);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_pass_sends_what_is_queued() {
    let world = World::new();
    world.start_synced().await.stop().await;
    let (_engine, handle) = world.open();
    let (deal, _, to) = handle.open_deal(0).await;
    handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    handle.note(&deal, "by a command").await;
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert_eq!(report.pushed.done, 2, "{report:?}");
    assert_eq!(
        world
            .true_value(ObjectType::Deals, deal.as_str(), "dealstage")
            .await
            .as_deref(),
        Some(to.as_str())
    );
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn drafts_and_archiving() {
    let world = World::new();
    let running = world.start_synced().await;
    running
        .handle
        .save_draft("note:1", Some("half a sentence"))
        .await
        .unwrap();
    let (deal, ..) = running.handle.open_deal(0).await;
    let change = Change::Archive(RecordRef::new(ObjectType::Deals, deal.as_str()));
    let receipt = running
        .handle
        .submit(Submission {
            change,
            origin: Origin::Command,
        })
        .await
        .unwrap();
    running.handle.reaches(receipt.op, &[OpState::Done], SOON).await;
    assert!(!world.truth(ObjectType::Deals).await.contains_key(deal.as_str()));
    assert!(running.handle.deals(&[deal]).await.unwrap().is_empty());
    assert!(matches!(
        running.handle.undo().await.unwrap(),
        UndoOutcome::Refused { .. }
    ));
    running.kill().await;
    let (_engine, handle) = world.open();
    assert_eq!(handle.draft("note:1").await.as_deref(), Some("half a sentence"));
    handle.save_draft("note:1", None).await.unwrap();
    assert_eq!(handle.draft("note:1").await, None);
    world.end().await;
}
