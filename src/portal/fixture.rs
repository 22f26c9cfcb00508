//! Accounts as NDJSON text, one record a line: loading one, and printing the truth in the same form.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::clock::{iso, parse};
use super::effects::{self, Rules};
use super::kinds::{LinkType, ObjectType, primary_type};
use super::lists::List;
use super::pipelines::{Owner, Pipeline};
use super::record::{Actor, Change, Record};
use super::schema::{Schema, undeclared};
use super::settings::Settings;
use super::truth::Row;
use super::wire::change_json;
use super::world::World;
use super::{Error, gate::Gate};

type Line = (usize, Map<String, Value>);

/// Loads an account. What describes it (account, pipelines, owners, properties, lists) goes before the records, wherever it
/// stands in the text.
pub(super) fn load(world: &mut World, settings: &Settings, text: &str) -> Result<(), Error> {
    let mut lines: Vec<Line> = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let map = serde_json::from_str(line).map_err(|error| bad(n + 1, error.to_string()))?;
        lines.push((n + 1, map));
    }
    let of = |line: &Line, kind: &str| line.1.get("type").and_then(Value::as_str) == Some(kind);
    for line in lines.iter().filter(|line| of(line, "account")) {
        load_account(world, settings, line)?;
    }
    load_pipelines(world, lines.iter().filter(|line| of(line, "pipeline")))?;
    world.schema = Schema::standard(&world.pipelines);
    for line in lines.iter().filter(|line| of(line, "property")) {
        let object = object_type(line, "objectType")?;
        if !world.schema.define(object, value(line)?) {
            return Err(bad(
                line.0,
                "the property needs a name and one of HubSpot's types".to_owned(),
            ));
        }
    }
    for line in lines.iter().filter(|line| of(line, "owner")) {
        let owner = Owner::from_wire(value(line)?).ok_or_else(|| bad(line.0, "the owner has no id".to_owned()))?;
        world.owners.push(owner);
    }
    for line in lines.iter().filter(|line| of(line, "list")) {
        let members = ids(line.1.get("members"));
        let list = List::from_wire(value(line)?, members, world.clock.now())
            .ok_or_else(|| bad(line.0, "the list has no listId".to_owned()))?;
        world.lists.push(list);
    }
    let known = ["account", "pipeline", "property", "owner", "list"];
    let records: Vec<&Line> = lines
        .iter()
        .filter(|line| !known.iter().any(|kind| of(line, kind)))
        .collect();
    for line in &records {
        load_record(world, line)?;
    }
    load_links(world, &records)?;
    for list in &mut world.lists {
        let object = list.object();
        list.keep(|id| object.is_none_or(|object| !world.truth.is_gone(object, id)));
    }
    Ok(())
}

fn load_account(world: &mut World, settings: &Settings, line: &Line) -> Result<(), Error> {
    let given = value(line)?;
    let zone_name = given
        .get("timeZone")
        .and_then(Value::as_str)
        .unwrap_or(&settings.time_zone)
        .to_owned();
    let zone = TimeZone::get(&zone_name).map_err(|_| Error::TimeZone(zone_name))?;
    world.gate = Gate::new(settings, zone, world.clock.now());
    if let (Some(known), Value::Object(given)) = (world.account.as_object_mut(), given) {
        known.extend(given);
    }
    if let Some(id) = world.account.get("portalId").and_then(Value::as_u64) {
        world.portal_id = id;
    }
    Ok(())
}

/// Pipelines of an object type replace HubSpot's standard ones of that type.
fn load_pipelines<'a>(world: &mut World, lines: impl Iterator<Item = &'a Line>) -> Result<(), Error> {
    let mut given: BTreeMap<ObjectType, Vec<Pipeline>> = BTreeMap::new();
    for line in lines {
        let object = object_type(line, "objectType")?;
        let pipeline = Pipeline::from_wire(value(line)?)
            .ok_or_else(|| bad(line.0, "the pipeline needs an id and stages with ids".to_owned()))?;
        given.entry(object).or_default().push(pipeline);
    }
    world.pipelines.extend(given);
    Ok(())
}

