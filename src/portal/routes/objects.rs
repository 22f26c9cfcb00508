//! Records: list, get, create, update, archive, merge; and where batch, search and one record's associations begin.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{associations, batch, wrong_method};
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::check::Clean;
use crate::portal::errors::Problem;
use crate::portal::kinds::{LinkType, ObjectType, default_type};
use crate::portal::settings::CursorKind;
use crate::portal::switches::Switch;
use crate::portal::version::Version;
use crate::portal::wire::Ask;
use crate::portal::world::{LinkWish, World};

pub(super) fn answer(world: &mut World, call: &Call, object: ObjectType, rest: &[&str], version: Version) -> Reply {
    match (&call.method, rest) {
        (&Method::GET, []) => list(world, call, object),
        (&Method::POST, []) => create(world, call, object, version),
        (&Method::POST, ["search"]) => world.search(object, &call.body),
        (&Method::POST, ["merge"]) => merge(world, call, object),
        (&Method::POST, ["batch", what]) => batch::answer(world, call, object, what, version),
        (&Method::GET, [id]) => get(world, call, object, id),
        (&Method::PATCH, [id]) => update(world, call, object, id, version),
        (&Method::POST, ["gdpr-delete"]) if object == ObjectType::Contacts => forget(world, call),
        (&Method::DELETE, [id]) => {
            let number: Option<u64> = id.parse().ok();
            if let Some((id, _)) = number.and_then(|id| world.truth.live(object, id)) {
                world.archive(object, id);
            } else if world.switches.on(Switch::DeleteUnknown)
                && number.is_none_or(|id| world.truth.row(object, id).is_none())
            {
                return Err(Problem::not_found());
            }
            Answer::empty()
        }
        (_, [id, "associations", rest @ ..]) => associations::of_record(world, call, (object, id), rest, version),
        (_, [] | [_] | ["batch", _]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn list(world: &World, call: &Call, object: ObjectType) -> Reply {
    let ask = Ask::from_query(call)?;
    let limit = call.limit(10, if ask.history.is_empty() { 100 } else { 50 })?;
    let from = call.get("after").map_or(Ok(0), |after| read_cursor(world, after))?;
    let archived = call.flag("archived");
    let ids: Box<dyn Iterator<Item = u64> + '_> = match archived {
        true => Box::new(world.truth.archived_ids(object, from)),
        false => Box::new(world.truth.ids(object, from)),
    };
    let mut rows = ids.filter_map(|id| {
        let row = world.truth.row(object, id)?;
        (row.archived_at().is_some() == archived).then_some((id, row))
    });
    let limit = page_size(world, from, limit);
    let page: Vec<_> = rows.by_ref().take(limit).collect();
    let results: Vec<Value> = page
        .iter()
        .map(|(id, row)| world.object_json(object, *id, *row, &ask))
        .collect();
    let mut answer = json!({"results": results});
    if let Some((next, _)) = rows.next() {
        let after = write_cursor(world, page.last().map_or(next, |(last, _)| last + 1));
        answer["paging"] = json!({"next": {"after": after, "link": page_link(call, &after)}});
    }
    Answer::ok(answer)
}

/// How many rows the page from this id on has: with short pages one in four is half as long and one in eight empty. No
/// page that begins at a record is empty, so that every walk ends.
fn page_size(world: &World, from: u64, limit: usize) -> usize {
    let draw = crate::portal::base::mix(world.seed ^ from) % 8;
    match draw {
        _ if !world.switches.on(Switch::ShortPages) => limit,
        0 | 1 => limit.div_ceil(2),
        2 => limit.min(usize::from(begins_at_a_record(world, from))),
        _ => limit,
    }
}

fn begins_at_a_record(world: &World, from: u64) -> bool {
    ObjectType::ALL
        .into_iter()
        .any(|object| world.truth.row(object, from).is_some())
}

fn page_link(call: &Call, after: &str) -> String {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let kept = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("after={after}")]).collect();
    format!("https://api.hubapi.com{path}?{}", query.join("&"))
}

