//! Associations: of one record, in batches, and their labels.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::batch::{envelope, inputs};
use super::objects::{read_type, text_of};
use super::wrong_method;
use crate::portal::answer::{Answer, Call, Payload, Reply};
use crate::portal::errors::Problem;
use crate::portal::kinds::{LABELS, LinkType, ObjectType, default_type, primary_type};
use crate::portal::switches::Switch;
use crate::portal::version::Version;
use crate::portal::wire::link_json;
use crate::portal::world::World;

mod v3;

/// `/{type}/{id}/associations/…`.
pub(super) fn of_record(
    world: &mut World,
    call: &Call,
    record: (ObjectType, &str),
    rest: &[&str],
    version: Version,
) -> Reply {
    let (from, text) = record;
    let id = text.parse().map_err(|_| Problem::not_numeric(text))?;
    let (id, _) = world.truth.live(from, id).ok_or_else(Problem::not_found)?;
    match (&call.method, rest) {
        (&Method::GET, [to]) => {
            let to = kind(to)?;
            if version == Version::Legacy && call.target.contains("/v3/") {
                return Answer::ok(json!({"results": world.inline_links(from, id, to)}));
            }
            let (mut rows, after) = page(world, (from, id), to, call.get("after"), call.limit(500, 500)?);
            if version > Version::Legacy && world.switches.on(Switch::TextIds) {
                rows.iter_mut().for_each(as_text);
            }
            let mut answer = json!({"results": rows});
            if let Some(after) = after {
                answer["paging"] = json!({"next": {"after": after}});
            }
            Answer::ok(answer)
        }
        (&Method::PUT, ["default", to, other]) => {
            let to = target(world, to, other)?;
            let link = default_type(from, to.0).ok_or_else(|| no_way(from, to.0))?;
            world.link((from, id), to, &[link]);
            Ok(envelope(world, default_ends((from, id), to).into(), &[], 200))
        }
        (&Method::PUT, [to, other]) => {
            let to = target(world, to, other)?;
            put_labelled(world, (from, id), to, &call.json()?)
        }
        (&Method::DELETE, [to, other]) => {
            let to = kind(to)?;
            if let Ok(other) = other.parse() {
                world.unlink((from, id), (to, other));
            }
            Answer::empty()
        }
        _ => Err(wrong_method(call)),
    }
}

/// A default association as its answer shows it: once from either side.
fn default_ends(record: (ObjectType, u64), to: (ObjectType, u64)) -> [Value; 2] {
    let seen = |a: (ObjectType, u64), b: (ObjectType, u64)| {
        let link = default_type(a.0, b.0).map_or(0, |link| link.id);
        json!({"from": {"id": a.1.to_string()}, "to": {"id": b.1.to_string()},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link}})
    };
    [seen(record, to), seen(to, record)]
}

/// Associates two records by the types of the body, which replace the labels there were.
fn put_labelled(world: &mut World, record: (ObjectType, u64), to: (ObjectType, u64), body: &Value) -> Reply {
    let (from, id) = record;
    let types = read_types(body, from, to.0)?;
    let before = world.truth.links(from, id, to.0).remove(&to.1).unwrap_or_default();
    for old in before
        .into_iter()
        .filter(|old| old.user_defined && !types.contains(old))
    {
        world.truth.drop_type(record, to, Some(old));
    }
    world.link(record, to, &types);
    let labels: Vec<&str> = types.iter().filter_map(|link| link.label(from, to.0)).collect();
    Ok(Answer::json(
        201,
        json!({"fromObjectTypeId": from.type_id(), "fromObjectId": id, "toObjectTypeId": to.0.type_id(),
            "toObjectId": to.1, "labels": labels}),
    ))
}