fn load_record(world: &mut World, line: &Line) -> Result<(), Error> {
    let object = object_type(line, "type")?;
    let id = record_id(line)?;
    let mut record = Record::default();
    let empty = Map::new();
    let properties = line.1.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    for (name, value) in properties {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        record.calculate(name.clone(), text);
        if world.schema.get(object, name).is_none() {
            world.schema.define(object, undeclared(name, object));
        }
    }
    for (name, entries) in line.1.get("history").and_then(Value::as_object).unwrap_or(&empty) {
        let entries = entries.as_array().into_iter().flatten();
        let changes = entries
            .map(|entry| change(entry).ok_or_else(|| bad(line.0, format!("the history of '{name}' cannot be read"))));
        record
            .history
            .insert(name.clone().into(), changes.collect::<Result<_, _>>()?);
    }
    if line.1.get("archived").and_then(Value::as_bool).unwrap_or(false) {
        let at = line.1.get("archivedAt").and_then(Value::as_str).and_then(parse);
        record.archived_at = Some(at.unwrap_or_else(|| world.clock.now()));
    }
    complete(world, object, id, &mut record);
    for old in record
        .get("hs_merged_object_ids")
        .unwrap_or_default()
        .split(';')
        .filter_map(|id| id.parse().ok())
    {
        world.truth.edit(object, old).merged_into = Some(id);
    }
    let unique = world.schema.all(object).filter(|(_, definition)| definition.unique);
    for name in unique.map(|(name, _)| name.to_owned()).collect::<Vec<_>>() {
        if let Some(value) = record.get(&name).filter(|_| record.archived_at.is_none()) {
            world.truth.register(object, id, &name, "", value);
        }
    }
    *world.truth.edit(object, id) = record;
    Ok(())
}

/// Fills in what HubSpot would know of a record by itself; what is given stays as it is.
fn complete(world: &World, object: ObjectType, id: u64, record: &mut Record) {
    let now = iso(world.clock.now());
    let given = record.properties.clone();
    let created = given.get(object.created_property()).cloned().unwrap_or(now);
    if let (Some((pipeline, stage)), Some(first)) = (object.pipeline_properties(), world.pipelines(object).first()) {
        let of_stage = given
            .get(stage)
            .and_then(|id| world.pipelines(object).iter().find(|p| p.stage(id).is_some()));
        record.calculate(pipeline, of_stage.unwrap_or(first).id.clone());
        record.calculate(
            stage,
            first.stages.first().map(|stage| stage.id.clone()).unwrap_or_default(),
        );
    }
    record.calculate("hs_object_id", id.to_string());
    record.calculate(object.created_property(), created.clone());
    record.calculate(object.modified_property(), created.clone());
    if object == ObjectType::Deals {
        record.properties.extend(given.clone());
        let stage = record.get("dealstage").unwrap_or_default().to_owned();
        let chance = world
            .pipelines(object)
            .iter()
            .find_map(|p| p.stage(&stage))
            .and_then(|s| s.probability.clone());
        record.calculate("hs_deal_stage_probability", chance.unwrap_or_default());
        let past = record.history.get("dealstage").cloned().unwrap_or_default();
        for entry in past.iter().rev() {
            record.calculate(format!("hs_v2_date_entered_{}", entry.value), iso(entry.at));
        }
        record.calculate(
            "hs_v2_date_entered_current_stage",
            past.first().map_or(created, |entry| iso(entry.at)),
        );
        record.properties.extend(given.clone());
        effects::derive_deal(
            record,
            &Rules {
                pipelines: world.pipelines(object),
                home_currency: world.home_currency(),
                keeps_close_date: true,
                counts_seconds: false,
            },
        );
    }
    record.properties.extend(given);
}

/// Associations, people's before companies', so that the company a person names first is the primary one.
fn load_links(world: &mut World, records: &[&Line]) -> Result<(), Error> {
    let rank = |line: &&&Line| line.1.get("type").and_then(Value::as_str) == Some("companies");
    let (companies, others): (Vec<&&Line>, Vec<&&Line>) = records.iter().partition(rank);
    for line in others.into_iter().chain(companies) {
        let (object, id) = (object_type(line, "type")?, record_id(line)?);
        for (to, others) in line
            .1
            .get("associations")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let to = ObjectType::parse(to).ok_or_else(|| bad(line.0, format!("'{to}' is not an object type")))?;
            for other in ids(Some(others)) {
                let label = line
                    .1
                    .get("labels")
                    .and_then(|all| all.get(to.plural())?.get(other.to_string()));
                let types = label
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_u64);
                let types: Vec<LinkType> = types
                    .filter_map(|id| {
                        Some(LinkType {
                            user_defined: true,
                            id: u32::try_from(id).ok()?,
                        })
                    })
                    .collect();
                world.truth.link((object, id), (to, other), &types);
            }
        }
    }
    for line in records
        .iter()
        .filter(|line| line.1.get("type").and_then(Value::as_str) == Some("deals"))
    {
        let id = record_id(line)?;
        let given = line
            .1
            .get("properties")
            .is_some_and(|p| p.get("num_associated_contacts").is_some());
        if !given {
            let count = world.truth.links(ObjectType::Deals, id, ObjectType::Contacts).len();
            world
                .truth
                .edit(ObjectType::Deals, id)
                .calculate("num_associated_contacts", count.to_string());
        }
    }
    Ok(())
}

