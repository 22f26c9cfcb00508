//! Which request is answered by what. Paths are matched here and nowhere else.

use super::answer::{Answer, Call, Payload, Reply};
use super::errors::Problem;
use super::gate::Lane;
use super::kinds::ObjectType;
use super::scopes;
use super::version::family;
use super::world::World;

mod account;
mod associations;
mod batch;
mod events;
pub(super) mod lists;
mod oauth;
pub(super) mod objects;
mod pipelines;
mod properties;

/// Answers a request that has passed the gate.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    if let ["oauth", rest @ ..] = parts.as_slice() {
        return oauth::answer(world, call, rest);
    }
    if let Some(problem) = scopes::refusal(&world.caller, &call.method, &parts) {
        return Err(problem);
    }
    if let ["integrators", "timeline", "2026-03" | "2026-09" | "v3", rest @ ..] = parts.as_slice() {
        return events::answer(world, call, rest);
    }
    let Some((family, version, rest)) = family(&parts) else {
        return Ok(nowhere(&parts));
    };
    match (family, rest) {
        ("objects", [kind, rest @ ..]) => {
            let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
            objects::answer(world, call, object, rest, version)
        }
        ("associations", [from, to, rest @ ..]) => {
            let from = ObjectType::parse(from).ok_or_else(|| Problem::unknown_type(from))?;
            let to = ObjectType::parse(to).ok_or_else(|| Problem::unknown_type(to))?;
            associations::answer(world, call, (from, to), rest, version)
        }
        ("pipelines", [kind, rest @ ..]) => pipelines::answer(world, call, kind, rest, version),
        ("owners", rest) => account::owners(world, call, rest),
        ("properties", [kind, rest @ ..]) => {
            let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
            properties::answer(world, call, object, rest)
        }
        ("lists", rest) => lists::answer(world, call, rest, version),
        ("limits", rest) => account::limits(world, call, rest),
        ("schemas", rest) => account::schemas(call, rest),
        ("account-info", rest) => account::info(world, call, rest),
        _ => Ok(nowhere(&parts)),
    }
}

/// 404 for a path nobody serves: JSON under the API's roots, a page elsewhere.
fn nowhere(parts: &[&str]) -> Answer {
    match parts.first() {
        Some(&("crm" | "oauth" | "account-info")) => Answer::from(Problem::not_found()),
        _ => Answer::html(404, "404 Not Found"),
    }
}

/// 405 for a path that exists but not for this method.
fn wrong_method(call: &Call) -> Problem {
    Problem::new(405, format!("HTTP {} is not supported here", call.method))
}

/// The budgets a request is held to, by its path alone.
pub(super) fn lane(path: &str) -> Lane {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let ["oauth", rest @ ..] = parts.as_slice()
        && !rest.contains(&"private-apps")
    {
        return Lane::Free;
    }
    match family(&parts) {
        Some(("objects", _, [_, "search"])) => Lane::Search,
        Some(("associations", _, [_, _, "batch", ..])) => Lane::Daily,
        _ => Lane::Burst,
    }
}

/// Whether a request may come without a token in its header: tokens are made and told of under `/oauth`.
pub(super) fn is_open(path: &str) -> bool {
    path.split('/').find(|part| !part.is_empty()) == Some("oauth")
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = serde_json::Value::Object(problem.body);
        Self {
            status: problem.status,
            payload: Payload::Json(body),
            headers: Vec::new(),
        }
    }
}
