//! Writes: one attempt, and what their answers may be.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_note_is_created_with_its_links_in_one_request() {
    let (client, script) = client(vec![status(201, deal("900"))]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let properties = Properties::from([("hs_note_body".into(), Some("<p>hi</p>".into())), ("x".into(), None)]);
    let links = [
        RecordRef::new(ObjectType::Deals, "1"),
        RecordRef::new(ObjectType::Contacts, "2"),
    ];
    let note = client
        .create(permit, ObjectType::Notes, &properties, &links)
        .await
        .unwrap();
    assert_eq!(note.id, "900");
    assert_eq!(
        script.body(0),
        json!({ "properties": { "hs_note_body": "<p>hi</p>", "x": "" }, "associations": [
            { "to": { "id": "1" }, "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 214 }] },
            { "to": { "id": "2" }, "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202 }] },
        ] })
    );
}

#[tokio::test(start_paused = true)]
async fn writes_are_sent_once_whatever_happens() {
    let acme = RecordRef::new(ObjectType::Deals, "1");
    for answer in [
        status(500, json!({})),
        status(429, json!({ "policyName": "TEN_SECONDLY_ROLLING" })),
        lost(TransportErrorKind::Timeout, true),
        lost(TransportErrorKind::Refused, false),
    ] {
        let (client, script) = client(vec![answer]);
        let permit = client.permit(Lane::Write, Quota::Burst).await;
        let changes = Properties::from([("dealstage".into(), Some("won".into()))]);
        assert!(client.update(permit, &acme, &changes).await.is_err());
        assert_eq!(script.asked().len(), 1);
        assert_eq!(script.asked()[0].method, Method::PATCH);
        assert_eq!(script.path(0), "/crm/objects/2026-09/deals/1");
    }
}

#[tokio::test(start_paused = true)]
async fn archiving_and_linking_need_no_body() {
    let linked = ok(json!({ "status": "COMPLETE", "results": [] }));
    let (client, script) = client(vec![status(204, Value::Null), linked]);
    let (acme, maria) = (
        RecordRef::new(ObjectType::Deals, "1"),
        RecordRef::new(ObjectType::Contacts, "2"),
    );
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.archive(permit, &acme).await.unwrap();
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.associate(permit, &acme, &maria).await.unwrap();
    assert_eq!(script.asked()[0].method, Method::DELETE);
    assert_eq!(script.asked()[1].method, Method::PUT);
    assert_eq!(
        script.path(1),
        "/crm/objects/2026-09/deals/1/associations/default/contacts/2"
    );
}

#[tokio::test(start_paused = true)]
async fn hostile_answers_are_refused_not_swallowed() {
    let deep = format!("{{\"results\":[{}{}]}}", "[".repeat(100), "]".repeat(100));
    let many: serde_json::Map<String, Value> = (0..10_001).map(|n| (n.to_string(), json!("x"))).collect();
    let html = ok(json!({})).map(|mut response| {
        response
            .headers
            .insert("content-type", HeaderValue::from_static("text/html"));
        response.body = Bytes::from_static(b"<html>welcome to the hotel</html>");
        response
    });
    let deep = ok(json!({})).map(|mut response| {
        response.body = Bytes::from(deep);
        response
    });
    let acme = RecordRef::new(ObjectType::Deals, "1");
    for (answer, signal) in [
        (html, Signal::NotHubSpot),
        (deep, Signal::Unreadable),
        (ok(json!({ "id": "1", "properties": many })), Signal::Unreadable),
        (ok(json!({ "properties": {} })), Signal::Unreadable),
    ] {
        let (client, _) = client(vec![answer]);
        let permit = client.permit(Lane::Write, Quota::Burst).await;
        let failure = client.update(permit, &acme, &Properties::new()).await.unwrap_err();
        assert_eq!(failure.signal, signal);
    }
}
