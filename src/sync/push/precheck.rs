//! Looking before writing. HubSpot has no "only if unchanged", so a property write reads what is there first, with its
//! history: unchanged means go, already ours means nothing to send, anything else is a conflict a person decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    domain::{Bug, Lane, ObjectType, OpId, Operation, Payload, Properties, PropertyVersion, Record},
    hubspot::{Failure, GetQuery, Signal},
    store::Kept,
    sync::{core::Core, labels::Labels, pull::properties_of, view::same_value},
};

/// What a look before a property write showed.
pub enum Look {
    /// Nobody touched it: send.
    Go(Box<Record>),
    /// It already has our values.
    Already(Box<Record>),
    /// It has values that are neither what the person saw nor what they want.
    Changed(Box<Record>),
    /// It is archived, or was never there.
    Gone,
    /// It was merged into this record.
    Merged(String),
    /// The look itself failed.
    Failed(Failure),
}

/// Looks at the record of a property write.
pub async fn look(core: &Core, operation: &Operation, lane: Lane) -> Look {
    let Payload::SetProperties { values, .. } = &operation.payload else {
        return Look::Failed(unreadable());
    };
    let names: Vec<String> = values.keys().cloned().collect();
    let query = GetQuery {
        properties: properties(core, operation.entity.object, &names),
        history: names,
        ..GetQuery::default()
    };
    match core.client.get(lane, &operation.entity, &query).await {
        Ok(record) => seen(core, record, operation),
        Err(failure) if failure.signal == Signal::NotFound => Look::Gone,
        Err(failure) => Look::Failed(failure),
    }
}

/// Looks at the records of several property writes in as few requests as that takes; other operations are left out.
pub async fn looks(core: &Core, operations: &[Kept], lane: Lane) -> BTreeMap<OpId, Look> {
    let mut groups: BTreeMap<ObjectType, Vec<&Kept>> = BTreeMap::new();
    for op in operations {
        if matches!(op.payload, Payload::SetProperties { .. }) {
            groups.entry(op.entity.object).or_default().push(op);
        }
    }
    let mut looks = BTreeMap::new();
    for (object, group) in groups {
        looks.extend(group_looks(core, object, &group, lane).await);
    }
    looks
}

async fn group_looks(core: &Core, object: ObjectType, group: &[&Kept], lane: Lane) -> Vec<(OpId, Look)> {
    if let [op] = group {
        return vec![(op.id, look(core, op, lane).await)];
    }
    let names: BTreeSet<&String> = group
        .iter()
        .filter_map(|op| match &op.payload {
            Payload::SetProperties { values, .. } => Some(values.keys()),
            _ => None,
        })
        .flatten()
        .collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let ids: Vec<String> = group.iter().map(|op| op.entity.id.clone()).collect();
    let properties = properties(core, object, &names);
    let (properties, history): (Vec<&str>, Vec<&str>) = (texts(&properties), texts(&names));
    let read = match core.client.batch_read(lane, object, &ids, &properties, &history).await {
        Ok(read) => read,
        Err(failure) => return group.iter().map(|op| (op.id, Look::Failed(failure.clone()))).collect(),
    };
    let mut found: BTreeMap<String, Record> = read.records.into_iter().map(|r| (r.id.clone(), r)).collect();
    let mut looks = Vec::with_capacity(group.len());
    for op in group {
        let look = match found.remove(&op.entity.id) {
            Some(record) => seen(core, record, op),
            // Archived or merged: only a look at it alone tells.
            None => look(core, op, lane).await,
        };
        looks.push((op.id, look));
    }
    looks
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What is always read of a type, and these.
fn properties(core: &Core, object: ObjectType, names: &[String]) -> Vec<String> {
    let mut properties = properties_of(core, object);
    for name in names {
        if !is_listed(&properties, name) {
            properties.push(name.clone());
        }
    }
    properties
}

/// What the record says about the write.
fn seen(core: &Core, record: Record, operation: &Operation) -> Look {
    let Payload::SetProperties { values, base } = &operation.payload else {
        return Look::Failed(unreadable());
    };
    if record.id != operation.entity.id {
        Look::Merged(record.id)
    } else if record.archived {
        Look::Gone
    } else if has(&record, values) {
        Look::Already(Box::new(record))
    } else if compared(values, base).all(|(name, seen)| same_value(record.get(name), seen.as_deref()))
        || core.settings.drill.has(Bug::BlindOverwrite)
    {
        Look::Go(Box::new(record))
    } else {
        Look::Changed(Box::new(record))
    }
}

/// What of the base is compared: the values that are set.
pub fn compared<'v>(
    values: &'v Properties,
    base: &'v Properties,
) -> impl Iterator<Item = (&'v String, &'v Option<String>)> {
    base.iter().filter(|(name, _)| values.contains_key(*name))
}

