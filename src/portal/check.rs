//! What may be written: every value of a write is checked against its definition, and all refusals are told together.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::clock::{iso, iso_date, parse};
use super::errors::{BadValue, Problem, bad_values, missing_values};
use super::kinds::ObjectType;
use super::schema::{Definition, Kind};
use super::switches::Switch;
use super::truth::Row;
use super::version::Version;
use super::world::World;

/// Values fit to be written, and what was tidied on the way.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// An empty text clears the property.
    pub values: BTreeMap<String, String>,
    /// `PROPERTY_VALUE_NORMALIZED`, from 2026-09 on.
    pub warnings: Vec<Value>,
}

/// The longest text a property holds, in characters.
const LONGEST: usize = 65_536;

impl World {
    /// Checks the properties of a write; `row` is the record as it stands, `None` for a new one.
    pub(super) fn clean(
        &self,
        object: ObjectType,
        input: &Map<String, Value>,
        row: Option<(u64, Row<'_>)>,
        version: Version,
    ) -> Result<Clean, Problem> {
        let (mut clean, mut bad) = (Clean::default(), Vec::new());
        for (name, value) in input {
            match self.clean_value(object, name, value, row.map(|(_, row)| row)) {
                Ok(text) => {
                    let raw = plain(value).unwrap_or_default();
                    if version >= Version::September && is_lenient_date(self.schema.get(object, name), &raw, &text) {
                        clean.warnings.push(json!({"category": "PROPERTY_VALUE_NORMALIZED",
                            "message": format!("The value of {name} was normalized"),
                            "context": {"propertyName": name, "rawValue": raw, "normalizedValue": text}}));
                    }
                    clean.values.insert(name.clone(), text);
                }
                Err(refusal) => bad.push(refusal),
            }
        }
        self.clean_lifecycle(object, &mut clean.values, row.map(|(_, row)| row), &mut bad);
        self.clean_stage(object, &mut clean.values, row.map(|(_, row)| row), &mut bad);
        self.clean_unique(object, &clean.values, row.map(|(id, _)| id), &mut bad)?;
        if !bad.is_empty() {
            return Err(bad_values(&bad, self.portal_id));
        }
        self.apply_strict_rules(object, &clean.values, row.map(|(_, row)| row), version)?;
        Ok(clean)
    }

    fn clean_value(
        &self,
        object: ObjectType,
        name: &str,
        value: &Value,
        row: Option<Row<'_>>,
    ) -> Result<String, BadValue> {
        let refuse = |code, message: String| Err(BadValue::new(name, code, message));
        let Some(definition) = self.schema.get(object, name) else {
            return refuse("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist"));
        };
        if definition.read_only && !self.settable(object, name, row.is_none()) {
            let kind = if definition.calculated {
                "calculated"
            } else {
                "read only"
            };
            return refuse(
                "READ_ONLY_VALUE",
                format!("\"{name}\" is a {kind} property; its value cannot be set."),
            );
        }
        if value.is_null() && self.switches.on(Switch::NullRefused) {
            return refuse("INVALID_OPTION", "null was not a valid value.".to_owned());
        }
        let Some(text) = plain(value) else {
            return refuse("INVALID_OPTION", format!("{value} was not a valid value."));
        };
        if text.is_empty() {
            return Ok(text);
        }
        match definition.kind {
            _ if definition.owner => match self.owners.iter().any(|owner| owner.id == text) {
                true => Ok(text),
                false => refuse("INVALID_OWNER_ID", format!("Owner with id {text} does not exist")),
            },
            Kind::Number => {
                match text.trim().parse::<Decimal>().is_ok() || text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
                    true => Ok(text.trim().to_owned()),
                    false => refuse("INVALID_NUMERIC", format!("{text} was not a valid number.")),
                }
            }
            Kind::Bool => match text.to_ascii_lowercase().as_str() {
                flag @ ("true" | "false") => Ok(flag.to_owned()),
                _ => refuse(
                    "INVALID_OPTION",
                    format!("{text} was not one of the allowed options: [true, false]"),
                ),
            },
            Kind::DateTime | Kind::Date => {
                let write = if definition.kind == Kind::Date { iso_date } else { iso };
                let date = parse(&text).map(write).filter(|date| !date.is_empty());
                date.map_or_else(|| refuse("INVALID_DATE", format!("{text} was not a valid date.")), Ok)
            }
            Kind::Enumeration => options(name, definition, &text, row),
            Kind::Text if text.chars().count() > LONGEST => refuse(
                "VALUE_TOO_LONG",
                format!("The value of \"{name}\" is longer than {LONGEST} characters."),
            ),
            Kind::Text if object == ObjectType::Contacts && name == "email" && !is_email(&text) => {
                refuse("INVALID_EMAIL", format!("Email address {text} is invalid"))
            }
            Kind::Text if name == "hs_note_body" && self.switches.on(Switch::CommentsStripped) => {
                Ok(uncommented(&text))
            }
            Kind::Text => Ok(text),
        }
    }

    /// Read-only values that may be written all the same: a deal's creation date when it is created.
    fn settable(&self, object: ObjectType, name: &str, new: bool) -> bool {
        match name {
            "createdate" => new && object == ObjectType::Deals && !self.switches.on(Switch::CreateDateFixed),
            _ => false,
        }
    }

    /// A lifecycle stage moves forward only; to go back it is cleared first. Set backwards it stays as it was.
    fn clean_lifecycle(
        &self,
        object: ObjectType,
        values: &mut BTreeMap<String, String>,
        row: Option<Row<'_>>,
        bad: &mut Vec<BadValue>,
    ) {
        let name = "lifecyclestage";
        let (Some(definition), Some(row)) = (self.schema.get(object, name), row) else {
            return;
        };
        let place = |stage: &str| definition.options.iter().position(|(option, _)| option == stage);
        let now = row.get(name).and_then(|stage| place(&stage));
        let wanted = values.get(name).and_then(|stage| place(stage));
        if wanted.is_none() || wanted >= now {
            return;
        }
        values.remove(name);
        if self.switches.on(Switch::LifecycleRefused) {
            bad.push(BadValue::new(
                name,
                "INVALID_OPTION",
                "The lifecycle stage can only move forward.",
            ));
        }
    }

    /// A stage belongs to its pipeline; a new record without them gets the first of each.
    fn clean_stage(
        &self,
        object: ObjectType,
        values: &mut BTreeMap<String, String>,
        row: Option<Row<'_>>,
        bad: &mut Vec<BadValue>,
    ) {
        let Some((pipeline_name, stage_name)) = object.pipeline_properties() else {
            return;
        };
        if row.is_some() && !values.contains_key(pipeline_name) && !values.contains_key(stage_name) {
            return;
        }
        let pipelines = self.pipelines(object);
        let current = |name: &str| row.and_then(|row| row.get(name)).map(|text| text.into_owned());
        let wanted = values.get(pipeline_name).cloned().or_else(|| current(pipeline_name));
        let wanted = wanted.filter(|id| !id.is_empty());
        let Some(pipeline) = pipelines.iter().find(|p| wanted.as_ref().is_none_or(|id| p.id == *id)) else {
            let all: Vec<&str> = pipelines.iter().map(|p| p.id.as_str()).collect();
            let id = wanted.unwrap_or_default();
            let message = format!("{id} was not one of the allowed options: [{}]", all.join(", "));
            return bad.push(BadValue::new(pipeline_name, "INVALID_OPTION", message));
        };
        let stage = values
            .get(stage_name)
            .cloned()
            .or_else(|| current(stage_name))
            .filter(|id| !id.is_empty());
        let Some(stage) = stage.or_else(|| pipeline.stages.first().map(|stage| stage.id.clone())) else {
            return;
        };
        if pipeline.stage(&stage).is_none() {
            let valid: Vec<&str> = pipeline.stages.iter().map(|stage| stage.id.as_str()).collect();
            let message = format!(
                "{stage} is not a valid pipeline stage ID. Valid options are: pipelineId={} : [{}]",
                pipeline.id,
                valid.join(", ")
            );
            return bad.push(BadValue::new(stage_name, "INVALID_OPTION", message));
        }
        if row.is_none() {
            values.insert(pipeline_name.to_owned(), pipeline.id.clone());
            values.insert(stage_name.to_owned(), stage);
        }
    }

    /// Unique values belong to one record. A contact's address answers 409, any other property a refusal.
    fn clean_unique(
        &self,
        object: ObjectType,
        values: &BTreeMap<String, String>,
        id: Option<u64>,
        bad: &mut Vec<BadValue>,
    ) -> Result<(), Problem> {
        for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
            if !self
                .schema
                .get(object, name)
                .is_some_and(|definition| definition.unique)
            {
                continue;
            }
            let Some(holder) = self
                .truth
                .by_unique(object, name, value)
                .filter(|holder| Some(*holder) != id)
            else {
                continue;
            };
            let taken_400 = id.is_some() && self.switches.on(Switch::TakenEmail);
            if object == ObjectType::Contacts && name == "email" && !taken_400 {
                return Err(Problem::contact_exists(holder));
            }
            let message = format!("{holder} already has that value.");
            bad.push(BadValue::new(name, "CONFLICTING_UNIQUE_VALUE", message));
        }
        Ok(())
    }

    /// The portal's own rule, enforced from 2026-09 on: a lost deal says why.
    fn apply_strict_rules(
        &self,
        object: ObjectType,
        values: &BTreeMap<String, String>,
        row: Option<Row<'_>>,
        version: Version,
    ) -> Result<(), Problem> {
        if !self.strict || version < Version::September || object != ObjectType::Deals {
            return Ok(());
        }
        let Some(stage) = values.get("dealstage") else {
            return Ok(());
        };
        let lost = self
            .pipelines(object)
            .iter()
            .find_map(|pipeline| pipeline.stage(stage))
            .is_some_and(|s| s.lost());
        let moved = row.is_none_or(|row| row.get("dealstage").as_deref() != Some(stage));
        let reason = "closed_lost_reason";
        let given = match values.get(reason) {
            Some(text) => !text.is_empty(),
            None => row.is_some_and(|row| row.get(reason).is_some()),
        };
        if lost && moved && !given {
            let message = format!("{reason} is required because of a conditional property rule based on [dealstage]");
            return Err(missing_values(&[BadValue::new(
                reason,
                "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
                message,
            )]));
        }
        Ok(())
    }
}

