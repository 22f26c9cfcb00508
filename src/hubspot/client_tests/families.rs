//! Account, identity, pipelines, owners, property definitions.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_token_travels_in_one_header_and_is_printed_nowhere() {
    let identity = json!({ "userId": 7, "hubId": 123, "appId": 9, "scopes": ["crm.objects.deals.read"] });
    let (client, script) = client(vec![ok(identity)]);
    let identity = client.identity().await.unwrap();
    assert_eq!((identity.portal_id, identity.user.unwrap().as_str()), (123, "7"));
    let request = &script.asked()[0];
    assert_eq!(request.headers["authorization"], "Bearer pat-na1-canary");
    let printed = format!("{request:?} {:?} {client:?} {:?}", request.headers, client.budget());
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn without_introspection_the_account_names_the_portal() {
    let account = json!({ "portalId": 123, "timeZone": "UTC", "companyCurrency": "EUR" });
    let (client, _) = client(vec![status(404, json!({ "message": "x" })), ok(account)]);
    let identity = client.identity().await.unwrap();
    assert_eq!((identity.portal_id, identity.scopes.len()), (123, 0));
}

#[tokio::test(start_paused = true)]
async fn pipelines_come_in_display_order_without_archived_stages() {
    let stage = |id: &str, order: i64, probability: &str, closed: &str, archived: bool| {
        json!({ "id": id, "label": id, "displayOrder": order, "archived": archived,
            "metadata": { "probability": probability, "isClosed": closed }, "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT" })
    };
    let pipeline = json!({ "id": "default", "label": "Sales Pipeline", "displayOrder": 0, "archived": false,
        "updatedAt": "2026-01-01T00:00:00Z", "stages": [
            stage("closedwon", 5, "1.0", "true", false), stage("old", 1, "0.1", "false", true),
            stage("new", 0, "0.2", "false", false), stage("closedlost", 5, "0.0", "true", false),
        ] });
    let (client, _) = client(vec![ok(json!({ "results": [pipeline] }))]);
    let pipelines = client.pipelines(Lane::Sync).await.unwrap();
    let stages: Vec<_> = pipelines[0]
        .stages
        .iter()
        .map(|stage| (stage.id.as_str(), stage.kind()))
        .collect();
    assert_eq!(
        stages,
        [
            ("new", StageKind::Open),
            ("closedlost", StageKind::Lost),
            ("closedwon", StageKind::Won)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn owners_are_live_and_archived_over_all_pages() {
    let live = json!({ "results": [{ "id": "1", "email": "a@x.de", "firstName": "Ann", "lastName": "Lee", "userId": 11, "archived": false }],
        "paging": { "next": { "after": "A" } } });
    let more = json!({ "results": [{ "id": 2, "type": "QUEUE" }] });
    let gone = json!({ "results": [{ "id": "3", "userId": null, "userIdIncludingInactive": 13, "archived": true }] });
    let (client, script) = client(vec![ok(live), ok(more), ok(gone)]);
    let owners = client.owners(Lane::Sync).await.unwrap();
    assert_eq!(
        owners.iter().map(|owner| owner.archived).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert_eq!(owners[2].user.as_ref().unwrap().as_str(), "13");
    assert_eq!(script.path(1), "/crm/owners/2026-09?limit=500&archived=false&after=A");
}

#[tokio::test(start_paused = true)]
async fn definitions_say_what_may_be_written() {
    let answer = json!({ "results": [
        { "name": "hs_projected_amount", "label": "Weighted", "type": "number", "calculated": true, "hidden": false },
        { "name": "dealtype", "label": "Deal type", "type": "enumeration", "fieldType": "radio", "hasUniqueValue": false,
          "modificationMetadata": { "archivable": true, "readOnlyDefinition": true, "readOnlyValue": false },
          "options": [{ "label": "B", "value": "b", "displayOrder": 1, "hidden": false },
                      { "label": "A", "value": "a", "displayOrder": 0 }, { "label": "X", "value": "x", "hidden": true }] },
        { "name": "op_key", "type": "string", "hasUniqueValue": true, "modificationMetadata": { "readOnlyValue": true } },
        { "name": "interests", "type": "enumeration", "fieldType": "checkbox", "options": [] },
    ] });
    let (client, _) = client(vec![ok(answer)]);
    let definitions = client.definitions(Lane::Sync, ObjectType::Deals).await.unwrap();
    assert_eq!(
        definitions.iter().map(|of| of.read_only).collect::<Vec<_>>(),
        [true, false, true, false]
    );
    assert_eq!(
        definitions.iter().map(|of| of.several).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    assert_eq!(
        definitions[1].options,
        [("a".into(), "A".into()), ("b".into(), "B".into())]
    );
    assert!(definitions[2].unique);
}

#[tokio::test(start_paused = true)]
async fn the_day_is_known_from_the_usage_call() {
    let usage = json!({ "results": [{ "name": "private-apps-api-calls-daily", "usageLimit": 650000, "currentUsage": 123,
        "collectedAt": "x", "fetchStatus": "SUCCESS", "resetsAt": "2026-11-23T05:00:00Z" }] });
    let (client, _) = client(vec![ok(usage)]);
    let gauge = client.daily_usage(Lane::Sync).await.unwrap().unwrap();
    assert_eq!((gauge.capacity, gauge.left), (650_000, 649_877));
    assert_eq!(gauge.resets_at, Some("2026-11-23T05:00:00Z".parse().unwrap()));
}
