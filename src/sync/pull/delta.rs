//! What changed since the last look, by search. The index lags and may answer with stale rows, so every look goes back
//! behind the one before, and the mirror drops what is older than what it has. Two marks say how far a type is: `seen` is
//! the newest change that was read, `since` the time up to which the index is sure to have told everything. A quick look
//! starts shortly before the first, a thorough one at the second, which never passes time that may still be unsettled.

use std::time::Duration;

use jiff::Timestamp;

use super::{Tell, Trouble, Walk, arrive::arrive, properties_of, walk};
use crate::{
    domain::{Lane, ObjectCount, ObjectType, Progress, Reading, Record, parse_time},
    hubspot::{Comparison, SearchFilter, SearchPage, SearchQuery, SearchSort},
    store::Via,
    sync::{connection::earlier, core::Core},
};

/// How far a quick look goes back behind the newest change it saw: the index lags by up to about 30 seconds.
pub const OVERLAP: Duration = Duration::from_secs(90);
/// How long a change may stay unknown to the index before it is missed: lags of many minutes were reported.
pub const SETTLED: Duration = Duration::from_mins(60);
/// The same after so many changes that reading them all again and again would cost more than it finds.
const SETTLED_AFTER_MANY: Duration = Duration::from_mins(2);
/// HubSpot never answers more than this many rows to one search.
const WALL: u64 = 10_000;
/// Rows of one page.
const PAGE: u32 = 200;
/// Rows that are kept together: associations are read for a thousand records at once.
const TOGETHER: usize = 1_000;

/// How far back a look goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Behind the newest change that was seen.
    Quick,
    /// Behind everything that may still be unsettled.
    Thorough,
}

/// The name of the mark of the newest change that was seen.
pub fn seen(object: ObjectType) -> String {
    format!("seen:{object}")
}

/// Reads what changed since `since`, or since the last look, adding to `count` what was read.
pub async fn delta(
    core: &Core,
    object: ObjectType,
    since: Timestamp,
    look: Look,
    tell: Tell<'_>,
    count: &mut ObjectCount,
) -> Result<(), Trouble> {
    let newest = core
        .desk
        .read(move |reader| Ok(reader.mirror.cursor(&seen(object))?))
        .await?
        .and_then(|text| text.parse().ok())
        .unwrap_or(since);
    let from = match look {
        Look::Quick => since.max(earlier(newest, OVERLAP)),
        Look::Thorough => since,
    };
    let mut delta = Delta {
        core,
        object,
        look,
        since,
        newest,
        began: core.now(),
        count: ObjectCount::default(),
        is_large: false,
        tell,
    };
    let outcome = delta.read(from).await;
    *count += delta.count;
    outcome
}

/// One look.
struct Delta<'a> {
    core: &'a Core,
    object: ObjectType,
    look: Look,
    since: Timestamp,
    /// The newest change that was seen.
    newest: Timestamp,
    began: Timestamp,
    count: ObjectCount,
    /// More changes than one search can tell.
    is_large: bool,
    tell: Tell<'a>,
}

/// How far one search got.
enum Window {
    Complete,
    /// It ended at the wall; the newest change it saw.
    Full(Timestamp),
}

impl Delta<'_> {
    async fn read(&mut self, from: Timestamp) -> Result<(), Trouble> {
        let mut from = from;
        loop {
            match self.window(from).await? {
                Window::Complete => return Ok(()),
                Window::Full(newest) if newest > from => from = newest,
                Window::Full(_) => {
                    if !self.instant(from).await? {
                        return Ok(());
                    }
                    from = later_by_a_millisecond(from);
                }
            }
            self.is_large = true;
        }
    }

    async fn window(&mut self, from: Timestamp) -> Result<Window, Trouble> {
        let (mut after, mut seen, mut newest) = (None, 0, from);
        let mut rows: Vec<Record> = Vec::new();
        loop {
            let page = self.search(from, after).await?;
            seen += page.records.len() as u64;
            self.count.pages += 1;
            // The index was seen to answer rows outside the window that was asked for.
            rows.extend(page.records.into_iter().filter(|record| modified(record) >= from));
            newest = rows.iter().map(modified).fold(newest, Timestamp::max);
            after = page.after;
            let is_full = seen + u64::from(PAGE) > WALL;
            if after.is_none() || is_full || rows.len() >= TOGETHER {
                self.keep(std::mem::take(&mut rows), newest, after.is_none()).await?;
            }
            if after.is_none() {
                return Ok(Window::Complete);
            }
            if is_full {
                return Ok(Window::Full(newest));
            }
        }
    }

    async fn search(&self, from: Timestamp, after: Option<String>) -> Result<SearchPage, Trouble> {
        let changed = Comparison::Gte(from.as_millisecond().to_string());
        let query = SearchQuery {
            sort: Some(SearchSort {
                property: self.object.modified_property().to_owned(),
                descending: false,
            }),
            limit: PAGE,
            after,
            ..self.query(changed)
        };
        Ok(self.core.client.search(Lane::Sync, self.object, &query).await?)
    }

    fn query(&self, changed: Comparison) -> SearchQuery {
        SearchQuery {
            filter_groups: vec![vec![SearchFilter::new(self.object.modified_property(), changed)]],
            properties: properties_of(self.core, self.object),
            ..SearchQuery::default()
        }
    }

    /// More rows of one instant than a search can tell, as a mass edit leaves them: they are walked by id. When they are
    /// most of the type, the list is shorter; `false` then, since it tells of everything later as well.
    async fn instant(&mut self, at: Timestamp) -> Result<bool, Trouble> {
        let (core, object) = (self.core, self.object);
        let millis = at.as_millisecond().to_string();
        let query = self.query(Comparison::Between(millis.clone(), millis));
        let mut rows = core.client.search_all(Lane::Sync, object, query)?;
        let here = core.desk.read(move |reader| Ok(reader.mirror.count(object)?)).await?;
        while let Some(page) = rows.next().await? {
            if rows.total().is_some_and(|total| total > here / 2) {
                let how = Walk {
                    fresh: true,
                    ..Walk::default()
                };
                Box::pin(walk(core, object, how, &|_| {}, &mut self.count)).await?;
                return Ok(false);
            }
            self.count.pages += 1;
            self.keep(page, at, false).await?;
        }
        Ok(true)
    }

    /// Keeps the rows and moves both marks: everything up to `newest` was read.
    async fn keep(&mut self, rows: Vec<Record>, newest: Timestamp, is_last: bool) -> Result<(), Trouble> {
        // A row that is stamped in the future must not hide what comes until then.
        self.newest = self.newest.max(newest.min(self.began));
        let mut cursors = vec![(seen(self.object), self.newest.to_string())];
        if self.look == Look::Thorough {
            let hold = if self.is_large { SETTLED_AFTER_MANY } else { SETTLED };
            // HubSpot's clock stamps the rows, ours says what is settled: the earlier of both is sure.
            let read = if is_last { self.newest } else { newest };
            let settled = earlier(self.began, hold).min(earlier(read, OVERLAP));
            self.since = self.since.max(settled);
            cursors.push((super::since(self.object), self.since.to_string()));
        }
        self.count.fetched += arrive(self.core, self.object, rows, Via::Search, cursors).await?;
        (self.tell)(Progress {
            what: Reading::Records(self.object),
            fetched: self.count.fetched,
            pages: self.count.pages,
            about: None,
        });
        Ok(())
    }
}

fn later_by_a_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond() + 1).unwrap_or(at)
}

fn modified(record: &Record) -> Timestamp {
    record
        .get(record.object.modified_property())
        .and_then(parse_time)
        .unwrap_or(record.updated_at)
}
