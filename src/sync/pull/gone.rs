//! Records that were archived: no search and no list of live records ever names them, so the archived ones are listed.

use super::{Trouble, properties_of};
use crate::{
    domain::{ActivityItem, ActivityKind, Deal, DealId, Event, Fault, Lane, ObjectType, Record},
    hubspot::ListQuery,
    store::Changed,
    sync::{core::Core, feed},
};

/// The property of a survivor that names the records merged into it, separated by semicolons.
pub const MERGED: &str = "hs_merged_object_ids";

/// Takes records out of the mirror that were merged into one of these; they are nowhere to be listed.
pub async fn merged_away(core: &Core, object: ObjectType, changed: &[Changed]) -> Result<(), Fault> {
    let merged: Vec<(String, String)> = changed
        .iter()
        .flat_map(|change| {
            let ids = change.after.get(MERGED).unwrap_or_default().split(';');
            ids.map(|id| (id.trim().to_owned(), change.id.clone()))
        })
        .filter(|(old, new)| !old.is_empty() && old != new)
        .collect();
    if merged.is_empty() {
        return Ok(());
    }
    let taken = core
        .desk
        .write(move |store| {
            let ids: Vec<&str> = merged.iter().map(|(old, _)| old.as_str()).collect();
            let taken = store.mirror.remove(object, &ids)?;
            for (old, new) in merged.iter().filter(|(old, _)| taken.iter().any(|was| was.id == *old)) {
                store.outbox.put_alias(object, old, new)?;
            }
            Ok(taken)
        })
        .await?;
    if object == ObjectType::Deals && !taken.is_empty() {
        core.tell(Event::DealsChanged {
            ids: taken.iter().map(|record| record.id.as_str().into()).collect(),
            by: None,
            remote: true,
        });
    }
    Ok(())
}

/// Takes archived records of a type out of the mirror; answers how many were there.
pub async fn archived(core: &Core, object: ObjectType) -> Result<u64, Trouble> {
    let mut after = None;
    let mut taken = 0;
    loop {
        let query = ListQuery {
            properties: properties_of(object),
            archived: true,
            after,
            ..ListQuery::default()
        };
        let page = core.client.list(Lane::Sync, object, &query).await?;
        taken += take(core, object, page.records).await?;
        after = page.after;
        if after.is_none() {
            return Ok(taken);
        }
    }
}

async fn take(core: &Core, object: ObjectType, archived: Vec<Record>) -> Result<u64, Fault> {
    let (records, owners) = core
        .desk
        .write(move |store| {
            let ids: Vec<&str> = archived.iter().map(|record| record.id.as_str()).collect();
            let taken = store.mirror.remove(object, &ids)?;
            let taken: Vec<Record> = archived
                .into_iter()
                .filter(|record| taken.iter().any(|was| was.id == record.id))
                .collect();
            Ok((taken, store.mirror.owners()?))
        })
        .await?;
    if object == ObjectType::Deals && !records.is_empty() {
        let ids: Vec<DealId> = records.iter().map(|record| record.id.as_str().into()).collect();
        let items = records
            .iter()
            .map(|record| ActivityItem {
                at: record.updated_at,
                who: feed::who(record, &owners),
                deal: Some(record.id.as_str().into()),
                name: Deal::from_record(record).name,
                kind: ActivityKind::Archived,
            })
            .collect();
        core.happened(items).await;
        core.tell(Event::DealsChanged {
            ids,
            by: None,
            remote: true,
        });
    }
    Ok(records.len() as u64)
}
