//! A whole type, page by page: the first sync, and every later one that wants certainty. Pages are committed with the
//! cursor of the next one; records no page named are gone only when the last page has been read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Trouble, announce, properties_of, readable, top};
use crate::{
    domain::{Event, Fault, Lane, ObjectCount, ObjectType, Progress, Record},
    hubspot::{ListQuery, RecordPage, Signal},
    store::{Put, Via},
    sync::core::Core,
};

/// A search may say no higher total than this.
const WALL: u64 = 10_000;

/// How a type is walked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// Begin anew even if an earlier walk was interrupted.
    pub fresh: bool,
    /// Stop after about so many records; the walk is incomplete then and nothing is considered gone.
    pub max: Option<u64>,
}

/// Where an interrupted walk goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mark {
    /// The cursor of the next page.
    after: Option<String>,
    /// Every id of the walk's length from here on was searched.
    low: Option<u64>,
    /// How many records there were when the search began.
    #[serde(default)]
    total: Option<u64>,
    /// When the walk began: what changed since then is read again afterwards.
    since: Timestamp,
    /// Records read so far, each counted once.
    fetched: u64,
}

impl Mark {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn advance(&mut self, step: Step, fresh: usize) {
        self.fetched += fresh as u64;
        match step {
            Step::Listed(after) => self.after = after,
            Step::Searched { low, total } => {
                self.low = Some(low);
                self.total = total;
            }
        }
    }
}

/// A page further in one of the two lanes.
enum Step {
    /// The list goes on with this cursor.
    Listed(Option<String>),
    /// Every id of the walk's length from `low` on was searched, of so many records in all.
    Searched { low: u64, total: Option<u64> },
}

/// The name of the cursor that says since when changes of a type are unknown.
pub fn since(object: ObjectType) -> String {
    format!("since:{object}")
}

fn mark_name(object: ObjectType) -> String {
    format!("walk:{object}")
}

/// Reads a whole type into the mirror. Answers whether it is complete, and what was read.
pub async fn walk(
    core: &Core,
    object: ObjectType,
    how: Walk,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<(bool, ObjectCount), Trouble> {
    let is_first = core
        .desk
        .read(move |reader| Ok(reader.mirror.cursor(&since(object))?.is_none()))
        .await?;
    let mut mark = begin(core, object, how.fresh).await?;
    let page = match list(core, object, mark.after.clone()).await {
        // A cursor of an earlier process that HubSpot does not accept any more.
        Err(Trouble::Failure(failure)) if failure.signal == Signal::Validation && mark.after.is_some() => {
            mark = begin(core, object, true).await?;
            list(core, object, None).await?
        }
        page => page?,
    };
    let walk = Walking {
        core,
        object,
        how,
        is_first,
        tell,
        front: Mutex::new(Front {
            length: page.records.first().map_or(0, |record| record.id.len()),
            low: mark.low,
            total: mark.total,
            counted: (0, mark.low),
            mark,
            ..Front::default()
        }),
    };
    // A search says nothing of associations, so deals are only listed; a test walk and a type of one page need no second lane.
    let has_two_lanes = object != ObjectType::Deals && how.max.is_none() && page.after.is_some();
    let down = async {
        if has_two_lanes {
            walk.down().await;
        }
    };
    let (complete, ()) = join(Box::pin(walk.up(page)), Box::pin(down)).await;
    let complete = complete?;
    let (mut count, since) = walk.result();
    if !complete {
        return Ok((false, count));
    }
    let gone = finish(core, object, since).await?;
    count.deleted = gone.len() as u64;
    if object == ObjectType::Deals && (is_first || !gone.is_empty()) {
        core.tell(Event::BoardChanged);
    }
    Ok((true, count))
}

/// How far both lanes of a walk are.
#[derive(Default)]
struct Front {
    /// As it was when the walk began, or went on.
    mark: Mark,
    /// How long ids are at the bottom; the search lane only covers ids of that length.
    length: usize,
    /// Every id of that length from here on was searched; `None` = nothing was.
    low: Option<u64>,
    /// How many records there were when the search began, as far as its index knew.
    total: Option<u64>,
    /// The highest id that was listed.
    high: u64,
    /// Both lanes met, or the list came to its end.
    is_over: bool,
    count: ObjectCount,
    /// The highest id counted by the list, the lowest by the search: where the lanes overlap, nothing counts twice.
    counted: (u64, Option<u64>),
}

impl Front {
    /// Both lanes met, and nothing is left that neither brought: among ids of several lengths the highest are not at the
    /// top of the search, which sorts them as text. A total that may only be the wall proves nothing.
    fn has_met(&self) -> bool {
        let is_whole = |total: u64| total != WALL && self.mark.fetched.saturating_add(self.count.fetched) >= total;
        self.low.is_some_and(|low| self.high >= low) && self.total.is_some_and(is_whole)
    }

    /// How many records of a page no other page has brought. An id that is no number is only ever listed.
    fn count(&mut self, records: &[Record], step: &Step) -> usize {
        let (high, low) = self.counted;
        let length = self.length;
        let ids = records.iter().map(|record| record.id.parse::<u64>().ok());
        let (highest, lowest) = (ids.clone().flatten().max(), ids.clone().flatten().min());
        let fresh = match step {
            Step::Listed(_) => {
                self.counted.0 = high.max(highest.unwrap_or_default());
                let searched = |record: &&Record| {
                    let id = record.id.parse::<u64>().ok().filter(|_| record.id.len() == length);
                    id.zip(low).is_some_and(|(id, low)| id >= low)
                };
                records.len() - records.iter().filter(searched).count()
            }
            Step::Searched { .. } => {
                self.counted.1 = low.into_iter().chain(lowest).min();
                ids.filter(|id| id.is_none_or(|id| id > high)).count()
            }
        };
        self.count.fetched += fresh as u64;
        self.count.pages += 1;
        fresh
    }
}

/// One walk through a type.
struct Walking<'a> {
    core: &'a Core,
    object: ObjectType,
    how: Walk,
    is_first: bool,
    tell: &'a (dyn Fn(Progress) + Sync),
    front: Mutex<Front>,
}

