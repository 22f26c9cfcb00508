//! Batches of records: read, create, update, upsert, archive. A 207 is a success with failures inside.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::objects::{after_update, commit, create_one, find_by, prepare, properties, text_of, update_one};
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::base::mix;
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::switches::Switch;
use crate::portal::version::Version;
use crate::portal::wire::Ask;
use crate::portal::world::World;

pub(super) fn answer(world: &mut World, call: &Call, object: ObjectType, what: &str, version: Version) -> Reply {
    let body = call.object()?;
    let inputs = inputs(&body, 100)?;
    match what {
        "read" => read(world, call, object, &body, &inputs),
        "create" => create(world, object, &inputs, version),
        "update" => update(world, object, &inputs, version),
        "upsert" => upsert(world, object, &inputs, version),
        "archive" => {
            for input in &inputs {
                if let Ok(id) = input.get("id").map(text_of).unwrap_or_default().parse() {
                    world.archive(object, id);
                }
            }
            Answer::empty()
        }
        _ => Err(Problem::not_found()),
    }
}

/// The inputs of a batch, at most `most`.
pub(super) fn inputs(body: &Map<String, Value>, most: usize) -> Result<Vec<Map<String, Value>>, Problem> {
    let list = body
        .get("inputs")
        .and_then(Value::as_array)
        .ok_or_else(|| Problem::wrong_shape("inputs"))?;
    if list.len() > most {
        return Err(Problem::invalid(format!(
            "The maximum number of inputs supported in a batch request is {most}. Please reduce the number of items and try again"
        )));
    }
    list.iter()
        .map(|input| input.as_object().cloned().ok_or_else(|| Problem::wrong_shape("input")))
        .collect()
}

/// The envelope of every batch answer. Results come in an order of their own.
pub(super) fn envelope(world: &World, mut results: Vec<Value>, errors: &[Value], status: u16) -> Answer {
    let now = iso(world.clock.now());
    results.sort_by_key(|result| {
        let id = result
            .get("id")
            .or_else(|| result.pointer("/from/id"))
            .or_else(|| result.get("recordId"))
            .and_then(Value::as_str);
        mix(world.seed ^ id.and_then(|id| id.parse().ok()).unwrap_or(0))
    });
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if !errors.is_empty() {
        body["numErrors"] = json!(errors.len());
        body["errors"] = json!(errors);
    }
    let partial = if world.switches.on(Switch::Batch200) { 200 } else { 207 };
    Answer::json(if errors.is_empty() { status } else { partial }, body)
}