/// `/crm/associations/…/{from}/{to}/…`.
pub(super) fn answer(
    world: &mut World,
    call: &Call,
    (from, to): (ObjectType, ObjectType),
    rest: &[&str],
    version: Version,
) -> Reply {
    if call.target.starts_with("/crm/v3/") {
        return v3::answer(world, call, from, to, rest);
    }
    match (&call.method, rest) {
        (&Method::GET, ["labels"]) => {
            let known = [primary_type(from, to), default_type(from, to)].into_iter().flatten();
            let own = LABELS.iter().filter(|(f, t, ..)| (*f, *t) == (from, to));
            let own = own.map(|(_, _, id, _)| LinkType {
                user_defined: true,
                id: *id,
            });
            let results: Vec<Value> = known.chain(own).map(|link| link_json(link, from, to)).collect();
            Answer::ok(json!({"results": results}))
        }
        (&Method::POST, ["batch", "read"]) => {
            let mut answer = batch_read(world, from, to, &inputs(&call.object()?, 1_000)?)?;
            if let Payload::Json(body) = &mut answer.payload
                && version > Version::Legacy
                && world.switches.on(Switch::TextIds)
            {
                let results = body["results"].as_array_mut().into_iter().flatten();
                results
                    .filter_map(|result| result["to"].as_array_mut())
                    .flatten()
                    .for_each(as_text);
            }
            Ok(answer)
        }
        (&Method::POST, ["batch", "create"]) => {
            let pairs = pairs(world, from, to, &inputs(&call.object()?, 2_000)?, true)?;
            link_all(world, from, to, pairs)
        }
        (&Method::POST, ["batch", "associate", "default"]) => {
            let mut ends = Vec::new();
            for (id, other, types) in pairs(world, from, to, &inputs(&call.object()?, 2_000)?, false)? {
                world.link((from, id), (to, other), &types);
                ends.extend(default_ends((from, id), (to, other)));
            }
            Ok(envelope(world, ends, &[], 200))
        }
        (&Method::POST, ["batch", "archive"]) => {
            for (id, other) in removals(&call.object()?)? {
                world.unlink((from, id), (to, other));
            }
            Answer::empty()
        }
        (&Method::POST, ["batch", "labels", "archive"]) => {
            for (id, other, types) in pairs(world, from, to, &inputs(&call.object()?, 2_000)?, true)? {
                for link in types {
                    if Some(link) == default_type(from, to) {
                        world.unlink((from, id), (to, other));
                    } else {
                        world.truth.drop_type((from, id), (to, other), Some(link));
                    }
                }
            }
            Answer::empty()
        }
        _ => Err(wrong_method(call)),
    }
}

/// `toObjectId` as a text.
fn as_text(row: &mut Value) {
    row["toObjectId"] = json!(row["toObjectId"].to_string());
}

/// One page of a record's associations and where the next begins.
fn page(
    world: &World,
    record: (ObjectType, u64),
    to: ObjectType,
    after: Option<&str>,
    limit: usize,
) -> (Vec<Value>, Option<String>) {
    let from: u64 = after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let links = world.truth.links(record.0, record.1, to);
    let mut rows = links.range(from..);
    let row = |(other, types): (&u64, &std::collections::BTreeSet<LinkType>)| {
        let types: Vec<Value> = types.iter().map(|link| link_json(*link, record.0, to)).collect();
        json!({"toObjectId": other, "associationTypes": types})
    };
    let page: Vec<Value> = rows.by_ref().take(limit).map(row).collect();
    (page, rows.next().map(|(next, _)| next.to_string()))
}

fn batch_read(world: &World, from: ObjectType, to: ObjectType, inputs: &[Map<String, Value>]) -> Reply {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let text = input.get("id").map(text_of).unwrap_or_default();
        let id = text
            .parse()
            .ok()
            .and_then(|id| world.truth.live(from, id))
            .map(|(id, _)| id);
        let after = input.get("after").map(text_of);
        let (rows, next) = id.map_or((Vec::new(), None), |id| {
            page(world, (from, id), to, after.as_deref(), 500)
        });
        if rows.is_empty() {
            errors.push(nothing_associated(from, &text, to));
            continue;
        }
        let mut result = json!({"from": {"id": text}, "to": rows});
        if let Some(next) = next {
            result["paging"] = json!({"next": {"after": next}});
        }
        results.push(result);
    }
    Ok(envelope(world, results, &errors, 200))
}

