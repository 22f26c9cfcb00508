//! Lists ("segments"): find, read, make, rename, delete, restore; who is in them, and in which a record is.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::batch::{envelope, inputs};
use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::lists::List;
use crate::portal::switches::Switch;
use crate::portal::version::Version;
use crate::portal::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str], version: Version) -> Reply {
    match (&call.method, rest) {
        (&Method::POST, ["search"]) => search(world, call),
        (&Method::POST, ["all"]) if version == Version::September && !world.switches.on(Switch::NoListsAll) => {
            all(world, call)
        }
        (_, ["all"]) => Err(Problem::not_found()),
        (&Method::POST, []) => create(world, call),
        (&Method::GET, []) => {
            let wanted = call.list("listIds");
            let found = live(world).filter(|list| wanted.contains(&list.id));
            let found: Vec<Value> = found.map(|list| told(world, call, list)).collect();
            Answer::ok(json!({"lists": found}))
        }
        (&Method::GET, ["object-type-id", kind, "name", name]) => {
            let found = live(world).find(|list| list.text("objectTypeId") == *kind && list.text("name") == *name);
            let found = found.ok_or_else(|| missing(&format!("name {name}")))?;
            Answer::ok(json!({"list": told(world, call, found)}))
        }
        (&Method::GET, ["records", kind, id, "memberships"]) => of_record(world, kind, id),
        (&Method::POST, ["records", "memberships", "batch", "read"]) => of_records(world, call),
        (&Method::GET, [id]) => Answer::ok(json!({"list": told(world, call, find(world, id)?)})),
        (&Method::DELETE, [id]) => {
            find_mut(world, id)?.deleted = true;
            Answer::empty()
        }
        (&Method::PUT, [id, "restore"]) => {
            let list = world.lists.iter_mut().find(|list| list.id == *id);
            list.ok_or_else(|| missing(&format!("ID {id}")))?.deleted = false;
            Answer::empty()
        }
        (&Method::PUT, [id, "update-list-name"]) => rename(world, call, id),
        (method, [id, "memberships", rest @ ..]) => memberships(world, call, method, id, rest),
        (_, ["search"] | [] | [_]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn live(world: &World) -> impl Iterator<Item = &List> {
    world.lists.iter().filter(|list| !list.deleted)
}

fn missing(what: &str) -> Problem {
    Problem::new(404, format!("List does not exist with {what}.")).category("OBJECT_NOT_FOUND")
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a List, Problem> {
    live(world)
        .find(|list| list.id == id)
        .ok_or_else(|| missing(&format!("ID {id}")))
}

fn find_mut<'a>(world: &'a mut World, id: &str) -> Result<&'a mut List, Problem> {
    let mut lists = world.lists.iter_mut().filter(|list| !list.deleted);
    lists
        .find(|list| list.id == id)
        .ok_or_else(|| missing(&format!("ID {id}")))
}

fn told(world: &World, call: &Call, list: &List) -> Value {
    list.told(world.clock.now(), call.flag("includeFilters"))
}

/// The lists a body asks for: by name, id, kind and object type.
fn matching<'a>(world: &'a World, body: &Map<String, Value>) -> Vec<&'a List> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_lowercase);
    let (query, object) = (text("query"), text("objectTypeId"));
    let some = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .filter(|values| !values.is_empty())
    };
    let (kinds, ids) = (some("processingTypes"), some("listIds"));
    let among = |values: Option<&Vec<Value>>, text: &str| {
        values.is_none_or(|values| values.iter().any(|value| super::objects::text_of(value) == text))
    };
    live(world)
        .filter(|list| {
            query
                .as_ref()
                .is_none_or(|query| list.text("name").to_lowercase().contains(query))
                && object.as_ref().is_none_or(|object| list.text("objectTypeId") == object)
                && among(kinds, list.text("processingType"))
                && among(ids, &list.id)
        })
        .collect()
}

fn search(world: &World, call: &Call) -> Reply {
    let body = call.object()?;
    let number = |key: &str, default| body.get(key).and_then(Value::as_u64).unwrap_or(default) as usize;
    let (offset, count) = (number("offset", 0), number("count", 20).clamp(1, 500));
    let found = matching(world, &body);
    let page = found.iter().skip(offset).take(count);
    let page: Vec<Value> = page.map(|list| told(world, call, list)).collect();
    let next = offset + page.len();
    Answer::ok(json!({"offset": next, "hasMore": next < found.len(), "total": found.len(), "lists": page}))
}