/// A cursor is the id to go on from, or text that only this portal can read.
fn write_cursor(world: &World, next: u64) -> String {
    match world.cursor {
        CursorKind::Id => next.to_string(),
        CursorKind::Opaque => format!("c{:016x}", next ^ opaque_key(world)),
    }
}

fn read_cursor(world: &World, after: &str) -> Result<u64, Problem> {
    let next = match world.cursor {
        CursorKind::Id => after.parse().ok(),
        CursorKind::Opaque => after
            .strip_prefix('c')
            .filter(|text| text.len() == 16)
            .and_then(|text| u64::from_str_radix(text, 16).ok())
            .map(|text| text ^ opaque_key(world))
            // Only what was handed out reads as an id of this portal.
            .filter(|next| *next < 1_000_000_000_000_000),
    };
    next.ok_or_else(|| Problem::invalid(format!("Invalid value '{after}' for after")))
}

fn opaque_key(world: &World) -> u64 {
    crate::portal::base::mix(world.seed ^ 0x6f70_6171_7565)
}

/// The id a path means: a number, or a unique value when `idProperty` says so.
pub(super) fn find(world: &World, call: &Call, object: ObjectType, id: &str) -> Result<u64, Problem> {
    match call.get("idProperty").filter(|name| *name != "hs_object_id") {
        Some(name) => find_by(world, object, name, id, call.flag("archived"))?.ok_or_else(Problem::not_found),
        None => id.parse().map_err(|_| Problem::not_numeric(id)),
    }
}

/// The record with this unique value; owners of other properties are told that these are not unique.
pub(super) fn find_by(
    world: &World,
    object: ObjectType,
    name: &str,
    value: &str,
    archived: bool,
) -> Result<Option<u64>, Problem> {
    if !world
        .schema
        .get(object, name)
        .is_some_and(|definition| definition.unique)
    {
        return Err(Problem::invalid(format!(
            "Property '{name}' is not a unique identifier property"
        )));
    }
    Ok(match archived {
        true => world.truth.archived_by_unique(object, name, value),
        false => world.truth.by_unique(object, name, value),
    })
}

fn get(world: &World, call: &Call, object: ObjectType, id: &str) -> Reply {
    let ask = Ask::from_query(call)?;
    let id = world.truth.resolve(object, find(world, call, object, id)?);
    let row = world
        .truth
        .row(object, id)
        .filter(|row| row.archived_at().is_some() == call.flag("archived"));
    Answer::ok(world.object_json(object, id, row.ok_or_else(Problem::not_found)?, &ask))
}

/// The `properties` of a write.
pub(super) fn properties(body: &Map<String, Value>) -> Result<&Map<String, Value>, Problem> {
    body.get("properties")
        .and_then(Value::as_object)
        .ok_or_else(|| Problem::wrong_shape("properties"))
}

fn create(world: &mut World, call: &Call, object: ObjectType, version: Version) -> Reply {
    let body = call.object()?;
    let (id, warnings) = create_one(world, object, &body, version)?;
    let row = world.truth.row(object, id).ok_or_else(Problem::not_found)?;
    let mut answer = world.object_json(object, id, row, &Ask::everything());
    trace(&mut answer, &body);
    if !warnings.is_empty() {
        answer["warnings"] = Value::Array(warnings);
    }
    let at = format!("https://api.hubapi.com/crm/v3/objects/{}/{id}", object.type_id());
    Ok(Answer::json(201, answer).header("Location", at))
}

/// A record that has passed every check and only waits to be created.
pub(super) struct Ready {
    pub clean: Clean,
    links: Vec<LinkWish>,
}

