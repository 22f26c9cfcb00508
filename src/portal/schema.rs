//! Property definitions: HubSpot's standard ones for every object type, the per-stage families, and those an account adds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::ObjectType;
use super::pipelines::Pipeline;

/// How values of a property are read, compared and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    Enumeration,
    Date,
    DateTime,
}

/// A property definition in HubSpot's shape (`wire`), with what the rules need of it.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub kind: Kind,
    /// A `;`-joined list of options.
    pub multiple: bool,
    pub read_only: bool,
    pub calculated: bool,
    pub unique: bool,
    /// The owner's id is the value.
    pub owner: bool,
    /// Options are kept elsewhere (stages, owners, currencies).
    pub external: bool,
    /// Value and label, in display order.
    pub options: Vec<(String, String)>,
    pub wire: Value,
}

impl Definition {
    /// Reads HubSpot's shape; `None` without a name or with an unknown type.
    pub(super) fn from_wire(wire: Value) -> Option<(String, Self)> {
        let text = |key: &str| wire.get(key).and_then(Value::as_str);
        let flag = |key: &str| wire.get(key).and_then(Value::as_bool).unwrap_or(false);
        let kind = match text("type")? {
            "string" | "phone_number" | "json" | "object_coordinates" => Kind::Text,
            "number" => Kind::Number,
            "bool" => Kind::Bool,
            "enumeration" => Kind::Enumeration,
            "date" => Kind::Date,
            "datetime" => Kind::DateTime,
            _ => return None,
        };
        let option = |o: &Value| {
            Some((
                o.get("value")?.as_str()?.to_owned(),
                o.get("label")?.as_str()?.to_owned(),
            ))
        };
        let options = wire
            .get("options")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(option)
            .collect();
        let definition = Self {
            kind,
            multiple: text("fieldType") == Some("checkbox"),
            read_only: wire
                .pointer("/modificationMetadata/readOnlyValue")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            calculated: flag("calculated"),
            unique: flag("hasUniqueValue"),
            owner: text("referencedObjectType") == Some("OWNER"),
            external: flag("externalOptions"),
            options,
            wire: Value::Null,
        };
        let name = text("name")?.to_owned();
        Some((name, Self { wire, ..definition }))
    }
}

/// All definitions of one portal.
pub(super) struct Schema {
    types: BTreeMap<ObjectType, BTreeMap<String, Definition>>,
    /// Archived definitions, by name.
    archived: BTreeMap<ObjectType, BTreeMap<String, Value>>,
    groups: BTreeMap<ObjectType, Vec<Value>>,
}

