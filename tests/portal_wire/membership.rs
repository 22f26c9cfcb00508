//! Lists follow their records: the archived, forgotten and merged leave, a filter takes in and lets go, figures lag.

use std::time::Duration;

use dealdeck::portal::{Grant, Settings};
use serde_json::{Value, json};

use crate::harness::{Client, client, fixture, settings};

const LAG: Duration = Duration::from_secs(10);

/// Three contacts, a company with the number of one of them, and a list of every kind.
fn small() -> Client {
    let list = |id: &str, object: &str, processing: &str, members: &[&str]| {
        json!({"type": "list", "members": members, "value": {"listId": id, "name": id, "objectTypeId": object,
            "processingType": processing, "additionalProperties": {"hs_last_record_added_at": "1700000000000"}}})
    };
    client(fixture(&[
        json!({"type": "contacts", "id": "7", "properties": {"email": "pip@example.com", "lifecyclestage": "customer"}}),
        json!({"type": "contacts", "id": "8", "properties": {"email": "wren@example.com"}}),
        json!({"type": "contacts", "id": "9", "properties": {"email": "otis@example.com"}, "archived": true}),
        json!({"type": "companies", "id": "7", "properties": {"name": "Teapot Orbital"}}),
        list("1", "0-1", "MANUAL", &["7", "8", "9"]),
        list("2", "0-1", "SNAPSHOT", &["8"]),
        list("3", "0-1", "DYNAMIC", &["7"]),
        list("4", "0-2", "MANUAL", &["7"]),
    ]))
}

async fn members(client: &Client, list: &str) -> Vec<String> {
    let answer = client
        .get(&format!("/crm/lists/2026-09/{list}/memberships?limit=250"))
        .await;
    let rows = answer.body["results"].as_array().unwrap().iter();
    rows.map(|row| row["recordId"].as_str().unwrap().to_owned()).collect()
}

async fn figure(client: &Client, list: &str, key: &str) -> Value {
    let list = client.get(&format!("/crm/lists/2026-09/{list}")).await;
    list.body["list"]["additionalProperties"][key].clone()
}

/// Unix milliseconds so many seconds after noon, as lists tell them.
fn after_noon(seconds: i64) -> String {
    (1_795_348_800_000 + seconds * 1_000).to_string()
}

