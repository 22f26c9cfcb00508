//! The values of an operation's properties: what they are called, how they are typed, and what is typed means. Update sends
//! by it and `ui` draws by it.

use jiff::tz::TimeZone;

use crate::domain::{
    ObjectType, OpError, OpId, OpState, Operation, Payload, Pipeline, Properties, PropertyDefinition, format,
    parse_time, stage_of,
};

use super::{
    FormField, Model, Story,
    outbox::{deal_of, story_of},
};

/// The properties a person may fill in for an operation, with the values they begin with: those that are wanted, else those
/// that are set. None where it sets no properties.
#[must_use]
pub fn editable(operation: &Operation) -> Vec<(&str, Option<&str>)> {
    let Payload::SetProperties { values, .. } = &operation.payload else {
        return Vec::new();
    };
    let value = |name: &str| values.get(name).and_then(Option::as_deref);
    let wanted = operation.error.as_ref().map(OpError::wanted).unwrap_or_default();
    if wanted.is_empty() || operation.state != OpState::Held {
        return values.keys().map(|name| (name.as_str(), value(name))).collect();
    }
    wanted.into_iter().map(|name| (name, value(name))).collect()
}

/// HubSpot wants something filled in before it takes the operation.
#[must_use]
pub fn wants_fields(operation: &Operation) -> bool {
    operation.state == OpState::Held && operation.error.as_ref().is_some_and(|error| !error.wanted().is_empty())
}

/// A property's definition, once it was read.
fn definition<'m>(model: &'m Model, id: OpId, name: &str) -> Option<&'m PropertyDefinition> {
    let story = story_of(model, id)?;
    story.definitions.iter().find(|definition| definition.name == name)
}

/// What a property is called.
#[must_use]
pub fn label(model: &Model, id: OpId, name: &str) -> String {
    let label = definition(model, id, name).map(|definition| definition.label.trim());
    label.filter(|label| !label.is_empty()).unwrap_or(name).to_owned()
}

/// The pipeline the stage of an operation's deal is chosen from: that of the deal, or of the stage it sets when the deal is
/// gone.
fn pipeline_of<'m>(model: &'m Model, operation: &Operation) -> Option<&'m Pipeline> {
    let pipelines = &model.facts.pipelines;
    if let Some(deal) = deal_of(operation).and_then(|id| model.deals.get(&id)) {
        return pipelines.iter().find(|pipeline| pipeline.id == deal.pipeline);
    }
    let Payload::SetProperties { values, .. } = &operation.payload else {
        return None;
    };
    let stage = values.get("dealstage")?.as_deref()?;
    stage_of(pipelines, &stage.into()).map(|(pipeline, _)| pipeline)
}

/// The values a property can have, with their labels, in order; none where anything can be typed.
#[must_use]
pub fn options(model: &Model, operation: &Operation, name: &str) -> Vec<(String, String)> {
    let pipelines = &model.facts.pipelines;
    let is_deal = operation.entity.object == ObjectType::Deals;
    match name {
        "dealstage" if is_deal => (pipelines
            .iter()
            .filter(|pipeline| Some(*pipeline) == pipeline_of(model, operation)))
        .flat_map(|pipeline| &pipeline.stages)
        .map(|stage| (stage.id.to_string(), stage.label.clone()))
        .collect(),
        "pipeline" if is_deal => pipelines
            .iter()
            .map(|pipeline| (pipeline.id.to_string(), pipeline.label.clone()))
            .collect(),
        "hubspot_owner_id" => (model.facts.owners.values())
            .filter(|owner| !owner.archived)
            .map(|owner| (owner.id.to_string(), owner.name()))
            .collect(),
        _ => definition(model, operation.id, name).map_or_else(Vec::new, |definition| definition.options.clone()),
    }
}

/// A value as people read it.
#[must_use]
pub fn spoken(model: &Model, operation: &Operation, name: &str, value: &str) -> String {
    if name == "dealstage"
        && let Some((_, stage)) = stage_of(&model.facts.pipelines, &value.into())
    {
        return stage.label.clone();
    }
    if let Some((_, label)) = options(model, operation, name)
        .into_iter()
        .find(|(key, _)| key == value)
    {
        return label;
    }
    let deal = deal_of(operation).and_then(|id| model.deals.get(&id));
    let currency = deal.and_then(|deal| deal.currency.as_deref());
    match (name, value.parse()) {
        ("amount", Ok(amount)) => format::money_exact(amount, currency.unwrap_or(model.facts.currency())),
        _ => match day(model, operation.id, name, value) {
            Some(day) => format::day_exact(day),
            None => value.to_owned(),
        },
    }
}

