//! The witness's own endpoints under `/__portal/`: what really happened and what is really true, and what other people do
//! meanwhile. No token, no budget, no delay, no fault, and never in the log.

use std::fmt::Write;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Payload, Reply};
use super::errors::Problem;
use super::fixture::{description, record_line};
use super::kinds::{LinkType, ObjectType, default_type};
use super::record::Actor;
use super::routes::lists::{change, ids};
use super::routes::objects::text_of;
use super::version::Version;
use super::world::{LinkWish, World};

/// What is posted under `/__portal/` for other people's doings: the last part of the path, its body, what it does.
const ACTS: [(&str, &str, &str); 10] = [
    (
        "create",
        "{type, properties, associations?, actor?}",
        "a colleague creates a record",
    ),
    ("edit", "{type, id, properties, actor?}", "a colleague edits one"),
    ("archive", "{type, id}", "somebody archives one: it leaves every list"),
    (
        "restore",
        "{type, id, actor?}",
        "somebody restores one: its modified date moves, it rejoins no list that people keep",
    ),
    ("gdpr-delete", "{type, id}", "somebody deletes one for good"),
    (
        "merge",
        "{type, primaryObjectId, objectIdToMerge}",
        "somebody merges two into a third",
    ),
    (
        "recalculate",
        "{type, id}",
        "HubSpot moves the modified date, and nothing else to be seen",
    ),
    (
        "link",
        "{from: {type, id}, to: {type, id}}",
        "a colleague associates two records",
    ),
    ("unlink", "{from: {type, id}, to: {type, id}}", "a colleague parts them"),
    (
        "list",
        "{list_id, add: [id], remove: [id]}",
        "a colleague changes a list that people keep",
    ),
];

/// One line per thing that other people do, for a help text.
pub(super) fn help() -> String {
    let line = |(name, body, text): &(&str, &str, &str)| format!("  {name:<12}{body}\n  {:<12}{text}\n", "");
    ACTS.iter().map(line).collect()
}

pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let parts: Vec<&str> = call.parts.iter().skip(1).map(String::as_str).collect();
    match (&call.method, parts.as_slice()) {
        (&Method::GET, ["requests"]) => Ok(lines(world.gate.log.iter().map(|entry| json!(entry)))),
        (&Method::GET, ["stats"]) => Answer::ok(world.gate.stats()),
        (&Method::GET, ["objects"]) => {
            let records = ObjectType::ALL
                .into_iter()
                .flat_map(|object| records(world, call, object));
            Ok(lines(description(world).into_iter().chain(records)))
        }
        (&Method::GET, ["objects", kind]) => match ObjectType::parse(kind) {
            Some(object) => Ok(lines(records(world, call, object))),
            None => {
                let of = |line: &Value| line.get("type").and_then(Value::as_str) == Some(kind);
                Ok(lines(description(world).into_iter().filter(of)))
            }
        },
        (&Method::GET, ["objects", kind, id]) => Ok(lines(record(world, kind, id).into_iter())),
        (&Method::GET, ["faults"]) => Answer::ok(json!({"faults": world.gate.faults.plan().to_string()})),
        (&Method::POST, ["faults"]) => {
            let body = call.object()?;
            let Some(text) = body.get("faults").and_then(Value::as_str) else {
                return Err(Problem::invalid(
                    "the body is {\"faults\": \"500=5%,POST:lost=1\"}; an empty text ends all faults".to_owned(),
                ));
            };
            let plan = text
                .parse()
                .map_err(|error: super::BadSetting| Problem::invalid(error.to_string()))?;
            world.gate.faults.replace(plan);
            Answer::ok(json!({"faults": world.gate.faults.plan().to_string()}))
        }
        (&Method::GET, ["events"]) => Ok(lines(world.events.iter().cloned())),
        (&Method::GET, ["switches"]) => Answer::ok(json!({"switches": world.switches.to_string()})),
        (&Method::POST, ["switches"]) => {
            let body = call.object()?;
            let text = body.get("switches").and_then(Value::as_str).unwrap_or_default();
            world.switches = text
                .parse()
                .map_err(|error: super::BadSetting| Problem::invalid(error.to_string()))?;
            Answer::ok(json!({"switches": world.switches.to_string()}))
        }
        (&Method::POST, [what]) => acts(world, what, &call.object()?),
        _ => Err(Problem::not_found()),
    }
}

fn lines(rows: impl Iterator<Item = Value>) -> Answer {
    let mut text = String::new();
    for row in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{row}");
    }
    Answer {
        status: 200,
        payload: Payload::Lines(text),
        headers: Vec::new(),
    }
}

/// `?archived=any|true|false`; any when nothing is said.
fn records<'a>(world: &'a World, call: &Call, object: ObjectType) -> impl Iterator<Item = Value> + use<'a> {
    let wanted = match call.get("archived").map(str::to_ascii_lowercase).as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    world.truth.ids(object, 0).filter_map(move |id| {
        let row = world.truth.row(object, id)?;
        wanted
            .is_none_or(|archived| row.archived_at().is_some() == archived)
            .then(|| record_line(world, object, id, row))
    })
}

/// One record, archived or not; none that is not there or was merged away.
fn record(world: &World, kind: &str, id: &str) -> Option<Value> {
    let (object, id) = (ObjectType::parse(kind)?, id.parse().ok()?);
    let row = world.truth.row(object, id)?;
    Some(record_line(world, object, id, row))
}

