//! The client against the simulated portal, in process and in virtual time.

use axum::body::Body;
use tower::ServiceExt as _;

use super::*;
use crate::{
    domain::{NewProperty, PropertyKind},
    portal,
};

/// The portal's router as a transport.
struct InProcess(axum::Router);

impl Transport for InProcess {
    fn send(&self, request: Request) -> BoxFuture<'static, Answer> {
        let mut built = http::Request::builder()
            .method(request.method.clone())
            .uri(&request.path_and_query)
            .body(Body::from(request.body.clone()))
            .unwrap();
        built.headers_mut().extend(request.headers.clone());
        let router = self.0.clone();
        Box::pin(async move {
            let (parts, body) = router.oneshot(built).await.unwrap().into_parts();
            Ok(Response {
                status: parts.status,
                headers: parts.headers,
                body: axum::body::to_bytes(body, 10_000_000).await.unwrap(),
            })
        })
    }
}

/// An account with some of everything, and a client for it.
fn account() -> Client {
    let settings = portal::Settings {
        contacts: 450,
        companies: 20,
        deals: 30,
        tickets: 5,
        now: "2026-11-22T12:00:00Z".parse().ok(),
        ..portal::Settings::default()
    };
    let portal = portal::Portal::new(settings).unwrap();
    let settings = Settings {
        token: portal.token().into(),
        jitter_seed: Some(7),
        ..Settings::default()
    };
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    Client::new(
        &settings,
        Arc::new(InProcess(portal.router())),
        clock,
        Arc::new(MemoryBook::new()),
    )
}

async fn permit(client: &Client) -> Permit {
    client.permit(Lane::Write, Quota::Burst).await
}

fn named(email: &str) -> NewRecord {
    NewRecord {
        properties: Properties::from([("email".into(), Some(email.into()))]),
        links: Vec::new(),
    }
}

