//! Reading records: lists, single records, batches, associations, the account around them.

use std::collections::BTreeSet;

use dealdeck::portal::{CursorKind, Settings};
use serde_json::{Value, json};

use crate::harness::{client, settings};

#[tokio::test(start_paused = true)]
async fn a_list_is_walked_once_and_in_order_by_either_cursor() {
    for cursor in [CursorKind::Id, CursorKind::Opaque] {
        let client = client(Settings { cursor, ..settings() });
        let ids: Vec<u64> = client
            .all("contacts")
            .await
            .iter()
            .map(|id| id.parse().unwrap())
            .collect();
        assert_eq!(ids.len(), 120);
        assert!(ids.is_sorted() && ids[0] > 1_000_000);
        let page = client.get("/crm/v3/objects/contacts?limit=7&properties=email").await;
        assert_eq!(page.ids().len(), 7);
        assert!(page.str("/paging/next/link").contains("properties=email"));
        let invented = format!("/crm/objects/2026-09/contacts?after={}", ids[60]);
        let jumped = client.get(&invented).await;
        match cursor {
            CursorKind::Id => assert_eq!(jumped.ids()[0], ids[60].to_string()),
            CursorKind::Opaque => assert_eq!(jumped.status, 400, "an opaque cursor cannot be invented"),
        }
        assert_eq!(client.get("/crm/objects/2026-09/contacts?limit=101").await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn properties_are_texts_sorted_null_when_unset_and_dropped_when_unknown() {
    let client = client(settings());
    let id = client.new_deal("Teapot").await;
    let path = format!("/crm/objects/2026-09/deals/{id}?properties=hs_next_step,amount,no_such_thing");
    let deal = client.get(&path).await;
    let properties = deal.body["properties"].as_object().unwrap();
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "amount",
            "createdate",
            "hs_lastmodifieddate",
            "hs_next_step",
            "hs_object_id"
        ]
    );
    assert_eq!(
        (&properties["amount"], &properties["hs_next_step"]),
        (&json!("1000"), &Value::Null)
    );
    let bare = client.get(&format!("/crm/objects/2026-09/deals/{id}")).await;
    assert_eq!(bare.body["properties"].as_object().unwrap().len(), 8);
    assert_eq!(bare.str("/createdAt"), "2026-11-22T12:00:00Z");
    assert!(bare.str("/url").ends_with(&format!("/record/0-3/{id}")));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_said_in_hubspots_words() {
    let client = client(settings());
    let unknown = client.get("/crm/objects/2026-09/deals/17").await;
    assert_eq!((unknown.status, unknown.str("/message")), (404, "resource not found"));
    assert!(unknown.body.get("category").is_none());
    let text = client.get("/crm/objects/2026-09/deals/abc").await;
    assert_eq!(text.str("/message"), "Object not found.  objectId are usually numeric.");
    assert_eq!(text.body["context"], json!({"id": ["abc"]}));
    let kind = client.get("/crm/objects/2026-09/butterflies").await;
    assert_eq!(
        (kind.status, kind.str("/message")),
        (400, "Unable to infer object type from: butterflies")
    );
    assert_eq!(client.get("/crm/objects/2031-03/deals").await.status, 404);
    let page = client.get("/nowhere").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (404, Some("text/html; charset=UTF-8"))
    );
    assert_eq!(page.header("X-HubSpot-Correlation-Id").map(str::len), Some(36));
}

#[tokio::test(start_paused = true)]
async fn a_batch_read_finds_what_there_is_and_names_the_rest() {
    let client = client(settings());
    let ids = client.all("contacts").await;
    let inputs: Vec<Value> = ids
        .iter()
        .take(3)
        .map(|id| json!({"id": id}))
        .chain([json!({"id": "99"})])
        .collect();
    let answer = client
        .post(
            "/crm/objects/2026-09/contacts/batch/read",
            json!({"inputs": inputs, "properties": ["email"]}),
        )
        .await;
    assert_eq!(answer.status, 207);
    assert_eq!(
        answer.ids().into_iter().collect::<BTreeSet<_>>(),
        ids[..3].iter().cloned().collect()
    );
    assert_eq!(answer.body["errors"][0]["context"], json!({"ids": ["99"]}));
    assert_eq!(
        answer.body["errors"][0]["message"],
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    );
    let email = answer.str("/results/0/properties/email").replace('@', "%40");
    let found = client
        .get(&format!("/crm/objects/2026-09/contacts/{email}?idProperty=email"))
        .await;
    assert_eq!(found.body["id"], answer.body["results"][0]["id"]);
    let many: Vec<Value> = (0..51).map(|id| json!({"id": id.to_string()})).collect();
    let history = json!({"inputs": many, "propertiesWithHistory": ["email"]});
    let refused = client.post("/crm/objects/2026-09/contacts/batch/read", history).await;
    assert!(refused.str("/message").contains("for property histories is 50"));
}

#[tokio::test(start_paused = true)]
async fn associations_read_the_same_from_both_sides() {
    let client = client(settings());
    let deals = client.all("deals").await;
    let inputs: Vec<Value> = deals.iter().map(|id| json!({"id": id})).collect();
    for (to, there, back) in [
        ("contacts", 3, 4),
        ("companies", 341, 342),
        ("notes", 213, 214),
        ("calls", 205, 206),
        ("emails", 209, 210),
        ("meetings", 211, 212),
    ] {
        let path = format!("/crm/associations/2026-09/deals/{to}/batch/read");
        let answer = client.post(&path, json!({"inputs": inputs})).await;
        let results = answer.body["results"].as_array().unwrap();
        assert!(!results.is_empty(), "some deals have {to}");
        for result in results.iter().take(5) {
            let (deal, other) = (result["from"]["id"].as_str().unwrap(), &result["to"][0]);
            let has = |link: &Value, id: u64| {
                link["associationTypes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|t| t["typeId"] == id)
            };
            assert!(has(other, there));
            let path = format!("/crm/objects/2026-09/{to}/{}/associations/deals", other["toObjectId"]);
            let mirrored = client.get(&path).await;
            let rows = mirrored.body["results"].as_array().unwrap();
            assert!(
                rows.iter()
                    .any(|row| row["toObjectId"] == deal.parse::<u64>().unwrap() && has(row, back)),
                "{to} of {deal}"
            );
        }
    }
    let answer = client
        .post(
            "/crm/associations/2026-09/deals/tickets/batch/read",
            json!({"inputs": [{"id": deals[0]}]}),
        )
        .await;
    assert_eq!(answer.status, 207);
    assert_eq!(
        answer.body["errors"][0]["subCategory"],
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
}

#[tokio::test(start_paused = true)]
async fn the_account_describes_itself() {
    let client = client(settings());
    let details = client.get("/account-info/2026-09/details").await;
    assert_eq!(
        (details.str("/timeZone"), details.str("/utcOffset")),
        ("US/Eastern", "-05:00")
    );
    assert_eq!(details.str("/companyCurrency"), "USD");
    let pipelines = client.get("/crm/pipelines/2026-09/deals").await;
    let won = &pipelines.body["results"][0]["stages"][5];
    assert_eq!(
        (&won["id"], &won["metadata"]),
        (&json!("closedwon"), &json!({"isClosed": "true", "probability": "1.0"}))
    );
    assert_eq!(pipelines.str("/results/1/label"), "Renewals");
    let owners = client.get("/crm/owners/v3?archived=True").await;
    assert_eq!(owners.status, 404);
    let archived = client.get("/crm/v3/owners?archived=True").await;
    assert_eq!(
        (
            archived.body["results"].as_array().unwrap().len(),
            &archived.body["results"][0]["userId"]
        ),
        (1, &Value::Null)
    );
    let amount = client.get("/crm/properties/2026-09/deals/amount").await;
    assert_eq!(
        (
            amount.str("/type"),
            &amount.body["modificationMetadata"]["readOnlyValue"]
        ),
        ("number", &json!(false))
    );
    assert_eq!(
        client.get("/crm/properties/2026-09/deals/nope").await.str("/category"),
        "OBJECT_NOT_FOUND"
    );
    let lists = client.post("/crm/lists/2026-09/search", json!({"count": 1})).await;
    assert_eq!(
        (&lists.body["hasMore"], &lists.body["total"]),
        (&json!(true), &json!(3))
    );
    let members = client
        .get(&format!(
            "/crm/lists/2026-09/{}/memberships?limit=2",
            lists.str("/lists/0/listId")
        ))
        .await;
    assert_eq!(members.body["results"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_account_and_another_seed_another() {
    let print = |seed| async move {
        client(Settings { seed, ..settings() })
            .get("/__portal/objects")
            .await
            .text
    };
    let (one, two, other) = (print(7).await, print(7).await, print(8).await);
    assert_eq!(one, two);
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn a_generated_account_has_what_a_pipeline_review_needs() {
    let client = client(Settings {
        deals: 400,
        ..settings()
    });
    let deals = client.witness("objects/deals").await;
    let count = |test: &dyn Fn(&Value) -> bool| deals.iter().filter(|deal| test(&deal["properties"])).count();
    let open = count(&|p| p["hs_is_closed"] == "false");
    assert!((260..360).contains(&open), "{open} open deals");
    assert!(count(&|p| p["hs_is_closed_won"] == "true") > 20 && count(&|p| p["hs_is_closed_lost"] == "true") > 10);
    assert!(count(&|p| p["pipeline"] == "128934500") > 20);
    assert!(count(&|p| p.get("amount").is_none()) > 5 && count(&|p| p["amount"] == "0") > 2);
    assert!(count(&|p| p["deal_currency_code"] == "EUR") > 3);
    let overdue = count(&|p| p["hs_is_closed"] == "false" && p["closedate"].as_str().is_some_and(|d| d < "2026-11-22"));
    assert!(overdue > 20 && overdue < open / 2, "{overdue} of {open} overdue");
    assert!(deals.iter().any(|deal| {
        deal["history"]["closedate"]
            .as_array()
            .is_some_and(|past| past.len() > 1)
    }));
    for deal in &deals {
        let p = &deal["properties"];
        let entered = format!("hs_v2_date_entered_{}", p["dealstage"].as_str().unwrap());
        assert_eq!(p[&entered], p["hs_v2_date_entered_current_stage"], "{deal}");
        assert!(p["createdate"].as_str() <= p["hs_lastmodifieddate"].as_str());
        assert_eq!(deal["history"]["dealstage"][0]["value"], p["dealstage"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_million_contacts_are_there_at_once() {
    let client = client(Settings {
        contacts: 1_000_000,
        companies: 2_000,
        ..settings()
    });
    let first = client.get("/crm/objects/2026-09/contacts?limit=1").await;
    let last: u64 = first.ids()[0].parse::<u64>().unwrap() + 8 * 999_990;
    let page = client
        .get(&format!("/crm/objects/2026-09/contacts?limit=100&after={last}"))
        .await;
    assert!((5..=15).contains(&page.ids().len()));
    assert!(page.body.get("paging").is_none());
    let email = page.str("/results/0/properties/email").to_owned();
    let found = client
        .get(&format!("/crm/objects/2026-09/contacts/{email}?idProperty=email"))
        .await;
    assert_eq!(found.body["id"], page.body["results"][0]["id"]);
}
