//! Property definitions and pipelines: made, changed, taken away, and refused while they are in use.

use dealdeck::portal::Settings;
use serde_json::json;

use crate::harness::{client, settings};

#[tokio::test(start_paused = true)]
async fn a_definition_is_made_changed_archived_and_restored() {
    let client = client(settings());
    let path = "/crm/properties/2026-09/deals";
    let own = json!({"name": "flavour", "label": "Flavour", "type": "enumeration", "fieldType": "select",
        "groupName": "dealinformation", "options": [{"label": "Mint", "value": "mint", "displayOrder": 0, "hidden": false}]});
    assert_eq!(client.post(path, own.clone()).await.status, 201);
    let twice = client.post(path, own.clone()).await;
    assert_eq!((twice.status, twice.str("/category")), (409, "OBJECT_ALREADY_EXISTS"));
    assert_eq!(twice.str("/subCategory"), "Properties.PROPERTY_WITH_NAME_EXISTS");
    let options = json!([{"label": "Lemon", "value": "lemon", "displayOrder": 0, "hidden": false}]);
    let changed = client
        .patch(&format!("{path}/flavour"), json!({"options": options}))
        .await;
    assert_eq!(
        (changed.status, &changed.body["options"]),
        (200, &options),
        "options are replaced"
    );
    let deal = client.new_deal("Sweet").await;
    let deal = format!("/crm/objects/2026-09/deals/{deal}");
    let mint = client.patch(&deal, json!({"properties": {"flavour": "mint"}})).await;
    assert_eq!(mint.str("/errors/0/code"), "INVALID_OPTION");
    assert_eq!(
        client
            .patch(&deal, json!({"properties": {"flavour": "lemon"}}))
            .await
            .status,
        200
    );
    assert_eq!(
        client.send("DELETE", &format!("{path}/flavour"), None).await.status,
        204
    );
    assert_eq!(client.get(&format!("{path}/flavour")).await.status, 404);
    let archived = client.get(&format!("{path}?archived=true")).await;
    assert_eq!(archived.str("/results/0/name"), "flavour");
    let lost = client.patch(&deal, json!({"properties": {"flavour": "lemon"}})).await;
    assert_eq!(lost.str("/errors/0/code"), "PROPERTY_DOESNT_EXIST");
    assert_eq!(
        client.post(path, own).await.status,
        201,
        "creating an archived name restores it"
    );
    assert_eq!(
        client
            .get(&format!("{deal}?properties=flavour"))
            .await
            .str("/properties/flavour"),
        "lemon"
    );
    assert_eq!(
        client.send("DELETE", &format!("{path}/dealname"), None).await.status,
        400
    );
    let read = client
        .post(
            &format!("{path}/batch/read"),
            json!({"inputs": [{"name": "amount"}, {"name": "nope"}]}),
        )
        .await;
    assert_eq!(
        (read.status, read.str("/results/0/name"), &read.body["numErrors"]),
        (207, "amount", &json!(1))
    );
    let group = json!({"name": "tastes", "label": "Tastes"});
    assert_eq!(client.post(&format!("{path}/groups"), group).await.status, 201);
    let groups = client.get(&format!("{path}/groups")).await;
    assert_eq!(
        (groups.str("/results/0/name"), groups.str("/results/1/name")),
        ("dealinformation", "tastes")
    );
    let limits = client.get("/crm/limits/2026-09/custom-properties").await;
    let deals = &limits.body["byObjectType"][2];
    assert_eq!((&deals["objectTypeId"], &deals["usage"]), (&json!("0-3"), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_stage_in_use_stays_from_2026_09_on() {
    let client = client(Settings { deals: 0, ..settings() });
    let made = client
        .post(
            "/crm/pipelines/2026-09/deals",
            json!({"label": "Partners", "displayOrder": 5, "stages": [
                {"label": "Met", "displayOrder": 0, "metadata": {"probability": "0.3"}},
                {"label": "Signed", "displayOrder": 1, "metadata": {"probability": "1.0"}}]}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.body["stages"][1]["metadata"],
        json!({"probability": "1.0", "isClosed": "true"})
    );
    let (pipeline, stage) = (made.str("/id").to_owned(), made.str("/stages/0/id").to_owned());
    let deal = client
        .post(
            "/crm/objects/2026-09/deals",
            json!({"properties": {"dealname": "P", "pipeline": pipeline, "dealstage": stage}}),
        )
        .await;
    let deal = deal.str("/id").to_owned();
    let path = format!("/crm/pipelines/2026-09/deals/{pipeline}/stages/{stage}");
    let refused = client.send("DELETE", &path, None).await;
    assert_eq!(
        (refused.status, refused.str("/subCategory")),
        (400, "PipelineError.STAGE_ID_IN_USE")
    );
    assert_eq!(
        refused.str("/message"),
        format!("Stage IDs: [{stage}] are being referenced by object IDs: [{deal}]")
    );
    assert_eq!(
        refused.body["context"],
        json!({"stageIds": [stage], "objectIds": [deal]})
    );
    let renamed = client.patch(&path, json!({"label": "Greeted"})).await;
    assert_eq!(
        (renamed.str("/label"), renamed.str("/metadata/probability")),
        ("Greeted", "0.3")
    );
    let bad = client.patch(&path, json!({"metadata": {"probability": "7"}})).await;
    assert_eq!(bad.status, 400);
    let old = format!("/crm/v3/pipelines/deals/{pipeline}/stages/{stage}");
    assert_eq!(client.send("DELETE", &old, None).await.status, 204, "v3 does not look");
    assert_eq!(
        client
            .send("DELETE", &format!("/crm/pipelines/2026-09/deals/{pipeline}"), None)
            .await
            .status,
        204
    );
}