#[tokio::test(start_paused = true)]
async fn an_archived_record_leaves_its_lists_and_a_restored_one_stays_out() {
    let client = small();
    assert_eq!(
        members(&client, "1").await,
        ["7", "8"],
        "archived when the account opened"
    );
    tokio::time::advance(Duration::from_secs(5)).await;
    client.send("DELETE", "/crm/objects/2026-09/contacts/7", None).await;
    assert_eq!(members(&client, "1").await, ["8"]);
    assert_eq!(members(&client, "3").await, Vec::<String>::new());
    assert_eq!(members(&client, "4").await, ["7"], "a company of the same number stays");
    assert_eq!(figure(&client, "1", "hs_list_size").await, "2", "the size lags");
    assert_eq!(figure(&client, "1", "hs_last_record_removed_at").await, Value::Null);
    tokio::time::advance(LAG).await;
    assert_eq!(figure(&client, "1", "hs_list_size").await, "1");
    assert_eq!(figure(&client, "1", "hs_last_record_removed_at").await, after_noon(5));
    assert_eq!(figure(&client, "1", "hs_last_record_added_at").await, "1700000000000");
    let of_record = client.get("/crm/lists/2026-09/records/0-1/7/memberships").await;
    assert_eq!(of_record.body["total"], 0);
    let back = client
        .post("/__portal/restore", json!({"type": "contacts", "id": "7"}))
        .await;
    assert_eq!(back.body["archived"], false, "{}", back.text);
    assert_eq!(members(&client, "1").await, ["8"]);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_record_is_in_no_list() {
    let client = small();
    let body = json!({"objectId": "8"});
    let answer = client.post("/crm/objects/2026-09/contacts/gdpr-delete", body).await;
    assert_eq!(answer.status, 204);
    assert_eq!(members(&client, "1").await, ["7"]);
    assert_eq!(members(&client, "2").await, Vec::<String>::new());
    tokio::time::advance(LAG).await;
    assert_eq!(figure(&client, "2", "hs_list_size").await, "0");
}

#[tokio::test(start_paused = true)]
async fn the_survivor_of_a_merge_takes_the_places_that_people_gave() {
    let client = small();
    tokio::time::advance(Duration::from_secs(5)).await;
    let path = "/crm/lists/2026-09/2/memberships/add";
    client.send("PUT", path, Some(json!(["7"]))).await;
    let merged = client
        .post(
            "/crm/objects/2026-09/contacts/merge",
            json!({"primaryObjectId": "7", "objectIdToMerge": "8"}),
        )
        .await;
    let survivor = merged.str("/id").to_owned();
    assert_eq!(members(&client, "1").await, [survivor.as_str()]);
    let rows = client.get("/crm/lists/2026-09/2/memberships").await;
    assert_eq!(
        rows.body["results"],
        json!([{"recordId": survivor, "membershipTimestamp": "2023-11-14T22:13:20Z"}]),
        "the earlier time of joining counts"
    );
    assert_eq!(
        members(&client, "3").await,
        Vec::<String>::new(),
        "nobody evaluates this filter, and the merged ones are gone"
    );
    tokio::time::advance(LAG).await;
    assert_eq!(figure(&client, "1", "hs_list_size").await, "1");
    for key in ["hs_last_record_added_at", "hs_last_record_removed_at"] {
        assert_eq!(figure(&client, "1", key).await, after_noon(5), "{key}");
    }
    let old = client.send(
        "PUT",
        "/crm/lists/2026-09/1/memberships/remove",
        Some(json!([survivor])),
    );
    old.await;
    let again = client.send("PUT", "/crm/lists/2026-09/1/memberships/add", Some(json!(["8"])));
    assert_eq!(again.await.body["recordsIdsAdded"], json!([survivor]));
}

#[tokio::test(start_paused = true)]
async fn the_customers_of_a_generated_account_follow_edits() {
    let client = client(settings());
    let truth = client.witness("objects/contacts").await;
    let is_customer = |row: &&Value| row["properties"]["lifecyclestage"] == "customer";
    let customers: Vec<&str> = truth
        .iter()
        .filter(is_customer)
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert!(
        (3..40).contains(&customers.len()),
        "{} customers of 120",
        customers.len()
    );
    assert_eq!(members(&client, "103").await, customers);
    let list = client.get("/crm/lists/2026-09/103?includeFilters=true").await;
    assert_eq!(list.str("/list/processingType"), "DYNAMIC");
    assert_eq!(
        list.body
            .pointer("/list/filterBranch/filterBranches/0/filters/0/operation/values"),
        Some(&json!(["customer"]))
    );
    let lead = truth
        .iter()
        .find(|row| row["properties"]["lifecyclestage"] == "lead")
        .unwrap();
    let edit = |id: &Value, stage: &str| json!({"type": "contacts", "id": id, "properties": {"lifecyclestage": stage}});
    tokio::time::advance(Duration::from_secs(5)).await;
    client.post("/__portal/edit", edit(&lead["id"], "customer")).await;
    let newcomer = json!({"properties": {"firstname": "Fig", "lifecyclestage": "customer"}});
    let newcomer = client
        .post("/crm/objects/2026-09/contacts", newcomer)
        .await
        .str("/id")
        .to_owned();
    client
        .post("/__portal/edit", edit(&json!(customers[0]), "evangelist"))
        .await;
    client
        .post("/__portal/archive", json!({"type": "contacts", "id": customers[1]}))
        .await;
    let now = members(&client, "103").await;
    let has = |id: &str| now.iter().any(|member| member == id);
    assert!(has(lead["id"].as_str().unwrap()) && has(&newcomer));
    assert!(!has(customers[0]) && !has(customers[1]));
    assert_eq!(now.len(), customers.len());
    assert_eq!(
        figure(&client, "103", "hs_last_record_removed_at").await,
        Value::Null,
        "it lags"
    );
    tokio::time::advance(LAG).await;
    assert_eq!(figure(&client, "103", "hs_last_record_removed_at").await, after_noon(5));
    client
        .post("/__portal/restore", json!({"type": "contacts", "id": customers[1]}))
        .await;
    assert!(
        members(&client, "103").await.contains(&customers[1].to_owned()),
        "its filter still fits"
    );
    let by_hand = client.send(
        "PUT",
        "/crm/lists/2026-09/103/memberships/add",
        Some(json!([customers[0]])),
    );
    assert_eq!(by_hand.await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_list_made_with_a_filter_it_can_read_is_filled_by_it() {
    let client = client(settings());
    let filter = json!({"filterBranchType": "OR", "filters": [], "filterBranches": [{"filterBranchType": "AND",
        "filterBranches": [], "filters": [{"filterType": "PROPERTY", "property": "city", "operation":
            {"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "Moonhaven"}}]}]});
    let make = |name: &str, filter: Value| {
        let body = json!({"name": name, "objectTypeId": "0-1", "processingType": "DYNAMIC", "filterBranch": filter});
        client.post("/crm/lists/2026-09", body)
    };
    let made = make("Moon", filter.clone()).await.str("/list/listId").to_owned();
    let truth = client.witness("objects/contacts").await;
    let there = truth.iter().filter(|row| row["properties"]["city"] == "Moonhaven");
    let there: Vec<&str> = there.map(|row| row["id"].as_str().unwrap()).collect();
    assert!(!there.is_empty());
    assert_eq!(members(&client, &made).await, there);
    let mut richer = filter;
    richer["filterBranches"][0]["filters"] = json!([
        richer["filterBranches"][0]["filters"][0],
        richer["filterBranches"][0]["filters"][0]
    ]);
    let made = make("Twice", richer).await.str("/list/listId").to_owned();
    assert_eq!(
        members(&client, &made).await,
        Vec::<String>::new(),
        "kept, not evaluated"
    );
}

#[tokio::test(start_paused = true)]
async fn the_memberships_of_many_records_are_read_at_once() {
    let client = small();
    let input = |kind: &str, id: &str| json!({"objectTypeId": kind, "recordId": id});
    let body = json!({"inputs": [input("0-1", "7"), input("0-1", "9"), input("0-2", "7"), input("0-1", "7")]});
    for path in ["/crm/v3/lists", "/crm/lists/2026-03", "/crm/lists/2026-09"] {
        let answer = client
            .post(&format!("{path}/records/memberships/batch/read"), body.clone())
            .await;
        assert_eq!(
            (answer.status, answer.str("/status")),
            (200, "COMPLETE"),
            "{}",
            answer.text
        );
        let results = answer.body["results"].as_array().unwrap();
        assert_eq!(results.len(), 3, "a record named twice is answered once");
        let of = |kind: &str, id: &str| {
            let row = results
                .iter()
                .find(|row| row["objectTypeId"] == kind && row["recordId"] == id);
            row.unwrap()["recordListMemberships"].as_array().unwrap().clone()
        };
        let lists = |rows: &[Value]| rows.iter().map(|row| row["listId"].clone()).collect::<Vec<_>>();
        assert_eq!(lists(&of("0-1", "7")), ["1", "3"]);
        assert_eq!(of("0-1", "7")[0]["firstAddedTimestamp"], "2023-11-14T22:13:20Z");
        assert_eq!(lists(&of("0-2", "7")), ["4"]);
        assert_eq!(of("0-1", "9"), Vec::<Value>::new(), "archived");
    }
    let path = "/crm/lists/2026-09/records/memberships/batch/read";
    let many: Vec<Value> = (0..101).map(|id| input("0-1", &id.to_string())).collect();
    let refused = client.post(path, json!({"inputs": many})).await;
    assert_eq!((refused.status, refused.str("/category")), (400, "VALIDATION_ERROR"));
    for bad in [
        json!({}),
        json!({"inputs": [{"recordId": "7"}]}),
        json!({"inputs": [input("0-1", "x")]}),
    ] {
        assert_eq!(client.post(path, bad.clone()).await.status, 400, "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn reading_memberships_needs_no_more_than_the_right_to_read_lists() {
    let with = |scope: &str| {
        client(Settings {
            tokens: vec![Grant {
                token: "key".to_owned(),
                scopes: vec![scope.to_owned()],
            }],
            ..settings()
        })
    };
    let path = "/crm/lists/2026-09/records/memberships/batch/read";
    let body = json!({"inputs": [{"objectTypeId": "0-1", "recordId": "7"}]});
    assert_eq!(with("crm.lists.read").post(path, body.clone()).await.status, 200);
    let refused = with("crm.lists.write").post(path, body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["errors"][0]["context"]["requiredGranularScopes"],
        json!(["crm.lists.read"])
    );
}