impl Walking<'_> {
    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn result(&self) -> (ObjectCount, Timestamp) {
        let front = self.front();
        (front.count, front.mark.since)
    }

    /// The list, from the lowest id upwards. Answers whether it got to the end, or to where the search had been.
    async fn up(&self, mut page: RecordPage) -> Result<bool, Trouble> {
        loop {
            let (after, records) = (page.after, page.records);
            let step = Step::Listed(after.clone());
            let (has_met, fresh) = {
                let mut front = self.front();
                let fresh = front.count(&records, &step);
                let highest = records.iter().filter_map(|record| record.id.parse().ok()).max();
                front.high = front.high.max(highest.unwrap_or_default());
                front.is_over |= after.is_none() || front.has_met();
                (front.is_over, fresh)
            };
            let kept = self.write(records, step, fresh);
            let next = match after {
                Some(after) if !has_met => after,
                _ => {
                    kept.await?;
                    return Ok(true);
                }
            };
            let read = self.front().count.fetched;
            if self.how.max.is_some_and(|max| read >= max) {
                kept.await?;
                return Ok(false);
            }
            // The next page is on its way while this one is written.
            let (kept, listed) = join(kept, list(self.core, self.object, Some(next))).await;
            kept?;
            page = listed?;
        }
    }

    /// The search, from the highest id downwards. Where it fails it only stops: the list reads on until it meets what was
    /// searched.
    async fn down(&self) {
        let (mut above, length) = {
            let front = self.front();
            (front.low, front.length)
        };
        let mut searched = top::below(self.core, self.object, above).await;
        loop {
            let Ok((page, left)) = searched else {
                return;
            };
            let Some(lowest) = top::lowest(&page, above, length) else {
                return;
            };
            if above.is_none() {
                self.front().total = Some(left);
            }
            above = Some(lowest);
            let kept = self.keep_searched(page, lowest);
            if self.front().high >= lowest {
                // Where this fails, the walk was not finished: the list reads on to its own end.
                let _ = kept.await;
                return;
            }
            let (kept, next) = join(kept, top::below(self.core, self.object, above)).await;
            if kept.is_err() || self.front().is_over {
                return;
            }
            searched = next;
        }
    }

    async fn keep_searched(&self, page: Vec<Record>, lowest: u64) -> Result<(), Fault> {
        let (step, fresh) = {
            let mut front = self.front();
            let total = front.total;
            let step = Step::Searched { low: lowest, total };
            let fresh = front.count(&page, &step);
            (step, fresh)
        };
        self.write(page, step, fresh).await?;
        let mut front = self.front();
        front.low = Some(lowest);
        front.is_over |= front.has_met();
        Ok(())
    }

    /// Writes a page together with where its lane goes on. The mark is advanced inside the transaction: the other lane's
    /// part of it never runs ahead of what is on disk.
    async fn write(&self, records: Vec<Record>, step: Step, fresh: usize) -> Result<(), Fault> {
        let (object, is_first) = (self.object, self.is_first);
        let begun = self.front().mark.clone();
        let (changed, fetched) = self
            .core
            .desk
            .write(move |store| {
                let name = mark_name(object);
                let kept = store.mirror.cursor(&name)?;
                let mut mark: Mark = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(begun);
                mark.advance(step, fresh);
                let how = Put::via(Via::List);
                let changed = store
                    .mirror
                    .put(object, &records, how.with_cursor(&name, &mark.text()))?;
                Ok((changed, mark.fetched))
            })
            .await?;
        (self.tell)(Progress {
            object,
            fetched,
            about: None,
        });
        if is_first {
            // A board that fills is read as a whole; no feed is made of what was there before us.
            if object == ObjectType::Deals {
                self.core.board_grew();
            }
            return Ok(());
        }
        announce(self.core, object, changed).await
    }
}

async fn begin(core: &Core, object: ObjectType, fresh: bool) -> Result<Mark, Fault> {
    let now = core.now();
    core.desk
        .write(move |store| {
            let left = store.mirror.cursor(&mark_name(object))?;
            let left: Option<Mark> = left.and_then(|text| serde_json::from_str(&text).ok());
            if let (Some(mark), false) = (left, fresh) {
                return Ok(mark);
            }
            store.mirror.relist_begin(object)?;
            let mark = Mark {
                since: now,
                ..Mark::default()
            };
            store.mirror.set_cursor(&mark_name(object), &mark.text())?;
            Ok(mark)
        })
        .await
}

async fn list(core: &Core, object: ObjectType, after: Option<String>) -> Result<RecordPage, Trouble> {
    let associations = match object {
        ObjectType::Deals => readable(core, [ObjectType::Contacts, ObjectType::Companies]),
        _ => Vec::new(),
    };
    let query = ListQuery {
        properties: properties_of(object),
        associations,
        after,
        ..ListQuery::default()
    };
    Ok(core.client.list(Lane::Sync, object, &query).await?)
}

async fn finish(core: &Core, object: ObjectType, began: Timestamp) -> Result<Vec<String>, Fault> {
    core.desk
        .write(move |store| {
            let gone = store.mirror.relist_finish(object)?;
            store.mirror.set_cursor(&since(object), &began.to_string())?;
            store.mirror.drop_cursor(&mark_name(object))?;
            Ok(gone)
        })
        .await
}
