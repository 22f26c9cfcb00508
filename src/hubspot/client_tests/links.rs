//! Associations with their labels, and in batches.

use super::*;
use crate::domain::{AssociationCategory, AssociationLabel};

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

fn decider() -> AssociationLabel {
    AssociationLabel {
        category: AssociationCategory::UserDefined,
        type_id: 36,
        label: Some("Decision maker".to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn one_records_links_are_read_with_their_labels_over_all_pages() {
    let first = json!({ "results": [{ "toObjectId": 123, "associationTypes": [
        { "category": "HUBSPOT_DEFINED", "typeId": 3, "label": null }, { "category": "USER_DEFINED", "typeId": 36, "label": "Decision maker" },
    ] }], "paging": { "next": { "after": "A", "link": "x" } } });
    let second =
        json!({ "results": [{ "toObjectId": "45", "associationTypes": [{ "category": "WORK", "typeId": 9 }] }] });
    let (client, script) = client(vec![ok(first), ok(second)]);
    let acme = RecordRef::new(ObjectType::Deals, "1");
    let links = client
        .associations_of(Lane::Read, &acme, ObjectType::Contacts)
        .await
        .unwrap();
    assert_eq!(
        links.iter().map(|link| link.to.as_str()).collect::<Vec<_>>(),
        ["123", "45"]
    );
    assert_eq!(links[0].labels[1], decider());
    assert_eq!(links[1].labels[0].category, AssociationCategory::Other);
    assert_eq!(
        script.path(1),
        "/crm/objects/2026-09/deals/1/associations/contacts?limit=500&after=A"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_leads_back_ends_the_walk() {
    let page = || ok(json!({ "results": [], "paging": { "next": { "after": "A" } } }));
    let (client, script) = client(vec![page(), page()]);
    let acme = RecordRef::new(ObjectType::Deals, "1");
    let failure = client
        .associations_of(Lane::Read, &acme, ObjectType::Contacts)
        .await
        .unwrap_err();
    assert_eq!((failure.signal, script.asked().len()), (Signal::Unreadable, 2));
}

/// A page of a batch: who deal 1 is linked to, and the cursor of the next page.
fn batch_page(contacts: &[u32], after: Option<&str>) -> Answer {
    let to: Vec<_> = contacts.iter().map(|id| json!({ "toObjectId": id })).collect();
    let paging = after.map(|after| json!({ "next": { "after": after } }));
    ok(json!({ "results": [{ "from": { "id": "1" }, "to": to, "paging": paging }] }))
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_ignores_its_cursors_is_left_and_the_record_asked_by_itself() {
    let single = || ok(json!({ "results": [{ "toObjectId": 7 }, { "toObjectId": 8 }, { "toObjectId": 9 }] }));
    for (pages, name) in [
        (
            vec![batch_page(&[7, 8], Some("A")), batch_page(&[7, 8], Some("A"))],
            "the same page again",
        ),
        (
            vec![batch_page(&[7, 8], Some("A")), batch_page(&[7, 8], Some("B"))],
            "the same page under another cursor",
        ),
    ] {
        let mut answers = pages;
        answers.push(single());
        let (client, script) = client(answers);
        let links = client
            .associations(Lane::Read, ObjectType::Deals, ObjectType::Contacts, &["1".to_owned()])
            .await
            .unwrap();
        assert_eq!(links["1"], ["7", "8", "9"], "{name}");
        assert_eq!(script.asked().len(), 3, "{name}");
        assert_eq!(
            script.path(2),
            "/crm/objects/2026-09/deals/1/associations/contacts?limit=500"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_reads_every_page_of_a_record_once() {
    let twice = json!({ "results": [
        { "from": { "id": "1" }, "to": [{ "toObjectId": 9 }] },
        { "from": { "id": "1" }, "to": [{ "toObjectId": 9 }], "paging": { "next": { "after": "Z" } } },
    ] });
    let (client, script) = client(vec![batch_page(&[7, 8], Some("A")), ok(twice)]);
    let links = client
        .associations(Lane::Read, ObjectType::Deals, ObjectType::Contacts, &["1".to_owned()])
        .await
        .unwrap();
    assert_eq!(
        (&*links["1"], script.asked().len()),
        (&["7", "8", "9"].map(String::from)[..], 2)
    );
}

#[tokio::test(start_paused = true)]
async fn labels_replace_those_there_were() {
    let linked = status(
        201,
        json!({ "fromObjectTypeId": "0-3", "fromObjectId": 1, "toObjectId": 2, "labels": ["Decision maker"] }),
    );
    let (client, script) = client(vec![linked, status(204, Value::Null)]);
    let (acme, maria) = (
        RecordRef::new(ObjectType::Deals, "1"),
        RecordRef::new(ObjectType::Contacts, "2"),
    );
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.associate_as(permit, &acme, &maria, &[decider()]).await.unwrap();
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.dissociate(permit, &acme, &maria).await.unwrap();
    assert_eq!(script.path(0), "/crm/objects/2026-09/deals/1/associations/contacts/2");
    assert_eq!(
        script.body(0),
        json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": 36 }])
    );
    assert_eq!(
        (script.asked()[1].method.clone(), script.path(1)),
        (Method::DELETE, script.path(0))
    );
}

#[tokio::test(start_paused = true)]
async fn every_pair_of_a_batch_has_an_answer() {
    let refused = json!({ "category": "VALIDATION_ERROR", "message": "no such contact", "context": { "fromObjectId": ["3"], "toObjectId": [33] } });
    let answer = json!({ "status": "COMPLETE", "numErrors": 2, "errors": [refused], "results": [
        { "fromObjectTypeId": "0-1", "fromObjectId": 22, "toObjectTypeId": "0-3", "toObjectId": 2, "labels": [] },
        { "fromObjectTypeId": "0-3", "fromObjectId": 1, "toObjectTypeId": "0-1", "toObjectId": "11", "labels": [] },
        { "fromObjectTypeId": "0-1", "fromObjectId": 2, "toObjectTypeId": "0-3", "toObjectId": 22, "labels": [] },
    ] });
    let (client, script) = client(vec![status(207, answer)]);
    let permit = client.permit(Lane::Write, Quota::Free).await;
    let kinds = (ObjectType::Deals, ObjectType::Contacts);
    let links = client
        .associate_batch(
            permit,
            kinds,
            &pairs(&[("1", "11"), ("2", "22"), ("3", "33")]),
            &[decider()],
        )
        .await
        .unwrap();
    let signals: Vec<Option<Signal>> = links
        .into_iter()
        .map(|link| link.err().map(|failure| failure.signal))
        .collect();
    assert_eq!(
        signals,
        [None, Some(Signal::MissingItem), Some(Signal::Validation)],
        "the way back is another link"
    );
    assert_eq!(script.path(0), "/crm/associations/2026-09/deals/contacts/batch/create");
    assert_eq!(script.body(0)["inputs"][0]["types"][0]["associationTypeId"], 36);
}

#[tokio::test(start_paused = true)]
async fn plain_links_are_confirmed_by_their_ends() {
    let end = |from: &str, to: &str, kind: u32| {
        json!({ "from": { "id": from }, "to": { "id": to },
        "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind } })
    };
    let answer = json!({ "results": [end("1", "2", 3), end("2", "1", 4)] });
    let (client, script) = client(vec![ok(answer)]);
    let permit = client.permit(Lane::Write, Quota::Free).await;
    let kinds = (ObjectType::Deals, ObjectType::Contacts);
    let links = client
        .associate_batch(permit, kinds, &pairs(&[("1", "2"), ("2", "1")]), &[])
        .await
        .unwrap();
    assert!(links[0].is_ok() && links[1].is_err(), "{links:?}");
    assert_eq!(
        script.path(0),
        "/crm/associations/2026-09/deals/contacts/batch/associate/default"
    );
}

#[tokio::test(start_paused = true)]
async fn pairs_are_taken_apart_by_the_record_they_begin_with() {
    let (client, script) = client(vec![status(204, Value::Null)]);
    let permit = client.permit(Lane::Write, Quota::Free).await;
    let kinds = (ObjectType::Deals, ObjectType::Contacts);
    client
        .dissociate_batch(permit, kinds, &pairs(&[("1", "11"), ("2", "22"), ("1", "12")]))
        .await
        .unwrap();
    assert_eq!(
        script.body(0),
        json!({ "inputs": [{ "from": { "id": "1" }, "to": [{ "id": "11" }, { "id": "12" }] },
            { "from": { "id": "2" }, "to": [{ "id": "22" }] }] })
    );
}

#[tokio::test(start_paused = true)]
async fn labels_are_listed_with_the_plain_one() {
    let answer = json!({ "results": [{ "category": "HUBSPOT_DEFINED", "typeId": 3, "label": null },
        { "category": "USER_DEFINED", "typeId": 36, "label": "Decision maker" }] });
    let (client, script) = client(vec![ok(answer)]);
    let labels = client
        .association_labels(Lane::Read, ObjectType::Deals, ObjectType::Contacts)
        .await
        .unwrap();
    assert_eq!((labels[0].label.clone(), labels[1].clone()), (None, decider()));
    assert_eq!(script.path(0), "/crm/associations/2026-09/deals/contacts/labels");
}
