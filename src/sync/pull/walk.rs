//! A whole type, read from several ends at once: the first sync, and every later one that wants certainty. The list goes
//! upwards through the ids and a search comes down from the top until they meet; both are documented. Where the list's
//! cursors prove to be ids, several lists start in the middle as well. Every page is committed with what is still unread,
//! so a walk goes on where it stopped; records no page named are gone only when nothing is unread any more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _, join, join_all};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    Trouble, announce,
    arrive::arrive,
    audit, delta, doubt,
    front::{Front, Place, Strayed},
    gone, linked,
    links::kept_with,
    properties_of, top,
    unread::Unread,
};
use crate::{
    domain::{Event, Fault, Lane, ObjectCount, ObjectType, Progress, Reading, Record},
    hubspot::{Failure, ListQuery, RecordPage, Signal},
    store::{self, MirrorView, Put, Via},
    sync::{connection::earlier, core::Core, extent::Extent},
};

/// How many lists read at once where they can start anywhere. Eight use up a window of 190 requests in three seconds at
/// 120 ms each; in the long run three would do, and the others only wait for slots.
const LISTS: usize = 8;

/// Where only lists were read, what changed while they were is read again.
const LISTED: Duration = Duration::from_mins(2);

/// How long a list that nobody needs any more may take to be answered.
const LAST_ANSWERS: Duration = Duration::from_millis(250);

/// So many records at a time are asked about that no page named.
const UNMET: usize = 500;

/// After so many records of a first load, those before are made quick to find: the network is slower than that.
const SETTLE: u64 = 1_500;

/// How a type is walked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// Begin anew even if an earlier walk was interrupted.
    pub fresh: bool,
    /// Stop after about so many records; the walk is incomplete then and nothing is considered gone.
    pub max: Option<u64>,
    /// Records per page, at most 100; `None` = 100.
    pub page: Option<u32>,
}

/// Where an interrupted walk goes on, as it is kept with every page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Mark {
    /// What is still to be read.
    pub unread: Unread,
    /// When the walk began: what changed since then is read again afterwards.
    pub since: Timestamp,
    /// Records read so far, each counted once.
    pub fetched: u64,
    /// How many records there were when the search began, as far as its index knew.
    pub total: Option<u64>,
    /// The list's cursors are ids, so that it can start anywhere.
    pub by_id: bool,
    /// The lowest and the highest id, as far as is known.
    pub span: Option<(u64, u64)>,
    /// The first walk through this type: nothing was there before.
    pub is_first: bool,
    /// Where the only list goes on, whatever a search has read meanwhile.
    pub base: Option<(u64, String)>,
    /// With what every page so far was read.
    pub with: Extent,
}

/// A page, in one of the lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A list read from this id on and goes on there.
    Listed { from: u64, next: Option<(u64, String)> },
    /// A search read these ids, up to but not including the second.
    Searched { low: u64, high: u64 },
    /// The search was no good: the list reads on from here.
    Reopened { from: u64, after: String },
}

impl Mark {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes a page into account.
    pub fn advance(&mut self, step: Step, fresh: u64) {
        self.fetched += fresh;
        match step {
            Step::Listed { from, next } => {
                self.base.clone_from(&next);
                self.unread.listed(from, next);
            }
            Step::Searched { low, high } => self.unread.searched(low, high),
            Step::Reopened { from, after } => {
                self.base = None;
                self.unread.reopen(from, after);
            }
        }
    }
}

/// The name of the cursor that says since when changes of a type are unknown.
pub fn since(object: ObjectType) -> String {
    format!("since:{object}")
}

fn mark_name(object: ObjectType) -> String {
    format!("walk:{object}")
}

