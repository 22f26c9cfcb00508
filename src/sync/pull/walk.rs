//! A whole type, read from several ends at once: the first sync, and every later one that wants certainty. The list goes
//! upwards through the ids and a search comes down from the top until they meet; both are documented. Where the list's
//! cursors prove to be ids, several lists start in the middle as well. Every page is committed with what is still unread,
//! so a walk goes on where it stopped; records no page named are gone only when nothing is unread any more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _, join, join_all};
use tokio::sync::watch;

use super::{
    Trouble, announce, audit, doubt,
    front::{Front, Place, Strayed},
    gone, linked,
    links::kept_with,
    mark::{self, Mark, Step},
    properties_of, top,
};
use crate::{
    domain::{Event, Fault, Lane, ObjectCount, ObjectType, Progress, Reading, Record},
    hubspot::{Failure, ListQuery, RecordPage, Signal},
    store::{Put, Via},
    sync::core::Core,
};

/// How many lists read at once where they can start anywhere. Eight use up a window of 190 requests in three seconds at
/// 120 ms each; in the long run three would do, and the others only wait for slots.
const LISTS: usize = 8;

/// How long a list that nobody needs any more may take to be answered.
const LAST_ANSWERS: Duration = Duration::from_millis(250);

/// After so many records of a first load, those before are made quick to find: the network is slower than that.
const SETTLE: u64 = 1_500;

/// How a type is walked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// Begin anew even if an earlier walk was interrupted.
    pub fresh: bool,
    /// Stop after so many records; the walk is incomplete then and nothing is considered gone.
    pub max: Option<u64>,
    /// Records per page, at most 100; `None` = 100.
    pub page: Option<u32>,
}

/// Reads a whole type into the mirror, adding to `count` what was read. Answers whether it is complete.
pub async fn walk(
    core: &Core,
    object: ObjectType,
    how: Walk,
    tell: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<bool, Trouble> {
    let mark = mark::begin(core, object, how.fresh).await?;
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
            mark::abandon(core, object).await?;
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
    count.deleted += doubt::ask_about_the_rest(core, object).await?;
    let Some(is_more) = mark::finish(core, object).await? else {
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
        let mark = mark::begin(self.core, self.object, true).await?;
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
                    biased;
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
                let name = mark::name(object);
                let mut mark = Mark {
                    by_id,
                    span,
                    total,
                    ..mark::kept(&store.mirror, object)?.unwrap_or_default()
                };
                let newest = records.iter().map(|record| record.updated_at).max();
                mark.newest = mark.newest.max(newest);
                let before = mark.fetched / SETTLE;
                mark.advance(step, fresh);
                let cursors = [(name.as_str(), &*mark.text())];
                let changed = store
                    .mirror
                    .put(object, &records, Put::via(via).with_cursors(&cursors))?;
                if mark.is_first && mark.fetched / SETTLE > before {
                    store.mirror.settle_some(object, total)?;
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
            // What was read before may still name a record that was merged away since.
            return Ok(gone::merged_away(self.core, object, &changed).await?);
        }
        Ok(announce(self.core, object, changed).await?)
    }

    /// No more than is still wanted.
    fn page_size(&self) -> u32 {
        let page = self.how.page.unwrap_or(100);
        let read = self.front().count.fetched;
        let left = self.how.max.map(|max| max.saturating_sub(read));
        left.and_then(|left| u32::try_from(left).ok())
            .map_or(page, |left| left.clamp(1, page))
    }

    async fn list(&self, place: &Place) -> Result<RecordPage, Trouble> {
        let query = ListQuery {
            properties: properties_of(self.core, self.object),
            associations: linked(self.core, self.object),
            after: place.after.clone(),
            limit: self.page_size(),
            ..ListQuery::default()
        };
        Ok(self.core.client.list(Lane::Sync, self.object, &query).await?)
    }
}
