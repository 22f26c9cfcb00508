//! Search: operators, paging, the wall, and the lag behind the truth.

use std::time::Duration;

use dealdeck::portal::{Latency, Settings};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, client, fixture, settings};

async fn search(client: &Client, object: &str, body: Value) -> Answer {
    tokio::time::advance(Duration::from_secs(1)).await;
    client
        .post(&format!("/crm/objects/2026-09/{object}/search"), body)
        .await
}

fn filter(name: &str, operator: &str, value: Value) -> Value {
    let mut filter = json!({"propertyName": name, "operator": operator});
    match value {
        Value::Array(values) => filter["values"] = Value::Array(values),
        Value::Null => {}
        value => filter["value"] = value,
    }
    json!({"filterGroups": [{"filters": [filter]}]})
}

/// Three deals whose ids sort differently as text and as numbers.
fn three() -> Client {
    client(fixture(&[
        json!({"type": "deals", "id": "9", "properties": {"dealname": "Chainge Loom pilot", "amount": "50", "closedate": "2026-12-01T00:00:00Z", "hs_priority": "low"}}),
        json!({"type": "deals", "id": "10", "properties": {"dealname": "Teapot order", "amount": "700"}}),
        json!({"type": "deals", "id": "200", "properties": {"dealname": "Umbrella order", "amount": "80", "closedate": "2026-12-24T00:00:00Z", "hs_priority": "high"}}),
    ]))
}

#[tokio::test(start_paused = true)]
async fn every_operator_means_what_hubspot_says() {
    let client = three();
    let rows: &[(&str, &str, Value, &[&str])] = &[
        ("amount", "EQ", json!("50"), &["9"]),
        ("amount", "NEQ", json!("50"), &["10", "200"]),
        ("amount", "LT", json!("80"), &["9"]),
        ("amount", "LTE", json!("80"), &["9", "200"]),
        ("amount", "GT", json!("80"), &["10"]),
        ("amount", "GTE", json!("80"), &["10", "200"]),
        ("amount", "IN", json!(["50", "700"]), &["9", "10"]),
        ("amount", "NOT_IN", json!(["50", "700"]), &["200"]),
        ("closedate", "HAS_PROPERTY", Value::Null, &["9", "200"]),
        ("closedate", "NOT_HAS_PROPERTY", Value::Null, &["10"]),
        ("closedate", "LT", json!("1766500000000"), &[]),
        ("closedate", "GT", json!("2026-12-05T00:00:00Z"), &["200"]),
        ("dealname", "CONTAINS_TOKEN", json!("ORDER"), &["10", "200"]),
        ("dealname", "CONTAINS_TOKEN", json!("chain*"), &["9"]),
        ("dealname", "NOT_CONTAINS_TOKEN", json!("order"), &["9"]),
        ("dealname", "EQ", json!("teapot ORDER"), &["10"]),
        ("dealname", "IN", json!(["teapot order"]), &["10"]),
        ("dealname", "IN", json!(["Teapot order"]), &[]),
        ("hs_priority", "EQ", json!("high"), &["200"]),
        ("hs_priority", "EQ", json!("HIGH"), &[]),
        // Ids compare as text: "10" < "200" < "9".
        ("hs_object_id", "GT", json!("10"), &["200", "9"]),
    ];
    for (name, operator, value, expected) in rows {
        let mut body = filter(name, operator, value.clone());
        body["sorts"] = json!([{"propertyName": "hs_object_id", "direction": "ASCENDING"}]);
        let answer = search(&client, "deals", body).await;
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(answer.ids(), expected, "{name} {operator} {value}");
    }
    let between = json!({"filters": [{"propertyName": "amount", "operator": "BETWEEN", "value": "50", "highValue": "80"}],
        "sorts": ["-amount"]});
    assert_eq!(search(&client, "deals", between).await.ids(), ["200", "9"]);
    assert_eq!(
        search(&client, "deals", json!({"query": "order umbrella"})).await.ids(),
        ["200"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_search_is_paged_by_offset_up_to_the_wall() {
    let client = client(Settings {
        contacts: 10_050,
        ..settings()
    });
    let by_id = json!({"limit": 200, "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}]});
    let first = search(&client, "contacts", by_id.clone()).await;
    assert_eq!(
        (&first.body["total"], first.str("/paging/next/after")),
        (&json!(10_050), "200")
    );
    let mut last = by_id.clone();
    last["after"] = json!("9800");
    let last = search(&client, "contacts", last).await;
    assert_eq!(last.ids().len(), 200);
    let mut beyond = by_id.clone();
    beyond["after"] = json!("9801");
    let beyond = search(&client, "contacts", beyond).await;
    assert_eq!((beyond.status, beyond.str("/category")), (400, "VALIDATION_ERROR"));
    // Going on below the last id seen reaches the rest.
    let mut rest = filter("hs_object_id", "LT", json!(last.ids()[199]));
    rest["limit"] = json!(200);
    assert_eq!(search(&client, "contacts", rest).await.body["total"], 50);
    for bad in [
        json!({"limit": 201}),
        json!({"sorts": ["amount", "email"]}),
        json!({"sorts": [{"propertyName": "nope"}]}),
    ] {
        assert_eq!(search(&client, "contacts", bad.clone()).await.status, 400, "{bad}");
    }
    assert_eq!(
        search(&client, "contacts", json!({"query": "x".repeat(3_000)}))
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn search_learns_of_writes_after_the_lag_and_not_before() {
    let lag: Latency = "5s".parse().unwrap();
    let client = client(Settings {
        index_lag: lag,
        ..settings()
    });
    let id = client.new_deal("Snow globe fleet").await;
    let named = |name: &str| filter("dealname", "EQ", json!(name));
    assert_eq!(
        search(&client, "deals", named("Snow globe fleet")).await.body["total"],
        0
    );
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(
        search(&client, "deals", named("Snow globe fleet")).await.ids(),
        [id.as_str()]
    );
    client
        .patch(
            &format!("/crm/objects/2026-09/deals/{id}"),
            json!({"properties": {"dealname": "Snow globe"}}),
        )
        .await;
    assert_eq!(
        search(&client, "deals", named("Snow globe fleet")).await.ids(),
        [id.as_str()],
        "still the old name"
    );
    assert_eq!(
        client
            .get(&format!("/crm/objects/2026-09/deals/{id}"))
            .await
            .str("/properties/dealname"),
        "Snow globe"
    );
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(search(&client, "deals", named("Snow globe")).await.ids(), [id.as_str()]);
    client
        .send("DELETE", &format!("/crm/objects/2026-09/deals/{id}"), None)
        .await;
    assert_eq!(search(&client, "deals", named("Snow globe")).await.body["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_delta_poll_finds_what_changed_in_order() {
    let client = client(Settings {
        index_lag: Latency::NONE,
        contacts: 3_000,
        ..settings()
    });
    let mut body = filter("lastmodifieddate", "GTE", json!("2026-10-23T12:00:00Z"));
    body["sorts"] = json!([{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]);
    body["limit"] = json!(200);
    let answer = search(&client, "contacts", body).await;
    let total = answer.body["total"].as_u64().unwrap();
    assert!(
        (350..550).contains(&total),
        "{total} of 3000 contacts were touched in the last 30 of 200 days"
    );
    let dates: Vec<&str> = answer.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["updatedAt"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted() && dates[0] >= "2026-10-23T12:00:00Z");
}
