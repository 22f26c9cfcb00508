//! Searches that take a short way through a generated account answer exactly what a look at every record would: an account
//! loaded from what the portal prints has no short ways, and must answer the same.

use std::time::Duration;

use dealdeck::portal::{Latency, Settings};
use serde_json::{Value, json};

use crate::harness::{Client, client, settings};

/// More than a run of ids has to have before dates are looked up in order.
const MANY: u32 = 5_000;

/// A generated account in which people have worked, and the same one loaded from its own print.
async fn twins() -> (Client, Client) {
    let generated = Settings {
        contacts: MANY,
        deals: 40,
        index_lag: Latency::NONE,
        ..settings()
    };
    let one = client(generated.clone());
    let contacts = one.witness("objects/contacts").await;
    let id = |n: usize| contacts[n]["id"].clone();
    tokio::time::advance(Duration::from_secs(60)).await;
    for n in [3, 400, 401, 2_500, 4_999] {
        let edit = json!({"type": "contacts", "id": id(n), "properties": {"city": "Old Pudding", "jobtitle": "Buyer"}});
        one.post("/__portal/edit", edit).await;
    }
    for n in [5, 402] {
        one.post("/__portal/archive", json!({"type": "contacts", "id": id(n)}))
            .await;
    }
    let merge = json!({"type": "contacts", "primaryObjectId": id(10), "objectIdToMerge": id(3_000)});
    one.post("/__portal/merge", merge).await;
    for name in ["Pip", "Wren"] {
        let body = json!({"type": "contacts", "properties": {"firstname": name, "city": "Old Pudding"}});
        one.post("/__portal/create", body).await;
    }
    let two = client(Settings {
        fixture: Some(one.get("/__portal/objects").await.text),
        ..generated
    });
    (one, two)
}

fn filter(name: &str, operator: &str, value: &str, high: &str) -> Value {
    let mut filter = json!({"propertyName": name, "operator": operator, "value": value});
    if operator == "BETWEEN" {
        filter["highValue"] = json!(high);
    }
    filter
}

/// Filter groups that lead along ids, along dates, along both, along neither.
fn questions(ids: &[String]) -> Vec<Value> {
    let (low, middle, high) = (ids[398].as_str(), ids[2_498].as_str(), ids[4_500].as_str());
    let (day, hour) = ("2026-11-01T00:00:00Z", "2026-11-22T12:00:30Z");
    let modified = "lastmodifieddate";
    let mut all = vec![json!([])];
    for operator in ["EQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "NEQ"] {
        // Ids of other lengths compare as text, too.
        for value in [
            low,
            middle,
            "0",
            "3",
            "9",
            "200",
            "20000001",
            "200000000000",
            "2000000000012345",
            "x",
        ] {
            all.push(json!([{"filters": [filter("hs_object_id", operator, value, high)]}]));
        }
        for value in [day, hour, "0", "1795348860000"] {
            all.push(json!([{"filters": [filter(modified, operator, value, "2026-11-10T00:00:00Z")]}]));
        }
    }
    let id = |operator, value| filter("hs_object_id", operator, value, high);
    let date = |operator, value| filter(modified, operator, value, hour);
    let city = filter("city", "EQ", "Old Pudding", "");
    all.extend([
        json!([{"filters": [id("GT", low), id("LTE", middle)]}]),
        json!([{"filters": [id("GT", middle), id("LT", low)]}]),
        json!([{"filters": [date("GTE", day), id("GT", low)]}]),
        json!([{"filters": [date("GTE", day), date("LT", hour)]}]),
        json!([{"filters": [date("GTE", day), city]}]),
        json!([{"filters": [id("LT", middle), city]}]),
        json!([{"filters": [city]}]),
        json!([{"filters": [id("LT", low)]}, {"filters": [id("GTE", high)]}]),
        json!([{"filters": [id("LT", low)]}, {"filters": [date("GTE", hour)]}, {"filters": [city]}]),
    ]);
    all
}

async fn answer(client: &Client, body: &Value) -> (Value, Vec<String>, Value) {
    tokio::time::advance(Duration::from_millis(500)).await;
    let found = client.post("/crm/objects/2026-09/contacts/search", body.clone()).await;
    assert_eq!(found.status, 200, "{}", found.text);
    (found.body["total"].clone(), found.ids(), found.body["paging"].clone())
}

#[tokio::test(start_paused = true)]
async fn every_short_way_ends_where_the_long_one_does() {
    let (one, two) = twins().await;
    let ids = one.all("contacts").await;
    let orders = [
        (json!(["hs_object_id"]), 200, "1400"),
        (json!(["-lastmodifieddate"]), 50, "1150"),
        (json!(["-hs_object_id"]), 200, "0"),
        (json!(["lastmodifieddate"]), 200, "0"),
        (json!([]), 7, "0"),
        (json!(["city"]), 9, "0"),
    ];
    // Each question in one order, another one for the next, so that every kind of question meets most of them.
    for (n, groups) in questions(&ids).into_iter().enumerate() {
        let (sort, limit, after) = &orders[(n + n / 6) % 6];
        let body = json!({"filterGroups": groups, "sorts": sort, "limit": limit, "after": after,
            "properties": ["city"]});
        assert_eq!(answer(&one, &body).await, answer(&two, &body).await, "{body}");
    }
    let words = json!({"query": "wren", "sorts": ["-hs_object_id"], "limit": 200});
    assert_eq!(answer(&one, &words).await, answer(&two, &words).await);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_paged_to_its_end_whatever_was_put_in_order_at_first() {
    let client = client(Settings {
        contacts: 3_000,
        index_lag: Latency::NONE,
        ..settings()
    });
    let mut ids = client.all("contacts").await;
    ids.reverse();
    let mut walked = Vec::new();
    for page in 0..15 {
        let body = json!({"sorts": ["-hs_object_id"], "limit": 200, "after": (page * 200).to_string()});
        walked.extend(answer(&client, &body).await.1);
    }
    assert_eq!(walked, ids);
}

#[tokio::test(start_paused = true)]
async fn what_search_does_not_know_yet_is_not_found_on_a_short_way() {
    let client = client(Settings {
        contacts: MANY,
        index_lag: "5s".parse().unwrap(),
        ..settings()
    });
    let id = client.all("contacts").await[4_400].clone();
    tokio::time::advance(Duration::from_secs(60)).await;
    client
        .post("/__portal/recalculate", json!({"type": "contacts", "id": id}))
        .await;
    let since = json!({"filterGroups": [{"filters": [filter("lastmodifieddate", "GTE", "2026-11-22T12:01:00Z", "")]}],
        "sorts": ["lastmodifieddate"]});
    let by_id = json!({"filterGroups": [{"filters": [filter("hs_object_id", "EQ", &id, "")]}],
        "sorts": ["hs_object_id"], "properties": ["lastmodifieddate"]});
    assert_eq!(answer(&client, &since).await.0, 0);
    assert_eq!(answer(&client, &by_id).await.1, [id.as_str()], "with its old date");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(answer(&client, &since).await.1, [id.as_str()]);
    assert_eq!(answer(&client, &by_id).await.1, [id.as_str()]);
}