/// One record in the fixture's form.
pub(super) fn record_line(world: &World, object: ObjectType, id: u64, row: Row<'_>) -> Value {
    let whole = row.whole();
    let mut history = Map::new();
    for name in whole.properties.keys().chain(whole.history.keys()) {
        let past = row.history(name);
        let created = row.instant(object.created_property()).unwrap_or_default();
        let plain = matches!(past.as_slice(), [one] if one.at == created && one.by == row.creator());
        // The way through the stages is always told: it is what a pipeline's past is read from.
        if (!plain || name == "dealstage") && !past.is_empty() {
            history.insert(name.clone().into_owned(), past.iter().map(change_json).collect());
        }
    }
    let (mut associations, mut labels) = (Map::new(), Map::new());
    for to in ObjectType::ALL {
        let links = world.truth.links(object, id, to);
        let primary = primary_type(object, to);
        let mut others: Vec<u64> = links.keys().copied().collect();
        others.sort_by_key(|other| !primary.is_some_and(|primary| links[other].contains(&primary)));
        let mut labelled = Map::new();
        for (other, types) in &links {
            let own: Vec<u32> = types
                .iter()
                .filter(|link| link.user_defined)
                .map(|link| link.id)
                .collect();
            if !own.is_empty() {
                labelled.insert(other.to_string(), json!(own));
            }
        }
        if !others.is_empty() {
            associations.insert(
                to.plural().to_owned(),
                others.iter().map(|id| json!(id.to_string())).collect(),
            );
        }
        if !labelled.is_empty() {
            labels.insert(to.plural().to_owned(), Value::Object(labelled));
        }
    }
    let mut line = json!({"type": object.plural(), "id": id.to_string(), "properties": whole.properties,
        "associations": associations, "history": history, "archived": row.archived_at().is_some()});
    if let Some(at) = row.archived_at() {
        line["archivedAt"] = json!(iso(at));
    }
    if !labels.is_empty() {
        line["labels"] = Value::Object(labels);
    }
    line
}

/// What describes the account: everything but its records.
pub(super) fn description(world: &World) -> Vec<Value> {
    let mut lines = vec![json!({"type": "account", "value": world.account})];
    for (object, pipelines) in &world.pipelines {
        lines.extend(
            pipelines
                .iter()
                .map(|p| json!({"type": "pipeline", "objectType": object.plural(), "value": p.wire})),
        );
    }
    for object in ObjectType::ALL {
        let own = world
            .schema
            .all(object)
            .filter(|(_, d)| d.wire.get("hubspotDefined") == Some(&json!(false)));
        lines.extend(own.map(|(_, d)| json!({"type": "property", "objectType": object.plural(), "value": d.wire})));
    }
    lines.extend(
        world
            .owners
            .iter()
            .map(|owner| json!({"type": "owner", "value": owner.wire})),
    );
    let text = |id: &u64| json!(id.to_string());
    lines.extend(world.lists.iter().filter(|list| !list.deleted).map(
        |list| json!({"type": "list", "value": list.truth(), "members": list.members.keys().map(text).collect::<Value>()}),
    ));
    lines
}

fn change(entry: &Value) -> Option<Change> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let value = entry.get("value")?;
    let user = entry.get("updatedByUserId");
    let user = user.and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    let source_type = text("sourceType").unwrap_or("CRM_UI").to_owned();
    let by = Actor {
        source_type: source_type.into(),
        source_id: text("sourceId").map(str::to_owned),
        user,
    };
    let value = value.as_str().map_or_else(
        || {
            if value.is_null() {
                String::new()
            } else {
                value.to_string()
            }
        },
        str::to_owned,
    );
    Some(Change {
        value,
        at: parse(text("timestamp")?)?,
        by,
    })
}

fn ids(list: Option<&Value>) -> Vec<u64> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
        .collect()
}

fn record_id(line: &Line) -> Result<u64, Error> {
    let id = line
        .1
        .get("id")
        .ok_or_else(|| bad(line.0, "the record has no id".to_owned()))?;
    let number = id.as_u64().or_else(|| id.as_str()?.parse().ok());
    number.ok_or_else(|| bad(line.0, format!("the id {id} is not a number")))
}

fn object_type(line: &Line, key: &str) -> Result<ObjectType, Error> {
    let name = line.1.get(key).and_then(Value::as_str).unwrap_or_default();
    ObjectType::parse(name).ok_or_else(|| {
        bad(
            line.0,
            format!("'{name}' is not an object type, and not a part of an account"),
        )
    })
}

fn value(line: &Line) -> Result<Value, Error> {
    line.1
        .get("value")
        .cloned()
        .ok_or_else(|| bad(line.0, "there is no 'value'".to_owned()))
}

fn bad(line: usize, reason: String) -> Error {
    Error::Fixture { line, reason }
}
