//! Property definitions and their groups: read them, add one's own, change, archive and restore them.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::batch::{envelope, inputs};
use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::schema::undeclared;
use crate::portal::world::World;

/// At most this many unique properties of one's own per object type.
const MOST_UNIQUE: usize = 10;

pub(super) fn answer(world: &mut World, call: &Call, object: ObjectType, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let all: Vec<&Value> = match call.flag("archived") {
                true => world.schema.archived(object).collect(),
                false => world
                    .schema
                    .all(object)
                    .map(|(_, definition)| &definition.wire)
                    .collect(),
            };
            Answer::ok(json!({"results": all}))
        }
        (_, ["groups", rest @ ..]) => groups(world, call, object, rest),
        (&Method::POST, ["batch", what]) => batch(world, call, object, what),
        (&Method::GET, [name]) => {
            let archived = || {
                world
                    .schema
                    .archived(object)
                    .find(|wire| wire["name"] == **name)
                    .cloned()
            };
            let live = || world.schema.get(object, name).map(|definition| definition.wire.clone());
            let found = if call.flag("archived") { archived() } else { live() };
            Answer::ok(found.ok_or_else(|| missing(name))?)
        }
        (&Method::POST, []) => Ok(Answer::json(201, create(world, object, &call.object()?)?)),
        (&Method::PATCH, [name]) => update(world, object, name, &call.object()?),
        (&Method::DELETE, [name]) => {
            archive(world, object, name)?;
            Answer::empty()
        }
        (_, [] | [_]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn missing(name: &str) -> Problem {
    Problem::new(404, format!("Property {name} does not exist")).category("OBJECT_NOT_FOUND")
}

/// A new definition, or an archived one of that name brought back.
fn create(world: &mut World, object: ObjectType, body: &Map<String, Value>) -> Result<Value, Problem> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let missing: Vec<&str> = ["name", "label", "type", "fieldType", "groupName"]
        .into_iter()
        .filter(|key| text(key).is_empty())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(Problem::invalid(format!(
            "Some required fields were not set: [{missing}]"
        )));
    }
    let name = text("name").to_owned();
    if world.schema.get(object, &name).is_some() {
        return Err(Problem::new(409, format!("A property named '{name}' already exists."))
            .category("OBJECT_ALREADY_EXISTS")
            .with("subCategory", json!("Properties.PROPERTY_WITH_NAME_EXISTS")));
    }
    let own = world
        .schema
        .all(object)
        .filter(|(_, d)| d.unique && d.wire["hubspotDefined"] == false)
        .count();
    if body.get("hasUniqueValue") == Some(&json!(true)) && own >= MOST_UNIQUE {
        return Err(Problem::invalid(format!(
            "There may be at most {MOST_UNIQUE} unique properties per object type."
        )));
    }
    let now = iso(world.clock.now());
    let mut wire = world
        .schema
        .restore(object, &name)
        .unwrap_or_else(|| undeclared(&name, object));
    for (key, value) in body {
        wire[key.as_str()] = value.clone();
    }
    wire["modificationMetadata"] = json!({"archivable": true, "readOnlyDefinition": false, "readOnlyValue": false});
    wire["archived"] = json!(false);
    wire["createdAt"] = json!(now);
    wire["updatedAt"] = json!(now);
    match world.schema.define(object, wire.clone()) {
        true => Ok(wire),
        false => Err(Problem::invalid(format!(
            "Property type '{}' is not known",
            text("type")
        ))),
    }
}

/// Changes a definition; `options` replace those there were, uniqueness stays as it was made.
fn update(world: &mut World, object: ObjectType, name: &str, body: &Map<String, Value>) -> Reply {
    let mut wire = world
        .schema
        .get(object, name)
        .ok_or_else(|| missing(name))?
        .wire
        .clone();
    if wire["modificationMetadata"]["readOnlyDefinition"] == true {
        return Err(Problem::invalid(format!(
            "The definition of property '{name}' cannot be changed."
        )));
    }
    if body
        .get("hasUniqueValue")
        .is_some_and(|unique| *unique != wire["hasUniqueValue"])
    {
        return Err(Problem::invalid(
            "hasUniqueValue cannot be changed after a property was created.",
        ));
    }
    for (key, value) in body.iter().filter(|(key, _)| *key != "name") {
        wire[key.as_str()] = value.clone();
    }
    wire["updatedAt"] = json!(iso(world.clock.now()));
    match world.schema.define(object, wire.clone()) {
        true => Answer::ok(wire),
        false => Err(Problem::invalid("Property type is not known")),
    }
}

