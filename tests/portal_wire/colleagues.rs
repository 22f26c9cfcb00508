//! What other people do meanwhile, and what HubSpot does by itself, through the witness's endpoints.

use std::time::Duration;

use dealdeck::portal::{Latency, Portal, Settings};
use serde_json::{Value, json};

use crate::harness::{Client, client, settings};

const LATER: &str = "2026-11-22T13:00:00Z";

async fn record(client: &Client, object: &str, id: &str) -> Value {
    let rows = client.witness(&format!("objects/{object}")).await;
    rows.into_iter().find(|row| row["id"] == id).unwrap()
}

async fn later() {
    tokio::time::advance(Duration::from_hours(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_restored_record_is_live_again_with_its_associations_and_a_new_modified_date() {
    let client = client(Settings {
        index_lag: "5s".parse::<Latency>().unwrap(),
        ..settings()
    });
    let contacts = client.witness("objects/contacts").await;
    let linked = contacts
        .iter()
        .find(|row| row["associations"]["deals"].is_array())
        .unwrap();
    let (id, email) = (linked["id"].as_str().unwrap(), &linked["properties"]["email"]);
    let deal = linked["associations"]["deals"][0].as_str().unwrap();
    let counted = record(&client, "deals", deal).await["properties"]["num_associated_contacts"].clone();
    let named = json!({"type": "contacts", "id": id});
    let not_archived = client.post("/__portal/restore", named.clone()).await;
    assert_eq!(not_archived.status, 404);
    client.post("/__portal/archive", named.clone()).await;
    let fewer = record(&client, "deals", deal).await;
    assert_ne!(
        fewer["properties"]["num_associated_contacts"], counted,
        "the deal counts anew"
    );
    later().await;
    let back = client.post("/__portal/restore", named.clone()).await;
    assert_eq!(
        (back.status, &back.body["archived"]),
        (200, &json!(false)),
        "{}",
        back.text
    );
    assert_eq!(back.body["properties"]["lastmodifieddate"], LATER);
    assert_eq!(back.body["associations"], linked["associations"]);
    assert_eq!(
        record(&client, "deals", deal).await["properties"]["num_associated_contacts"],
        counted
    );
    let path = format!("/crm/objects/2026-09/contacts/{id}");
    assert_eq!(client.get(&path).await.status, 200);
    let search = json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": email}]}]});
    let find = || client.post("/crm/objects/2026-09/contacts/search", search.clone());
    assert_eq!(find().await.body["total"], 0, "search learns of it after the lag");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(find().await.body["total"], 1);
    // Its address counts again as taken, and a taken address keeps another one archived.
    let taken = json!({"properties": {"email": email}});
    assert_eq!(
        client.post("/crm/objects/2026-09/contacts", taken.clone()).await.status,
        409
    );
    client.post("/__portal/archive", named.clone()).await;
    assert_eq!(client.post("/crm/objects/2026-09/contacts", taken).await.status, 201);
    assert_eq!(client.post("/__portal/restore", named).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn a_recalculated_record_differs_in_nothing_but_its_modified_date() {
    let client = client(settings());
    for (object, modified) in [("contacts", "lastmodifieddate"), ("deals", "hs_lastmodifieddate")] {
        let id = client.all(object).await[3].clone();
        let before = record(&client, object, &id).await;
        let body = json!({"type": object, "id": id});
        let mut once = client.post("/__portal/recalculate", body.clone()).await.body;
        let mut twice = client.post("/__portal/recalculate", body).await.body;
        let date = |row: &Value| {
            row["properties"][modified]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let dates = [&before, &once, &twice].map(date);
        assert!(dates[0] < dates[1] && dates[1] < dates[2], "{dates:?}");
        for row in [&mut once, &mut twice] {
            row["properties"][modified] = before["properties"][modified].clone();
            assert_eq!(*row, before);
        }
    }
    let unknown = client
        .post("/__portal/recalculate", json!({"type": "deals", "id": "17"}))
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_for_good_is_nowhere_and_stays_there() {
    let client = client(settings());
    let id = client.all("contacts").await[5].clone();
    let named = json!({"type": "contacts", "id": id});
    assert_eq!(client.post("/__portal/gdpr-delete", named.clone()).await.status, 204);
    let path = format!("/crm/objects/2026-09/contacts/{id}");
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(client.get(&format!("{path}?archived=true")).await.status, 404);
    assert_eq!(client.post("/__portal/restore", named.clone()).await.status, 404);
    assert_eq!(client.post("/__portal/gdpr-delete", named).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn colleagues_link_and_unlink_and_the_counts_move_the_modified_dates() {
    let client = client(settings());
    let company = client.all("companies").await[2].clone();
    let body = json!({"properties": {"email": "ann@links.example"}});
    let contact = client
        .post("/crm/objects/2026-09/contacts", body)
        .await
        .str("/id")
        .to_owned();
    let deal = client.new_deal("Hammocks").await;
    let before = record(&client, "companies", &company).await["properties"].clone();
    let count = |row: &Value, name: &str| row[name].as_str().map_or(0, |text| text.parse::<i32>().unwrap());
    let ends =
        |other: &str, id: &str| json!({"from": {"type": "companies", "id": company}, "to": {"type": other, "id": id}});
    later().await;
    for (what, more, time) in [("link", 1, LATER), ("unlink", 0, "2026-11-22T14:00:00Z")] {
        for (other, id, name) in [
            ("contacts", &contact, "num_associated_contacts"),
            ("deals", &deal, "num_associated_deals"),
        ] {
            let told = client.post(&format!("/__portal/{what}"), ends(other, id)).await;
            assert_eq!(told.status, 200, "{}", told.text);
            let now = &told.body["properties"];
            assert_eq!(count(now, name), count(&before, name) + more, "{what} {other}");
            assert_eq!(now["hs_lastmodifieddate"], time, "{what} {other}");
        }
        let person = record(&client, "contacts", &contact).await;
        let named = person["properties"].get("associatedcompanyid");
        assert_eq!(named.is_some(), what == "link");
        assert_eq!(
            person["properties"]["lastmodifieddate"], time,
            "its company is a property of its own"
        );
        let linked = client
            .get(&format!("/crm/objects/2026-09/deals/{deal}/associations/companies"))
            .await;
        assert_eq!(linked.body["results"].as_array().unwrap().len(), more as usize);
        // The same once more is no news.
        later().await;
        let again = client.post(&format!("/__portal/{what}"), ends("deals", &deal)).await;
        assert_eq!(again.body["properties"]["hs_lastmodifieddate"], time, "{what} again");
    }
    let pair = json!({"from": {"type": "notes", "id": "1"}, "to": {"type": "deals", "id": deal}});
    assert_eq!(client.post("/__portal/link", pair).await.status, 404);
    assert_eq!(
        client
            .post("/__portal/link", json!({"from": {"type": "deals"}}))
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_colleague_changes_a_list_without_costing_a_request() {
    let client = client(settings());
    let contacts = client.all("contacts").await;
    let members = client.get("/crm/lists/2026-09/102/memberships").await;
    let member = members.str("/results/0/recordId").to_owned();
    let stranger = contacts.iter().find(|id| !members.text.contains(*id)).unwrap();
    let asked = client.witness("requests").await.len();
    let body = json!({"list_id": "102", "add": [stranger, "99"], "remove": [member]});
    let changed = client.post("/__portal/list", body).await;
    assert_eq!(
        changed.body,
        json!({"recordsIdsAdded": [stranger], "recordIdsRemoved": [member], "recordIdsMissing": ["99"]})
    );
    assert_eq!(client.witness("requests").await.len(), asked);
    let now = client.get("/crm/lists/2026-09/102/memberships").await;
    assert!(now.text.contains(stranger) && !now.text.contains(&member));
    let dynamic = json!({"list_id": 103, "add": [stranger]});
    assert_eq!(client.post("/__portal/list", dynamic).await.status, 400);
    assert_eq!(
        client.post("/__portal/list", json!({"list_id": "77"})).await.status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn everything_the_help_names_is_there() {
    let client = client(settings());
    let help = Portal::witness_help();
    let names = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(" "))
        .map(|(name, _)| name);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    assert_eq!(names.len(), 10, "{help}");
    for name in names {
        let empty = client.post(&format!("/__portal/{name}"), json!({})).await;
        let refused = (empty.status, empty.body.get("category").is_some());
        assert!(matches!(refused, (400, _) | (404, true)), "{name}: {}", empty.text);
    }
    assert_eq!(
        client.post("/__portal/dance", json!({})).await.body.get("category"),
        None
    );
}
