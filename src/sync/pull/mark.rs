//! Where an interrupted walk goes on, kept in the mirror with every page: what is still unread, and with what the pages so
//! far were read. A walk is only over when the disk says that nothing is unread.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{delta, links::kept_with, unread::Unread};
use crate::{
    domain::{Fault, ObjectType},
    store::{self, MirrorView},
    sync::{connection::earlier, core::Core, extent::Extent},
};

/// A mark of a walk over what was here before is good for so long; later much of it would be read again anyway.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// Where only lists were read, what changed while they were is read again.
const LISTED: Duration = Duration::from_mins(2);

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
    /// The lowest id that was searched.
    pub low: Option<u64>,
    /// The search proved to be no good.
    #[serde(default)]
    pub is_search_over: bool,
    /// With what every page so far was read.
    pub with: Extent,
    /// The newest change that any page told of, by HubSpot's clock.
    #[serde(default)]
    pub newest: Option<Timestamp>,
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
    pub fn text(&self) -> String {
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
            Step::Searched { low, high } => {
                self.low = Some(low);
                self.unread.searched(low, high);
            }
            Step::Reopened { from, after } => {
                self.base = None;
                self.is_search_over = true;
                self.unread.reopen(from, after);
            }
        }
    }
}

/// The name of the cursor that says since when changes of a type are unknown.
pub fn since(object: ObjectType) -> String {
    format!("since:{object}")
}

/// The name of the cursor that keeps it.
pub fn name(object: ObjectType) -> String {
    format!("walk:{object}")
}

/// Goes on with what an earlier process left, or begins anew.
pub async fn begin(core: &Core, object: ObjectType, fresh: bool) -> Result<Mark, Fault> {
    let (now, asked) = (core.now(), Extent::asked(core, object));
    core.desk
        .write(move |store| {
            let name = name(object);
            let left = kept(&store.mirror, object)?;
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

/// What is kept of a walk under way.
pub fn kept(mirror: &MirrorView, object: ObjectType) -> Result<Option<Mark>, store::Error> {
    let text = mirror.cursor(&name(object))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Forgets a walk that is not to be gone on with.
pub async fn abandon(core: &Core, object: ObjectType) -> Result<(), Fault> {
    core.desk
        .write(move |store| {
            store.mirror.drop_cursor(&name(object))?;
            Ok(store.mirror.relist_end(object)?)
        })
        .await
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
pub async fn finish(core: &Core, object: ObjectType) -> Result<Option<bool>, Fault> {
    settle(core, object).await?;
    // A scope that was lost on the way left the last pages with less.
    let asked = Extent::asked(core, object);
    let wished = core.wished.clone();
    core.desk
        .write(move |store| {
            let mark = kept(&store.mirror, object)?.filter(|mark| mark.unread.is_empty());
            let Some(mark) = mark else {
                tracing::warn!(%object, "a walk ended with something unread; the next one goes on");
                return Ok(None);
            };
            let with = mark.with.shared(&asked).defined(&store.mirror, &wished, object)?;
            let before = Extent::kept(&store.mirror, object)?;
            with.keep(&mut store.mirror, object)?;
            // What a search brought may be older than the walk, by as much as its index lags.
            let unsettled = if kept_with(object).is_empty() {
                delta::SETTLED
            } else {
                LISTED
            };
            // HubSpot's clock stamps the records, ours says when the walk began: the earlier of both is sure.
            let began = earlier(mark.since, unsettled);
            let told = mark.newest.map(|newest| earlier(newest, delta::OVERLAP));
            let sure = told.map_or(began, |told| told.min(began));
            store.mirror.set_cursor(&since(object), &sure.to_string())?;
            store.mirror.drop_cursor(&delta::seen(object))?;
            store.mirror.drop_cursor(&name(object))?;
            // Last: a mark without a relist could not be finished any more.
            store.mirror.relist_end(object)?;
            Ok(Some(!before.covers(&with)))
        })
        .await
}
