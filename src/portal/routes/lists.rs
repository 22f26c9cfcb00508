//! Lists ("segments"): search, one list, and its members. Members are fixed; filters are not evaluated.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::lists::List;
use crate::portal::world::World;

pub(super) fn answer(world: &World, call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::POST, ["search"]) => search(world, call),
        (&Method::POST, ["all"]) if call.target.contains("/2026-09/") => all(world, call),
        (&Method::GET, []) => {
            let wanted = call.list("listIds");
            let found = world
                .lists
                .iter()
                .filter(|list| wanted.contains(&list.id))
                .map(|list| &list.wire);
            Answer::ok(json!({"lists": found.collect::<Vec<_>>()}))
        }
        (&Method::GET, [id]) => Answer::ok(json!({"list": find(world, id)?.wire})),
        (&Method::GET, [id, "memberships"]) => members(world, call, find(world, id)?),
        (_, ["search" | "all"] | [] | [_]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a List, Problem> {
    let found = world.lists.iter().find(|list| list.id == id);
    found.ok_or_else(|| Problem::new(404, format!("List does not exist with ID {id}.")).category("OBJECT_NOT_FOUND"))
}

/// The lists a body asks for: by name, kind and object type.
fn matching<'a>(world: &'a World, body: &serde_json::Map<String, Value>) -> Vec<&'a List> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_lowercase);
    let (query, object) = (text("query"), text("objectTypeId"));
    let kinds = body
        .get("processingTypes")
        .and_then(Value::as_array)
        .filter(|kinds| !kinds.is_empty());
    let holds = |list: &&List| {
        let of = |key: &str| {
            list.wire
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_lowercase()
        };
        query.as_ref().is_none_or(|query| of("name").contains(query))
            && object.as_ref().is_none_or(|object| of("objectTypeId") == *object)
            && kinds.is_none_or(|kinds| list.wire.get("processingType").is_some_and(|kind| kinds.contains(kind)))
    };
    world.lists.iter().filter(holds).collect()
}

fn search(world: &World, call: &Call) -> Reply {
    let body = call.object()?;
    let number = |key: &str, default| body.get(key).and_then(Value::as_u64).unwrap_or(default) as usize;
    let (offset, count) = (number("offset", 0), number("count", 20).clamp(1, 500));
    let found = matching(world, &body);
    let page: Vec<&Value> = found.iter().skip(offset).take(count).map(|list| &list.wire).collect();
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
    let found = matching(world, &body);
    let page: Vec<&Value> = found.iter().skip(start).take(count).map(|list| &list.wire).collect();
    let next = start + page.len();
    let mut answer = json!({"results": page});
    if next < found.len() {
        answer["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Answer::ok(answer)
}

fn members(world: &World, call: &Call, list: &List) -> Reply {
    let limit = call.limit(100, 250)?;
    let from: u64 = call.get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let joined = iso(world.clock.wall_at(0));
    let mut rows = list.members.iter().filter(|id| **id >= from);
    let row = |id: &u64| json!({"recordId": id.to_string(), "membershipTimestamp": joined});
    let page: Vec<Value> = rows.by_ref().take(limit).map(row).collect();
    let mut answer = json!({"results": page, "total": list.members.len()});
    if let Some(next) = rows.next() {
        answer["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Answer::ok(answer)
}
