//! Records that were archived: no search and no list of live records ever names them, so the archived ones are listed.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Trouble, properties_of};
use crate::{
    domain::{ActivityItem, ActivityKind, Deal, DealId, Event, Fault, Lane, ObjectType, Record},
    hubspot::ListQuery,
    store::Changed,
    sync::{connection::later, core::Core, feed},
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

/// An archive of so few pages costs next to nothing.
const FEW: u64 = 5;
/// Listing one of the three archives may cost this part of the day's budget: all together a hundredth.
const SHARE: u64 = 300;
/// The day's budget while HubSpot has not said it: the smallest plan's.
const SMALLEST_DAY: u64 = 250_000;

/// When an archive was listed last, and how many pages of it.
#[derive(Serialize, Deserialize)]
struct Listed {
    at: Timestamp,
    pages: u64,
}

/// How long a listed archive rests, by what listing it costs.
fn rest(pages: u64, day: u64) -> Duration {
    if pages <= FEW {
        return Duration::ZERO;
    }
    Duration::from_secs((86_400 * SHARE).saturating_mul(pages) / day.max(1))
}

/// Takes archived records of a type out of the mirror; answers how many were there. HubSpot only lists an archive whole,
/// so a large one is listed rarely, however often this is called and by whichever process.
pub async fn archived(core: &Core, object: ObjectType) -> Result<u64, Trouble> {
    let name = format!("archived:{object}");
    let listed = {
        let name = name.clone();
        core.desk.read(move |reader| Ok(reader.mirror.cursor(&name)?)).await?
    };
    let listed: Option<Listed> = listed.and_then(|text| serde_json::from_str(&text).ok());
    let day = core.client.limits().daily.map_or(SMALLEST_DAY, |day| day.capacity);
    let at = core.now();
    if listed.is_some_and(|listed| later(listed.at, rest(listed.pages, day)) > at) {
        return Ok(0);
    }
    let (mut after, mut taken, mut pages) = (None, 0, 0);
    loop {
        let query = ListQuery {
            properties: properties_of(object),
            archived: true,
            after,
            ..ListQuery::default()
        };
        let page = core.client.list(Lane::Sync, object, &query).await?;
        taken += take(core, object, page.records).await?;
        pages += 1;
        // After every page: what an interrupted listing has cost counts, too.
        let (name, listed) = (
            name.clone(),
            serde_json::to_string(&Listed { at, pages }).unwrap_or_default(),
        );
        core.desk
            .write(move |store| Ok(store.mirror.set_cursor(&name, &listed)?))
            .await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archives_never_cost_more_than_a_hundredth_of_the_day() {
        for (pages, day) in [
            (1, 250_000),
            (5, 250_000),
            (6, 250_000),
            (400, 250_000),
            (20_000, 1_000_000),
        ] {
            // Pace asks at most every ten minutes.
            let between = rest(pages, day).max(Duration::from_mins(10));
            let a_day = 3 * pages * (86_400 / between.as_secs());
            assert!(a_day <= day / 100, "{pages} pages: {a_day} requests of {day}");
        }
        assert_eq!(
            rest(1, 250_000),
            Duration::ZERO,
            "a small archive is listed whenever somebody asks"
        );
    }
}