/// Id and newness of what landed.
fn landed(write: &BatchWrite) -> Vec<Option<(&str, bool)>> {
    write
        .outcomes
        .iter()
        .map(|outcome| match outcome {
            ItemOutcome::Landed { record, created } => Some((record.id.as_str(), *created)),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn contacts_are_created_changed_and_archived_in_batches() {
    let client = account();
    let contacts = ObjectType::Contacts;
    let records: Vec<NewRecord> = (0..50).map(|n| named(&format!("Person{n}@batch.example"))).collect();
    let write = client.batch_create(permit(&client).await, contacts, &records).await;
    let ids: Vec<String> = landed(&write).iter().map(|item| item.unwrap().0.to_owned()).collect();
    let addresses = |record: &crate::domain::Record| record.get("email").unwrap().to_lowercase();
    for (n, outcome) in write.outcomes.iter().enumerate() {
        let ItemOutcome::Landed { record, created: true } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(addresses(record), format!("person{n}@batch.example"));
    }

    let again = client
        .batch_create(
            permit(&client).await,
            contacts,
            &[named("fresh@batch.example"), named("person3@batch.example")],
        )
        .await;
    assert!(
        matches!(&again.outcomes[0], ItemOutcome::Landed { created: true, .. }),
        "{again:?}"
    );
    let ItemOutcome::Refused(failure) = &again.outcomes[1] else {
        panic!("{again:?}")
    };
    assert_eq!(failure.existing_id.as_ref(), Some(&ids[3]));

    let change = |id: &str| RecordChange {
        id: id.to_owned(),
        properties: Properties::from([("firstname".into(), Some("Ann".into()))]),
    };
    let write = client
        .batch_update(
            permit(&client).await,
            contacts,
            None,
            &[change(&ids[1]), change("999999999"), change(&ids[0])],
        )
        .await;
    assert_eq!(landed(&write)[0], Some((ids[1].as_str(), false)));
    assert!(matches!(&write.outcomes[1], ItemOutcome::Refused(failure) if failure.signal == Signal::NotFound));
    assert_eq!(landed(&write)[2], Some((ids[0].as_str(), false)));

    let upserts = [change("PERSON5@batch.example"), change("new@batch.example")];
    let write = client
        .batch_upsert(permit(&client).await, contacts, "email", &upserts)
        .await;
    assert_eq!(landed(&write)[0], Some((ids[5].as_str(), false)));
    assert!(matches!(landed(&write)[1], Some((_, true))));

    client
        .batch_archive(permit(&client).await, contacts, &ids[..10])
        .await
        .unwrap();
    let read = client
        .batch_read(Lane::Read, contacts, &ids, &["email"], &[])
        .await
        .unwrap();
    assert_eq!((read.records.len(), read.missing.len()), (40, 10));
    let gone = RecordRef::new(contacts, ids[0].clone());
    let found = client.find(Lane::Read, &gone, &GetQuery::default()).await.unwrap();
    assert!(matches!(found, Found::Archived { at: Some(_), .. }), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_walk_finds_every_contact_once() {
    let client = account();
    let mut walk = client
        .search_all(Lane::Sync, ObjectType::Contacts, SearchQuery::default())
        .unwrap();
    let mut found = std::collections::BTreeSet::new();
    let mut pages = 0;
    while let Some(records) = walk.next().await.unwrap() {
        pages += 1;
        for record in records {
            assert!(found.insert(record.id.clone()), "{} twice", record.id);
        }
    }
    let mut listed = std::collections::BTreeSet::new();
    let mut query = ListQuery::default();
    loop {
        let page = client.list(Lane::Sync, ObjectType::Contacts, &query).await.unwrap();
        listed.extend(page.records.into_iter().map(|record| record.id));
        query.after = page.after;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (listed, 3));
}

#[tokio::test(start_paused = true)]
async fn a_merged_deal_is_found_under_its_new_id() {
    let client = account();
    let page = client
        .list(Lane::Read, ObjectType::Deals, &ListQuery::default())
        .await
        .unwrap();
    let (a, b) = (page.records[0].reference(), page.records[1].reference());
    let survivor = client.merge(permit(&client).await, &a, &b).await.unwrap();
    assert!(survivor.id != a.id && survivor.id != b.id);
    for old in [&a, &b] {
        let found = client.find(Lane::Verify, old, &GetQuery::default()).await.unwrap();
        assert!(
            matches!(&found, Found::Merged(record) if record.id == survivor.id),
            "{found:?}"
        );
    }
    let change = RecordChange {
        id: a.id.clone(),
        properties: Properties::from([("dealname".into(), Some("Acme".into()))]),
    };
    let write = client
        .batch_update(permit(&client).await, ObjectType::Deals, None, &[change])
        .await;
    assert!(!matches!(&write.outcomes[0], ItemOutcome::Refused(_)), "{write:?}");
}

#[tokio::test(start_paused = true)]
async fn links_are_made_labelled_and_taken_apart() {
    let client = account();
    let first = async |object| {
        client
            .list(Lane::Read, object, &ListQuery::default())
            .await
            .unwrap()
            .records
    };
    let (deals, contacts) = (first(ObjectType::Deals).await, first(ObjectType::Contacts).await);
    let kinds = (ObjectType::Deals, ObjectType::Contacts);
    let pairs: Vec<(String, String)> = deals
        .iter()
        .zip(&contacts)
        .take(5)
        .map(|(deal, contact)| (deal.id.clone(), contact.id.clone()))
        .collect();
    let labels = client.association_labels(Lane::Read, kinds.0, kinds.1).await.unwrap();
    let plain: Vec<_> = labels.iter().filter(|label| label.label.is_none()).cloned().collect();
    for labels in [&[][..], &plain[..1]] {
        let links = client
            .associate_batch(permit(&client).await, kinds, &pairs, labels)
            .await
            .unwrap();
        assert!(links.iter().all(Result::is_ok), "{links:?}");
    }
    let acme = deals[0].reference();
    let linked = async || {
        client
            .associations_of(Lane::Read, &acme, ObjectType::Contacts)
            .await
            .unwrap()
    };
    assert!(linked().await.iter().any(|link| link.to == pairs[0].1));
    client
        .dissociate_batch(permit(&client).await, kinds, &pairs)
        .await
        .unwrap();
    assert!(linked().await.iter().all(|link| link.to != pairs[0].1));
    let maria = contacts[0].reference();
    client
        .associate_as(permit(&client).await, &acme, &maria, &plain[..1])
        .await
        .unwrap();
    client.dissociate(permit(&client).await, &acme, &maria).await.unwrap();
    assert!(linked().await.iter().all(|link| link.to != maria.id));
}

#[tokio::test(start_paused = true)]
async fn a_key_property_makes_creates_findable() {
    let client = account();
    let key = NewProperty {
        name: "op_key".to_owned(),
        label: "Key".to_owned(),
        description: String::new(),
        group: "dealinformation".to_owned(),
        kind: PropertyKind::Text,
        unique: true,
    };
    for _ in 0..2 {
        let defined = client
            .ensure_property(permit(&client).await, ObjectType::Deals, &key)
            .await
            .unwrap();
        assert!(defined.unique && !defined.read_only);
    }
    let changes = [RecordChange {
        id: "op-1".to_owned(),
        properties: Properties::from([
            ("dealname".into(), Some("Acme".into())),
            ("dealstage".into(), Some("appointmentscheduled".into())),
        ]),
    }];
    for created in [true, false] {
        let write = client
            .batch_upsert(permit(&client).await, ObjectType::Deals, "op_key", &changes)
            .await;
        assert_eq!(landed(&write)[0].map(|(_, new)| new), Some(created), "{write:?}");
    }
    let keys = ["op-1".to_owned(), "op-2".to_owned()];
    let read = client
        .batch_read_by(Lane::Verify, (ObjectType::Deals, false), "op_key", &keys, &[])
        .await
        .unwrap();
    assert_eq!((read.records.len(), read.missing), (1, vec!["op-2".to_owned()]));
}

/// What HubSpot wants of a new record of a type, and a property to change.
fn smallest(object: ObjectType) -> (Properties, &'static str) {
    let at = ("hs_timestamp", "2026-11-22T12:00:00Z");
    let (values, change) = match object {
        ObjectType::Deals => (
            vec![
                ("dealname", "Acme"),
                ("dealstage", "appointmentscheduled"),
                ("pipeline", "default"),
            ],
            "description",
        ),
        ObjectType::Contacts => (vec![("email", "ann@nine.example")], "firstname"),
        ObjectType::Companies => (vec![("name", "Acme")], "city"),
        ObjectType::Tickets => (
            vec![("subject", "Help"), ("hs_pipeline", "0"), ("hs_pipeline_stage", "1")],
            "content",
        ),
        ObjectType::Notes => (vec![at], "hs_note_body"),
        ObjectType::Tasks => (vec![at, ("hs_task_subject", "Call")], "hs_task_body"),
        ObjectType::Calls => (vec![at], "hs_call_title"),
        ObjectType::Meetings => (vec![at], "hs_meeting_title"),
        ObjectType::Emails => (vec![at, ("hs_email_direction", "EMAIL")], "hs_email_subject"),
    };
    let properties = values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
    (properties.collect(), change)
}

#[tokio::test(start_paused = true)]
async fn records_of_all_nine_types_are_created_changed_and_archived() {
    let client = account();
    for object in ObjectType::ALL {
        let (properties, change) = smallest(object);
        let made = client
            .create(permit(&client).await, object, &properties, &[])
            .await
            .unwrap()
            .reference();
        let changes = Properties::from([(change.to_owned(), Some("other words".to_owned()))]);
        client.update(permit(&client).await, &made, &changes).await.unwrap();
        let query = GetQuery {
            properties: vec![change.to_owned()],
            ..GetQuery::default()
        };
        let read = client.get(Lane::Read, &made, &query).await.unwrap();
        assert_eq!(read.get(change), Some("other words"), "{object}");
        client.archive(permit(&client).await, &made).await.unwrap();
        let found = client.find(Lane::Read, &made, &query).await.unwrap();
        assert!(
            matches!(&found, Found::Archived { record, at: Some(_) } if record.id == made.id),
            "{found:?}"
        );
    }
}