impl Schema {
    /// HubSpot's standard properties; the families with a stage in their name come from the pipelines.
    pub(super) fn standard(pipelines: &BTreeMap<ObjectType, Vec<Pipeline>>) -> Self {
        let mut schema = Self {
            types: BTreeMap::new(),
            archived: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        for object in ObjectType::ALL {
            let name = format!("{}information", object.singular());
            let label = format!("{} information", object.singular());
            let group = json!({"name": name, "label": label, "displayOrder": 0, "archived": false});
            schema.groups.insert(object, vec![group]);
            let activity = if object.is_activity() { ACTIVITY } else { "" };
            for line in COMMON
                .lines()
                .chain(activity.lines())
                .chain(lines(object).lines())
                .filter(|line| !line.trim().is_empty())
            {
                schema.define(object, parse(line, object));
            }
            let created = format!("{}:datetime:ro:Create date", object.created_property());
            let modified = format!("{}:datetime:ro:Last modified date", object.modified_property());
            schema.define(object, parse(&created, object));
            schema.define(object, parse(&modified, object));
            for stage in pipelines
                .get(&object)
                .into_iter()
                .flatten()
                .flat_map(|pipeline| &pipeline.stages)
            {
                schema.define_stage(object, &stage.id);
            }
        }
        schema
    }

    /// Adds or replaces a definition in HubSpot's shape; false when it cannot be read.
    pub(super) fn define(&mut self, object: ObjectType, wire: Value) -> bool {
        let Some((name, definition)) = Definition::from_wire(wire) else {
            return false;
        };
        self.types.entry(object).or_default().insert(name, definition);
        true
    }

    /// A read-only property of every type may be written in this account, and its definition says so.
    pub(super) fn release(&mut self, name: &str) {
        for types in self.types.values_mut() {
            if let Some(definition) = types.get_mut(name) {
                definition.read_only = false;
                definition.wire["modificationMetadata"]["readOnlyValue"] = json!(false);
            }
        }
    }

    /// The properties that exist once per stage.
    pub(super) fn define_stage(&mut self, object: ObjectType, stage: &str) {
        for (family, kind) in STAGE_FAMILIES {
            let line = format!("{family}_{stage}:{kind}:ro:{family} {stage}");
            self.define(object, parse(&line, object));
        }
    }

    /// Takes a definition away until it is restored.
    pub(super) fn archive(&mut self, object: ObjectType, name: &str, at: &str) {
        let known = self.types.get_mut(&object).and_then(|types| types.remove(name));
        if let Some(mut wire) = known.map(|definition| definition.wire) {
            wire["archived"] = json!(true);
            wire["archivedAt"] = json!(at);
            self.archived.entry(object).or_default().insert(name.to_owned(), wire);
        }
    }

    /// An archived definition, taken out of the archive.
    pub(super) fn restore(&mut self, object: ObjectType, name: &str) -> Option<Value> {
        let mut wire = self.archived.get_mut(&object)?.remove(name)?;
        if let Some(map) = wire.as_object_mut() {
            map.remove("archivedAt");
        }
        Some(wire)
    }

    pub(super) fn archived(&self, object: ObjectType) -> impl Iterator<Item = &Value> {
        self.archived.get(&object).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn groups(&mut self, object: ObjectType) -> &mut Vec<Value> {
        self.groups.entry(object).or_default()
    }

    pub(super) fn get(&self, object: ObjectType, name: &str) -> Option<&Definition> {
        self.types.get(&object)?.get(name)
    }

    pub(super) fn all(&self, object: ObjectType) -> impl Iterator<Item = (&str, &Definition)> {
        self.types
            .get(&object)
            .into_iter()
            .flatten()
            .map(|(name, definition)| (name.as_str(), definition))
    }
}

/// Properties that exist once per stage.
const STAGE_FAMILIES: [(&str, &str); 4] = [
    ("hs_v2_date_entered", "datetime"),
    ("hs_v2_date_exited", "datetime"),
    ("hs_v2_cumulative_time_in", "number"),
    ("hs_v2_latest_time_in", "number"),
];

/// The definition of a text property nobody declared, as a fixture's own properties are.
pub(super) fn undeclared(name: &str, object: ObjectType) -> Value {
    let mut wire = parse(&format!("{name}:string::{name}"), object);
    wire["hubspotDefined"] = json!(false);
    wire
}

/// `name:type:flags:label:options` as HubSpot's JSON. Flags: `ro` read only, `calc` calculated, `unique`, `multi`, `owner`,
/// `ext` external options, `radio` a choice shown as buttons, `area` a text area.
fn parse(line: &str, object: ObjectType) -> Value {
    let mut parts = line.trim().splitn(5, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (name, kind, flags, label, options) = (next(), next(), next(), next(), next());
    let has = |flag: &str| flags.split(' ').any(|f| f == flag);
    let options: Vec<Value> = options
        .split(',')
        .filter(|option| !option.is_empty())
        .enumerate()
        .map(|(order, option)| {
            let (value, label) = option.split_once('=').unwrap_or((option, option));
            json!({"value": value, "label": label, "displayOrder": order, "hidden": false})
        })
        .collect();
    let field = match kind {
        "enumeration" if has("multi") => "checkbox",
        "enumeration" if has("radio") => "radio",
        "enumeration" => "select",
        "bool" => "booleancheckbox",
        "datetime" | "date" => "date",
        "number" => "number",
        _ if has("area") => "textarea",
        _ => "text",
    };
    let calculated = has("calc");
    let mut wire = json!({
        "name": name, "label": if label.is_empty() { name } else { label }, "type": kind, "fieldType": field,
        "groupName": format!("{}information", object.singular()), "description": "", "displayOrder": -1,
        "options": options, "externalOptions": has("ext") || has("owner"), "calculated": calculated, "formField": false,
        "hidden": false, "hubspotDefined": true, "hasUniqueValue": has("unique"), "archived": false,
        "modificationMetadata": {"archivable": false, "readOnlyDefinition": true, "readOnlyValue": has("ro") || calculated},
        "createdAt": "2019-08-06T02:41:52.027Z", "updatedAt": "2024-02-12T14:03:11.408Z", "dataSensitivity": "non_sensitive",
    });
    if has("owner") {
        wire["referencedObjectType"] = json!("OWNER");
    }
    if calculated {
        wire["fieldType"] = json!("calculation_equation");
    }
    wire
}

fn lines(object: ObjectType) -> &'static str {
    match object {
        ObjectType::Contacts => include_str!("schema/contacts.txt"),
        ObjectType::Companies => include_str!("schema/companies.txt"),
        ObjectType::Deals => include_str!("schema/deals.txt"),
        ObjectType::Tickets => include_str!("schema/tickets.txt"),
        ObjectType::Notes => include_str!("schema/notes.txt"),
        ObjectType::Tasks => include_str!("schema/tasks.txt"),
        ObjectType::Calls => include_str!("schema/calls.txt"),
        ObjectType::Emails => include_str!("schema/emails.txt"),
        ObjectType::Meetings => include_str!("schema/meetings.txt"),
    }
}

/// On every activity.
const ACTIVITY: &str = include_str!("schema/activities.txt");

/// On every object type.
const COMMON: &str = "\
hs_object_id:number:ro:Record ID
hubspot_owner_id:enumeration:owner:Owner
hubspot_owner_assigneddate:datetime:ro:Owner assigned date
hs_all_owner_ids:enumeration:ro multi ext:All owner IDs
hs_object_source:string:ro:Record source
hs_object_source_id:string:ro:Record source ID
hs_object_source_label:string:ro:Record source label
hs_created_by_user_id:number:ro:Created by user ID
hs_updated_by_user_id:number:ro:Updated by user ID
hs_merged_object_ids:enumeration:ro multi ext:Merged record IDs
hs_unique_creation_key:string:ro unique:Unique creation key
hubspot_team_id:enumeration:ro ext:Team
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_definitions_say_what_may_be_written() {
        let sales = Pipeline::from_wire(super::super::pipelines::sales()).unwrap();
        let schema = Schema::standard(&BTreeMap::from([(ObjectType::Deals, vec![sales])]));
        let deal = |name: &str| schema.get(ObjectType::Deals, name).unwrap();
        assert_eq!(deal("dealstage").wire["fieldType"], "radio");
        assert!(!deal("amount").read_only && deal("amount").kind == Kind::Number);
        assert!(deal("hs_projected_amount").read_only);
        assert!(deal("hs_v2_date_entered_contractsent").read_only);
        assert_eq!(deal("hs_priority").options.len(), 3);
        assert!(deal("hubspot_owner_id").owner);
        assert!(schema.get(ObjectType::Contacts, "email").unwrap().unique);
        assert!(schema.get(ObjectType::Deals, "hs_v2_date_entered_nowhere").is_none());
    }
}
