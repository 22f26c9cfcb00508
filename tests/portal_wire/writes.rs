//! Writing: refusals, side effects, notes, histories, merges, archives.

use std::time::Duration;

use dealdeck::portal::Settings;
use serde_json::{Value, json};

use crate::harness::{client, settings};

const DEALS: &str = "/crm/objects/2026-09/deals";

#[tokio::test(start_paused = true)]
async fn all_bad_values_are_refused_together_and_nothing_is_written() {
    let client = client(settings());
    let id = client.new_deal("Kites").await;
    let path = format!("{DEALS}/{id}");
    let values = json!({"foo": "1", "amount": "lots", "hs_projected_amount": "1", "closedate": "soon", "hubspot_owner_id": "1", "dealname": "Kites!"});
    let answer = client.patch(&path, json!({"properties": values})).await;
    assert_eq!((answer.status, answer.str("/category")), (400, "VALIDATION_ERROR"));
    let told: Vec<(&str, &str)> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["context"]["propertyName"][0].as_str().unwrap(),
                e["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("amount", "INVALID_NUMERIC"),
            ("closedate", "INVALID_DATE"),
            ("foo", "PROPERTY_DOESNT_EXIST"),
            ("hs_projected_amount", "READ_ONLY_VALUE"),
            ("hubspot_owner_id", "INVALID_OWNER_ID"),
        ]
    );
    let list = answer
        .str("/message")
        .strip_prefix("Property values were not valid: ")
        .unwrap();
    let rows: Value = serde_json::from_str(list).unwrap();
    assert_eq!(
        (&rows[2]["message"], &rows[2]["isValid"]),
        (&json!("Property \"foo\" does not exist"), &json!(false))
    );
    assert_eq!(client.get(&path).await.str("/properties/dealname"), "Kites");
    let stage = client.patch(&path, json!({"properties": {"dealstage": "xyz"}})).await;
    assert!(stage.str("/errors/0/message").starts_with(
        "xyz is not a valid pipeline stage ID. Valid options are: pipelineId=default : [appointmentscheduled, qualifiedtobuy,"
    ));
    let broken = client.send("PATCH", &path, Some(json!([1]))).await;
    assert!(
        broken
            .str("/message")
            .starts_with("Invalid input JSON on line 1, column")
    );
}

