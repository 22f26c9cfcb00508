//! Pipelines and stages: read and change them. From 2026-09 on what is in use cannot be deleted.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::kinds::ObjectType;
use crate::portal::pipelines::Pipeline;
use crate::portal::version::Version;
use crate::portal::world::World;

/// At most this many stages in a pipeline.
const MOST_STAGES: usize = 100;

/// `/crm/pipelines/…/{type}/…`.
pub(super) fn answer(world: &mut World, call: &Call, kind: &str, rest: &[&str], version: Version) -> Reply {
    let object = ObjectType::parse(kind).ok_or_else(|| Problem::unknown_type(kind))?;
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let all = world.pipelines(object).iter().map(|pipeline| &pipeline.wire);
            Answer::ok(json!({"results": all.collect::<Vec<_>>()}))
        }
        (&Method::GET, [id]) => Answer::ok(wire(world, object, id)?),
        (&Method::GET, [id, "stages"]) => Answer::ok(json!({"results": stages(&wire(world, object, id)?)})),
        (&Method::GET, [id, "stages", stage]) => {
            let stages = stages(&wire(world, object, id)?);
            Answer::ok(
                stages
                    .into_iter()
                    .find(|row| row["id"] == **stage)
                    .ok_or_else(Problem::not_found)?,
            )
        }
        (&Method::POST, []) => write(world, object, None, &call.object()?, true),
        (&Method::PUT, [id]) => write(world, object, Some(id), &call.object()?, true),
        (&Method::PATCH, [id]) => write(world, object, Some(id), &call.object()?, false),
        (&Method::DELETE, [id]) => {
            let ids = stages(&wire(world, object, id)?)
                .into_iter()
                .filter_map(|row| Some(row["id"].as_str()?.to_owned()));
            check_unused(world, call, object, &ids.collect::<Vec<_>>(), version)?;
            world
                .pipelines
                .entry(object)
                .or_default()
                .retain(|pipeline| pipeline.id != *id);
            Answer::empty()
        }
        (method, [id, "stages", rest @ ..]) => stage(world, call, object, (id, rest), (method, version)),
        (_, [] | [_]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn wire(world: &World, object: ObjectType, id: &str) -> Result<Value, Problem> {
    let found = world.pipelines(object).iter().find(|pipeline| pipeline.id == id);
    Ok(found.ok_or_else(Problem::not_found)?.wire.clone())
}

fn stages(wire: &Value) -> Vec<Value> {
    wire["stages"].as_array().cloned().unwrap_or_default()
}

/// An id no pipeline and no stage has: numeric, as those of custom ones are.
fn fresh(world: &World) -> u64 {
    let all = world.pipelines.values().flatten();
    let ids = all.flat_map(|pipeline| {
        let own = pipeline.stages.iter().map(|stage| stage.id.as_str());
        own.chain([pipeline.id.as_str()])
            .filter_map(|id| id.parse::<u64>().ok())
    });
    ids.max().unwrap_or(0).max(990_000_000) + 1
}

/// Creates (no id), replaces (`whole`) or changes a pipeline.
fn write(world: &mut World, object: ObjectType, id: Option<&str>, body: &Map<String, Value>, whole: bool) -> Reply {
    let now = iso(world.clock.now());
    let mut next = fresh(world);
    let mut pipeline = match id {
        Some(id) => wire(world, object, id)?,
        None => {
            next += 1;
            json!({"id": (next - 1).to_string(), "createdAt": now, "archived": false, "displayOrder": 0, "stages": []})
        }
    };
    if whole && !(body.contains_key("label") && body.contains_key("stages")) {
        return Err(Problem::invalid("Some required fields were not set: [label, stages]"));
    }
    for key in ["label", "displayOrder"] {
        if let Some(value) = body.get(key) {
            pipeline[key] = value.clone();
        }
    }
    if let Some(rows) = body.get("stages").and_then(Value::as_array) {
        let mut made = Vec::new();
        for (order, row) in rows.iter().enumerate() {
            let row = row
                .as_object()
                .ok_or_else(|| Problem::wrong_shape("PipelineStageInput"))?;
            let known = row.get("stageId").or_else(|| row.get("id")).and_then(Value::as_str);
            let id = known.map_or_else(|| (next + order as u64).to_string(), str::to_owned);
            let mut stage = json!({"id": id, "displayOrder": order, "createdAt": now, "archived": false,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"});
            fill(object, &mut stage, row, &now)?;
            made.push(stage);
        }
        pipeline["stages"] = json!(made);
    }
    pipeline["updatedAt"] = json!(now);
    keep(world, object, pipeline.clone())?;
    Ok(Answer::json(if id.is_none() { 201 } else { 200 }, pipeline))
}

/// Label, order and metadata of a stage. A deal stage has a probability, and is closed at both ends of it.
fn fill(object: ObjectType, stage: &mut Value, body: &Map<String, Value>, now: &str) -> Result<(), Problem> {
    for key in ["label", "displayOrder"] {
        if let Some(value) = body.get(key) {
            stage[key] = value.clone();
        }
    }
    for (key, value) in body.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        stage["metadata"][key.as_str()] = json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    if stage["label"].as_str().unwrap_or_default().is_empty() {
        return Err(Problem::invalid("Some required fields were not set: [label]"));
    }
    if object == ObjectType::Deals {
        let chance = stage["metadata"]["probability"]
            .as_str()
            .and_then(|text| text.parse::<f64>().ok());
        let chance = chance
            .filter(|chance| (0.0..=1.0).contains(chance))
            .ok_or_else(|| Problem::invalid("metadata.probability must be set to a number between 0.0 and 1.0"))?;
        let closed = chance <= 0.0 || chance >= 1.0;
        stage["metadata"]["isClosed"] = json!(closed.to_string());
    }
    stage["updatedAt"] = json!(now);
    Ok(())
}

/// Takes a pipeline in, in the place of the one with its id; its stages get their properties.
fn keep(world: &mut World, object: ObjectType, wire: Value) -> Result<(), Problem> {
    let rows = stages(&wire);
    let mut labels: Vec<String> = rows.iter().map(|row| row["label"].to_string().to_lowercase()).collect();
    labels.sort();
    labels.dedup();
    if rows.is_empty() || rows.len() > MOST_STAGES || labels.len() < rows.len() {
        return Err(Problem::invalid(format!(
            "A pipeline needs between 1 and {MOST_STAGES} stages with labels of their own."
        )));
    }
    let pipeline = Pipeline::from_wire(wire).ok_or_else(|| Problem::wrong_shape("PipelineInput"))?;
    for stage in &pipeline.stages {
        world.schema.define_stage(object, &stage.id);
    }
    let all = world.pipelines.entry(object).or_default();
    match all.iter_mut().find(|known| known.id == pipeline.id) {
        Some(known) => *known = pipeline,
        None => all.push(pipeline),
    }
    Ok(())
}

fn stage(
    world: &mut World,
    call: &Call,
    object: ObjectType,
    (id, rest): (&str, &[&str]),
    (method, version): (&Method, Version),
) -> Reply {
    let now = iso(world.clock.now());
    let mut pipeline = wire(world, object, id)?;
    let mut rows = stages(&pipeline);
    let place = |rows: &[Value], id: &str| {
        rows.iter()
            .position(|row| row["id"] == id)
            .ok_or_else(Problem::not_found)
    };
    let (status, told) = match (method, rest) {
        (&Method::POST, []) => {
            let mut row = json!({"id": fresh(world).to_string(), "displayOrder": rows.len(), "createdAt": now, "archived": false,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"});
            fill(object, &mut row, &call.object()?, &now)?;
            rows.push(row.clone());
            (201, row)
        }
        (&Method::PATCH | &Method::PUT, [stage]) => {
            let at = place(&rows, stage)?;
            fill(object, &mut rows[at], &call.object()?, &now)?;
            (200, rows[at].clone())
        }
        (&Method::DELETE, [stage]) => {
            let at = place(&rows, stage)?;
            check_unused(world, call, object, &[(*stage).to_owned()], version)?;
            rows.remove(at);
            (204, Value::Null)
        }
        _ => return Err(wrong_method(call)),
    };
    pipeline["stages"] = json!(rows);
    pipeline["updatedAt"] = json!(now);
    keep(world, object, pipeline)?;
    if status == 204 {
        Answer::empty()
    } else {
        Ok(Answer::json(status, told))
    }
}

/// From 2026-09 on stages in which there are records stay, unless the request says not to look.
fn check_unused(
    world: &World,
    call: &Call,
    object: ObjectType,
    ids: &[String],
    version: Version,
) -> Result<(), Problem> {
    let off = |name: &str| call.get(name).is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let unchecked = off("validateReferencesBeforeDelete") || off("validateDealStageUsagesBeforeDelete");
    let Some((_, stage)) = object
        .pipeline_properties()
        .filter(|_| version >= Version::September && !unchecked)
    else {
        return Ok(());
    };
    let (mut used, mut records) = (Vec::new(), Vec::new());
    for id in world.truth.ids(object, 0) {
        let row = world.truth.row(object, id).filter(|row| row.archived_at().is_none());
        let at = row.and_then(|row| row.get(stage)).map(|at| at.into_owned());
        if let Some(at) = at.filter(|at| ids.contains(at)) {
            records.push(id.to_string());
            if !used.contains(&at) {
                used.push(at);
            }
        }
    }
    if used.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Stage IDs: [{}] are being referenced by object IDs: [{}]",
        used.join(", "),
        records.join(", ")
    );
    Err(Problem::invalid(message)
        .with("subCategory", json!("PipelineError.STAGE_ID_IN_USE"))
        .with("context", json!({"stageIds": used, "objectIds": records})))
}
