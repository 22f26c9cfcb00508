//! Pipelines and owners as the portal knows them: HubSpot's own JSON kept beside the few fields the rules need.

use serde_json::{Value, json};

use super::clock::iso;
use super::names::OWNERS;

/// One stage of a pipeline.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub id: String,
    /// As `metadata.probability` spells it, such as `0.4`; tickets have none.
    pub probability: Option<String>,
    pub closed: bool,
}

impl Stage {
    pub(super) fn won(&self) -> bool {
        self.closed && self.chance() >= 1.0
    }

    pub(super) fn lost(&self) -> bool {
        self.closed && self.chance() <= 0.0
    }

    pub(super) fn chance(&self) -> f64 {
        self.probability
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0)
    }
}

/// A pipeline in HubSpot's shape (`wire`), with its stages in display order.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub id: String,
    pub stages: Vec<Stage>,
    pub wire: Value,
}

impl Pipeline {
    /// Reads HubSpot's shape; `None` when the id or the stages are missing.
    pub(super) fn from_wire(wire: Value) -> Option<Self> {
        let id = wire.get("id")?.as_str()?.to_owned();
        let mut rows: Vec<&Value> = wire.get("stages")?.as_array()?.iter().collect();
        rows.sort_by_key(|row| row.get("displayOrder").and_then(Value::as_i64).unwrap_or(0));
        let stages = rows.into_iter().map(stage).collect::<Option<Vec<_>>>()?;
        Some(Self { id, stages, wire })
    }

    pub(super) fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

fn stage(row: &Value) -> Option<Stage> {
    let metadata = row.get("metadata");
    let text = |key: &str| metadata.and_then(|m| m.get(key)).and_then(text_of);
    let closed = text("isClosed").is_some_and(|v| v == "true") || text("ticketState").is_some_and(|v| v == "CLOSED");
    Some(Stage {
        id: row.get("id")?.as_str()?.to_owned(),
        probability: text("probability"),
        closed,
    })
}

fn text_of(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| (value.is_number() || value.is_boolean()).then(|| value.to_string()))
}

/// The default deal pipeline of every account.
pub(super) fn sales() -> Value {
    let stages = [
        ("appointmentscheduled", "Appointment Scheduled", "0.2"),
        ("qualifiedtobuy", "Qualified To Buy", "0.4"),
        ("presentationscheduled", "Presentation Scheduled", "0.6"),
        ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
        ("contractsent", "Contract Sent", "0.9"),
        ("closedwon", "Closed Won", "1.0"),
        ("closedlost", "Closed Lost", "0.0"),
    ];
    pipeline("default", "Sales Pipeline", 0, &stages)
}

/// The second deal pipeline of a generated account; its ids are numeric, as those of custom pipelines are.
pub(super) fn renewals() -> Value {
    let stages = [
        ("128934501", "Renewal Due", "0.5"),
        ("128934502", "In Talks", "0.7"),
        ("128934503", "Terms Agreed", "0.9"),
        ("128934504", "Renewed", "1.0"),
        ("128934505", "Churned", "0.0"),
    ];
    pipeline("128934500", "Renewals", 1, &stages)
}

fn pipeline(id: &str, label: &str, order: usize, stages: &[(&str, &str, &str)]) -> Value {
    let stages: Vec<Value> = stages
        .iter()
        .enumerate()
        .map(|(order, (id, label, probability))| {
            let closed = matches!(*probability, "1.0" | "0.0");
            let metadata = json!({"probability": probability, "isClosed": closed.to_string()});
            stage_wire(id, label, order, &metadata)
        })
        .collect();
    pipeline_wire(id, label, order, &stages)
}

/// The ticket pipeline of every account.
pub(super) fn support() -> Value {
    let rows = [
        ("1", "New"),
        ("2", "Waiting on contact"),
        ("3", "Waiting on us"),
        ("4", "Closed"),
    ];
    let stages: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(order, (id, label))| {
            let closed = *id == "4";
            let state = if closed { "CLOSED" } else { "OPEN" };
            stage_wire(
                id,
                label,
                order,
                &json!({"ticketState": state, "isClosed": closed.to_string()}),
            )
        })
        .collect();
    pipeline_wire("0", "Support Pipeline", 0, &stages)
}

fn stage_wire(id: &str, label: &str, order: usize, metadata: &Value) -> Value {
    json!({"id": id, "label": label, "displayOrder": order, "metadata": metadata, "createdAt": "1970-01-01T00:00:00Z",
        "updatedAt": "1970-01-01T00:00:00Z", "archived": false, "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"})
}

fn pipeline_wire(id: &str, label: &str, order: usize, stages: &[Value]) -> Value {
    json!({"id": id, "label": label, "displayOrder": order, "stages": stages, "createdAt": "1970-01-01T00:00:00Z",
        "updatedAt": "1970-01-01T00:00:00Z", "archived": false})
}

/// An owner in HubSpot's shape, with the ids the rules need.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    /// What `hubspot_owner_id` holds.
    pub id: String,
    /// What histories and the introspection hold; an archived owner's comes from `userIdIncludingInactive`.
    pub user_id: Option<u64>,
    pub email: String,
    pub archived: bool,
    pub wire: Value,
}

impl Owner {
    /// Reads HubSpot's shape; `None` without an id.
    pub(super) fn from_wire(wire: Value) -> Option<Self> {
        let number = |key: &str| wire.get(key).and_then(Value::as_u64);
        Some(Self {
            id: wire.get("id").and_then(text_of)?,
            user_id: number("userId").or_else(|| number("userIdIncludingInactive")),
            email: wire.get("email").and_then(Value::as_str).unwrap_or_default().to_owned(),
            archived: wire.get("archived").and_then(Value::as_bool).unwrap_or(false),
            wire,
        })
    }
}

/// `count` live owners and an archived one, Robin Quill first.
pub(super) fn owners(count: u32, opened: i64) -> Vec<Owner> {
    let people = (0..count.max(1)).map(|n| (n, false)).chain([(u32::MAX, true)]);
    people
        .filter_map(|(n, archived)| {
            let (first, last) = if archived { ("Milo", "Gone") } else { OWNERS[n as usize % OWNERS.len()] };
            let place = if archived { 999 } else { n };
            let suffix = if n < 12 || archived { String::new() } else { (n / 12 + 1).to_string() };
            let user_id = 9_586_500 + u64::from(place);
            let email = format!("{}.{}{suffix}@dealdeck.example", first.to_lowercase(), last.to_lowercase());
            Owner::from_wire(json!({
                "id": (41_629_700 + u64::from(place) * 7).to_string(), "email": email, "type": "PERSON",
                "firstName": first, "lastName": format!("{last}{}", if suffix.is_empty() { String::new() } else { format!(" {suffix}") }),
                "userId": if archived { Value::Null } else { json!(user_id) }, "userIdIncludingInactive": user_id,
                "createdAt": iso(opened - 700 * super::clock::DAY), "updatedAt": iso(opened - 30 * super::clock::DAY),
                "archived": archived,
                "teams": [{"id": if place % 2 == 0 { "801" } else { "802" }, "name": if place % 2 == 0 { "East" } else { "West" }, "primary": true}],
            }))
        })
        .collect()
}
