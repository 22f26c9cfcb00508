//! Contacts of one's own against the simulated portal, in virtual time: what is pushed, when it is tried again, and what
//! both statuses say meanwhile.

mod common;

use std::time::Duration;

use common::{Instead, World, pass, until};
use dealdeck::{
    domain::{
        Behind, LocalContact, NewContact, NewProperty, ObjectType, OpState, PropertyKind, PushDecision, RetryPolicy,
    },
    sync::{Handle, PushSettings},
};

fn contact(n: usize) -> NewContact {
    NewContact {
        email: format!("person{n}@import.example"),
        values: [
            ("firstname", format!("Person {n}")),
            ("phone", format!("+1 555 {n:04}")),
        ]
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .into(),
        hubspot_id: None,
    }
}

fn contacts(count: usize) -> Vec<NewContact> {
    (0..count).map(contact).collect()
}

fn words(row: &LocalContact) -> (&'static str, Option<&'static str>) {
    let (sync, processing) = row.statuses();
    (sync.word(), processing.map(|status| status.word()))
}

async fn all_are(handle: &Handle, sync: &str) -> bool {
    let rows = handle.local_contacts().await.unwrap_or_default();
    !rows.is_empty() && rows.iter().all(|row| words(row).0 == sync)
}

/// How many contacts in the portal came from here.
async fn arrived(world: &World) -> usize {
    let truth = world.truth(ObjectType::Contacts).await;
    let ours = |contact: &&serde_json::Value| {
        contact["properties"]["email"]
            .as_str()
            .is_some_and(|email| email.ends_with("@import.example"))
    };
    truth.values().filter(ours).count()
}

const FAILS: Instead = Instead {
    method: "POST",
    part: "contacts/batch/upsert",
    status: 500,
    headers: &[],
    body: r#"{"status":"error","message":"internal error","category":"INTERNAL_ERROR"}"#,
    times: u32::MAX,
};

