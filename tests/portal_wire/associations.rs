//! Associations as HubSpot's own clients spell and read them.

use serde_json::{Value, json};

use crate::harness::{Client, client, settings};

/// A deal and a contact that are strangers to each other.
async fn strangers(client: &Client) -> (String, String) {
    let deal = client.new_deal("Boat").await;
    let contact = client
        .post(
            "/crm/objects/2026-09/contacts",
            json!({"properties": {"email": "ann@links.example"}}),
        )
        .await;
    (deal, contact.str("/id").to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_default_batch_answers_with_the_ends_it_joined() {
    let client = client(settings());
    let (deal, contact) = strangers(&client).await;
    let inputs = json!({"inputs": [{"from": {"id": deal}, "to": {"id": contact}}]});
    let path = "/crm/v4/associations/deals/contacts/batch/associate/default";
    let answer = client.post(path, inputs).await;
    assert_eq!((answer.status, answer.str("/status")), (200, "COMPLETE"));
    let ends = answer.body["results"].as_array().unwrap();
    let there = json!({"from": {"id": deal}, "to": {"id": contact},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}});
    let back = json!({"from": {"id": contact}, "to": {"id": deal},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 4}});
    assert!(
        ends.len() == 2 && ends.contains(&there) && ends.contains(&back),
        "{ends:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn labels_are_told_under_every_spelling() {
    let client = client(settings());
    let labels = client.get("/crm/associations/2026-09/deals/contacts/labels").await;
    assert_eq!(labels.status, 200);
    for path in ["/crm/v4/associations", "/crm/associations/v4"] {
        let same = client.get(&format!("{path}/deals/contacts/labels")).await;
        assert_eq!(same.body, labels.body, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn v3_names_its_types_and_links_by_name() {
    let client = client(settings());
    let (deal, contact) = strangers(&client).await;
    let at = |what: &str| format!("/crm/v3/associations/deals/contacts/{what}");
    let types = client.get(&at("types")).await;
    assert_eq!(types.body["results"], json!([{"id": "3", "name": "deal_to_contact"}]));
    let companies = client.get("/crm/v3/associations/deals/companies/types").await;
    assert_eq!(
        companies.body["results"],
        json!([{"id": "5", "name": "deal_to_company"}, {"id": "341", "name": "deal_to_company_unlabeled"}])
    );
    let link = json!({"from": {"id": deal}, "to": {"id": contact}, "type": "deal_to_contact"});
    let made = client.post(&at("batch/create"), json!({"inputs": [link]})).await;
    assert_eq!((made.status, &made.body["results"]), (201, &json!([link])));
    let read = client
        .post(&at("batch/read"), json!({"inputs": [{"id": deal}, {"id": "99"}]}))
        .await;
    assert_eq!((read.status, read.str("/results/0/from/id")), (207, deal.as_str()));
    let rows = read.body["results"][0]["to"].as_array().unwrap();
    assert!(
        rows.contains(&json!({"id": contact, "type": "deal_to_contact"})),
        "{rows:?}"
    );
    assert_eq!(
        read.str("/errors/0/subCategory"),
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
    let strange = json!({"from": {"id": deal}, "to": {"id": contact}, "type": "contact_to_deal"});
    let refused = client.post(&at("batch/create"), json!({"inputs": [strange]})).await;
    assert_eq!((refused.status, refused.str("/category")), (400, "VALIDATION_ERROR"));
    assert_eq!(
        client
            .post(&at("batch/archive"), json!({"inputs": [link]}))
            .await
            .status,
        204
    );
    let after = client
        .get(&format!("/crm/objects/2026-09/deals/{deal}/associations/contacts"))
        .await;
    assert_eq!(after.body["results"], Value::Array(Vec::new()));
}
