//! Identity: unique values, merges, archives, and what batches say of records that are not there.

use dealdeck::portal::{Latency, Settings};
use serde_json::json;

use crate::harness::{client, settings};

const DEALS: &str = "/crm/objects/2026-09/deals";

#[tokio::test(start_paused = true)]
async fn an_address_belongs_to_one_contact() {
    let client = client(settings());
    let first = client.get("/crm/objects/2026-09/contacts?limit=1").await;
    let (id, email) = (first.str("/results/0/id"), first.str("/results/0/properties/email"));
    let twin = json!({"properties": {"email": email.to_uppercase()}});
    let refused = client.post("/crm/objects/2026-09/contacts", twin.clone()).await;
    assert_eq!((refused.status, refused.str("/category")), (409, "CONFLICT"));
    assert_eq!(
        refused.str("/message"),
        format!("Contact already exists. Existing ID: {id}")
    );
    let batch = |traced: bool| {
        let mut inputs = [twin.clone(), json!({"properties": {"email": "new@kettle.example"}})];
        if traced {
            inputs[0]["objectWriteTraceId"] = json!("a");
            inputs[1]["objectWriteTraceId"] = json!("b");
        }
        json!({"inputs": inputs})
    };
    let whole = client
        .post("/crm/objects/2026-09/contacts/batch/create", batch(false))
        .await;
    assert_eq!((whole.status, whole.str("/message")), (409, "Contact already exists"));
    assert_eq!(client.all("contacts").await.len(), 120, "all or nothing");
    let partial = client
        .post("/crm/objects/2026-09/contacts/batch/create", batch(true))
        .await;
    assert_eq!(
        (partial.status, partial.str("/results/0/objectWriteTraceId")),
        (207, "b")
    );
    assert_eq!(
        partial.body["errors"][0]["context"],
        json!({"objectWriteTraceId": ["a"], "existingId": [id]})
    );
    let bad = client
        .post(
            "/crm/objects/2026-09/contacts",
            json!({"properties": {"email": "nowhere"}}),
        )
        .await;
    assert_eq!(bad.str("/errors/0/message"), "Email address nowhere is invalid");
}

#[tokio::test(start_paused = true)]
async fn a_unique_property_of_ones_own_makes_creates_repeatable() {
    let client = client(settings());
    let definition = json!({"name": "op_key", "label": "Operation", "type": "string", "fieldType": "text",
        "groupName": "noteinformation", "hasUniqueValue": true});
    assert_eq!(
        client
            .post("/crm/properties/2026-09/notes", definition.clone())
            .await
            .status,
        201
    );
    let again = client.post("/crm/properties/2026-09/notes", definition).await;
    assert_eq!(
        (again.status, again.str("/subCategory")),
        (409, "Properties.PROPERTY_WITH_NAME_EXISTS")
    );
    let note = json!({"properties": {"hs_timestamp": "2026-11-22T12:00:00Z", "op_key": "k-1"}});
    let created = client.post("/crm/objects/2026-09/notes", note.clone()).await;
    assert_eq!(created.status, 201);
    let clash = client.post("/crm/objects/2026-09/notes", note).await;
    assert_eq!(
        (clash.status, clash.str("/errors/0/code")),
        (400, "CONFLICTING_UNIQUE_VALUE")
    );
    let found = client.get("/crm/objects/2026-09/notes/k-1?idProperty=op_key").await;
    assert_eq!(found.body["id"], created.body["id"]);
    assert_eq!(
        client
            .get("/crm/objects/2026-09/notes/k-2?idProperty=op_key")
            .await
            .status,
        404
    );
    let upsert = json!({"inputs": [{"id": "k-1", "idProperty": "op_key", "properties": {"hs_note_body": "x"}},
        {"id": "k-3", "idProperty": "op_key", "properties": {"hs_timestamp": "2026-11-22T12:00:00Z"}}]});
    let upserted = client.post("/crm/objects/2026-09/notes/batch/upsert", upsert).await;
    let mut new: Vec<bool> = upserted.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["new"].as_bool().unwrap())
        .collect();
    new.sort_unstable();
    assert_eq!(new, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_merge_makes_a_third_record_that_both_old_ids_lead_to() {
    let client = client(settings());
    let deals = client.all("deals").await;
    let (one, two) = (&deals[0], &deals[1]);
    let merged = client
        .post(
            &format!("{DEALS}/merge"),
            json!({"primaryObjectId": one, "objectIdToMerge": two}),
        )
        .await;
    let survivor = merged.str("/id").to_owned();
    assert!(!deals.contains(&survivor));
    assert_eq!(merged.str("/properties/hs_merged_object_ids"), format!("{one};{two}"));
    for old in [one, two] {
        assert_eq!(client.get(&format!("{DEALS}/{old}")).await.str("/id"), survivor);
    }
    let patched = client
        .patch(&format!("{DEALS}/{two}"), json!({"properties": {"amount": 5}}))
        .await;
    assert_eq!(
        (patched.str("/id"), patched.str("/properties/amount")),
        (survivor.as_str(), "5")
    );
    let listed = client.all("deals").await;
    assert!(!listed.contains(one) && !listed.contains(two) && listed.contains(&survivor));
    let batch = client
        .post(&format!("{DEALS}/batch/read"), json!({"inputs": [{"id": one}]}))
        .await;
    assert_eq!(
        (batch.status, batch.ids().len()),
        (200, 0),
        "a batch drops a merged id without a word"
    );
}

#[tokio::test(start_paused = true)]
async fn an_archived_record_is_seen_only_when_asked_for() {
    let client = client(Settings {
        index_lag: Latency::NONE,
        ..settings()
    });
    let id = client.new_deal("Doorbells").await;
    let path = format!("{DEALS}/{id}");
    assert_eq!(client.send("DELETE", &path, None).await.status, 204);
    assert_eq!(client.send("DELETE", &path, None).await.status, 204, "again is fine");
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(
        client.patch(&path, json!({"properties": {"amount": "1"}})).await.status,
        404
    );
    let archived = client.get(&format!("{DEALS}?archived=True")).await;
    assert_eq!(
        (archived.ids(), &archived.body["results"][0]["archived"]),
        (vec![id.clone()], &json!(true))
    );
    assert_eq!(
        client.get(&format!("{path}?archived=true")).await.str("/archivedAt"),
        "2026-11-22T12:00:00Z"
    );
    assert!(!client.all("deals").await.contains(&id));
}

#[tokio::test(start_paused = true)]
async fn a_batch_update_reports_missing_ids_and_refuses_doubles() {
    let client = client(settings());
    let id = client.new_deal("Metronomes").await;
    let input = |id: &str| json!({"id": id, "properties": {"amount": "7"}});
    let partial = client
        .post(
            &format!("{DEALS}/batch/update"),
            json!({"inputs": [input(&id), input("17")]}),
        )
        .await;
    assert_eq!((partial.status, partial.ids()), (207, vec![id.clone()]));
    let double = client
        .post(
            &format!("{DEALS}/batch/update"),
            json!({"inputs": [input(&id), input(&id)]}),
        )
        .await;
    assert_eq!(
        double.str("/message"),
        format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique")
    );
    let archived = client
        .post(
            &format!("{DEALS}/batch/archive"),
            json!({"inputs": [{"id": id}, {"id": "17"}]}),
        )
        .await;
    assert_eq!(archived.status, 204);
    assert!(!client.all("deals").await.contains(&id));
}
