//! Accounts from a file: what is given stays, what HubSpot would know is filled in, what is printed loads again.

use dealdeck::portal::{Portal, Settings};
use serde_json::json;

use crate::harness::{client, fixture, settings};

#[tokio::test(start_paused = true)]
async fn what_the_portal_prints_loads_into_an_equal_portal() {
    let one = client(Settings { seed: 3, ..settings() });
    let deals = one.all("deals").await;
    one.post(
        "/__portal/merge",
        json!({"type": "deals", "primaryObjectId": deals[0], "objectIdToMerge": deals[1]}),
    )
    .await;
    one.post("/__portal/archive", json!({"type": "deals", "id": deals[2]}))
        .await;
    one.post(
        "/__portal/edit",
        json!({"type": "deals", "id": deals[3], "properties": {"dealstage": "closedwon"}}),
    )
    .await;
    let printed = one.get("/__portal/objects").await.text;
    let untouched = one.witness("objects/companies").await;
    assert_eq!(untouched[0]["history"], json!({}), "a past nobody made is not printed");
    let two = client(Settings {
        fixture: Some(printed.clone()),
        ..settings()
    });
    let again = two.get("/__portal/objects").await.text;
    for (left, right) in printed.lines().zip(again.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(printed.lines().count(), again.lines().count());
    let path = format!("/crm/objects/2026-09/deals/{}", deals[0]);
    assert_eq!(
        one.get(&path).await.str("/id"),
        two.get(&path).await.str("/id"),
        "merges survive"
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_fixture_is_completed_with_what_hubspot_would_know() {
    let client = client(fixture(&[
        json!({"type": "account", "value": {"portalId": 77, "timeZone": "Asia/Tokyo", "companyCurrency": "JPY"}}),
        json!({"type": "owner", "value": {"id": "501", "userId": 9001, "email": "robin@deck.example", "firstName": "Robin", "archived": false}}),
        json!({"type": "deals", "id": "1", "properties": {"dealname": "D1", "amount": "40000", "dealstage": "qualifiedtobuy", "shoe_size": "44"},
            "associations": {"contacts": ["7"], "companies": ["3"]},
            "history": {"dealstage": [{"value": "qualifiedtobuy", "timestamp": "2026-11-01T00:00:00Z", "sourceType": "CRM_UI", "updatedByUserId": 9001}]}}),
        json!({"type": "contacts", "id": "7", "properties": {"email": "pip@teapot.example"}}),
        json!({"type": "companies", "id": "3", "properties": {"name": "Teapot Orbital"}}),
        json!({"type": "list", "value": {"listId": "5", "name": "Tea", "objectTypeId": "0-1", "processingType": "MANUAL"}, "members": ["7"]}),
    ]));
    assert_eq!(client.portal.portal_id(), 77);
    let names = "hs_deal_stage_probability,hs_projected_amount,pipeline,hs_is_closed,hs_v2_date_entered_current_stage,\
                 num_associated_contacts,shoe_size,amount_in_home_currency";
    let deal = client.get(&format!("/crm/objects/2026-09/deals/1?properties={names}&associations=contacts,companies&propertiesWithHistory=dealstage")).await;
    let p = &deal.body["properties"];
    assert_eq!(
        (
            &p["pipeline"],
            &p["hs_deal_stage_probability"],
            &p["hs_projected_amount"]
        ),
        (&json!("default"), &json!("0.4"), &json!("16000"))
    );
    assert_eq!(
        (&p["hs_is_closed"], &p["num_associated_contacts"], &p["shoe_size"]),
        (&json!("false"), &json!("1"), &json!("44"))
    );
    assert_eq!(p["hs_v2_date_entered_current_stage"], "2026-11-01T00:00:00Z");
    assert_eq!(deal.str("/associations/companies/results/0/id"), "3");
    assert_eq!(
        deal.body["propertiesWithHistory"]["dealstage"][0]["updatedByUserId"],
        9001
    );
    let primary = client.get("/crm/objects/2026-09/deals/1/associations/companies").await;
    let types: Vec<u64> = primary.body["results"][0]["associationTypes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["typeId"].as_u64().unwrap())
        .collect();
    assert_eq!(types, [5, 341]);
    let details = client.get("/account-info/2026-09/details").await;
    assert_eq!(
        (details.str("/companyCurrency"), details.str("/timeZone")),
        ("JPY", "Asia/Tokyo")
    );
    assert_eq!(
        client.get("/crm/pipelines/2026-09/tickets").await.str("/results/0/id"),
        "0"
    );
    assert_eq!(
        client
            .get("/crm/lists/2026-09/5/memberships")
            .await
            .str("/results/0/recordId"),
        "7"
    );
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let open = |text: &str| match Portal::new(Settings {
        fixture: Some(text.to_owned()),
        ..settings()
    }) {
        Ok(_) => panic!("'{text}' was accepted"),
        Err(error) => error.to_string(),
    };
    let good = r#"{"type":"deals","id":"1"}"#;
    assert!(open(&format!("{good}\nnot json")).starts_with("fixture line 2: expected"));
    assert_eq!(
        open(r#"{"type":"deals","id":"x"}"#),
        "fixture line 1: the id \"x\" is not a number"
    );
    assert_eq!(
        open(r#"{"type":"ships","id":"1"}"#),
        "fixture line 1: 'ships' is not an object type, and not a part of an account"
    );
    assert!(
        Portal::new(Settings {
            time_zone: "Mars/Olympus".to_owned(),
            ..settings()
        })
        .is_err()
    );
}
