//! What changed since the last look, by search. The index lags, so every look overlaps the one before; it may answer with
//! stale rows, so the mirror drops what is older than what it has.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Trouble, Walk, allowed, announce, properties_of, relist, walk};
use crate::{
    domain::{Lane, ObjectCount, ObjectType, Record, parse_time},
    hubspot::{Comparison, SearchFilter, SearchPage, SearchQuery, SearchSort},
    store::{Put, Via},
    sync::{connection::earlier, core::Core, scopes::Need},
};

/// HubSpot never answers more than this many rows to one search.
const WALL: u64 = 10_000;
/// Rows of one page.
const PAGE: u32 = 200;

/// Reads what changed since `since`, looking back by `overlap`.
pub async fn delta(
    core: &Core,
    object: ObjectType,
    since: Timestamp,
    overlap: Duration,
) -> Result<ObjectCount, Trouble> {
    let mut count = ObjectCount::default();
    let mut from = earlier(since, overlap);
    loop {
        let newest = window(core, object, from, since, &mut count).await?;
        match newest {
            Window::Complete => return Ok(count),
            Window::Full(newest) if newest > from => from = newest,
            Window::Full(_) => {
                // Ten thousand rows of one instant: only a list gets past them.
                let walked = walk(core, object, Walk { fresh: true, max: None }, &|_| {}).await?.1;
                count.fetched += walked.fetched;
                count.pages += walked.pages;
                count.deleted += walked.deleted;
                return Ok(count);
            }
        }
    }
}

/// How far one search got.
enum Window {
    Complete,
    /// It ended at the wall; the newest change it saw.
    Full(Timestamp),
}

async fn window(
    core: &Core,
    object: ObjectType,
    from: Timestamp,
    since: Timestamp,
    count: &mut ObjectCount,
) -> Result<Window, Trouble> {
    let mut after = None;
    let mut seen = 0;
    let mut newest = from;
    loop {
        let page = search(core, object, from, after).await?;
        seen += page.records.len() as u64;
        count.pages += 1;
        // The index was seen to answer rows outside the window that was asked for.
        let rows: Vec<Record> = page
            .records
            .into_iter()
            .filter(|record| modified(record) >= from)
            .collect();
        newest = rows.iter().map(modified).fold(newest, Timestamp::max);
        count.fetched += keep(core, object, rows, newest.max(since)).await?;
        after = page.after;
        if after.is_none() {
            return Ok(Window::Complete);
        }
        if seen + u64::from(PAGE) > WALL {
            return Ok(Window::Full(newest));
        }
    }
}

async fn search(
    core: &Core,
    object: ObjectType,
    from: Timestamp,
    after: Option<String>,
) -> Result<SearchPage, Trouble> {
    let property = object.modified_property();
    let query = SearchQuery {
        filter_groups: vec![vec![SearchFilter::new(
            property,
            Comparison::Gte(from.as_millisecond().to_string()),
        )]],
        sort: Some(SearchSort {
            property: property.to_owned(),
            descending: false,
        }),
        properties: properties_of(object),
        limit: PAGE,
        after,
        ..SearchQuery::default()
    };
    Ok(core.client.search(Lane::Sync, object, &query).await?)
}

fn modified(record: &Record) -> Timestamp {
    record
        .get(record.object.modified_property())
        .and_then(parse_time)
        .unwrap_or(record.updated_at)
}

/// Keeps the rows the mirror does not have in this version; answers how many.
async fn keep(core: &Core, object: ObjectType, rows: Vec<Record>, since: Timestamp) -> Result<u64, Trouble> {
    let mut news = core
        .desk
        .read(move |reader| {
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            let known: BTreeMap<String, Record> = reader
                .mirror
                .records(object, &ids)?
                .into_iter()
                .map(|record| (record.id.clone(), record))
                .collect();
            Ok(rows
                .into_iter()
                .filter(|row| known.get(&row.id).is_none_or(|known| is_news(row, known)))
                .collect::<Vec<Record>>())
        })
        .await?;
    if object == ObjectType::Deals && !news.is_empty() {
        link(core, &mut news).await?;
    }
    let fetched = news.len() as u64;
    let changed = core
        .desk
        .write(move |store| {
            let (name, value) = (relist::since(object), since.to_string());
            let how = Put::via(Via::Search);
            Ok(store.mirror.put(object, &news, how.with_cursor(&name, &value))?)
        })
        .await?;
    announce(core, object, changed).await?;
    Ok(fetched)
}

/// A newer version, or other values in the same one.
fn is_news(row: &Record, known: &Record) -> bool {
    row.updated_at > known.updated_at
        || (row.updated_at == known.updated_at
            && row
                .properties
                .iter()
                .any(|(name, value)| known.properties.get(name) != Some(value)))
}

/// A search says nothing of associations, and a changed deal may have others now.
async fn link(core: &Core, deals: &mut [Record]) -> Result<(), Trouble> {
    let ids: Vec<String> = deals.iter().map(|deal| deal.id.clone()).collect();
    for to in [ObjectType::Contacts, ObjectType::Companies] {
        let links = core.client.associations(Lane::Sync, ObjectType::Deals, to, &ids);
        let Some(mut links) = allowed(core, Need::Read(to), links).await? else {
            continue;
        };
        for deal in &mut *deals {
            deal.associations.insert(to, links.remove(&deal.id).unwrap_or_default());
        }
    }
    Ok(())
}
