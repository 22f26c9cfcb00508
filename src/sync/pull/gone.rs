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

/// Takes records out of the mirror that were merged into one of these; they are nowhere to be listed. Whatever was linked
/// to them is linked to the survivor now.
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
    let (taken, touched) = core
        .desk
        .write(move |store| {
            let (mut taken, mut touched) = (Vec::new(), Vec::new());
            for (old, new) in &merged {
                let (was, changed) = store.mirror.merge(object, old, new)?;
                touched.extend(changed);
                if was.is_some() {
                    store.outbox.put_alias(object, old, new)?;
                }
                taken.extend(was);
            }
            Ok((taken, touched))
        })
        .await?;
    let deals = taken
        .iter()
        .filter(|_| object == ObjectType::Deals)
        .map(|record| record.id.as_str().into());
    tell_deals(core, deals.chain(deals_among(&touched)).collect());
    Ok(())
}

/// Deals that name others now.
fn deals_among(changed: &[Changed]) -> impl Iterator<Item = DealId> {
    let deals = changed.iter().filter(|change| change.after.object == ObjectType::Deals);
    deals.map(|change| change.id.as_str().into())
}

fn tell_deals(core: &Core, ids: Vec<DealId>) {
    if !ids.is_empty() {
        core.tell(Event::DealsChanged {
            ids,
            by: None,
            remote: true,
        });
    }
}

/// An archive of so few pages costs next to nothing.
const FEW: u64 = 5;
/// Listing one of the three archives may cost this part of the day's budget: all together a hundredth.
const SHARE: u64 = 300;
/// The day's budget while HubSpot has not said it: the smallest plan's.
const SMALLEST_DAY: u64 = 250_000;

/// When an archive was listed last, and how many pages of it.
#[derive(Serialize, Deserialize)]
pub struct Listed {
    pub at: Timestamp,
    pub pages: u64,
}

impl Listed {
    /// Whether it is too early to list so many pages again.
    pub fn rests(&self, core: &Core) -> bool {
        let day = core.client.limits().daily.map_or(SMALLEST_DAY, |day| day.capacity);
        later(self.at, rest(self.pages, day)) > core.now()
    }
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
    let at = core.now();
    if listed.is_some_and(|listed| listed.rests(core)) {
        return Ok(0);
    }
    let (mut after, mut taken, mut pages) = (None, 0, 0);
    loop {
        let query = ListQuery {
            properties: properties_of(core, object),
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
    let ids: Vec<String> = archived.iter().map(|record| record.id.clone()).collect();
    remove(core, object, ids, archived).await
}

/// Takes records out of the mirror that are not there any more, whatever became of them.
pub async fn vanished(core: &Core, object: ObjectType, ids: Vec<String>) -> Result<u64, Fault> {
    remove(core, object, ids, Vec::new()).await
}

/// `told`: as HubSpot shows them in the archive, where it does.
async fn remove(core: &Core, object: ObjectType, ids: Vec<String>, told: Vec<Record>) -> Result<u64, Fault> {
    let (records, touched, owners) = core
        .desk
        .write(move |store| {
            let (removed, touched) = store.mirror.remove(object, &ids)?;
            let shown = |was: Record| told.iter().find(|record| record.id == was.id).cloned().unwrap_or(was);
            let removed: Vec<Record> = removed.into_iter().map(shown).collect();
            Ok((removed, touched, store.mirror.owners()?))
        })
        .await?;
    let mut ids: Vec<DealId> = deals_among(&touched).collect();
    if object == ObjectType::Deals && !records.is_empty() {
        ids.extend(records.iter().map(|record| DealId::from(record.id.as_str())));
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
    }
    tell_deals(core, ids);
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
