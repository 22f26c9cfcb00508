//! Lists: found, made, filled and emptied, with a size that lags; and app events, which are taken once.

use std::time::Duration;

use dealdeck::portal::{Grant, Settings};
use serde_json::{Value, json};

use crate::harness::{client, fixture, settings};

#[tokio::test(start_paused = true)]
async fn a_list_is_made_filled_and_told_with_an_old_size() {
    let client = client(settings());
    let contacts = client.all("contacts").await;
    let made = client
        .post(
            "/crm/lists/2026-09",
            json!({"name": "Tea", "objectTypeId": "0-1", "processingType": "MANUAL"}),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.str("/list/listId").to_owned();
    let path = format!("/crm/lists/2026-09/{id}");
    let added = client
        .send(
            "PUT",
            &format!("{path}/memberships/add"),
            Some(json!([contacts[3], contacts[1], "99"])),
        )
        .await;
    assert_eq!(
        added.body,
        json!({"recordsIdsAdded": [contacts[3], contacts[1]], "recordIdsRemoved": [], "recordIdsMissing": ["99"]})
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    let changed = client
        .send(
            "PUT",
            &format!("{path}/memberships/add-and-remove"),
            Some(json!({"recordIdsToAdd": [contacts[0]], "recordIdsToRemove": [contacts[1]]})),
        )
        .await;
    assert_eq!(
        (&changed.body["recordsIdsAdded"], &changed.body["recordIdsRemoved"]),
        (&json!([contacts[0]]), &json!([contacts[1]]))
    );
    let size = |list: &Value| list["additionalProperties"]["hs_list_size"].clone();
    assert_eq!(size(&client.get(&path).await.body["list"]), "0", "the size lags");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(size(&client.get(&path).await.body["list"]), "2");
    let by_id = client.get(&format!("{path}/memberships?limit=1")).await;
    assert_eq!(by_id.str("/results/0/recordId"), contacts[0]);
    let after = by_id.str("/paging/next/after");
    let rest = client.get(&format!("{path}/memberships?limit=1&after={after}")).await;
    assert_eq!(
        (rest.str("/results/0/recordId"), rest.body.get("paging")),
        (contacts[3].as_str(), None)
    );
    let joined = client.get(&format!("{path}/memberships/join-order")).await;
    assert_eq!(
        joined.str("/results/0/recordId"),
        contacts[3],
        "the first to join comes first"
    );
    let named = client.get("/crm/lists/2026-09/object-type-id/0-1/name/Tea").await;
    assert_eq!(named.str("/list/listId"), id);
    let by_ids = client
        .get(&format!("/crm/lists/2026-09?listIds={id}&listIds=101"))
        .await;
    assert_eq!(by_ids.body["lists"].as_array().unwrap().len(), 2);
    let of_record = client
        .get(&format!("/crm/lists/2026-09/records/0-1/{}/memberships", contacts[3]))
        .await;
    assert!(
        of_record.body["results"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["listId"] == id)
    );
    assert_eq!(client.send("DELETE", &path, None).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(client.send("PUT", &format!("{path}/restore"), None).await.status, 204);
    assert_eq!(client.get(&path).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn all_lists_are_walked_by_cursor_under_2026_09_only_and_not_where_the_switch_says_so() {
    let client = client(settings());
    let page = client.post("/crm/lists/2026-09/all", json!({"count": 1})).await;
    assert_eq!(page.str("/results/0/listId"), "101");
    let after = page.str("/paging/next/after").to_owned();
    let last = client
        .post("/crm/lists/2026-09/all", json!({"count": 2, "after": after}))
        .await;
    assert_eq!(
        (
            last.str("/results/0/listId"),
            last.str("/results/1/listId"),
            last.body.get("paging")
        ),
        ("102", "103", None)
    );
    assert_eq!(client.post("/crm/lists/2026-03/all", json!({})).await.status, 404);
    client
        .post("/__portal/switches", json!({"switches": "no-lists-all"}))
        .await;
    assert_eq!(client.post("/crm/lists/2026-09/all", json!({})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_put_into_a_dynamic_list_by_hand() {
    let client = client(fixture(&[
        json!({"type": "contacts", "id": "7", "properties": {"email": "pip@example.com"}}),
        json!({"type": "list", "members": ["7"], "value": {"listId": "5", "name": "Active", "objectTypeId": "0-1",
            "processingType": "DYNAMIC", "filterBranch": {"filterBranchType": "OR"}}}),
    ]));
    let refused = client
        .send("PUT", "/crm/lists/2026-09/5/memberships/remove", Some(json!(["7"])))
        .await;
    assert_eq!((refused.status, refused.str("/category")), (400, "VALIDATION_ERROR"));
    assert_eq!(
        client.get("/crm/lists/2026-09/5").await.body["list"].get("filterBranch"),
        None
    );
    let told = client.get("/crm/lists/2026-09/5?includeFilters=true").await;
    assert_eq!(told.str("/list/filterBranch/filterBranchType"), "OR");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_taken_once_and_not_from_a_service_key() {
    let event = json!({"eventTypeName": "user_signup", "id": "e1", "email": "pip@example.com", "properties": {}});
    let path = "/integrators/timeline/2026-03/events";
    let refused = client(settings()).post(path, event.clone()).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["errors"][0]["context"]["requiredGranularScopes"],
        json!(["timeline"])
    );
    let client = client(Settings {
        tokens: vec![Grant {
            token: "app".to_owned(),
            scopes: vec!["timeline".to_owned()],
        }],
        ..settings()
    });
    assert_eq!(client.post(path, event.clone()).await.status, 201);
    let again = client.post(path, event).await;
    assert_eq!((again.status, again.str("/category")), (409, "CONFLICT"));
    assert_eq!(client.witness("events").await.len(), 1);
}
