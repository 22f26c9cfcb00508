//! Telling what a page changed: the feed, and one event per colleague.

use std::{collections::BTreeMap, time::Duration};

use super::{gone, notes};
use crate::{
    domain::{ActivityItem, Deal, DealId, Event, Fault, Lane, ObjectType, OpState, OwnerId, Record, Who},
    store::{Changed, Kept, OutboxFilter, Store},
    sync::{connection::earlier, core::Core, feed},
};

/// Properties nobody is shown.
const UNSEEN: [&str; 3] = ["hs_lastmodifieddate", "lastmodifieddate", feed::UPDATED_BY];
/// With more deals than this at once, faces read the whole board again.
const MANY: usize = 200;
/// The notes of at most so many deals are read again because somebody wrote there.
const NOTES: usize = 20;
/// How long a value we wrote is still recognised as ours when HubSpot reports it.
const OURS: Duration = Duration::from_mins(10);

/// Tells what changed in the mirror. Deals make entries of the feed; the other types only show inside deals.
pub async fn announce(core: &Core, object: ObjectType, changed: Vec<Changed>) -> Result<(), Fault> {
    gone::merged_away(core, object, &changed).await?;
    let wished = core.wished.get(&object).map_or(&[][..], Vec::as_slice);
    if object == ObjectType::Deals && changed.iter().any(|change| has_learnt(change, wished)) {
        core.board_grew();
    }
    let changed: Vec<Changed> = changed.into_iter().filter(|change| is_news(change, wished)).collect();
    if changed.is_empty() || object != ObjectType::Deals {
        return Ok(());
    }
    let talked: Vec<DealId> = changed
        .iter()
        .filter(|change| has_new_activity(change))
        .map(id)
        .collect();
    let (by, items) = core.desk.write(move |store| tell_apart(store, &changed)).await?;
    core.happened(items).await;
    let total: usize = by.values().map(Vec::len).sum();
    if total > MANY {
        core.tell(Event::BoardChanged);
    } else {
        for (by, ids) in by {
            core.tell(Event::DealsChanged { ids, by, remote: true });
        }
    }
    // Notes that cannot be read now are read when somebody looks at the deal.
    let _ = notes::refresh_known(core, Lane::Sync, talked.into_iter().take(NOTES).collect()).await;
    Ok(())
}

/// The mirror knows more of a record than it had asked for before; nobody did anything to it.
fn has_learnt(change: &Changed, wished: &[String]) -> bool {
    let after = &change.after;
    change.before.as_ref().is_some_and(|before| {
        wished
            .iter()
            .any(|name| is_first_told(name, before) && after.properties.contains_key(name))
            || after
                .associations
                .keys()
                .any(|kind| !before.associations.contains_key(kind))
    })
}

/// Whether nobody had asked for the property when the record was read.
fn is_first_told(name: &str, before: &Record) -> bool {
    !before.properties.contains_key(name)
}

/// Something people can see is different. HubSpot moves a record's modified date for hidden and calculated properties, too,
/// and what was never asked for before is no change.
fn is_news(change: &Changed, wished: &[String]) -> bool {
    let Some(before) = &change.before else { return true };
    let seen = |record: &Record| -> Vec<(String, Option<String>)> {
        let properties = record.properties.iter();
        let is_new_here = |name: &String| wished.contains(name) && is_first_told(name, before);
        let seen = properties.filter(|(name, _)| !(UNSEEN.contains(&name.as_str()) || is_new_here(name)));
        seen.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    before.archived != change.after.archived
        || before
            .associations
            .iter()
            .any(|(kind, ids)| change.after.associations.get(kind) != Some(ids))
        || seen(before) != seen(&change.after)
}

type ByColleague = BTreeMap<Option<OwnerId>, Vec<DealId>>;

fn tell_apart(store: &mut Store, changed: &[Changed]) -> Result<(ByColleague, Vec<ActivityItem>), Fault> {
    let (owners, pipelines) = (store.mirror.owners()?, store.mirror.pipelines()?);
    let mut by = ByColleague::new();
    let mut items = Vec::new();
    for change in changed {
        let ours: Vec<_> = ours(store, change)?.into_iter().map(|kept| kept.op).collect();
        items.extend(feed::items(
            change.before.as_ref(),
            &change.after,
            &ours,
            &owners,
            &pipelines,
        ));
        let colleague = match feed::who(&change.after, &owners) {
            Who::Owner(owner) => Some(owner),
            _ => None,
        };
        by.entry(colleague).or_default().push(id(change));
    }
    Ok((by, items))
}

/// Operations of ours that may be behind a change HubSpot reports.
fn ours(store: &Store, change: &Changed) -> Result<Vec<Kept>, Fault> {
    let filter = OutboxFilter {
        states: vec![OpState::InFlight, OpState::Uncertain, OpState::Landed, OpState::Done],
        entity: Some(change.after.reference()),
        limit: Some(20),
    };
    let since = earlier(change.after.updated_at, OURS);
    Ok(store
        .outbox
        .list(&filter)?
        .into_iter()
        .filter(|op| op.changed_at >= since)
        .collect())
}

fn has_new_activity(change: &Changed) -> bool {
    let activity = |record| Deal::from_record(record).last_activity;
    change
        .before
        .as_ref()
        .is_some_and(|before| activity(&change.after) > activity(before))
}

fn id(change: &Changed) -> DealId {
    change.id.as_str().into()
}