fn archive(world: &mut World, object: ObjectType, name: &str) -> Result<(), Problem> {
    let definition = world.schema.get(object, name).ok_or_else(|| missing(name))?;
    if definition.wire["modificationMetadata"]["archivable"] != true {
        return Err(Problem::invalid(format!("Property '{name}' cannot be archived.")));
    }
    let at = iso(world.clock.now());
    world.schema.archive(object, name, &at);
    Ok(())
}

fn batch(world: &mut World, call: &Call, object: ObjectType, what: &str) -> Reply {
    let body = call.object()?;
    let inputs = inputs(&body, 100)?;
    let name = |input: &Map<String, Value>| input.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    match what {
        "read" => {
            for name in inputs.iter().map(name) {
                match world.schema.get(object, &name) {
                    Some(definition) => results.push(definition.wire.clone()),
                    None => errors.push(in_batch(missing(&name), &name)),
                }
            }
            Ok(envelope(world, results, &errors, 200))
        }
        "create" => {
            for input in &inputs {
                match create(world, object, input) {
                    Ok(wire) => results.push(wire),
                    Err(problem) => errors.push(in_batch(problem, &name(input))),
                }
            }
            Ok(envelope(world, results, &errors, 201))
        }
        "archive" => {
            for name in inputs.iter().map(name) {
                // What is not there is archived already.
                if world.schema.get(object, &name).is_some() {
                    archive(world, object, &name)?;
                }
            }
            Answer::empty()
        }
        _ => Err(Problem::not_found()),
    }
}

fn in_batch(problem: Problem, name: &str) -> Value {
    let mut entry = problem.body;
    entry.insert("context".to_owned(), json!({"name": [name]}));
    Value::Object(entry)
}

fn groups(world: &mut World, call: &Call, object: ObjectType, rest: &[&str]) -> Reply {
    let groups = world.schema.groups(object);
    let place = |name: &str| groups.iter().position(|group| group["name"] == name);
    let absent =
        |name: &str| Problem::new(404, format!("Property group {name} does not exist")).category("OBJECT_NOT_FOUND");
    match (&call.method, rest) {
        (&Method::GET, []) => Answer::ok(json!({"results": groups})),
        (&Method::GET, [name]) => Answer::ok(place(name).map(|at| groups[at].clone()).ok_or_else(|| absent(name))?),
        (&Method::POST, []) => {
            let body = call.object()?;
            let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("name").is_empty() || text("label").is_empty() {
                return Err(Problem::invalid("Some required fields were not set: [name, label]"));
            }
            if place(text("name")).is_some() {
                let message = format!("A property group named '{}' already exists.", text("name"));
                return Err(Problem::new(409, message).category("OBJECT_ALREADY_EXISTS"));
            }
            let order = body.get("displayOrder").cloned().unwrap_or(json!(-1));
            let group = json!({"name": text("name"), "label": text("label"), "displayOrder": order, "archived": false});
            groups.push(group.clone());
            Ok(Answer::json(201, group))
        }
        (&Method::PATCH, [name]) => {
            let at = place(name).ok_or_else(|| absent(name))?;
            for key in ["label", "displayOrder"] {
                if let Some(value) = call.object()?.get(key) {
                    groups[at][key] = value.clone();
                }
            }
            Answer::ok(groups[at].clone())
        }
        (&Method::DELETE, [name]) => {
            groups.remove(place(name).ok_or_else(|| absent(name))?);
            Answer::empty()
        }
        _ => Err(wrong_method(call)),
    }
}