/// The day a date property means, in the zone it is meant in.
fn day(model: &Model, id: OpId, name: &str, value: &str) -> Option<jiff::civil::Date> {
    let zone = match definition(model, id, name).map(|definition| definition.kind.as_str()) {
        Some("date") => TimeZone::UTC,
        Some("datetime") => model.facts.zone(),
        None if name == "closedate" => model.facts.zone(),
        _ => return None,
    };
    Some(parse_time(value)?.to_zoned(zone).date())
}

/// A value as it stands in a line that is edited: dates as they are typed, the rest as HubSpot spells it.
#[must_use]
pub fn as_typed(model: &Model, operation: &Operation, name: &str, value: &str) -> String {
    if options(model, operation, name).iter().any(|(key, _)| key == value) {
        return spoken(model, operation, name, value);
    }
    day(model, operation.id, name, value).map_or_else(|| value.to_owned(), |day| day.to_string())
}

/// The options of a field that match what is typed, in their order: those that begin with it first. `(value, label)`.
#[must_use]
pub fn matching(model: &Model, operation: &Operation, field: &FormField) -> Vec<(String, String)> {
    let all = options(model, operation, &field.name);
    let typed = field.line.text.trim().to_lowercase();
    let is_as_before = (field.before.as_ref()).is_some_and(|(words, _)| *words == field.line.text);
    if typed.is_empty() || is_as_before {
        return all;
    }
    let (begin, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(value, label)| label.to_lowercase().starts_with(&typed) || value.to_lowercase() == typed);
    let inner = rest
        .into_iter()
        .filter(|(_, label)| label.to_lowercase().contains(&typed));
    begin.into_iter().chain(inner).collect()
}

/// What a field means now; the sentence says why it means nothing. `None` = it is empty.
///
/// # Errors
/// What is typed is no such value.
pub fn value(model: &Model, operation: &Operation, field: &FormField) -> Result<Option<String>, String> {
    let text = field.line.text.trim();
    if let (None, Some((words, value))) = (field.option, &field.before)
        && *words == field.line.text
    {
        return Ok(value.clone());
    }
    if !options(model, operation, &field.name).is_empty() {
        if text.is_empty() && field.option.is_none() {
            return Ok(None);
        }
        let found = matching(model, operation, field)
            .into_iter()
            .nth(field.option.unwrap_or(0));
        return match found {
            Some((value, _)) => Ok(Some(value)),
            None => Err(format!("no option begins with '{text}', choose one with ↓ and ↑")),
        };
    }
    if text.is_empty() {
        return Ok(None);
    }
    let kind = definition(model, operation.id, &field.name).map(|definition| definition.kind.as_str());
    let example = "write it like 2026-12-15";
    match (kind, field.name.as_str()) {
        (Some("number"), _) | (None, "amount") => match text.parse::<rust_decimal::Decimal>() {
            Ok(number) => Ok(Some(number.to_string())),
            Err(_) => Err(format!("'{text}' is no number, write it like 48000")),
        },
        (Some("date"), _) => match text.parse::<jiff::civil::Date>() {
            Ok(date) => Ok(Some(date.to_string())),
            Err(_) => Err(format!("'{text}' is no date, {example}")),
        },
        (Some("datetime"), _) | (None, "closedate") => {
            // Noon of the account's day: no zone turns it into another day.
            let date = text.parse::<jiff::civil::Date>().ok();
            let noon = date.and_then(|date| date.at(12, 0, 0, 0).to_zoned(model.facts.zone()).ok());
            match noon {
                Some(noon) => Ok(Some(noon.timestamp().to_string())),
                None => Err(format!("'{text}' is no date, {example}")),
            }
        }
        _ => Ok(Some(text.to_owned())),
    }
}

/// What stands for a property in a story: what was seen, what there is, what is wanted.
#[must_use]
pub fn three_values<'o>(operation: &'o Operation, story: Option<&'o Story>) -> Vec<ThreeValues<'o>> {
    let Payload::SetProperties { values, base } = &operation.payload else {
        return Vec::new();
    };
    fn of<'p>(properties: &'p Properties, name: &str) -> Option<Option<&'p str>> {
        properties.get(name).map(Option::as_deref)
    }
    values
        .iter()
        .map(|(name, ours)| ThreeValues {
            name,
            base: of(base, name),
            theirs: story.and_then(|story| of(&story.story.mirrored, name)),
            ours: ours.as_deref(),
        })
        .collect()
}

/// A property as three people see it. `Some(None)` = it is empty, `None` = not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreeValues<'o> {
    /// Its internal name.
    pub name: &'o str,
    /// What the person saw when they decided.
    pub base: Option<Option<&'o str>>,
    /// What there is now.
    pub theirs: Option<Option<&'o str>>,
    /// What the person wants.
    pub ours: Option<&'o str>,
}
