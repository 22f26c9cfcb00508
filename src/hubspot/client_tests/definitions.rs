//! New property definitions, owners behind users, ticket pipelines, single stages.

use super::*;
use crate::domain::{NewProperty, PropertyKind};

fn key() -> NewProperty {
    NewProperty {
        name: "dealdeck_key".to_owned(),
        label: "Key of the operation".to_owned(),
        description: String::new(),
        group: "dealinformation".to_owned(),
        kind: PropertyKind::Text,
        unique: true,
    }
}

fn defined(kind: &str, unique: bool) -> Value {
    json!({ "name": "dealdeck_key", "label": "Key", "type": kind, "fieldType": "text", "hasUniqueValue": unique })
}

#[tokio::test(start_paused = true)]
async fn a_property_is_defined_or_the_one_there_is_taken() {
    let exists = || {
        status(
            409,
            json!({ "category": "OBJECT_ALREADY_EXISTS", "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'dealdeck_key' already exists." }),
        )
    };
    for (answers, message) in [
        (vec![status(201, defined("string", true))], None),
        (vec![exists(), ok(defined("string", true))], None),
        (
            vec![exists(), ok(defined("number", true))],
            Some("the property 'dealdeck_key' of deals is of type 'number', not string; choose another name"),
        ),
        (
            vec![exists(), ok(defined("string", false))],
            Some("the property 'dealdeck_key' of deals does not keep its values unique; choose another name"),
        ),
    ] {
        let (client, script) = client(answers);
        let permit = client.permit(Lane::Write, Quota::Burst).await;
        let answer = client.ensure_property(permit, ObjectType::Deals, &key()).await;
        assert_eq!(answer.map_err(|failure| failure.message).err().as_deref(), message);
        assert_eq!(script.path(0), "/crm/properties/2026-09/deals");
    }
}

#[tokio::test(start_paused = true)]
async fn a_choice_is_sent_with_its_options_in_order() {
    let property = NewProperty {
        kind: PropertyKind::Choice(vec![("b".into(), "Bee".into()), ("a".into(), "Ay".into())]),
        unique: false,
        ..key()
    };
    let (client, script) = client(vec![
        status(201, defined("enumeration", false)),
        status(409, json!({})),
        status(204, Value::Null),
    ]);
    let permit = || client.permit(Lane::Write, Quota::Burst);
    client
        .ensure_property(permit().await, ObjectType::Deals, &property)
        .await
        .unwrap();
    assert_eq!(
        script.body(0),
        json!({ "name": "dealdeck_key", "label": "Key of the operation", "description": "", "groupName": "dealinformation",
            "type": "enumeration", "fieldType": "select", "hasUniqueValue": false, "options": [
                { "value": "b", "label": "Bee", "displayOrder": 0, "hidden": false },
                { "value": "a", "label": "Ay", "displayOrder": 1, "hidden": false } ] })
    );
    client
        .ensure_property_group(permit().await, ObjectType::Deals, "dealdeck", "Dealdeck")
        .await
        .unwrap();
    client
        .archive_property(permit().await, ObjectType::Deals, "dealdeck_key")
        .await
        .unwrap();
    assert_eq!(script.path(1), "/crm/properties/2026-09/deals/groups");
    assert_eq!(
        (script.asked()[2].method.clone(), script.path(2).as_str()),
        (Method::DELETE, "/crm/properties/2026-09/deals/dealdeck_key")
    );
}

#[tokio::test(start_paused = true)]
async fn the_owner_behind_a_user_may_have_left() {
    let gone = || status(404, json!({ "message": "resource not found" }));
    let left = json!({ "id": "3", "userId": null, "userIdIncludingInactive": 13, "archived": true });
    let (client, script) = client(vec![gone(), ok(left), gone(), gone()]);
    let owner = client.owner_of_user(Lane::Read, &"13".into()).await.unwrap().unwrap();
    assert_eq!((owner.id.as_str(), owner.archived), ("3", true));
    assert_eq!(script.path(1), "/crm/owners/2026-09/13?idProperty=userId&archived=true");
    assert_eq!(client.owner_of_user(Lane::Read, &"14".into()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_stage_is_closed_by_its_state_and_an_archived_stage_has_a_name() {
    let stage = |id: &str, state: &str| json!({ "id": id, "label": id, "displayOrder": 0, "metadata": { "ticketState": state } });
    let pipelines = json!({ "results": [{ "id": "0", "label": "Support Pipeline", "stages": [stage("1", "OPEN"), stage("4", "CLOSED")] }] });
    let (client, script) = client(vec![ok(pipelines), ok(stage("9", "OPEN"))]);
    let pipelines = client.pipelines_of(Lane::Sync, ObjectType::Tickets).await.unwrap();
    assert_eq!(
        pipelines[0].stages.iter().map(|stage| stage.closed).collect::<Vec<_>>(),
        [false, true]
    );
    let stage = client
        .stage(Lane::Read, ObjectType::Tickets, &"0".into(), &"9".into())
        .await
        .unwrap();
    assert_eq!(stage.label, "9");
    assert_eq!(script.path(1), "/crm/pipelines/2026-09/tickets/0/stages/9");
}
