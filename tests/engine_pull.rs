//! The engine reading: the first sync, what colleagues change, what vanishes, and how interruptions are survived.

mod common;

use std::time::Duration;

use common::{Acts as _, Instead, World, pass, until};
use dealdeck::{
    domain::{ActivityKind, Connection, Decision, Event, FaultKind, ObjectType, OpState, Origin, RecordRef, Who},
    store::Settings as Place,
    sync::SyncOptions,
};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn the_first_sync_is_the_truth_field_by_field() {
    let world = World::new();
    let running = world.start_synced().await;
    world.assert_mirrored().await;
    let board = running.handle.board().await.unwrap();
    assert_eq!(board.account.unwrap().portal_id, world.portal.portal_id());
    assert_eq!(board.deals.len(), 30);
    assert!(board.me.is_some(), "the first owner's token");
    assert!(
        board.owners.iter().any(|owner| owner.archived),
        "archived owners are known too"
    );
    assert!(board.pipelines.len() >= 2);
    assert!(board.segments.iter().any(|segment| segment.count > 0));
    assert!(board.activity.is_empty(), "what was there before us did not happen now");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_pass_reads_everything_and_says_so() {
    let world = World::new();
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.objects[&ObjectType::Contacts].fetched, 60);
    assert_eq!(report.objects[&ObjectType::Deals].fetched, 30);
    assert_eq!(report.rate_limited, 0);
    world.assert_mirrored().await;
    let again = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(again.complete);
    assert_eq!(again.objects[&ObjectType::Contacts].fetched, 0, "nothing changed");
    let full = SyncOptions {
        full: true,
        ..SyncOptions::default()
    };
    let full = handle.sync_once(full, |_| {}).await.unwrap();
    assert_eq!(full.objects[&ObjectType::Contacts].fetched, 60);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_pass_sends_at_its_end_what_found_nobody_at_its_beginning() {
    let world = World::new();
    let (_engine, handle) = world.open();
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let (deal, _, to) = handle.open_deal(0).await;
    let moved = handle.move_deal(&deal, &to, Origin::Command).await.unwrap();
    world.answer(Instead {
        method: "PATCH",
        part: "/deals",
        status: 0,
        headers: &[],
        body: "",
        times: 1,
    });
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert_eq!(world.answers_left(), 0, "the first try found nobody");
    assert_eq!(report.pushed.done, 1, "{report:?}");
    let state = handle.operation(moved.op).await.unwrap().state;
    assert!(matches!(state, OpState::Landed | OpState::Done), "{state:?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_pass_does_not_wait_for_an_account_that_is_being_moved() {
    let world = World::new();
    let (_engine, handle) = world.open();
    world.answer(Instead {
        method: "GET",
        part: "/companies",
        status: 477,
        headers: &[("content-type", "application/json"), ("retry-after", "7200")],
        body: "{}",
        times: 1,
    });
    let begun = world.clock.wall();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let took = world.clock.wall().duration_since(begun).unsigned_abs();
    assert!(!report.complete && !report.errors.is_empty(), "{report:?}");
    assert!(took < Duration::from_mins(10), "it took {took:?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_sync_is_told_that_the_store_is_busy_and_watches() {
    let world = World::new();
    let running = world.start_synced().await;
    let (_engine, other) = world.open();
    let fault = other.sync_once(SyncOptions::default(), |_| {}).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Busy);
    assert_eq!(other.board().await.unwrap().deals.len(), 30, "it reads all the same");
    let second = world.start();
    pass(3).await;
    running.stop().await;
    let (id, ..) = second.handle.open_deal(0).await;
    world
        .edit(
            ObjectType::Deals,
            id.as_str(),
            json!({"hs_next_step": "taken over"}),
            "2",
        )
        .await;
    second.handle.set_watched(true);
    until("the second engine to take over", Duration::from_secs(60), async || {
        second.handle.deals(std::slice::from_ref(&id)).await.unwrap()[0]
            .next_step
            .as_deref()
            == Some("taken over")
    })
    .await;
    second.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_first_sync_goes_on_where_it_stopped() {
    let settings = dealdeck::portal::Settings {
        contacts: 1_000,
        cursor: dealdeck::portal::CursorKind::Opaque,
        ..common::small()
    };
    let world = World::with(settings);
    let running = world.start();
    until("half of the contacts", Duration::from_secs(60), async || {
        world.mirror(ObjectType::Contacts).len() >= 500
    })
    .await;
    running.kill().await;
    let before = world.sent("GET /crm/objects/2026-09/contacts");
    let running = world.start_synced().await;
    until("all contacts", Duration::from_secs(60), async || {
        world.mirror(ObjectType::Contacts).len() == 1_000
    })
    .await;
    let after = world.sent("GET /crm/objects/2026-09/contacts?") - before;
    assert!(after <= 7, "{after} pages were read again, {before} before");
    world.assert_mirrored().await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_colleagues_edit_arrives_with_their_name() {
    let world = World::new();
    let mut running = world.start_synced().await;
    let board = running.handle.board().await.unwrap();
    let colleague = board
        .owners
        .iter()
        .find(|owner| !owner.archived && Some(&owner.id) != board.me.as_ref())
        .unwrap();
    let (id, _, to) = running.handle.open_deal(0).await;
    while running.events.try_recv().is_ok() {}
    let actor = colleague.user.as_ref().unwrap().to_string();
    world
        .edit(
            ObjectType::Deals,
            id.as_str(),
            json!({"dealstage": to.as_str()}),
            &actor,
        )
        .await;
    until("the move", Duration::from_secs(30), async || {
        running.handle.deals(std::slice::from_ref(&id)).await.unwrap()[0].stage == to
    })
    .await;
    pass(1).await;
    let mut told = None;
    while let Ok(event) = running.events.try_recv() {
        if let Event::DealsChanged { ids, by, remote: true } = event {
            assert_eq!(ids, std::slice::from_ref(&id));
            told = Some(by);
        }
    }
    assert_eq!(told, Some(Some(colleague.id.clone())));
    let board = running.handle.board().await.unwrap();
    let item = board
        .activity
        .iter()
        .find(|item| matches!(item.kind, ActivityKind::Moved(_)))
        .unwrap();
    assert_eq!(item.who, Who::Owner(colleague.id.clone()));
    assert_eq!(item.deal.as_ref(), Some(&id));
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_row_of_the_index_never_overwrites_a_newer_one() {
    let settings = dealdeck::portal::Settings {
        index_lag: "20s..20s".parse().unwrap(),
        ..common::small()
    };
    let world = World::with(settings);
    let running = world.start_synced().await;
    let (id, ..) = running.handle.open_deal(0).await;
    world
        .edit(ObjectType::Deals, id.as_str(), json!({"hs_next_step": "first"}), "2")
        .await;
    pass(15).await;
    world
        .edit(ObjectType::Deals, id.as_str(), json!({"hs_next_step": "second"}), "2")
        .await;
    running.handle.look_at(&id);
    let step = async || {
        running.handle.deals(std::slice::from_ref(&id)).await.unwrap()[0]
            .next_step
            .clone()
    };
    until("the direct read", Duration::from_secs(3), async || {
        step().await.as_deref() == Some("second")
    })
    .await;
    // The index answers "first" from now on for a while.
    for _ in 0..40 {
        pass(1).await;
        assert_eq!(step().await.as_deref(), Some("second"));
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_archived_deal_leaves_the_board() {
    let world = World::new();
    let running = world.start_synced().await;
    let (id, ..) = running.handle.open_deal(0).await;
    world.archive(ObjectType::Deals, id.as_str()).await;
    until("the deal to go", Duration::from_secs(660), async || {
        running
            .handle
            .deals(std::slice::from_ref(&id))
            .await
            .unwrap()
            .is_empty()
    })
    .await;
    assert!(running.handle.deal(&id).await.unwrap().is_none());
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn merged_deals_become_one() {
    let world = World::new();
    let running = world.start_synced().await;
    let (first, ..) = running.handle.open_deal(0).await;
    let (second, ..) = running.handle.open_deal(1).await;
    world.merge(ObjectType::Deals, first.as_str(), second.as_str()).await;
    let ids = async || -> Vec<String> {
        let board = running.handle.board().await.unwrap();
        let mut ids: Vec<String> = board.deals.iter().map(|deal| deal.id.to_string()).collect();
        ids.sort();
        ids
    };
    let truth: Vec<String> = world.truth(ObjectType::Deals).await.into_keys().collect();
    assert_eq!(truth.len(), 29);
    until("the survivor alone", Duration::from_secs(60), async || {
        ids().await == truth
    })
    .await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_type_is_read_from_both_ends() {
    let settings = dealdeck::portal::Settings {
        contacts: 4_000,
        latency: "120ms".parse().unwrap(),
        cursor: dealdeck::portal::CursorKind::Opaque,
        ..common::small()
    };
    let world = World::with(settings);
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    world.assert_mirrored().await;
    let pages = world.sent("GET /crm/objects/2026-09/contacts?");
    assert!(pages < 26, "the search read half of the forty pages: {pages}");
    let fetched = report.objects[&ObjectType::Contacts].fetched;
    assert!((4_000..4_400).contains(&fetched), "{fetched}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_when_somebody_asks_again() {
    let world = World::new();
    let running = world.start_synced().await;
    world.faults("401=100%").await;
    let is_refused = async || matches!(running.handle.freshness().connection, Connection::ReadOnly(_));
    until("the refusal", Duration::from_secs(60), is_refused).await;
    world.faults("").await;
    pass(300).await;
    assert!(is_refused().await, "nobody asked");
    let as_of = running.handle.freshness().as_of;
    running.handle.refresh();
    until("live again", Duration::from_secs(30), async || {
        running.handle.freshness().as_of > as_of
    })
    .await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn looking_at_a_deal_brings_its_notes_and_people() {
    let world = World::new();
    let running = world.start_synced().await;
    let truth = world.truth(ObjectType::Notes).await;
    let deal = truth
        .values()
        .find_map(|note| note["associations"]["deals"][0].as_str().map(str::to_owned))
        .expect("a deal with notes");
    let id = deal.as_str().into();
    running.handle.look_at(&id);
    until("its notes", Duration::from_secs(10), async || {
        running.handle.deal(&id).await.unwrap().unwrap().notes_as_of.is_some()
    })
    .await;
    let detail = running.handle.deal(&id).await.unwrap().unwrap();
    assert_eq!(detail.notes.len(), world.true_notes(&id).await.len());
    assert_eq!(detail.contacts.len(), detail.deal.contacts.len());
    assert!(!detail.definitions.is_empty());
    // Calls, e-mails, meetings and tasks come after the notes, and stay.
    let mut true_activities = 0;
    for object in [
        ObjectType::Calls,
        ObjectType::Emails,
        ObjectType::Meetings,
        ObjectType::Tasks,
    ] {
        let all = world.truth(object).await;
        let of_deal = |record: &&serde_json::Value| {
            let deals = record["associations"]["deals"].as_array();
            deals.is_some_and(|deals| deals.iter().any(|other| *other == deal))
        };
        true_activities += all.values().filter(of_deal).count();
    }
    assert!(true_activities > 0, "a deal that somebody worked on");
    until("its activities", Duration::from_secs(10), async || {
        let detail = running.handle.deal(&id).await.unwrap().unwrap();
        detail.activities.len() == true_activities
    })
    .await;
    let activities = running.handle.deal(&id).await.unwrap().unwrap().activities;
    assert!(activities.is_sorted_by(|a, b| a.at >= b.at), "newest first");
    world.cut(true);
    assert_eq!(running.handle.deal(&id).await.unwrap().unwrap().activities, activities);
    world.cut(false);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_deals_were_before_is_known_on_the_first_day() {
    let world = World::new();
    let running = world.start_synced().await;
    let reader = world.reader();
    until("their past", Duration::from_secs(60), async || {
        reader.mirror.history_due(ObjectType::Deals, 100).unwrap().is_empty()
    })
    .await;
    let truth = world.truth(ObjectType::Deals).await;
    let mut told = 0;
    for (id, deal) in &truth {
        let ours = reader
            .mirror
            .history(&RecordRef::new(ObjectType::Deals, id.as_str()))
            .unwrap();
        for property in [
            "dealstage",
            "amount",
            "closedate",
            "hubspot_owner_id",
            "hs_manual_forecast_category",
        ] {
            let theirs = deal["history"][property].as_array().map_or(0, Vec::len);
            let ours = ours.iter().filter(|change| change.property == property).count();
            // The witness leaves out a past of one entry, the creation.
            assert_eq!(ours.max(1), theirs.max(1), "{property} of {id}");
            told += theirs;
        }
    }
    assert!(told > 0, "some deals have a past");
    // A change that comes in makes its deal due again, and its past then ends with who did it.
    let (id, _, to) = running.handle.open_deal(0).await;
    world
        .edit(ObjectType::Deals, id.as_str(), json!({"dealstage": to.as_str()}), "3")
        .await;
    let newest = || {
        let past = reader
            .mirror
            .history(&RecordRef::new(ObjectType::Deals, id.as_str()))
            .unwrap();
        past.into_iter()
            .find(|change| change.property == "dealstage")
            .unwrap()
            .version
    };
    until("the newest stage", Duration::from_secs(120), async || {
        newest().value.as_deref() == Some(to.as_str())
    })
    .await;
    assert_eq!(newest().user.map(|user| user.to_string()).as_deref(), Some("3"));
    let since = world.clock.wall() - jiff::SignedDuration::from_mins(5);
    let changes = reader
        .mirror
        .changes(ObjectType::Deals, since, world.clock.wall())
        .unwrap();
    assert!(changes.iter().any(|change| change.id == id.as_str()), "{changes:?}");
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_shows_and_heals() {
    let world = World::new();
    let running = world.start_synced().await;
    world.cut(true);
    until("offline", Duration::from_secs(60), async || {
        matches!(running.handle.freshness().connection, Connection::Offline { .. })
    })
    .await;
    let as_of = running.handle.freshness().as_of;
    pass(120).await;
    assert_eq!(running.handle.freshness().as_of, as_of, "nothing new is claimed");
    world.cut(false);
    until("live again", Duration::from_secs(90), async || {
        running.handle.freshness().as_of > as_of
    })
    .await;
    assert_eq!(running.handle.freshness().connection, Connection::Live);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_comes_back_slow_is_not_probed_without_pause() {
    let world = World::new();
    let running = world.start_synced().await;
    world.cut(true);
    until("offline", Duration::from_secs(60), async || {
        matches!(running.handle.freshness().connection, Connection::Offline { .. })
    })
    .await;
    world.faults("477=100%").await;
    world.cut(false);
    let before = world.requests();
    pass(120).await;
    // Whichever request is the first to hear how long HubSpot wants to be left alone, a probe or another one.
    let sent = world.requests() - before;
    assert!((1..20).contains(&sent), "{sent} requests in two minutes");
    world.faults("").await;
    let as_of = running.handle.freshness().as_of;
    running.handle.refresh();
    until("live again", Duration::from_secs(120), async || {
        running.handle.freshness().as_of > as_of
    })
    .await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_leaves_the_mirror_readable() {
    let world = World::new();
    let running = world.start_synced().await;
    world.faults("401=100%").await;
    until("the refusal", Duration::from_secs(60), async || {
        matches!(running.handle.freshness().connection, Connection::ReadOnly(_))
    })
    .await;
    assert_eq!(running.handle.board().await.unwrap().deals.len(), 30);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_of_another_account_is_refused() {
    let world = World::new();
    world.start_synced().await.stop().await;
    let stranger = World::with(dealdeck::portal::Settings {
        seed: 8,
        ..common::small()
    });
    let other = World {
        dir: world.dir,
        ..stranger
    };
    let _: Place = other.place();
    let running = other.start();
    until("the refusal", Duration::from_secs(60), async || {
        matches!(running.handle.freshness().connection, Connection::ReadOnly(_))
    })
    .await;
    assert_eq!(running.handle.board().await.unwrap().deals.len(), 30);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_account_than_the_configured_one_is_refused() {
    let mut world = World::new();
    world.start_synced().await.stop().await;
    world.settings.portal_id = Some(1);
    let running = world.start();
    until("the refusal", Duration::from_secs(60), async || {
        matches!(running.handle.freshness().connection,
            Connection::ReadOnly(fault) if fault.next.contains("account.portal_id"))
    })
    .await;
    running.stop().await;
}

/// What people are told besides the state of the line.
fn trouble(running: &common::Running) -> String {
    running
        .handle
        .freshness()
        .trouble
        .map_or_else(String::new, |fault| fault.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_read_owners_syncs_everything_else_and_says_so() {
    let world = World::new();
    world.forbid(Some("/owners"));
    let running = world.start_synced().await;
    assert_eq!(running.handle.board().await.unwrap().deals.len(), 30);
    assert!(trouble(&running).contains("the.scope.read"), "{}", trouble(&running));
    pass(3_000).await;
    assert_eq!(world.asked("/owners"), 1, "one refusal is enough");
    assert!(
        trouble(&running).contains("the.scope.read"),
        "a poll that goes through does not hide it"
    );
    pass(4_300).await;
    assert_eq!(world.asked("/owners"), 3, "it is tried again once an hour");
    world.forbid(None);
    pass(3_700).await;
    assert_eq!(trouble(&running), "", "and heals where nobody is there to ask for it");
    world.forbid(Some("/owners"));
    running.stop().await;
    // What was read a moment ago is believed for ten minutes.
    pass(700).await;
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert!(report.errors[0].what.contains("the.scope.read"), "{report:?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_read_companies_reads_the_contacts() {
    let world = World::new();
    world.forbid(Some("/companies"));
    let running = world.start();
    running.handle.set_watched(true);
    until("the contacts", Duration::from_secs(120), async || {
        world.mirror(ObjectType::Contacts).len() == 60
    })
    .await;
    until("the word about it", Duration::from_secs(10), async || {
        trouble(&running).contains("the.scope.read")
    })
    .await;
    let before = world.asked("/companies");
    pass(600).await;
    assert_eq!(world.asked("/companies"), before, "nothing of them is asked for again");
    world.forbid(None);
    running.handle.refresh();
    until("the companies", Duration::from_secs(60), async || {
        world.mirror(ObjectType::Companies).len() == 20
    })
    .await;
    assert_eq!(trouble(&running), "");
    running.stop().await;
    world.end().await;
}

const READER: [&str; 4] = [
    "oauth",
    "crm.objects.deals.read",
    "crm.objects.contacts.read",
    "crm.objects.companies.read",
];

#[tokio::test(start_paused = true)]
async fn what_the_scopes_do_not_allow_is_never_asked_for() {
    let world = World::new();
    world.grant(&READER[..2]);
    let running = world.start();
    running.handle.set_watched(true);
    until("the deals", Duration::from_secs(60), async || {
        running.handle.freshness().as_of.is_some()
    })
    .await;
    pass(120).await;
    for part in ["/owners", "/contacts", "/companies", "/notes"] {
        assert_eq!(world.asked(part), 0, "{part}");
    }
    assert_eq!(world.mirror(ObjectType::Deals).len(), 30);
    assert!(
        trouble(&running).contains("the scope crm.objects."),
        "{}",
        trouble(&running)
    );
    let (deal, ..) = running.handle.open_deal(0).await;
    running.handle.look_at(&deal);
    pass(10).await;
    assert_eq!(world.asked("/notes"), 0);
    running.stop().await;
    let (_engine, handle) = world.open();
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let told: Vec<&str> = report.errors.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "the token lacks the scope crm.objects.owners.read: owners are not read",
            "the token lacks the scope crm.objects.contacts.read: contacts are not read",
            "the token lacks the scope crm.objects.companies.read: companies are not read",
        ]
    );
    let left_out: Vec<&str> = report.left_out.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        left_out,
        [
            "the token lacks the scope crm.objects.tickets.read: tickets are not read",
            "the token lacks the scope crm.objects.contacts.read: tasks are not read",
            "the token lacks the scope crm.lists.read: lists are not read",
        ]
    );
    assert!(report.complete, "everything the token may read is there");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_the_scopes_do_not_allow_is_held_and_names_the_scope() {
    let world = World::new();
    world.grant(&READER);
    let running = world.start_synced().await;
    let (deal, _, stage) = running.handle.open_deal(0).await;
    let receipt = running.handle.move_deal(&deal, &stage, Origin::Command).await.unwrap();
    let held = running
        .handle
        .reaches(receipt.op, &[OpState::Held], Duration::from_secs(10))
        .await;
    let error = held.error.unwrap();
    assert_eq!(error.class, "scope");
    assert!(error.message.contains("crm.objects.deals.write"), "{error:?}");
    assert_eq!(world.asked("PATCH"), 0);
    world.grant(&[READER[0], READER[1], "crm.objects.deals.write"]);
    running.handle.decide(receipt.op, Decision::Send).await.unwrap();
    running
        .handle
        .reaches(receipt.op, &[OpState::Done], Duration::from_secs(60))
        .await;
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_becomes_another_accounts_sends_nothing_there() {
    for refused in [true, false] {
        let world = World::new();
        let running = world.start_synced().await;
        let (deal, _, stage) = running.handle.open_deal(0).await;
        if refused {
            world.faults("401=100%").await;
        } else {
            world.cut(true);
        }
        until("the refusal, or the cut", Duration::from_secs(120), async || {
            matches!(
                running.handle.freshness().connection,
                Connection::ReadOnly(_) | Connection::Offline { .. }
            )
        })
        .await;
        let receipt = running.handle.move_deal(&deal, &stage, Origin::Command).await.unwrap();
        let stranger = World::with(dealdeck::portal::Settings {
            seed: 8,
            ..common::small()
        });
        world.token_of(&stranger.portal);
        world.cut(false);
        running.handle.refresh();
        until(
            "the other account to be noticed",
            Duration::from_secs(300),
            async || {
                matches!(running.handle.freshness().connection,
                Connection::ReadOnly(fault) if fault.what.contains("belongs to HubSpot account"))
            },
        )
        .await;
        pass(600).await;
        running.handle.refresh();
        pass(60).await;
        assert_eq!(world.asked("PATCH"), 0, "refused before: {refused}");
        let kept = running.handle.operation(receipt.op).await.unwrap();
        assert_eq!(kept.state, OpState::Queued, "{kept:?}");
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_until_it_can() {
    let world = World::new();
    let running = world.start_synced().await;
    assert_eq!(trouble(&running), "");
    for plan in ["cut=100%", "403=100%", "html=100%"] {
        world.faults(plan).await;
        until(plan, Duration::from_secs(120), async || !trouble(&running).is_empty()).await;
        world.faults("").await;
        running.handle.refresh();
        until("it to heal", Duration::from_secs(240), async || {
            trouble(&running).is_empty()
        })
        .await;
    }
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn notes_that_cannot_be_read_are_told() {
    let world = World::new();
    let running = world.start_synced().await;
    let (deal, ..) = running.handle.open_deal(0).await;
    world.forbid(Some("/deals/notes/"));
    running.handle.look_at(&deal);
    until("the word about it", Duration::from_secs(10), async || {
        trouble(&running).contains("the.scope.read")
    })
    .await;
    world.forbid(None);
    let before = world.asked("/notes/");
    running.handle.look_at(&deal);
    pass(10).await;
    assert_eq!(world.asked("/notes/"), before, "not asked for again by itself");
    running.handle.refresh();
    running.handle.look_at(&deal);
    until("the notes", Duration::from_secs(10), async || {
        trouble(&running).is_empty()
    })
    .await;
    assert!(running.handle.deal(&deal).await.unwrap().unwrap().notes_as_of.is_some());
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_notices_what_was_archived_since_the_last_one() {
    let world = World::new();
    let (_engine, handle) = world.open();
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let (id, ..) = handle.open_deal(0).await;
    world.archive(ObjectType::Deals, id.as_str()).await;
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert_eq!(report.objects[&ObjectType::Deals].deleted, 1, "{report:?}");
    assert!(handle.deal(&id).await.unwrap().is_none());
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert_eq!(report.objects[&ObjectType::Deals].deleted, 0, "{report:?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dashboard_beside_the_leader_reads_what_it_looks_at() {
    let world = World::new();
    let leader = world.start_synced().await;
    let watcher = world.start();
    let (deal, ..) = watcher.handle.open_deal(0).await;
    assert!(watcher.handle.deal(&deal).await.unwrap().unwrap().notes_as_of.is_none());
    watcher.handle.look_at(&deal);
    until("its notes", Duration::from_secs(10), async || {
        watcher.handle.deal(&deal).await.unwrap().unwrap().notes_as_of.is_some()
    })
    .await;
    leader.stop().await;
    let as_of = watcher.handle.freshness().as_of;
    until("taking over", Duration::from_secs(90), async || {
        watcher.handle.freshness().as_of > as_of
    })
    .await;
    watcher.stop().await;
    world.end().await;
}