fn all(world: &World, call: &Call) -> Reply {
    let body = call.object()?;
    let start: usize = body
        .get("after")
        .and_then(Value::as_str)
        .and_then(|after| after.parse().ok())
        .unwrap_or(0);
    let count = body.get("count").and_then(Value::as_u64).unwrap_or(20).clamp(1, 500) as usize;
    let mut found = matching(world, &body);
    found.sort_by_key(|list| list.id.parse::<u64>().unwrap_or(u64::MAX));
    let page = found.iter().skip(start).take(count);
    let page: Vec<Value> = page.map(|list| told(world, call, list)).collect();
    let next = start + page.len();
    let mut answer = json!({"results": page});
    if next < found.len() {
        answer["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Answer::ok(answer)
}

fn create(world: &mut World, call: &Call) -> Reply {
    let body = call.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, kind, processing) = (text("name"), text("objectTypeId"), text("processingType"));
    if name.is_empty() || !matches!(processing, "MANUAL" | "DYNAMIC" | "SNAPSHOT") {
        return Err(Problem::invalid(
            "A list needs a name and one of the processing types MANUAL, DYNAMIC, SNAPSHOT.",
        ));
    }
    let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
    if live(world).any(|list| list.text("name") == name && list.text("objectTypeId") == kind) {
        return Err(Problem::invalid(format!(
            "A list with the name '{name}' already exists."
        )));
    }
    let now = world.clock.now();
    let ids = world.lists.iter().filter_map(|list| list.id.parse::<u64>().ok());
    let id = ids.max().unwrap_or(100) + 1;
    let user = world.token_user().to_string();
    let mut wire = json!({
        "listId": id.to_string(), "listVersion": 1, "name": name, "objectTypeId": kind, "processingType": processing,
        "processingStatus": "COMPLETE", "createdAt": iso(now), "updatedAt": iso(now), "createdById": user, "updatedById": user,
    });
    if let Some(branch) = body.get("filterBranch") {
        wire["filterBranch"] = branch.clone();
        wire["filtersUpdatedAt"] = json!(iso(now));
    }
    let list = List::from_wire(wire, Vec::new(), now).ok_or_else(Problem::not_found)?;
    let mut list = list.evaluated();
    if let Some(rule) = &list.rule {
        let fitting = world.fitting(object, rule);
        list.add(&fitting, now, world.list_lag);
    }
    let answer = json!({"list": list.told(now, true)});
    world.lists.push(list);
    Answer::ok(answer)
}

fn rename(world: &mut World, call: &Call, id: &str) -> Reply {
    let now = world.clock.now();
    let name = call.get("listName").unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Problem::invalid("listName is missing"));
    }
    let filters = call.flag("includeFilters");
    let list = find_mut(world, id)?;
    list.set("name", json!(name), now);
    Answer::ok(json!({"updatedList": list.told(now, filters)}))
}

fn memberships(world: &mut World, call: &Call, method: &Method, id: &str, rest: &[&str]) -> Reply {
    match (method, rest) {
        (&Method::GET, []) => members(call, find(world, id)?, false),
        (&Method::GET, ["join-order"]) => members(call, find(world, id)?, true),
        (&Method::PUT, ["add"]) => change(world, id, &ids(&call.json()?)?, &[]),
        (&Method::PUT, ["remove"]) => change(world, id, &[], &ids(&call.json()?)?),
        (&Method::PUT, ["add-and-remove"]) => {
            let body = call.object()?;
            let of = |key: &str| body.get(key).map_or(Ok(Vec::new()), ids);
            change(world, id, &of("recordIdsToAdd")?, &of("recordIdsToRemove")?)
        }
        (&Method::DELETE, []) => {
            let all: Vec<u64> = find(world, id)?.members.keys().copied().collect();
            if all.len() >= 100_000 {
                return Err(Problem::invalid(
                    "Only lists of fewer than 100000 records can be emptied at once.",
                ));
            }
            change(world, id, &[], &all)?;
            Answer::empty()
        }
        _ => Err(Problem::not_found()),
    }
}

pub(in crate::portal) fn ids(body: &Value) -> Result<Vec<u64>, Problem> {
    let list = body.as_array().ok_or_else(|| Problem::wrong_shape("array"))?;
    let id = |value: &Value| {
        let text = super::objects::text_of(value);
        text.parse().map_err(|_| Problem::not_numeric(&text))
    };
    list.iter().map(id).collect()
}