/// Reads a whole type into the mirror, adding to `count` what was read. Answers whether it is complete.
pub async fn walk(
    core: &Core,
    object: ObjectType,
    how: Walk,
    tell: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<bool, Trouble> {
    let mark = begin(core, object, how.fresh).await?;
    let walking = Walking {
        core,
        object,
        how,
        tell,
        is_first: mark.is_first,
        front: Mutex::new(Front::new(mark, how.max.is_some())),
        over: watch::Sender::new(false),
    };
    let outcome = walking.whole().await;
    let (read, mark) = {
        let front = walking.front();
        (front.count, front.mark.clone())
    };
    *count += read;
    if !outcome? {
        if !mark.is_first {
            // Whoever stops on purpose does not leave half a walk for somebody who wants certainty.
            abandon(core, object).await?;
        }
        return Ok(false);
    }
    if mark.by_id {
        // Nobody documents that a list can start anywhere: what it may have left out is found by counting.
        match audit::missing(core, object).await? {
            Some(missing) => count.fetched += missing,
            None if mark.total.is_some_and(|total| mark.fetched < total) => {
                tracing::info!(%object, "less was listed than there is; it is read again, from cursor to cursor");
                walking.begin_plainly().await?;
                let whole = walking.run().await;
                count.pages += walking.front().count.pages;
                if !whole? {
                    return Ok(false);
                }
                count.fetched = count.fetched.max(walking.front().count.fetched);
            }
            None => {}
        }
    }
    count.deleted += ask_about_the_rest(core, object).await?;
    let Some(is_more) = finish(core, object).await? else {
        return Ok(false);
    };
    if object == ObjectType::Deals && (is_more || count.deleted > 0) {
        core.tell(Event::BoardChanged);
    }
    Ok(true)
}

/// One walk through a type.
struct Walking<'a> {
    core: &'a Core,
    object: ObjectType,
    how: Walk,
    tell: &'a (dyn Fn(Progress) + Sync),
    is_first: bool,
    front: Mutex<Front>,
    /// Nothing is left for the lists to read.
    over: watch::Sender<bool>,
}

/// A page of the search, highest id first, and how many records there are.
type Searched = (Vec<Record>, u64);

/// A page that is being written.
type Kept<'a> = BoxFuture<'a, Result<(), Trouble>>;