#[tokio::test(start_paused = true)]
async fn a_stage_move_sets_dates_probability_and_the_weighted_amount() {
    let client = client(settings());
    let id = client.new_deal("Lanterns").await;
    let path = format!("{DEALS}/{id}");
    tokio::time::advance(Duration::from_hours(1)).await;
    let moved = client
        .patch(&path, json!({"properties": {"dealstage": "contractsent"}}))
        .await;
    let p = &moved.body["properties"];
    assert_eq!(
        (&p["hs_deal_stage_probability"], &p["hs_projected_amount"]),
        (&json!("0.9"), &json!("900"))
    );
    assert_eq!((&p["hs_is_closed"], &p["closedate"]), (&json!("false"), &Value::Null));
    tokio::time::advance(Duration::from_hours(1)).await;
    client
        .patch(&path, json!({"properties": {"dealstage": "closedwon"}}))
        .await;
    let names = "hs_is_closed,hs_is_closed_won,hs_is_closed_lost,closedate,hs_closed_amount,hs_v2_date_entered_contractsent,\
                 hs_v2_date_exited_contractsent,hs_v2_date_entered_closedwon,hs_v2_date_entered_current_stage,\
                 hs_updated_by_user_id,amount_in_home_currency";
    let deal = client
        .get(&format!("{path}?properties={names}&propertiesWithHistory=dealstage"))
        .await;
    let p = &deal.body["properties"];
    assert_eq!(
        (&p["hs_is_closed"], &p["hs_is_closed_won"], &p["hs_is_closed_lost"]),
        (&json!("true"), &json!("true"), &json!("false"))
    );
    assert_eq!(
        (&p["closedate"], &p["hs_closed_amount"]),
        (&json!("2026-11-22T14:00:00Z"), &json!("1000"))
    );
    assert_eq!(p["hs_v2_date_entered_contractsent"], "2026-11-22T13:00:00Z");
    assert_eq!(p["hs_v2_date_exited_contractsent"], "2026-11-22T14:00:00Z");
    assert_eq!(p["hs_v2_date_entered_current_stage"], "2026-11-22T14:00:00Z");
    assert_eq!(p["amount_in_home_currency"], "1000");
    let history = deal.body["propertiesWithHistory"]["dealstage"].as_array().unwrap();
    let values: Vec<&str> = history.iter().map(|entry| entry["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["closedwon", "contractsent", "appointmentscheduled"]);
    assert_eq!(history[0]["sourceType"], "INTEGRATION");
    let again = client
        .patch(&path, json!({"properties": {"dealstage": "closedwon"}}))
        .await;
    assert_eq!(again.status, 200);
    let deal = client.get(&format!("{path}?propertiesWithHistory=dealstage")).await;
    assert_eq!(
        deal.body["propertiesWithHistory"]["dealstage"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "no news, no history"
    );
}

#[tokio::test(start_paused = true)]
async fn strict_rules_ask_for_a_lost_reason_from_2026_09_on() {
    let client = client(Settings {
        strict_rules: true,
        ..settings()
    });
    let id = client.new_deal("Bagpipes").await;
    let lost = json!({"properties": {"dealstage": "closedlost"}});
    let refused = client.patch(&format!("{DEALS}/{id}"), lost.clone()).await;
    assert_eq!(
        (refused.status, refused.str("/message")),
        (400, "The property values provided are invalid")
    );
    assert_eq!(refused.str("/errors/0/code"), "MISSING_CONDITIONAL_REQUIRED_PROPERTY");
    assert_eq!(
        refused.body["errors"][0]["context"]["propertyName"],
        json!(["closed_lost_reason"])
    );
    let told = json!({"properties": {"dealstage": "closedlost", "closed_lost_reason": "Price"}});
    assert_eq!(client.patch(&format!("{DEALS}/{id}"), told).await.status, 200);
    let other = client.new_deal("Kazoos").await;
    assert_eq!(
        client
            .patch(&format!("/crm/v3/objects/deals/{other}"), lost)
            .await
            .status,
        200,
        "v3 ignores rules"
    );
}

#[tokio::test(start_paused = true)]
async fn a_note_with_inline_associations_is_one_call_and_moves_the_activity_date() {
    let client = client(settings());
    let deal = client.new_deal("Submarines").await;
    let note = |to: &str, kind: u32| {
        json!({"properties": {"hs_timestamp": "2026-11-22T12:30:00Z", "hs_note_body": "<p>Hello</p>"},
            "associations": [{"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]}]})
    };
    let created = client.post("/crm/objects/2026-09/notes", note(&deal, 214)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert!(created.header("Location").is_some());
    let links = client.get(&format!("{DEALS}/{deal}/associations/notes")).await;
    assert_eq!(links.body["results"][0]["toObjectId"].to_string(), created.str("/id"));
    let path =
        format!("{DEALS}/{deal}?properties=notes_last_updated,num_notes,notes_next_activity_date&associations=notes");
    let read = client.get(&path).await;
    assert_eq!(read.str("/properties/num_notes"), "1");
    assert_eq!(read.str("/associations/notes/results/0/type"), "deal_to_note");
    let refused = client.post("/crm/objects/2026-09/notes", note("17", 214)).await;
    assert_eq!(
        (refused.status, refused.str("/message")),
        (400, "One or more associations are invalid")
    );
    assert_eq!(refused.body["context"]["INVALID_OBJECT_IDS"], json!(["17"]));
    let bare = client
        .post(
            "/crm/objects/2026-09/notes",
            json!({"properties": {"hs_note_body": "x"}}),
        )
        .await;
    assert_eq!(bare.body["context"], json!({"properties": ["hs_timestamp"]}));
    assert_eq!(
        client
            .witness("objects/notes")
            .await
            .iter()
            .filter(|n| n["properties"]["hs_note_body"] == "<p>Hello</p>")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn associations_are_put_labelled_and_removed_from_both_sides() {
    let client = client(settings());
    let deal = client.new_deal("Windmills").await;
    let contact = client.all("contacts").await[0].clone();
    let path = format!("{DEALS}/{deal}/associations");
    assert_eq!(
        client
            .send("PUT", &format!("{path}/default/contacts/{contact}"), None)
            .await
            .status,
        200
    );
    let types = json!([{"associationCategory": "USER_DEFINED", "associationTypeId": 1}]);
    let labelled = client
        .send("PUT", &format!("{path}/contacts/{contact}"), Some(types))
        .await;
    assert_eq!(labelled.body["labels"], json!(["Champion"]));
    let back = client
        .get(&format!(
            "/crm/v4/objects/contacts/{contact}/associations/deals?limit=500"
        ))
        .await;
    let row = back.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["toObjectId"] == deal.parse::<u64>().unwrap())
        .unwrap();
    assert_eq!(
        row["associationTypes"],
        json!([{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": null},
            {"category": "USER_DEFINED", "typeId": 2, "label": "Champion"}])
    );
    let counted = client
        .get(&format!("{DEALS}/{deal}?properties=num_associated_contacts"))
        .await;
    assert_eq!(counted.str("/properties/num_associated_contacts"), "1");
    assert_eq!(
        client
            .send("DELETE", &format!("{path}/contacts/{contact}"), None)
            .await
            .status,
        204
    );
    assert_eq!(client.get(&format!("{path}/contacts")).await.body["results"], json!([]));
    let company = client.all("companies").await[7].clone();
    let newcomer = client
        .post(
            "/crm/objects/2026-09/contacts",
            json!({"properties": {"firstname": "Pip"}}),
        )
        .await
        .str("/id")
        .to_owned();
    let person = format!("/crm/objects/2026-09/contacts/{newcomer}");
    client
        .send(
            "PUT",
            &format!("{person}/associations/default/companies/{company}"),
            None,
        )
        .await;
    let read = client.get(&format!("{person}?properties=associatedcompanyid")).await;
    assert_eq!(
        read.str("/properties/associatedcompanyid"),
        company,
        "a first company is the primary one"
    );
    let labels = client.get("/crm/associations/2026-09/deals/contacts/labels").await;
    assert_eq!(labels.body["results"].as_array().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn dates_are_normalised_and_2026_09_says_so() {
    let client = client(settings());
    let id = client.new_deal("Sundials").await;
    let day = json!({"properties": {"closedate": "2026-12-24"}});
    let answer = client.patch(&format!("{DEALS}/{id}"), day.clone()).await;
    assert_eq!(answer.str("/properties/closedate"), "2026-12-24T00:00:00Z");
    assert_eq!(answer.str("/warnings/0/category"), "PROPERTY_VALUE_NORMALIZED");
    let cleared = client
        .patch(&format!("{DEALS}/{id}"), json!({"properties": {"closedate": ""}}))
        .await;
    assert_eq!(cleared.body["properties"]["closedate"], Value::Null);
    let older = client.patch(&format!("/crm/objects/2026-03/deals/{id}"), day).await;
    assert!(older.body.get("warnings").is_none());
}