/// Checks one record to be created, `{properties, associations?}`, without writing anything.
pub(super) fn prepare(
    world: &World,
    object: ObjectType,
    body: &Map<String, Value>,
    version: Version,
) -> Result<Ready, Problem> {
    let clean = world.clean(object, properties(body)?, None, version)?;
    let set = |name: &&str| clean.values.get(*name).is_some_and(|value| !value.is_empty());
    let (needed, any): (&[&str], bool) = match object {
        ObjectType::Contacts => (&["email", "firstname", "lastname"], true),
        ObjectType::Companies => (&["name", "domain"], true),
        ObjectType::Deals if world.switches.on(Switch::DealMinimums) => {
            given(body, &["dealstage"])?;
            (&["dealname", "dealstage"], false)
        }
        ObjectType::Deals if world.strict => (&["dealname"], false),
        ObjectType::Emails => (&["hs_timestamp", "hs_email_direction"], false),
        ObjectType::Deals => (&[], false),
        ObjectType::Tickets => (&["subject"], false),
        _ => (&["hs_timestamp"], false),
    };
    let missing: Vec<&&str> = needed.iter().filter(|name| !set(name)).collect();
    if (any && missing.len() == needed.len()) || (!any && !missing.is_empty()) {
        let kind = object.singular().to_uppercase();
        let message = format!("Error creating {kind}. Some required properties were not set.");
        return Err(Problem::invalid(message).with("context", json!({"properties": missing})));
    }
    let links = wishes(world, object, body.get("associations"))?;
    Ok(Ready { clean, links })
}

/// Properties the request itself must set, whatever would be filled in.
fn given(body: &Map<String, Value>, names: &[&str]) -> Result<(), Problem> {
    let set = properties(body)?;
    let missing: Vec<&&str> = names.iter().filter(|name| !set.contains_key(**name)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => {
            Err(Problem::invalid("Some required properties were not set.")
                .with("context", json!({"properties": missing})))
        }
    }
}

/// The trace id of a write comes back with its answer.
fn trace(answer: &mut Value, body: &Map<String, Value>) {
    if let Some(trace) = body.get("objectWriteTraceId") {
        answer["objectWriteTraceId"] = trace.clone();
    }
}

/// Deletes a contact for good, by id or by a unique property.
fn forget(world: &mut World, call: &Call) -> Reply {
    let body = call.object()?;
    let text = body.get("objectId").map(text_of).unwrap_or_default();
    let id = match body.get("idProperty").and_then(Value::as_str) {
        Some(name) => find_by(world, ObjectType::Contacts, name, &text, false)?,
        None => Some(text.parse().map_err(|_| Problem::not_numeric(&text))?),
    };
    let found = id.map(|id| world.truth.resolve(ObjectType::Contacts, id));
    if let Some(id) = found.filter(|id| world.truth.row(ObjectType::Contacts, *id).is_some()) {
        world.forget(ObjectType::Contacts, id);
    }
    Answer::empty()
}

/// Creates a record that has passed its checks.
pub(super) fn commit(world: &mut World, object: ObjectType, ready: &Ready) -> u64 {
    let by = world.token_actor();
    world.create(object, &ready.clean.values, &ready.links, &by)
}

/// Checks and creates one record; its id and the warnings.
pub(super) fn create_one(
    world: &mut World,
    object: ObjectType,
    body: &Map<String, Value>,
    version: Version,
) -> Result<(u64, Vec<Value>), Problem> {
    let ready = prepare(world, object, body, version)?;
    let id = commit(world, object, &ready);
    Ok((id, ready.clean.warnings))
}

/// Reads inline associations: the records must exist and the types must run this way.
fn wishes(world: &World, object: ObjectType, associations: Option<&Value>) -> Result<Vec<LinkWish>, Problem> {
    let mut wishes = Vec::new();
    for wish in associations.and_then(Value::as_array).into_iter().flatten() {
        let id = wish.pointer("/to/id").map(text_of).unwrap_or_default();
        let types = wish
            .get("types")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let types: Vec<LinkType> = types.iter().map(read_type).collect::<Result<_, _>>()?;
        let to = ObjectType::ALL.into_iter().find(|to| {
            !types.is_empty()
                && types.iter().all(|link| link.inverse(object, *to).is_some())
                && default_type(object, *to).is_some()
        });
        let Some(to) = to else {
            let wanted = types.first().map_or(0, |link| link.id);
            return Err(Problem::invalid(format!(
                "Association type {wanted} is invalid from object type {} for associations to be created.",
                object.type_id()
            )));
        };
        let found = id
            .parse::<u64>()
            .ok()
            .and_then(|id| world.truth.live(to, id))
            .map(|(id, _)| id);
        let Some(found) = found else {
            return Err(Problem::invalid("One or more associations are invalid").with(
                "context",
                json!({"INVALID_OBJECT_IDS": [id.clone()], "objectId": [id], "objectType": [to.type_id()]}),
            ));
        };
        wishes.push((to, found, types));
    }
    Ok(wishes)
}

