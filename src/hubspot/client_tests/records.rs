//! What becomes of records: found, merged, archived, gone; and app events in their timelines.

use super::*;
use crate::domain::{AppEvent, EventTarget};

fn nowhere() -> Answer {
    status(
        404,
        json!({ "status": "error", "message": "resource not found", "correlationId": "x" }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_record_is_live_merged_archived_or_gone() {
    let acme = RecordRef::new(ObjectType::Deals, "1");
    let mut old = deal("1");
    old["archived"] = json!(true);
    old["archivedAt"] = json!("2026-11-20T10:11:12Z");
    let at = Some("2026-11-20T10:11:12Z".parse().unwrap());
    for (answers, expected) in [
        (vec![ok(deal("1"))], "live"),
        (vec![ok(deal("77"))], "merged into 77"),
        (vec![nowhere(), ok(old)], "archived"),
        (vec![nowhere(), nowhere()], "absent"),
    ] {
        let requests = answers.len();
        let (client, script) = client(answers);
        let found = client.find(Lane::Verify, &acme, &GetQuery::default()).await.unwrap();
        let told = match found {
            Found::Live(_) => "live".to_owned(),
            Found::Merged(record) => format!("merged into {}", record.id),
            Found::Archived { record, at: since } if record.archived && since == at => "archived".to_owned(),
            Found::Archived { .. } => "archived at another time".to_owned(),
            Found::Absent => "absent".to_owned(),
        };
        assert_eq!((told.as_str(), script.asked().len()), (expected, requests));
    }
    let (client, script) = client(vec![nowhere(), nowhere()]);
    client.find(Lane::Verify, &acme, &GetQuery::default()).await.unwrap();
    assert_eq!(script.path(1), "/crm/objects/2026-09/deals/1?archived=true");
}

#[tokio::test(start_paused = true)]
async fn a_record_found_by_its_key_is_not_a_merged_one() {
    let (client, _) = client(vec![ok(deal("900"))]);
    let query = GetQuery {
        id_property: Some("op_key".into()),
        ..GetQuery::default()
    };
    let note = RecordRef::new(ObjectType::Notes, "op-1");
    assert!(matches!(
        client.find(Lane::Verify, &note, &query).await.unwrap(),
        Found::Live(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn contacts_are_read_and_changed_by_address() {
    let contact = |id: &str, email: &str| json!({ "id": id, "properties": { "email": email, "hs_additional_emails": "second@x.de" } });
    let read =
        ok(json!({ "results": [contact("2", "bob+1@x.de"), contact("1", "ann@x.de"), contact("9", "no@x.de")] }));
    let (client, script) = client(vec![read, ok(contact("2", "bob+1@x.de"))]);
    let values = ["Ann@X.de", "bob+1@x.de", "gone@x.de", "ann@x.de"].map(str::to_owned);
    let read = client
        .batch_read_by(
            Lane::Read,
            (ObjectType::Contacts, false),
            "email",
            &values,
            &["firstname"],
        )
        .await
        .unwrap();
    assert_eq!(
        read.records.iter().map(|of| of.id.as_str()).collect::<Vec<_>>(),
        ["1", "2"],
        "nobody asked for 9"
    );
    assert_eq!(read.missing, ["gone@x.de"]);
    assert_eq!(
        script.body(0),
        json!({ "inputs": [{ "id": "Ann@X.de" }, { "id": "bob+1@x.de" }, { "id": "gone@x.de" }], "idProperty": "email",
            "properties": ["firstname", "email", "hs_additional_emails"] })
    );
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let bob = RecordRef::new(ObjectType::Contacts, "bob+1@x.de");
    let changes = Properties::from([("phone".into(), None)]);
    client.update_by(permit, &bob, "email", &changes).await.unwrap();
    assert_eq!(
        script.path(1),
        "/crm/objects/2026-09/contacts/bob%2B1%40x.de?idProperty=email"
    );
    assert_eq!(script.body(1), json!({ "properties": { "phone": "" } }));
}

#[tokio::test(start_paused = true)]
async fn a_merge_makes_a_third_record_and_is_sent_once() {
    let (client, script) = client(vec![ok(deal("77")), status(502, json!({}))]);
    let of = |object, id: &str| RecordRef::new(object, id);
    let (a, b) = (of(ObjectType::Deals, "1"), of(ObjectType::Deals, "2"));
    let permit = || client.permit(Lane::Write, Quota::Burst);
    assert_eq!(client.merge(permit().await, &a, &b).await.unwrap().id, "77");
    assert_eq!(script.path(0), "/crm/objects/2026-09/deals/merge");
    assert_eq!(
        script.body(0),
        json!({ "primaryObjectId": "1", "objectIdToMerge": "2" })
    );
    let failure = client.merge(permit().await, &a, &b).await.unwrap_err();
    assert_eq!(failure.verdict(OpClass::UnkeyedCreate).action, Action::Uncertain);
    for (a, b) in [
        (a.clone(), a.clone()),
        (a, of(ObjectType::Contacts, "2")),
        (of(ObjectType::Notes, "1"), of(ObjectType::Notes, "2")),
    ] {
        let failure = client.merge(permit().await, &a, &b).await.unwrap_err();
        assert_eq!((failure.signal, failure.status), (Signal::Validation, None));
    }
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_contact_is_forgotten_for_good() {
    let (client, script) = client(vec![status(204, Value::Null)]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.forget_contact(permit, &"5".into()).await.unwrap();
    assert_eq!(script.path(0), "/crm/objects/2026-09/contacts/gdpr-delete");
    assert_eq!(script.body(0), json!({ "objectId": "5" }));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_has_arrived_before_has_arrived() {
    let event = AppEvent {
        kind: "ae123_won".to_owned(),
        id: Some("op-1".to_owned()),
        about: EventTarget::Email("ann@x.de".to_owned()),
        properties: [("amount".to_owned(), "12".to_owned())].into(),
        at: Some("2026-11-22T12:00:00Z".parse().unwrap()),
    };
    let nameless = AppEvent {
        id: None,
        ..event.clone()
    };
    let conflict = || status(409, json!({ "category": "CONFLICT", "message": "exists" }));
    let scopeless = status(
        403,
        json!({ "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes" }),
    );
    let (client, script) = client(vec![status(201, Value::Null), conflict(), conflict(), scopeless]);
    let permit = || client.permit(Lane::Write, Quota::Burst);
    client.send_event(permit().await, &event).await.unwrap();
    client.send_event(permit().await, &event).await.unwrap();
    assert_eq!(
        client.send_event(permit().await, &nameless).await.unwrap_err().signal,
        Signal::Conflict
    );
    let fault = client.send_event(permit().await, &event).await.unwrap_err().fault();
    assert_eq!(
        (fault.kind, fault.what.as_str()),
        (FaultKind::Auth, "the token lacks the scope timeline")
    );
    assert_eq!(script.path(0), "/integrators/timeline/2026-03/events");
    assert_eq!(
        script.body(0),
        json!({ "eventTypeName": "ae123_won", "id": "op-1", "email": "ann@x.de", "properties": { "amount": "12" },
            "timestamp": "2026-11-22T12:00:00Z" })
    );
}
