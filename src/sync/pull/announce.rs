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
    let changed: Vec<Changed> = changed.into_iter().filter(is_news).collect();
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

/// Something people can see is different. HubSpot moves a record's modified date for hidden and calculated properties, too.
fn is_news(change: &Changed) -> bool {
    let Some(before) = &change.before else { return true };
    let seen = |record: &Record| -> Vec<(String, Option<String>)> {
        let properties = record.properties.iter();
        let seen = properties.filter(|(name, _)| !UNSEEN.contains(&name.as_str()));
        seen.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    before.archived != change.after.archived
        || before.associations != change.after.associations
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
