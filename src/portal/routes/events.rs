//! App events ("timeline"): taken, and refused when their id comes again. What an event means nobody asks here.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::world::World;

/// `/integrators/timeline/…`.
pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::POST, ["events"]) => take(world, call),
        (_, ["events"]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn take(world: &mut World, call: &Call) -> Reply {
    let mut event = Value::Object(call.object()?);
    let given = |key: &str| {
        event
            .get(key)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    if !given("eventTypeName") && !given("eventTemplateId") {
        return Err(Problem::invalid("Some required fields were not set: [eventTypeName]"));
    }
    if !["objectId", "email", "utk", "domain"].into_iter().any(given) {
        return Err(Problem::invalid("An event needs one of objectId, email, utk, domain."));
    }
    let id = match event.get("id").and_then(Value::as_str) {
        Some(id) => id.to_owned(),
        None => format!("event-{}", world.events.len() + 1),
    };
    if world.events.iter().any(|known| known["id"] == id) {
        return Err(Problem::new(409, format!("An event with id {id} already exists")).category("CONFLICT"));
    }
    let now = iso(world.clock.now());
    event["id"] = json!(id);
    event["createdAt"] = json!(now);
    if event.get("timestamp").is_none() {
        event["timestamp"] = json!(now);
    }
    world.events.push(event.clone());
    Ok(Answer::json(201, event))
}