fn is_listed(names: &[String], name: &str) -> bool {
    names.iter().any(|listed| listed == name)
}

/// Whether the record has all these values.
pub fn has(record: &Record, values: &Properties) -> bool {
    values
        .iter()
        .all(|(name, value)| same_value(record.get(name), value.as_deref()))
}

/// Whether the history shows that we set all these values at or after `since`.
pub fn was_set_by_us(record: &Record, values: &Properties, since: Timestamp) -> bool {
    !values.is_empty()
        && values.iter().all(|(name, value)| {
            record.history.get(name).into_iter().flatten().any(|version| {
                is_by_program(version) && version.at >= since && same_value(version.value.as_deref(), value.as_deref())
            })
        })
}

/// Set through the API and not by a person in HubSpot's interface: it may be ours.
pub fn is_by_program(version: &PropertyVersion) -> bool {
    matches!(version.source.as_str(), "API" | "INTEGRATION" | "INTEGRATIONS_PLATFORM")
}

/// Who is in the way, in a sentence: `Cleo Marsh set 'Amount' to '$90,000.00 USD' at …, you saw '$80,000.00 USD'`. What is
/// wanted stands in the operation's title.
pub fn conflict(record: &Record, values: &Properties, base: &Properties, labels: &Labels) -> String {
    let theirs = compared(values, base).find(|(name, seen)| !same_value(record.get(name), seen.as_deref()));
    let Some((name, seen)) = theirs else {
        return "somebody changed this record meanwhile".to_owned();
    };
    let newest = record.history.get(name).and_then(|versions| versions.first());
    let who = newest.and_then(|version| labels.user(version.user.as_ref()));
    let when = newest.map_or_else(String::new, |version| format!(" at {}", labels.moment(version.at)));
    format!(
        "{} set '{}' to '{}'{when}, you saw '{}'",
        who.as_deref().unwrap_or("somebody"),
        labels.property(name),
        labels.value(record, name, record.get(name)),
        labels.value(record, name, seen.as_deref()),
    )
}

fn unreadable() -> Failure {
    Failure::new(Signal::Validation, "this operation sets no properties")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::ObjectType;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn values(value: &str) -> Properties {
        Properties::from([("amount".to_owned(), Some(value.to_owned()))])
    }

    fn record(history: &[(&str, &str, i64)]) -> Record {
        let versions: Vec<PropertyVersion> = history
            .iter()
            .map(|(value, source, second)| PropertyVersion {
                value: Some((*value).to_owned()),
                at: at(*second),
                source: (*source).to_owned(),
                user: Some("9".into()),
            })
            .collect();
        Record {
            object: ObjectType::Deals,
            id: "1".into(),
            properties: values(history[0].0),
            created_at: at(0),
            updated_at: at(0),
            archived: false,
            associations: BTreeMap::new(),
            history: BTreeMap::from([("amount".to_owned(), versions)]),
        }
    }

    #[test]
    fn only_a_recent_version_of_our_own_counts_as_ours() {
        let record = record(&[("3", "CRM_UI", 30), ("2", "API", 20), ("1", "CRM_UI", 10)]);
        assert!(was_set_by_us(&record, &values("2"), at(20)));
        assert!(!was_set_by_us(&record, &values("2"), at(21)), "an older send of ours");
        assert!(!was_set_by_us(&record, &values("3"), at(0)), "a person's");
        assert!(!was_set_by_us(&record, &Properties::new(), at(0)));
    }
}
