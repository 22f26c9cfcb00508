//! Records as HubSpot writes them: text-only properties with sorted keys, null for what was asked for and is unset.

use serde_json::{Map, Value, json};

use super::answer::Call;
use super::clock::iso;
use super::errors::Problem;
use super::kinds::{LinkType, ObjectType};
use super::record::Change;
use super::truth::Row;
use super::world::World;

/// What a read wants to see of each record.
#[derive(Debug, Default)]
pub(super) struct Ask {
    pub properties: Vec<String>,
    pub history: Vec<String>,
    pub associations: Vec<ObjectType>,
    /// Every set property, as the answer to a create shows them.
    pub everything: bool,
}

impl Ask {
    /// From the query of a list or get.
    pub(super) fn from_query(call: &Call) -> Result<Self, Problem> {
        let kinds = call.list("associations");
        let associations = kinds
            .iter()
            .map(|name| ObjectType::parse(name).ok_or_else(|| Problem::unknown_type(name)));
        Ok(Self {
            properties: call.list("properties"),
            history: call.list("propertiesWithHistory"),
            associations: associations.collect::<Result<_, _>>()?,
            everything: false,
        })
    }

    /// From the body of a batch read or a search.
    pub(super) fn from_body(body: &Map<String, Value>) -> Self {
        let list = |key: &str| {
            let items = body.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            properties: list("properties"),
            history: list("propertiesWithHistory"),
            ..Self::default()
        }
    }

    pub(super) fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }
}

/// What emails say, which has a scope of its own.
const CONTENT: [&str; 4] = ["hs_email_subject", "hs_email_text", "hs_email_html", "hs_body_preview"];

impl World {
    /// A record in HubSpot's shape.
    pub(super) fn object_json(&self, object: ObjectType, id: u64, row: Row<'_>, ask: &Ask) -> Value {
        let mut properties = Map::new();
        let hidden = object == ObjectType::Emails && !self.caller.may("sales-email-read");
        let text = |name: &str| {
            row.get(name)
                .map_or(Value::Null, |text| Value::String(text.into_owned()))
        };
        let mut put = |name: &str| {
            let told = !properties.contains_key(name) && self.schema.get(object, name).is_some();
            if told && !(hidden && CONTENT.contains(&name)) {
                properties.insert(name.to_owned(), text(name));
            }
        };
        let always = [object.created_property(), object.modified_property(), "hs_object_id"];
        if ask.everything {
            for name in row.whole().properties.keys() {
                put(name);
            }
        } else if ask.properties.is_empty() {
            object.default_properties().iter().for_each(|name| put(name));
        } else {
            ask.properties.iter().for_each(|name| put(name));
        }
        always.iter().for_each(|name| put(name));
        let at = |name: &str| properties.get(name).cloned().unwrap_or_else(|| text(name));
        let (created, modified) = (at(object.created_property()), at(object.modified_property()));
        let archived_at = row.archived_at();
        let mut body = json!({
            "id": id.to_string(), "properties": properties, "createdAt": created, "updatedAt": modified, "archived": archived_at.is_some(),
            "url": format!("https://app.hubspot.com/contacts/{}/record/{}/{id}", self.portal_id, object.type_id()),
        });
        if let Some(at) = archived_at {
            body["archivedAt"] = json!(iso(at));
        }
        if !ask.history.is_empty() {
            let known = ask
                .history
                .iter()
                .filter(|name| self.schema.get(object, name).is_some());
            let history = known.map(|name| {
                (
                    name.clone(),
                    row.history(name).iter().map(change_json).collect::<Value>(),
                )
            });
            body["propertiesWithHistory"] = Value::Object(history.collect());
        }
        if !ask.associations.is_empty() {
            let mut all = Map::new();
            for to in &ask.associations {
                let results = self.inline_links(object, id, *to);
                if !results.is_empty() {
                    all.insert(to.plural().to_owned(), json!({"results": results}));
                }
            }
            if !all.is_empty() {
                body["associations"] = Value::Object(all);
            }
        }
        body
    }

    /// The old shape of associations: one row per record and type.
    pub(super) fn inline_links(&self, object: ObjectType, id: u64, to: ObjectType) -> Vec<Value> {
        let mut rows = Vec::new();
        let between = format!("{}_to_{}", object.singular(), to.singular());
        for other in self.truth.links(object, id, to).into_keys() {
            rows.push(json!({"id": other.to_string(), "type": between}));
            if !object.is_activity() && !to.is_activity() {
                rows.push(json!({"id": other.to_string(), "type": format!("{between}_unlabeled")}));
            }
        }
        rows
    }
}

/// One association type as the v4 shapes spell it.
pub(super) fn link_json(link: LinkType, from: ObjectType, to: ObjectType) -> Value {
    json!({"category": link.category(), "typeId": link.id, "label": link.label(from, to)})
}

/// One entry of a property's history.
pub(super) fn change_json(change: &Change) -> Value {
    let mut entry = json!({"value": change.value, "timestamp": iso(change.at), "sourceType": change.by.source_type});
    if let Some(source) = &change.by.source_id {
        entry["sourceId"] = json!(source);
    }
    if let Some(user) = change.by.user {
        entry["updatedByUserId"] = json!(user);
    }
    entry
}