/// A record without associations, as an entry of a 207.
fn nothing_associated(from: ObjectType, id: &str, to: ObjectType) -> Value {
    json!({"status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No {} is associated with {} {id}.", to.singular(), from.singular()),
        "context": {"fromObjectId": [id], "fromObjectType": [from.singular()], "toObjectType": [to.singular()]}})
}

type Pair = (u64, u64, Vec<LinkType>);

/// The record at one end of an input, `{id}` under `key`.
fn end(world: &World, input: &Map<String, Value>, key: &str, object: ObjectType) -> Result<u64, Problem> {
    let id = input.get(key).and_then(|end| end.get("id"));
    let text = id.map(text_of).unwrap_or_default();
    let found = text.parse().ok().and_then(|id| world.truth.live(object, id));
    found.map(|(id, _)| id).ok_or_else(|| {
        Problem::invalid("One or more associations are invalid").with("context", json!({"INVALID_OBJECT_IDS": [text]}))
    })
}

/// Reads `{from:{id}, to:{id}, types?}`; both records must exist.
fn pairs(
    world: &World,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Map<String, Value>],
    typed: bool,
) -> Result<Vec<Pair>, Problem> {
    let mut pairs = Vec::new();
    for input in inputs {
        let types = match input.get("types").filter(|_| typed) {
            Some(types) => read_types(types, from, to)?,
            None => default_type(from, to).into_iter().collect(),
        };
        pairs.push((end(world, input, "from", from)?, end(world, input, "to", to)?, types));
    }
    Ok(pairs)
}

fn link_all(world: &mut World, from: ObjectType, to: ObjectType, pairs: Vec<Pair>) -> Reply {
    let mut results = Vec::new();
    for (id, other, types) in pairs {
        world.link((from, id), (to, other), &types);
        let labels: Vec<&str> = types.iter().filter_map(|link| link.label(from, to)).collect();
        results.push(
            json!({"fromObjectTypeId": from.type_id(), "fromObjectId": id, "toObjectTypeId": to.type_id(),
            "toObjectId": other, "labels": labels}),
        );
    }
    Ok(envelope(world, results, &[], 201))
}

/// Reads `{from:{id}, to:[{id}]}`; what is no id is nothing to remove.
fn removals(body: &Map<String, Value>) -> Result<Vec<(u64, u64)>, Problem> {
    let mut pairs = Vec::new();
    for input in inputs(body, 2_000)? {
        let Some(id) = input
            .get("from")
            .and_then(|end| end.get("id"))
            .map(text_of)
            .and_then(|id| id.parse().ok())
        else {
            continue;
        };
        let others = input.get("to").and_then(Value::as_array).into_iter().flatten();
        pairs.extend(
            others
                .filter_map(|end| text_of(end.get("id")?).parse().ok())
                .map(|other| (id, other)),
        );
    }
    Ok(pairs)
}

/// Reads a list of types that must run from `from` to `to`.
fn read_types(types: &Value, from: ObjectType, to: ObjectType) -> Result<Vec<LinkType>, Problem> {
    let list = types
        .as_array()
        .ok_or_else(|| Problem::wrong_shape("AssociationSpec"))?;
    let types: Vec<LinkType> = list.iter().map(read_type).collect::<Result<_, _>>()?;
    match types.iter().all(|link| link.inverse(from, to).is_some()) {
        true => Ok(types),
        false => Err(no_way(from, to)),
    }
}

fn no_way(from: ObjectType, to: ObjectType) -> Problem {
    Problem::invalid(format!(
        "No such association type from object type {} to {}.",
        from.type_id(),
        to.type_id()
    ))
}

fn kind(name: &str) -> Result<ObjectType, Problem> {
    ObjectType::parse(name).ok_or_else(|| Problem::unknown_type(name))
}

fn target(world: &World, to: &str, other: &str) -> Result<(ObjectType, u64), Problem> {
    let to = kind(to)?;
    let id = other.parse().map_err(|_| Problem::not_numeric(other))?;
    world
        .truth
        .live(to, id)
        .map(|(id, _)| (to, id))
        .ok_or_else(Problem::not_found)
}