fn read(
    world: &World,
    call: &Call,
    object: ObjectType,
    body: &Map<String, Value>,
    inputs: &[Map<String, Value>],
) -> Reply {
    let ask = Ask::from_body(body);
    if !ask.history.is_empty() && inputs.len() > 50 {
        return Err(Problem::invalid(
            "The maximum number of inputs supported in a batch request for property histories is 50. Please reduce the \
             number of items and try again",
        ));
    }
    let archived = call.flag("archived");
    let (mut results, mut missing, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for input in inputs {
        let text = input.get("id").map(text_of).unwrap_or_default();
        let id = match body
            .get("idProperty")
            .and_then(Value::as_str)
            .filter(|name| *name != "hs_object_id")
        {
            Some(name) => find_by(world, object, name, &text, archived)?,
            None => text.parse().ok(),
        };
        if id.is_some_and(|id| !seen.insert(id)) {
            if world.switches.on(Switch::ReadDoubles) {
                return Err(duplicates(&[&text]));
            }
            continue;
        }
        let found = id.and_then(|id| Some((id, world.truth.row(object, id)?)));
        match found.filter(|(_, row)| row.archived_at().is_some() == archived) {
            Some((id, row)) => results.push(world.object_json(object, id, row, &ask)),
            // An id that was merged away is dropped without a word.
            None if id.is_some_and(|id| world.truth.resolve(object, id) != id) => {}
            None => missing.push(text),
        }
    }
    let errors: Vec<Value> = if missing.is_empty() {
        Vec::new()
    } else {
        vec![Problem::batch_missing(object, &missing)]
    };
    Ok(envelope(world, results, &errors, 200))
}

/// The trace ids of a batch, when every input has its own.
fn traces(inputs: &[Map<String, Value>]) -> Option<Vec<String>> {
    let traces: Vec<String> = inputs
        .iter()
        .map(|input| input.get("objectWriteTraceId").map(text_of))
        .collect::<Option<_>>()?;
    (traces.iter().collect::<BTreeSet<_>>().len() == traces.len()).then_some(traces)
}

/// All or nothing, unless every input carries a trace id of its own.
fn create(world: &mut World, object: ObjectType, inputs: &[Map<String, Value>], version: Version) -> Reply {
    let Some(traces) = traces(inputs) else {
        let (mut ready, mut fresh) = (Vec::new(), BTreeSet::new());
        for input in inputs {
            let next = prepare(world, object, input, version).map_err(without_id)?;
            let email = next
                .clean
                .values
                .get("email")
                .filter(|email| object == ObjectType::Contacts && !email.is_empty());
            if email.is_some_and(|email| !fresh.insert(email.to_lowercase())) {
                return Err(Problem::new(409, "Contact already exists").category("CONFLICT"));
            }
            ready.push(next);
        }
        let mut results = Vec::new();
        for next in &ready {
            let id = commit(world, object, next);
            results.extend(created(world, object, id, None));
        }
        return Ok(envelope(world, results, &[], 201));
    };
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (input, trace) in inputs.iter().zip(&traces) {
        match create_one(world, object, input, version) {
            Ok((id, _)) => results.extend(created(world, object, id, Some(trace))),
            Err(problem) => errors.push(traced(problem, trace)),
        }
    }
    Ok(envelope(world, results, &errors, 201))
}

fn created(world: &World, object: ObjectType, id: u64, trace: Option<&str>) -> Option<Value> {
    let row = world.truth.row(object, id)?;
    let mut result = world.object_json(object, id, row, &Ask::everything());
    if let Some(trace) = trace {
        result["objectWriteTraceId"] = json!(trace);
    }
    Some(result)
}

/// A duplicate in a batch is told without the id of the other.
fn without_id(problem: Problem) -> Problem {
    if problem.status == 409 {
        Problem::new(409, "Contact already exists").category("CONFLICT")
    } else {
        problem
    }
}

/// A refused input as an entry of a 207.
fn traced(problem: Problem, trace: &str) -> Value {
    let mut entry = Value::Object(problem.body);
    let message = entry
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut context = json!({"objectWriteTraceId": [trace]});
    if let Some((_, id)) = message.split_once("Existing ID: ") {
        context["existingId"] = json!([id]);
    }
    entry["context"] = context;
    entry
}

fn duplicates(ids: &[&String]) -> Problem {
    let first = ids.first().map_or("", |id| id.as_str());
    Problem::invalid(format!(
        "Duplicate IDs found in batch input: [{first}]. IDs must be unique"
    ))
    .with("context", json!({"ids": ids}))
}

fn update(world: &mut World, object: ObjectType, inputs: &[Map<String, Value>], version: Version) -> Reply {
    let ids: Vec<String> = inputs
        .iter()
        .map(|input| input.get("id").map(text_of).unwrap_or_default())
        .collect();
    let mut seen = BTreeSet::new();
    let doubles: Vec<&String> = ids.iter().filter(|id| !seen.insert(*id)).collect();
    if !doubles.is_empty() {
        return Err(duplicates(&doubles));
    }
    // Refused values refuse the whole batch, before anything is written.
    let mut targets = Vec::new();
    for (input, text) in inputs.iter().zip(&ids) {
        let id = match input.get("idProperty").and_then(Value::as_str) {
            Some(name) => find_by(world, object, name, text, false)?,
            None => text.parse().ok(),
        };
        let row = id.and_then(|id| {
            Some((
                id,
                world.truth.row(object, id).filter(|row| row.archived_at().is_none())?,
            ))
        });
        if let Some(row) = row {
            world.clean(object, properties(input)?, Some(row), version)?;
        }
        targets.push((id, row.is_some()));
    }
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for ((input, text), (id, live)) in inputs.iter().zip(ids).zip(targets) {
        match id.filter(|_| live) {
            Some(id) => {
                update_one(world, object, id, properties(input)?, version)?;
                let ask = after_update(object, properties(input)?);
                let row = world.truth.row(object, id).ok_or_else(Problem::not_found)?;
                let mut result = world.object_json(object, id, row, &ask);
                if let Some(trace) = input.get("objectWriteTraceId") {
                    result["objectWriteTraceId"] = trace.clone();
                }
                results.push(result);
            }
            None if id.is_some_and(|id| world.truth.resolve(object, id) != id) => {}
            None => missing.push(text),
        }
    }
    let errors: Vec<Value> = if missing.is_empty() {
        Vec::new()
    } else {
        vec![Problem::batch_missing(object, &missing)]
    };
    Ok(envelope(world, results, &errors, 200))
}

/// Creates or updates by a unique property; each result says whether it is new.
fn upsert(world: &mut World, object: ObjectType, inputs: &[Map<String, Value>], version: Version) -> Reply {
    let mut results = Vec::new();
    let mut plan = Vec::new();
    for input in inputs {
        let name = input
            .get("idProperty")
            .and_then(Value::as_str)
            .unwrap_or("hs_object_id");
        let value = input.get("id").map(text_of).unwrap_or_default();
        let known = find_by(world, object, name, &value, false)?;
        let mut values = properties(input)?.clone();
        values.insert(name.to_owned(), json!(value));
        let row = known.and_then(|id| Some((id, world.truth.row(object, id)?)));
        world.clean(object, &values, row, version)?;
        plan.push((name.to_owned(), value, values, input.get("objectWriteTraceId").cloned()));
    }
    for (name, value, values, trace) in plan {
        // Looked up again: an earlier input may have created it.
        let known = find_by(world, object, &name, &value, false)?;
        let id = match known {
            Some(id) => update_one(world, object, id, &values, version)?.0,
            None => {
                create_one(
                    world,
                    object,
                    &Map::from_iter([("properties".to_owned(), Value::Object(values))]),
                    version,
                )?
                .0
            }
        };
        let row = world.truth.row(object, id).ok_or_else(Problem::not_found)?;
        let mut result = world.object_json(object, id, row, &Ask::everything());
        result["new"] = json!(known.is_none());
        if let Some(trace) = trace {
            result["objectWriteTraceId"] = trace;
        }
        results.push(result);
    }
    Ok(envelope(world, results, &[], 200))
}
