//! The associations API as v3 spells it: types have names instead of ids, and labels do not exist.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{Pair, end, nothing_associated};
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::errors::Problem;
use crate::portal::kinds::{LinkType, ObjectType, default_type, primary_type};
use crate::portal::routes::batch::{envelope, inputs};
use crate::portal::routes::objects::text_of;
use crate::portal::routes::wrong_method;
use crate::portal::world::World;

/// `/crm/v3/associations/{from}/{to}/…`.
pub(super) fn answer(world: &mut World, call: &Call, from: ObjectType, to: ObjectType, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, ["types"]) => {
            let rows = types(from, to)
                .into_iter()
                .map(|(link, name)| json!({"id": link.id.to_string(), "name": name}));
            Answer::ok(json!({"results": rows.collect::<Vec<_>>()}))
        }
        (&Method::POST, ["batch", "read"]) => read(world, from, to, &inputs(&call.object()?, 1_000)?),
        (&Method::POST, ["batch", "create"]) => {
            let inputs = inputs(&call.object()?, 2_000)?;
            for (id, other, types) in pairs(world, from, to, &inputs)? {
                world.link((from, id), (to, other), &types);
            }
            let made = inputs.into_iter().map(Value::Object).collect();
            Ok(envelope(world, made, &[], 201))
        }
        (&Method::POST, ["batch", "archive"]) => {
            for (id, other, types) in pairs(world, from, to, &inputs(&call.object()?, 2_000)?)? {
                if types.iter().any(|link| Some(*link) == default_type(from, to)) {
                    world.unlink((from, id), (to, other));
                } else {
                    types
                        .iter()
                        .for_each(|link| world.truth.drop_type((from, id), (to, other), Some(*link)));
                }
            }
            Answer::empty()
        }
        _ => Err(wrong_method(call)),
    }
}

/// HubSpot's own types between two object types, by name.
fn types(from: ObjectType, to: ObjectType) -> Vec<(LinkType, String)> {
    let between = format!("{}_to_{}", from.singular(), to.singular());
    // Where there is a primary company, the plain name means it, and the unlabelled type says so.
    let (primary, plain) = (primary_type(from, to), default_type(from, to));
    let unlabelled = match primary {
        Some(_) => format!("{between}_unlabeled"),
        None => between.clone(),
    };
    let named = [
        primary.map(|link| (link, between)),
        plain.map(|link| (link, unlabelled)),
    ];
    named.into_iter().flatten().collect()
}

fn read(world: &World, from: ObjectType, to: ObjectType, inputs: &[Map<String, Value>]) -> Reply {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let text = input.get("id").map(text_of).unwrap_or_default();
        let live = text.parse().ok().and_then(|id| world.truth.live(from, id));
        let rows = live.map_or_else(Vec::new, |(id, _)| world.inline_links(from, id, to));
        if rows.is_empty() {
            errors.push(nothing_associated(from, &text, to));
        } else {
            results.push(json!({"from": {"id": text}, "to": rows}));
        }
    }
    Ok(envelope(world, results, &errors, 200))
}

/// Reads `{from:{id}, to:{id}, type}`; both records must exist.
fn pairs(world: &World, from: ObjectType, to: ObjectType, inputs: &[Map<String, Value>]) -> Result<Vec<Pair>, Problem> {
    let known = types(from, to);
    let read = |input: &Map<String, Value>| {
        let wanted = input.get("type").map(text_of).unwrap_or_default();
        let (link, _) = known
            .iter()
            .find(|(link, name)| wanted == *name || wanted == link.id.to_string())
            .ok_or_else(|| Problem::invalid(format!("'{wanted}' is not a valid association type")))?;
        Ok((
            end(world, input, "from", from)?,
            end(world, input, "to", to)?,
            vec![*link],
        ))
    };
    inputs.iter().map(read).collect()
}