/// Reads `{"associationCategory","associationTypeId"}`.
pub(super) fn read_type(value: &Value) -> Result<LinkType, Problem> {
    let id = value
        .get("associationTypeId")
        .and_then(Value::as_u64)
        .and_then(|id| u32::try_from(id).ok());
    let category = value
        .get("associationCategory")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let user_defined = category == "USER_DEFINED";
    id.filter(|_| user_defined || category == "HUBSPOT_DEFINED")
        .map(|id| LinkType { user_defined, id })
        .ok_or_else(|| Problem::wrong_shape("AssociationSpec"))
}

/// An id that may come as text or as a number.
pub(in crate::portal) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn update(world: &mut World, call: &Call, object: ObjectType, id: &str, version: Version) -> Reply {
    let id = find(world, call, object, id)?;
    let body = call.object()?;
    let (id, warnings) = update_one(world, object, id, properties(&body)?, version)?;
    let row = world.truth.row(object, id).ok_or_else(Problem::not_found)?;
    let ask = match world.switches.on(Switch::PatchWhole) {
        true => Ask::everything(),
        false => after_update(object, properties(&body)?),
    };
    let mut answer = world.object_json(object, id, row, &ask);
    trace(&mut answer, &body);
    if !warnings.is_empty() {
        answer["warnings"] = Value::Array(warnings);
    }
    Answer::ok(answer)
}

/// Checks and writes one record; an id that was merged away leads to the survivor.
pub(super) fn update_one(
    world: &mut World,
    object: ObjectType,
    id: u64,
    values: &Map<String, Value>,
    version: Version,
) -> Result<(u64, Vec<Value>), Problem> {
    let (id, row) = world.truth.live(object, id).ok_or_else(Problem::not_found)?;
    let clean = world.clean(object, values, Some((id, row)), version)?;
    let by = world.token_actor();
    world.update(object, id, &clean.values, &by);
    Ok((id, clean.warnings))
}

/// What an update answers with: the default and the touched properties and, for a deal, what was computed.
pub(super) fn after_update(object: ObjectType, touched: &Map<String, Value>) -> Ask {
    let computed: &[&str] = match object {
        ObjectType::Deals => &[
            "amount_in_home_currency",
            "days_to_close",
            "hs_closed_amount",
            "hs_closed_won_date",
            "hs_deal_stage_probability",
            "hs_is_closed",
            "hs_is_closed_lost",
            "hs_is_closed_won",
            "hs_is_open_count",
            "hs_projected_amount",
            "hs_updated_by_user_id",
            "hs_v2_date_entered_current_stage",
        ],
        _ => &[],
    };
    let names = object
        .default_properties()
        .iter()
        .chain(computed)
        .map(|name| (*name).to_owned());
    Ask {
        properties: names.chain(touched.keys().cloned()).collect(),
        ..Ask::default()
    }
}

fn merge(world: &mut World, call: &Call, object: ObjectType) -> Reply {
    let body = call.object()?;
    let id = |key: &str| {
        let text = body.get(key).map(text_of).unwrap_or_default();
        text.parse::<u64>().map_err(|_| Problem::not_numeric(&text))
    };
    let survivor = world.merge(object, id("primaryObjectId")?, id("objectIdToMerge")?)?;
    let row = world.truth.row(object, survivor).ok_or_else(Problem::not_found)?;
    Answer::ok(world.object_json(object, survivor, row, &Ask::everything()))
}