/// What colleagues do at HubSpot's own screens, and what HubSpot does by itself.
fn acts(world: &mut World, what: &str, body: &Map<String, Value>) -> Reply {
    match what {
        "edit" => edit(world, body),
        "create" => create(world, body),
        "merge" => {
            let object = object(body)?;
            let survivor = world.merge(object, id(body, "primaryObjectId")?, id(body, "objectIdToMerge")?)?;
            told(world, object, survivor)
        }
        "archive" => {
            let (object, id) = (object(body)?, id(body, "id")?);
            world.truth.live(object, id).ok_or_else(Problem::not_found)?;
            world.archive(object, id);
            told(world, object, id)
        }
        "restore" => {
            let (object, id) = (object(body)?, id(body, "id")?);
            let by = actor(world, body);
            world.restore(object, id, &by)?;
            told(world, object, id)
        }
        "gdpr-delete" => {
            let (object, id) = (object(body)?, id(body, "id")?);
            let id = world.truth.resolve(object, id);
            world.truth.row(object, id).ok_or_else(Problem::not_found)?;
            world.forget(object, id);
            Answer::empty()
        }
        "recalculate" => {
            let object = object(body)?;
            let id = world.recalculate(object, id(body, "id")?)?;
            told(world, object, id)
        }
        "link" | "unlink" => associate(world, body, what == "link"),
        "list" => {
            let list = body.get("list_id").map(text_of).unwrap_or_default();
            let of = |key: &str| body.get(key).map_or(Ok(Vec::new()), ids);
            change(world, &list, &of("add")?, &of("remove")?)
        }
        _ => Err(Problem::not_found()),
    }
}

/// Joins two live records by the unlabelled type, or parts them altogether; told is the one at `from`.
fn associate(world: &mut World, body: &Map<String, Value>, join: bool) -> Reply {
    let end = |key: &str| -> Result<(ObjectType, u64), Problem> {
        let end = body.get(key).and_then(Value::as_object);
        let end = end.ok_or_else(|| Problem::wrong_shape(key))?;
        let object = object(end)?;
        let live = world.truth.live(object, id(end, "id")?);
        live.map(|(id, _)| (object, id)).ok_or_else(Problem::not_found)
    };
    let (from, to) = (end("from")?, end("to")?);
    match default_type(from.0, to.0) {
        Some(link) if join => world.link(from, to, &[link]),
        Some(_) => world.unlink(from, to),
        None => {
            return Err(Problem::invalid(format!(
                "{} cannot be associated with {}",
                from.0.plural(),
                to.0.plural()
            )));
        }
    }
    told(world, from.0, from.1)
}

/// A colleague's edit, at HubSpot's own screens.
fn edit(world: &mut World, body: &Map<String, Value>) -> Reply {
    let object = object(body)?;
    let (id, row) = world
        .truth
        .live(object, id(body, "id")?)
        .ok_or_else(Problem::not_found)?;
    let clean = world.clean(object, properties(body)?, Some((id, row)), Version::Legacy)?;
    let by = actor(world, body);
    world.update(object, id, &clean.values, &by);
    told(world, object, id)
}

fn create(world: &mut World, body: &Map<String, Value>) -> Reply {
    let object = object(body)?;
    let clean = world.clean(object, properties(body)?, None, Version::Legacy)?;
    let mut links: Vec<LinkWish> = Vec::new();
    for (to, others) in body
        .get("associations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let to = ObjectType::parse(to).ok_or_else(|| Problem::unknown_type(to))?;
        let types: Vec<LinkType> = default_type(object, to).into_iter().collect();
        for other in others.as_array().into_iter().flatten() {
            let other = number(other)
                .and_then(|id| world.truth.live(to, id))
                .ok_or_else(Problem::not_found)?
                .0;
            links.push((to, other, types.clone()));
        }
    }
    let by = actor(world, body);
    let id = world.create(object, &clean.values, &links, &by);
    told(world, object, id)
}

/// The record as it now is, in the fixture's form.
fn told(world: &World, object: ObjectType, id: u64) -> Reply {
    let row = world.truth.row(object, id).ok_or_else(Problem::not_found)?;
    Answer::ok(record_line(world, object, id, row))
}

/// The colleague meant by `actor`: owner id, user id or address; without one, the second owner.
fn actor(world: &World, body: &Map<String, Value>) -> Actor {
    let wanted = body
        .get("actor")
        .map(|actor| actor.as_str().map_or_else(|| actor.to_string(), str::to_owned));
    let is = |owner: &&super::pipelines::Owner| {
        wanted.as_ref().is_some_and(|who| {
            owner.id == *who || owner.email == *who || owner.user_id.is_some_and(|user| user.to_string() == *who)
        })
    };
    let known = world
        .owners
        .iter()
        .find(is)
        .or_else(|| world.owners.iter().filter(|_| wanted.is_none()).nth(1));
    let unknown = || wanted.as_ref().and_then(|who| who.parse().ok());
    Actor::person(known.and_then(|owner| owner.user_id).or_else(unknown))
}

fn object(body: &Map<String, Value>) -> Result<ObjectType, Problem> {
    let name = body.get("type").and_then(Value::as_str).unwrap_or_default();
    ObjectType::parse(name).ok_or_else(|| Problem::unknown_type(name))
}

fn id(body: &Map<String, Value>, key: &str) -> Result<u64, Problem> {
    body.get(key)
        .and_then(number)
        .ok_or_else(|| Problem::invalid(format!("'{key}' is not an id")))
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn properties(body: &Map<String, Value>) -> Result<&Map<String, Value>, Problem> {
    body.get("properties")
        .and_then(Value::as_object)
        .ok_or_else(|| Problem::wrong_shape("properties"))
}
