//! Records that were archived: no search and no list of live records ever names them, so the archived ones are listed.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Trouble, properties_of};
use crate::{
    domain::{ActivityItem, ActivityKind, Deal, DealId, Event, Fault, Lane, ObjectType, Record, RecordRef},
    hubspot::{Cursor, ListQuery},
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

/// What is read whole again and again because HubSpot has no better way to tell what changed. All together it may cost a
/// hundredth of the day's budget, of which each has its part, however long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// The archive of the deals: a board that shows what is gone is the worst to have.
    Deals,
    /// The archive of any other type.
    Archive,
    /// The list of a type whose records cannot be counted.
    Sweep,
    /// The members of HubSpot's lists, all lists together.
    Lists,
}

impl Upkeep {
    /// The archive of a type.
    pub const fn archive_of(object: ObjectType) -> Self {
        match object {
            ObjectType::Deals => Self::Deals,
            _ => Self::Archive,
        }
    }

    /// One in so many requests of the day. With five types these are 1/4, four times 1/16, five times 1/20, and 1/4 of the
    /// hundredth.
    const fn one_in(self) -> u64 {
        match self {
            Self::Deals | Self::Lists => 400,
            Self::Archive => 1_600,
            Self::Sweep => 2_000,
        }
    }

    /// How long so many pages rest once they were read, with so many requests a day.
    fn rest(self, pages: u64, day: u64) -> Duration {
        if pages <= FEW {
            return Duration::ZERO;
        }
        Duration::from_secs((86_400 * self.one_in()).saturating_mul(pages) / day.max(1))
    }
}

/// So few pages are read whenever somebody asks, which [`super::pace`] does every five minutes: deletions are to be seen
/// within ten. Five archives and five sweeps of one page cost 2,880 requests a day, a little more than a hundredth of the
/// smallest plan's and less of every other.
const FEW: u64 = 1;
/// The day's budget while HubSpot has not said it: the smallest plan's.
const SMALLEST_DAY: u64 = 250_000;

/// When something was read whole last, and how many pages of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listed {
    pub at: Timestamp,
    pub pages: u64,
}

impl Listed {
    /// Whether it is too early to sweep so many pages again.
    pub fn rests(&self, core: &Core) -> bool {
        self.rests_as(core, Upkeep::Sweep)
    }

    /// Whether it is too early to read so many pages of this again.
    pub fn rests_as(&self, core: &Core, what: Upkeep) -> bool {
        let day = core.client.limits().daily.map_or(SMALLEST_DAY, |day| day.capacity);
        // A time in the future is another clock's.
        self.at <= core.now() && later(self.at, what.rest(self.pages, day)) > core.now()
    }
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
    if listed.is_some_and(|listed| listed.rests_as(core, Upkeep::archive_of(object))) {
        return Ok(0);
    }
    let (mut cursor, mut taken, mut pages) = (Cursor::default(), 0, 0);
    loop {
        let query = ListQuery {
            properties: properties_of(core, object),
            archived: true,
            after: cursor.after().map(str::to_owned),
            ..ListQuery::default()
        };
        let page = Box::pin(core.client.list(Lane::Sync, object, &query)).await?;
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
        if !cursor.advance(page.after)? {
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
            // Of one that is known to be merged, whoever named it names the one that is left.
            let (mut merged, mut renamed) = (Vec::new(), Vec::new());
            for id in &ids {
                if let Some(left) = store.outbox.alias(&RecordRef::new(object, id.as_str()))? {
                    let (was, touched) = store.mirror.merge(object, id, &left.id)?;
                    merged.extend(was);
                    renamed.extend(touched);
                }
            }
            let (mut removed, mut touched) = store.mirror.remove(object, &ids)?;
            removed.extend(merged);
            touched.extend(renamed);
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

    /// What one of these costs a day when it is looked at every five minutes.
    fn a_day(what: Upkeep, pages: u64, day: u64) -> u64 {
        let between = what.rest(pages, day).max(Duration::from_mins(5));
        pages * 86_400 / between.as_secs()
    }

    /// Everything there is, each of so many pages.
    fn all(pages: u64, day: u64) -> u64 {
        a_day(Upkeep::Deals, pages, day)
            + 4 * a_day(Upkeep::Archive, pages, day)
            + 5 * a_day(Upkeep::Sweep, pages, day)
            + a_day(Upkeep::Lists, pages, day)
    }

    #[test]
    fn whatever_is_large_costs_a_hundredth_of_the_day_all_together() {
        for day in [250_000, 625_000, 1_000_000] {
            for pages in [2, 3, 5, 6, 17, 400, 20_000] {
                let a_day = all(pages, day);
                assert!(a_day <= day / 100 + 10, "{pages} pages: {a_day} requests of {day}");
            }
        }
    }

    #[test]
    fn what_is_small_is_read_whenever_somebody_asks() {
        assert_eq!(all(1, 250_000), 11 * 288, "1.3 % of the smallest plan's day");
        for what in [Upkeep::Deals, Upkeep::Archive, Upkeep::Sweep, Upkeep::Lists] {
            assert_eq!(what.rest(1, 250_000), Duration::ZERO);
        }
        assert!(
            Upkeep::Deals.rest(4, 250_000) < Duration::from_mins(10),
            "a deal that is archived is missed within ten minutes"
        );
    }
}