#[tokio::test(start_paused = true)]
async fn s3_1_a_pushed_contact_is_created_once_and_pushing_it_again_changes_nothing() {
    let world = World::new();
    let running = world.start_synced().await;
    let kept = running
        .handle
        .keep_contacts(contacts(250), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    assert_eq!((kept.count.imported, kept.count.queued), (250, 250));
    until("all of them", Duration::from_secs(60), async || {
        all_are(&running.handle, "Complete").await
    })
    .await;
    assert_eq!(arrived(&world).await, 250);
    assert!(world.asked("batch/upsert") <= 5, "a hundred leave in one request");
    let rows = running.handle.local_contacts().await.expect("rows");
    assert!(
        rows.iter()
            .all(|row| row.hubspot_id.is_some() && words(row).1 == Some("Complete"))
    );
    let (sent, before) = (
        world.asked("batch/upsert"),
        running.handle.local_contacts().await.expect("rows"),
    );
    let again = running
        .handle
        .keep_contacts(contacts(250), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    assert_eq!((again.count.unchanged, again.count.queued), (250, 0));
    pass(30).await;
    assert_eq!(world.asked("batch/upsert"), sent, "nothing is sent again");
    assert_eq!(running.handle.local_contacts().await.expect("rows"), before);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn s3_3_a_contact_is_tried_again_after_5_10_and_20_minutes_and_no_more() {
    let world = World::new();
    let running = world.start_synced().await;
    world.answer(FAILS);
    running
        .handle
        .keep_contacts(contacts(1), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    let row = async || running.handle.local_contacts().await.expect("rows").remove(0);
    let mut waits = Vec::new();
    for retry in 1..=3 {
        until("the failure", Duration::from_secs(120), async || {
            let row = row().await;
            row.retry_count() == retry && row.next_retry_at().is_some()
        })
        .await;
        let waiting = row().await;
        assert_eq!(words(&waiting), ("Queued", Some("Queued")));
        assert_eq!(waiting.last_failed_crm(), Some("hubspot"));
        let (last, next) = (
            waiting.last_retry_at().expect("a time"),
            waiting.next_retry_at().expect("a time"),
        );
        waits.push((next.as_second() - last.as_second()) / 60);
        pass(u64::try_from(next.as_second() - world.clock.wall().as_second()).unwrap_or_default()).await;
    }
    assert_eq!(waits, [5, 10, 20]);
    until("the end", Duration::from_secs(120), async || {
        words(&row().await).0 == "Error"
    })
    .await;
    let dead = row().await;
    assert_eq!(
        (words(&dead), dead.retry_count(), dead.next_retry_at()),
        (("Error", Some("Error")), 3, None)
    );
    assert!(dead.error().is_some());
    let sent = world.asked("batch/upsert");
    assert_eq!(sent, 4, "the first time and three retries");
    running.handle.set_watched(false);
    pass(3_600).await;
    assert_eq!(world.asked("batch/upsert"), sent);
    // A person pushes it by hand: everything counts from nothing.
    world.answer(Instead { times: 0, ..FAILS });
    running
        .handle
        .keep_contacts(contacts(1), true, Vec::new(), |_| ())
        .await
        .expect("kept");
    until("it", Duration::from_secs(30), async || {
        words(&row().await).0 == "Complete"
    })
    .await;
    let done = row().await;
    assert_eq!(
        (done.retry_count(), done.error(), done.last_retry_at()),
        (0, None, None)
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn s3_3_linear_waits_grow_by_the_first() {
    let mut world = World::new();
    world.settings.push.retry = RetryPolicy {
        exponential: false,
        ..RetryPolicy::default()
    };
    let running = world.start_synced().await;
    world.answer(Instead { times: 3, ..FAILS });
    running
        .handle
        .keep_contacts(contacts(1), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    let began = world.clock.wall();
    until("it", Duration::from_secs(3_600), async || {
        all_are(&running.handle, "Complete").await
    })
    .await;
    let minutes = (world.clock.wall().as_second() - began.as_second()) / 60;
    assert_eq!(minutes, 30, "5, 10 and 15");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn s3_4_the_scheduler_takes_ten_every_five_minutes_those_first_that_were_changed_longest_ago() {
    let mut world = World::new();
    world.settings.push = PushSettings {
        enabled: false,
        ..PushSettings::default()
    };
    let running = world.start_synced().await;
    running.stop().await;
    world.settings.push.enabled = true;
    let (_, handle) = world.open();
    let kept = handle
        .keep_contacts(contacts(25), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    // The last ones were decided about last; the first ones changed after them.
    for numbers in [kept.numbers[..15].to_vec(), kept.numbers[15..].to_vec()] {
        pass(1).await;
        handle
            .decide_contacts(numbers, PushDecision::Skipped)
            .await
            .expect("decided");
    }
    pass(1).await;
    let mut changed = contacts(15);
    for contact in &mut changed {
        contact.values.insert("city".to_owned(), Some("Bern".to_owned()));
    }
    handle
        .keep_contacts(changed, false, Vec::new(), |_| ())
        .await
        .expect("kept");
    handle
        .decide_contacts(kept.numbers.clone(), PushDecision::Selected)
        .await
        .expect("decided");
    drop(handle);
    let running = world.start();
    let complete = async || {
        let rows = running.handle.local_contacts().await.expect("rows");
        rows.iter()
            .filter(|row| words(row).0 == "Complete")
            .map(|row| row.n)
            .collect::<Vec<_>>()
    };
    until("the first ten", Duration::from_secs(60), async || {
        complete().await.len() == 10
    })
    .await;
    assert_eq!(complete().await, kept.numbers[15..].to_vec());
    pass(200).await;
    assert_eq!(complete().await.len(), 10);
    pass(110).await;
    assert_eq!(complete().await.len(), 20);
    // Another process takes over: when it was last run is on disk.
    running.kill().await;
    let running = world.start();
    pass(150).await;
    let rows = running.handle.local_contacts().await.expect("rows");
    assert_eq!(rows.iter().filter(|row| words(row).0 == "Selected").count(), 5);
    pass(160).await;
    assert!(all_are(&running.handle, "Complete").await);
    assert_eq!(arrived(&world).await, 25);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_pauses_the_queue_and_costs_no_try() {
    let world = World::new();
    let mut running = world.start_synced().await;
    world.answer(Instead {
        status: 401,
        times: 1,
        body: r#"{"status":"error","message":"expired","category":"EXPIRED_AUTHENTICATION"}"#,
        ..FAILS
    });
    running
        .handle
        .keep_contacts(contacts(3), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    pass(3_600).await;
    let rows = running.handle.local_contacts().await.expect("rows");
    assert!(
        rows.iter()
            .all(|row| words(row) == ("Queued", Some("Queued")) && row.retry_count() == 0)
    );
    assert_eq!(world.asked("batch/upsert"), 1);
    let mut said = Vec::new();
    while let Ok(event) = running.events.try_recv() {
        said.push(format!("{event:?}"));
    }
    assert!(
        said.iter()
            .any(|event| event.contains("the contact queue waits with 3")),
        "{said:#?}"
    );
    running.handle.refresh();
    until("them", Duration::from_secs(60), async || {
        all_are(&running.handle, "Complete").await
    })
    .await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_hubspot_refuses_is_an_error_until_somebody_changes_it() {
    let world = World::new();
    let running = world.start_synced().await;
    let mut bad = contacts(3);
    bad[1]
        .values
        .insert("lifecyclestage".to_owned(), Some("no such stage".to_owned()));
    running
        .handle
        .keep_contacts(bad.clone(), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    let row = async |n: usize| running.handle.local_contacts().await.expect("rows").remove(n);
    until("the refusal", Duration::from_secs(60), async || {
        words(&row(1).await).0 == "Error"
    })
    .await;
    until("the others", Duration::from_secs(60), async || {
        words(&row(2).await).0 == "Complete"
    })
    .await;
    assert_eq!(
        words(&row(0).await).0,
        "Complete",
        "one that is refused does not keep the others"
    );
    let refused = row(1).await;
    assert!(
        refused.is_refused() && refused.error().is_some_and(|why| why.contains("lifecyclestage")),
        "{refused:?}"
    );
    let sent = world.asked("batch/upsert");
    let again = running
        .handle
        .keep_contacts(bad, true, Vec::new(), |_| ())
        .await
        .expect("kept");
    assert_eq!(again.count.unchanged, 3);
    pass(7_200).await;
    assert_eq!(
        row(1).await.operation.map(|op| op.state),
        Some(OpState::Dead),
        "not without an edit"
    );
    assert_eq!(world.asked("batch/upsert"), sent, "the others have it all");
    let mut mended = contact(1);
    mended
        .values
        .insert("lifecyclestage".to_owned(), Some("lead".to_owned()));
    running
        .handle
        .keep_contacts(vec![mended], false, Vec::new(), |_| ())
        .await
        .expect("kept");
    until("it", Duration::from_secs(30), async || {
        all_are(&running.handle, "Complete").await
    })
    .await;
    assert_eq!(arrived(&world).await, 3);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_property_that_holds_something_else_is_no_property_of_the_configuration() {
    let mut world = World::new();
    let wanted = |name: &str, kind| NewProperty {
        name: name.to_owned(),
        label: name.to_owned(),
        description: String::new(),
        group: "contactinformation".to_owned(),
        kind,
        unique: false,
    };
    world.settings.push.properties = vec![
        wanted("fair", PropertyKind::Text),
        wanted("jobtitle", PropertyKind::Number),
    ];
    let running = world.start_synced().await;
    let refused = running.handle.create_properties().await.expect_err("another type");
    assert!(refused.what.contains("jobtitle"), "{refused:?}");
    running.stop().await;
    world.settings.push.properties.pop();
    let running = world.start_synced().await;
    let made = running.handle.create_properties().await.expect("it is there");
    assert!(made.is_empty(), "{made:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_before_the_account_is_known_goes_out_once_it_is() {
    let mut world = World::new();
    world.settings.push.sync_date = None;
    let (_, handle) = world.open();
    let kept = handle
        .keep_contacts(contacts(7), false, Vec::new(), |_| ())
        .await
        .expect("kept");
    assert_eq!(kept.count.queued, 7);
    assert!(all_are(&handle, "Queued").await);
    let behind = vec![Behind::List("7".into(), true)];
    let refused = handle.keep_contacts(contacts(9), true, behind, |_| ()).await;
    assert!(refused.is_err_and(|fault| fault.to_string().contains("which HubSpot account")));
    assert_eq!(
        handle.local_contacts().await.expect("rows").len(),
        7,
        "what cannot be followed up is not kept"
    );
    drop(handle);
    let running = world.start();
    until("them", Duration::from_secs(60), async || {
        all_are(&running.handle, "Complete").await
    })
    .await;
    assert_eq!(arrived(&world).await, 7);
    running.stop().await;
    world.end().await;
}