/// Adds and removes members of a list that people keep. Who was merged away joins as the survivor. The spelling of the
/// answer's keys is HubSpot's.
pub(in crate::portal) fn change(world: &mut World, id: &str, add: &[u64], remove: &[u64]) -> Reply {
    let list = find(world, id)?;
    if list.is_dynamic() {
        return Err(Problem::invalid(format!(
            "Memberships of list {id} cannot be changed: its processing type is DYNAMIC."
        )));
    }
    let object = list
        .object()
        .ok_or_else(|| Problem::unknown_type(list.text("objectTypeId")))?;
    let (mut there, mut absent) = (Vec::new(), Vec::new());
    for id in add {
        match world.truth.live(object, *id) {
            Some((id, _)) => there.push(id),
            None => absent.push(id.to_string()),
        }
    }
    let (now, lag) = (world.clock.now(), world.list_lag);
    let list = find_mut(world, id)?;
    let (added, removed) = (list.add(&there, now, lag), list.remove(remove, now, lag));
    let text = |ids: &[u64]| ids.iter().map(|id| json!(id.to_string())).collect::<Value>();
    Answer::ok(json!({"recordsIdsAdded": text(&added), "recordIdsRemoved": text(&removed), "recordIdsMissing": absent}))
}

/// Members by record id, or in the order they joined. The cursor is the place of the last row told.
fn members(call: &Call, list: &List, by_time: bool) -> Reply {
    let limit = call.limit(100, 250)?;
    let mut rows: Vec<(u64, i64)> = list.members.iter().map(|(id, joined)| (*id, *joined)).collect();
    if by_time {
        rows.sort_by_key(|(id, joined)| (*joined, *id));
    }
    let start = match call.get("after") {
        None => 0,
        Some(after) => {
            let last: u64 = after
                .parse()
                .map_err(|_| Problem::invalid(format!("Invalid value '{after}' for after")))?;
            match by_time {
                false => rows.partition_point(|(id, _)| *id <= last),
                true => rows
                    .iter()
                    .position(|(id, _)| *id == last)
                    .map_or(rows.len(), |place| place + 1),
            }
        }
    };
    let page: Vec<&(u64, i64)> = rows.iter().skip(start).take(limit).collect();
    let row = |(id, joined): &&(u64, i64)| json!({"recordId": id.to_string(), "membershipTimestamp": iso(*joined)});
    let mut answer = json!({"results": page.iter().map(row).collect::<Vec<_>>(), "total": rows.len()});
    if let Some((last, _)) = page.last().filter(|_| start + limit < rows.len()) {
        answer["paging"] = json!({"next": {"after": last.to_string()}});
    }
    Answer::ok(answer)
}

fn of_record(world: &World, kind: &str, id: &str) -> Reply {
    let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
    let number: u64 = id.parse().map_err(|_| Problem::not_numeric(id))?;
    let rows = memberships_of(world, object, number);
    Answer::ok(json!({"results": rows, "total": rows.len()}))
}

/// The lists a record is in, as HubSpot tells them. An id that was merged away leads to the survivor.
fn memberships_of(world: &World, object: ObjectType, id: u64) -> Vec<Value> {
    let id = world.truth.resolve(object, id);
    let of_type = live(world).filter(|list| list.object() == Some(object));
    of_type
        .filter_map(|list| Some((list, *list.members.get(&id)?)))
        .map(|(list, joined)| {
            json!({"listId": list.id, "listVersion": list.told(joined, false)["listVersion"],
                "firstAddedTimestamp": iso(joined), "lastAddedTimestamp": iso(joined)})
        })
        .collect()
}

/// The same for many records, of any types; the envelope and its keys are those of HubSpot's reference ("get memberships
/// batch"), which names no most: the usual 100 of a batch hold. A record that is nowhere, or that nobody has, is answered
/// with an empty array: lists know ids, not records. A record named twice is answered once.
fn of_records(world: &World, call: &Call) -> Reply {
    let (mut results, mut seen) = (Vec::new(), BTreeSet::new());
    for input in inputs(&call.object()?, 100)? {
        let text = |key: &str| input.get(key).map(super::objects::text_of);
        let kind = text("objectTypeId").ok_or_else(|| Problem::wrong_shape("objectTypeId"))?;
        let id = text("recordId").ok_or_else(|| Problem::wrong_shape("recordId"))?;
        let object = ObjectType::parse(&kind).ok_or_else(|| Problem::unknown_type(&kind))?;
        let bad = |_| Problem::invalid(format!("Invalid value '{id}' for recordId"));
        let number: u64 = id.parse().map_err(bad)?;
        if seen.insert((object, number)) {
            results.push(json!({"objectTypeId": object.type_id(), "recordId": id,
                "recordListMemberships": memberships_of(world, object, number)}));
        }
    }
    Ok(envelope(world, results, &[], 200))
}