impl Walking<'_> {
    /// Reads everything, plainly where the account wants that. `false` = it stopped before that, because enough was read.
    async fn whole(&self) -> Result<bool, Trouble> {
        match self.run().await {
            // Cursors of an earlier process that HubSpot does not accept any more, or invented ones that led astray.
            Err(Trouble::Failure(failure)) if failure.signal == Signal::Validation && self.front().may_be_plainer() => {
                tracing::info!(object = %self.object, why = failure.message, "the list is read again, from cursor to cursor");
                self.begin_plainly().await?;
                self.run().await
            }
            outcome => outcome,
        }
    }

    async fn begin_plainly(&self) -> Result<(), Fault> {
        let mark = begin(self.core, self.object, true).await?;
        self.over.send_replace(false);
        *self.front() = Front::new(mark, true);
        Ok(())
    }

    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until nothing is unread. `false` = it stopped before that, because enough was read.
    async fn run(&self) -> Result<bool, Trouble> {
        // The first page tells how long ids are, and whether its cursor is one.
        let first = self.front().next_place(0);
        let Some(first) = first else {
            // Everything was read by an earlier process, and perhaps not proven yet.
            return self.up(0, None).await;
        };
        let (page, top) = join(self.list(&first), self.top()).await;
        let page = page?;
        let is_last = page.after.is_none();
        let kept = self.listed(0, &first, page)?;
        // A test walk and a type of one page need no other lanes.
        if is_last || self.how.max.is_some() {
            return self.up(0, Some(kept)).await;
        }
        let others = async {
            self.look_at_the_top(top.as_ref()).await;
            let lists = (1..LISTS).map(|lane| Box::pin(self.up(lane, None)));
            let (lists, search) = join(join_all(lists), Box::pin(self.down(top))).await;
            search?;
            lists.into_iter().try_for_each(|list| list.map(|_| ()))
        };
        let (whole, others) = join(Box::pin(self.up(0, Some(kept))), Box::pin(others)).await;
        others?;
        whole
    }

    /// A list, upwards through the ids as long as there is something for it to read. `false` = enough was read.
    async fn up<'a>(&'a self, lane: usize, mut kept: Option<Kept<'a>>) -> Result<bool, Trouble> {
        loop {
            let (place, proof) = {
                let mut front = self.front();
                let place = front.next_place(lane);
                let proof = if place.is_none() && lane == 0 {
                    front.unproven()
                } else {
                    None
                };
                (place, proof)
            };
            let written = kept.take().unwrap_or_else(|| async { Ok(()) }.boxed());
            let read = self.front().count.fetched;
            let place = match (place, proof) {
                (Some(place), _) if self.how.max.is_none_or(|max| read < max) => place,
                (Some(_), _) => return written.await.map(|()| false),
                (None, Some(step)) => {
                    written.await?;
                    self.write(Vec::new(), step, 0, Via::List).await?;
                    continue;
                }
                (None, None) => return written.await.map(|()| true),
            };
            // The next page is on its way while this one is written.
            let page = async {
                tokio::select! {
                    page = self.list(&place) => Some(page),
                    () = self.over() => None,
                }
            };
            let (written, page) = join(written, page).await;
            written?;
            let Some(page) = page else { return Ok(true) };
            kept = Some(self.listed(lane, &place, page?)?);
        }
    }

    /// The search has read what the lists still wait for: nobody needs their pages any more. What is on the wire already
    /// gets its answer, within reason.
    async fn over(&self) {
        let mut over = self.over.subscribe();
        // The sender lives in `self`: the wait cannot fail.
        let _ = over.wait_for(|over| *over).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    }

    fn listed(&self, lane: usize, place: &Place, page: RecordPage) -> Result<Kept<'_>, Trouble> {
        let (records, after) = (page.records, page.after);
        let listed = self.front().listed(lane, place, &records, after);
        let (step, fresh) = listed.map_err(|Strayed| {
            let message = format!("a list of {} from id {} on began elsewhere", self.object, place.from);
            Trouble::from(Failure::new(Signal::Validation, message))
        })?;
        Ok(async move { self.write(records, step, fresh, Via::List).await }.boxed())
    }

    /// A search says nothing of associations: where a record is told with them, it is only listed.
    fn is_searched(&self) -> bool {
        kept_with(self.object).is_empty() && self.how.max.is_none()
    }

    /// The first page of the search, on its way together with the list's; `None` where there is none, or it failed.
    async fn top(&self) -> Option<Searched> {
        let below = self.front().search_below();
        let begins = self.is_searched() && (self.front().is_new_walk() || below == Some(None));
        if !begins {
            return None;
        }
        top::below(self.core, self.object, None).await.ok()
    }

    /// Finds out how high ids go and how many there are, so that lists can start in the middle. Where that fails, one list
    /// reads on alone.
    async fn look_at_the_top(&self, top: Option<&Searched>) {
        if let Some((records, total)) = top {
            let highest = records.iter().filter_map(|record| record.id.parse().ok()).max();
            self.front().saw_the_top(highest, *total);
        } else if self.front().wants_the_top()
            && let Ok((highest, total)) = top::highest(self.core, self.object).await
        {
            self.front().saw_the_top(highest, total);
        }
    }

    /// The search, from the highest id downwards. Where HubSpot fails it only stops: the lists read on until they meet what
    /// was searched. A page that cannot be kept ends the walk: the lanes count it as read.
    async fn down(&self, mut top: Option<Searched>) -> Result<(), Trouble> {
        let mut kept: Kept<'_> = async { Ok(()) }.boxed();
        if !self.is_searched() {
            return Ok(());
        }
        loop {
            let below = self.front().search_below();
            let Some(below) = below else { break };
            let page = match top.take().filter(|_| below.is_none()) {
                Some(top) => async { Ok(top) }.boxed(),
                None => top::below(self.core, self.object, below).boxed(),
            };
            let (written, page) = join(kept, page).await;
            written?;
            kept = async { Ok(()) }.boxed();
            let Ok((records, total)) = page else { break };
            let searched = self.front().searched(below, &records, total);
            let Some((step, fresh)) = searched else { break };
            self.over.send_replace(self.front().is_over());
            kept = async move { self.write(records, step, fresh, Via::Search).await }.boxed();
        }
        kept.await
    }

    /// Writes a page together with what is unread now. The mark is advanced inside the transaction: no lane's part of it
    /// runs ahead of what is on disk.
    async fn write(&self, records: Vec<Record>, step: Step, fresh: u64, via: Via) -> Result<(), Trouble> {
        let object = self.object;
        let (by_id, span, total, pages) = {
            let front = self.front();
            (front.mark.by_id, front.mark.span, front.mark.total, front.count.pages)
        };
        let (changed, fetched) = self
            .core
            .desk
            .write(move |store| {
                let name = mark_name(object);
                let mut mark = Mark {
                    by_id,
                    span,
                    total,
                    ..mark_of(&store.mirror, object)?.unwrap_or_default()
                };
                let before = mark.fetched / SETTLE;
                mark.advance(step, fresh);
                let cursors = [(name.as_str(), &*mark.text())];
                let changed = store
                    .mirror
                    .put(object, &records, Put::via(via).with_cursors(&cursors))?;
                if mark.is_first && mark.fetched / SETTLE > before {
                    store.mirror.settle_some(object)?;
                }
                Ok((changed, mark.fetched))
            })
            .await?;
        (self.tell)(Progress {
            what: Reading::Records(object),
            fetched,
            pages,
            about: total,
        });
        if self.is_first {
            // A board that fills is read as a whole; no feed is made of what was there before us.
            if object == ObjectType::Deals {
                self.core.board_grew();
            }
            return Ok(());
        }
        Ok(announce(self.core, object, changed).await?)
    }

    async fn list(&self, place: &Place) -> Result<RecordPage, Trouble> {
        let query = ListQuery {
            properties: properties_of(self.core, self.object),
            associations: linked(self.core, self.object),
            after: place.after.clone(),
            limit: self.how.page.unwrap_or(100),
            ..ListQuery::default()
        };
        Ok(self.core.client.list(Lane::Sync, self.object, &query).await?)
    }
}

