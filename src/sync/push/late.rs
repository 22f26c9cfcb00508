//! Late sends: a request we gave up on can still be applied, after a newer one. Nothing prevents that; it is recognised by
//! the property's history and repaired.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::{Fault, Lane, OpState, Payload, Properties, PropertyVersion, Record},
    hubspot::GetQuery,
    store::{Kept, NewOperation, OutboxFilter},
    sync::{connection::earlier, core::Core, view::same_value},
};

use super::precheck::{compared, has, is_by_program};

/// How far HubSpot's clock and ours may be apart.
pub const SKEW: Duration = Duration::from_mins(2);
/// How many of a record's latest operations may have a send under way.
const LATEST: usize = 50;

/// Whether what is in the way of a property write is nothing but an earlier send of ours that came late.
pub async fn is_ours(core: &Core, op: &Kept, record: &Record) -> Result<bool, Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return Ok(false);
    };
    let written = written(core, op).await?;
    let mut in_the_way = compared(values, base)
        .filter(|(name, seen)| !same_value(record.get(name), seen.as_deref()))
        .peekable();
    Ok(in_the_way.peek().is_some()
        && in_the_way.all(|(name, _)| {
            newest(record, name).is_some_and(|version| {
                written
                    .iter()
                    .filter(|older| older.seq < op.seq && older.ambiguous_sends > 0)
                    .any(|older| may_have_set(older, name, version))
            })
        }))
}

/// The newest intent on the same properties, when an older value of ours was applied after it. Somebody else's later
/// change is no business of ours.
pub async fn overwritten(core: &Core, op: &Kept, record: &Record) -> Result<Option<NewOperation>, Fault> {
    let Payload::SetProperties { values, .. } = &op.payload else {
        return Ok(None);
    };
    let written = written(core, op).await?;
    let Some(newest_intent) = written
        .iter()
        .filter(|other| touches(other, values))
        .max_by_key(|other| other.seq)
    else {
        return Ok(None);
    };
    let Payload::SetProperties { values: wanted, .. } = &newest_intent.payload else {
        return Ok(None);
    };
    let came_late = |name: &String| {
        newest(record, name).is_some_and(|version| {
            version.at >= applied(newest_intent)
                && written
                    .iter()
                    .filter(|older| older.seq < newest_intent.seq && older.ambiguous_sends > 0)
                    .any(|older| may_have_set(older, name, version))
        })
    };
    if has(record, wanted) || !wanted.keys().any(came_late) {
        return Ok(None);
    }
    let base = wanted
        .keys()
        .map(|name| (name.clone(), record.get(name).map(str::to_owned)))
        .collect();
    Ok(Some(NewOperation {
        account: newest_intent.account,
        entity: newest_intent.entity.clone(),
        payload: Payload::SetProperties {
            values: wanted.clone(),
            base,
        },
        title: newest_intent.title.clone(),
        not_before: None,
        undo_of: None,
        op_key: None,
    }))
}

/// Whether somebody wants something newer of the same properties: what waits to be sent is always newer than what landed.
pub fn is_outdated(repair: &NewOperation, pending: &[Kept]) -> bool {
    let Payload::SetProperties { values, .. } = &repair.payload else {
        return false;
    };
    pending
        .iter()
        .any(|op| op.state != OpState::Landed && touches(op, values))
}

/// Who changed the record between our look and our write, in a sentence. HubSpot offers no "only if unchanged": what cannot
/// be prevented is at least told.
pub async fn overwrote(core: &Core, op: &Kept) -> Option<String> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return None;
    };
    let names: Vec<String> = values.keys().cloned().collect();
    let query = GetQuery {
        properties: names.clone(),
        history: names,
        ..GetQuery::default()
    };
    let record = core.client.get(Lane::Verify, &op.entity, &query).await.ok()?;
    let (name, theirs) = base
        .iter()
        .find_map(|(name, seen)| Some((name, lost_version(&record, name, values.get(name)?, seen)?)))?;
    let labels = core.labels(op.entity.object).await.ok()?;
    let who = labels.user(theirs.user.as_ref());
    Some(format!(
        "you overwrote '{}' = '{}', which {} had set a moment before ({})",
        labels.property(name),
        labels.value(&record, name, theirs.value.as_deref()),
        who.as_deref().unwrap_or("somebody"),
        op.title
    ))
}

/// The version right below ours, when it is neither what the person saw nor a program's.
fn lost_version<'a>(
    record: &'a Record,
    name: &str,
    ours: &Option<String>,
    seen: &Option<String>,
) -> Option<&'a PropertyVersion> {
    let versions = record.history.get(name)?;
    let written = versions
        .iter()
        .position(|version| is_by_program(version) && same_value(version.value.as_deref(), ours.as_deref()))?;
    let below = versions.get(written + 1)?;
    (!is_by_program(below) && !same_value(below.value.as_deref(), seen.as_deref())).then_some(below)
}

/// What was written to the record, newest first.
async fn written(core: &Core, op: &Kept) -> Result<Vec<Kept>, Fault> {
    let filter = OutboxFilter {
        states: vec![OpState::Landed, OpState::Done],
        entity: Some(op.entity.clone()),
        limit: Some(LATEST),
    };
    core.desk.read(move |reader| Ok(reader.outbox.list(&filter)?)).await
}

fn newest<'a>(record: &'a Record, name: &str) -> Option<&'a PropertyVersion> {
    record.history.get(name)?.first()
}

fn may_have_set(older: &Kept, name: &str, version: &PropertyVersion) -> bool {
    let sets = matches!(&older.payload, Payload::SetProperties { values, .. }
        if values.get(name).is_some_and(|ours| same_value(ours.as_deref(), version.value.as_deref())));
    sets && is_by_program(version) && version.at >= earlier(applied(older), SKEW)
}

/// When a write took effect, by HubSpot's clock: ours may have been set since. Before HubSpot said so, by ours, and early.
fn applied(op: &Kept) -> Timestamp {
    let ours = || earlier(op.claimed_at.unwrap_or(op.created_at), SKEW);
    op.landed_version.unwrap_or_else(ours)
}

fn touches(op: &Kept, values: &Properties) -> bool {
    matches!(&op.payload, Payload::SetProperties { values: theirs, .. }
        if theirs.keys().any(|name| values.contains_key(name)))
}
