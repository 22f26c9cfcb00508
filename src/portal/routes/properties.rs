//! Property definitions: read them, and add one's own.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::schema::undeclared;
use crate::portal::world::World;

pub(super) fn answer(world: &mut World, call: &Call, object: ObjectType, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let archived = call.flag("archived");
            let all = world
                .schema
                .all(object)
                .filter(|_| !archived)
                .map(|(_, definition)| &definition.wire);
            Answer::ok(json!({"results": all.collect::<Vec<_>>()}))
        }
        (&Method::GET, [name]) => match world.schema.get(object, name) {
            Some(definition) => Answer::ok(definition.wire.clone()),
            None => Err(Problem::new(404, format!("Property {name} does not exist")).category("OBJECT_NOT_FOUND")),
        },
        (&Method::POST, []) => create(world, call, object),
        (_, [] | [_]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn create(world: &mut World, call: &Call, object: ObjectType) -> Reply {
    let body = call.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let missing: Vec<&str> = ["name", "label", "type", "fieldType", "groupName"]
        .into_iter()
        .filter(|key| text(key).is_empty())
        .collect();
    if !missing.is_empty() {
        return Err(Problem::invalid(format!(
            "Some required fields were not set: [{}]",
            missing.join(", ")
        )));
    }
    let name = text("name").to_owned();
    if world.schema.get(object, &name).is_some() {
        return Err(Problem::new(409, format!("A property named '{name}' already exists."))
            .category("OBJECT_ALREADY_EXISTS")
            .with("subCategory", json!("Properties.PROPERTY_WITH_NAME_EXISTS")));
    }
    let now = iso(world.clock.now());
    let mut wire = undeclared(&name, object);
    for (key, value) in &body {
        wire[key.as_str()] = value.clone();
    }
    wire["modificationMetadata"] = json!({"archivable": true, "readOnlyDefinition": false, "readOnlyValue": false});
    wire["createdAt"] = json!(now);
    wire["updatedAt"] = json!(now);
    if !world.schema.define(object, wire.clone()) {
        return Err(Problem::invalid(format!(
            "Property type '{}' is not known",
            text("type")
        )));
    }
    Ok(Answer::json(201, wire))
}