/// HTML without its comments.
fn uncommented(html: &str) -> String {
    let mut parts = html.split("<!--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once("-->").map_or("", |(_, rest)| rest));
    }
    out
}

/// Checks options; a leading `;` adds to the options a multiple property has.
fn options(name: &str, definition: &Definition, text: &str, row: Option<Row<'_>>) -> Result<String, BadValue> {
    let adds = definition.multiple && text.starts_with(';');
    let wanted: Vec<&str> = match definition.multiple {
        true => text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect(),
        false => vec![text],
    };
    let known = |value: &&str| definition.external || definition.options.iter().any(|(option, _)| option == value);
    if let Some(unknown) = wanted.iter().find(|value| !known(value)) {
        let options: Vec<String> = definition
            .options
            .iter()
            .map(|(value, label)| format!("label: \"{label}\"\nvalue: \"{value}\"\n"))
            .collect();
        let message = format!("{unknown} was not one of the allowed options: [{}]", options.join(", "));
        return Err(BadValue::new(name, "INVALID_OPTION", message));
    }
    let before = row.filter(|_| adds).and_then(|row| row.get(name)).unwrap_or_default();
    let mut all: Vec<&str> = before.split(';').filter(|part| !part.is_empty()).collect();
    for value in wanted {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    Ok(all.join(";"))
}

/// A bare date, or an offset other than `Z`, where an instant was meant.
fn is_lenient_date(definition: Option<&Definition>, raw: &str, text: &str) -> bool {
    definition.is_some_and(|d| d.kind == Kind::DateTime)
        && raw != text
        && !raw.is_empty()
        && raw.parse::<i64>().is_err()
        && !raw.ends_with('Z')
}

/// The text of a JSON value; null clears. `None` for lists and objects.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    !name.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text
            .chars()
            .any(|c| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>'))
        && !domain.contains('@')
}