/// A mark of a walk over what was here before is good for so long; later much of it would be read again anyway.
const GOOD_FOR: Duration = Duration::from_hours(24);

async fn begin(core: &Core, object: ObjectType, fresh: bool) -> Result<Mark, Fault> {
    let (now, asked) = (core.now(), Extent::asked(core, object));
    core.desk
        .write(move |store| {
            let name = mark_name(object);
            let left = mark_of(&store.mirror, object)?;
            // Pages that were read with less have to be read again.
            let is_good =
                |mark: &Mark| (mark.is_first || mark.since > earlier(now, GOOD_FOR)) && mark.with.covers(&asked);
            if let Some(mut mark) = left.filter(|mark| !fresh && is_good(mark)) {
                if mark.with != asked {
                    mark.with = asked;
                    store.mirror.set_cursor(&name, &mark.text())?;
                }
                return Ok(mark);
            }
            let mark = Mark {
                since: now,
                with: asked,
                is_first: store.mirror.cursor(&since(object))?.is_none(),
                ..Mark::default()
            };
            store.mirror.relist_begin(object)?;
            store.mirror.set_cursor(&name, &mark.text())?;
            Ok(mark)
        })
        .await
}

fn mark_of(mirror: &MirrorView, object: ObjectType) -> Result<Option<Mark>, store::Error> {
    let kept = mirror.cursor(&mark_name(object))?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn abandon(core: &Core, object: ObjectType) -> Result<(), Fault> {
    core.desk
        .write(move |store| {
            store.mirror.drop_cursor(&mark_name(object))?;
            Ok(store.mirror.relist_end(object)?)
        })
        .await
}

/// Whoever no page named is asked about: a list may leave out what is there, and an index may not know it yet. Answers how
/// many are gone.
async fn ask_about_the_rest(core: &Core, object: ObjectType) -> Result<u64, Trouble> {
    let mut above: Option<String> = None;
    let mut gone = 0;
    loop {
        let unmet = core
            .desk
            .read(move |reader| Ok(reader.mirror.unmet(object, above.as_deref(), UNMET)?))
            .await?;
        let Some(last) = unmet.last() else {
            return Ok(gone);
        };
        above = Some(last.clone());
        let asked = doubt::ask(core, object, &unmet).await?;
        arrive(core, object, asked.there, Via::Direct, Vec::new()).await?;
        gone += gone::vanished(core, object, asked.gone).await?;
    }
}

/// Makes what was read whole quick to find, step by step, so that nobody waits long for the store.
pub async fn settle(core: &Core, object: ObjectType) -> Result<(), Fault> {
    while core
        .desk
        .write(move |store| Ok(store.mirror.settle_load(object)?))
        .await?
    {}
    Ok(())
}

/// The walk is over, if nothing is unread as far as the disk knows. Answers whether more is known of the records now than
/// before; `None` = something is unread.
async fn finish(core: &Core, object: ObjectType) -> Result<Option<bool>, Fault> {
    settle(core, object).await?;
    // A scope that was lost on the way left the last pages with less.
    let asked = Extent::asked(core, object);
    let wished = core.wished.clone();
    core.desk
        .write(move |store| {
            let mark = mark_of(&store.mirror, object)?.filter(|mark| mark.unread.is_empty());
            let Some(mark) = mark else {
                tracing::warn!(%object, "a walk ended with something unread; the next one goes on");
                return Ok(None);
            };
            store.mirror.relist_end(object)?;
            // What a search brought may be older than the walk, by as much as its index lags.
            let unsettled = if kept_with(object).is_empty() {
                delta::SETTLED
            } else {
                LISTED
            };
            store
                .mirror
                .set_cursor(&since(object), &earlier(mark.since, unsettled).to_string())?;
            store.mirror.drop_cursor(&delta::seen(object))?;
            store.mirror.drop_cursor(&mark_name(object))?;
            let with = mark.with.shared(&asked).defined(&store.mirror, &wished, object)?;
            let before = Extent::kept(&store.mirror, object)?;
            with.keep(&mut store.mirror, object)?;
            Ok(Some(!before.covers(&with)))
        })
        .await
}
