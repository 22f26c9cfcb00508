//! Counting instead of reading: a search says how many records there are in a range of ids, and the mirror knows how many
//! it has. Where both differ, halves of the range are counted until few enough ids are left to compare. That finds what no
//! search and no list of archived records names (deleted for good, restored, left out by a list), at the cost of one
//! request while nothing is amiss.
//!
//! It refuses to believe the search: whether a record is there is asked of the record.

use std::collections::BTreeSet;

use super::{Trouble, Walk, arrive::arrive, gone, properties_of, top, walk};
use crate::{
    domain::{Lane, ObjectCount, ObjectType, Record},
    store::Via,
    sync::core::Core,
};

/// A search never says a higher total; a total this high may be cut off.
const WALL: u64 = 10_000;
/// Ranges with so few records are compared id by id.
const FEW: u64 = 200;
/// More records than this are not listed again right after they were listed first.
const MANY: u64 = 500;
/// So many searches one audit may cost at most, and how many of a small mirror; what is left is found by the next one.
const MOST: u64 = 400;
const SMALL: u64 = 40;

/// What an audit found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Records that were missing here and are not any more.
    count: ObjectCount,
    /// How many searches it took.
    searches: u64,
}

/// A range of ids, both ends included, with how many records of it the mirror has.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: u64,
    high: u64,
    here: u64,
    /// How many there are in HubSpot, where that follows from what was counted already.
    there: Option<u64>,
}

/// Finds what no search and no archive names. Ids of several lengths do not sort as numbers in a search, so nothing can be
/// counted there: the whole list is read again now and then instead, as often as its length allows.
pub async fn audit(core: &Core, object: ObjectType) -> Result<ObjectCount, Trouble> {
    match compare_counts(core, object).await? {
        Some(found) => Ok(found.count),
        None => sweep(core, object).await,
    }
}

async fn sweep(core: &Core, object: ObjectType) -> Result<ObjectCount, Trouble> {
    let name = format!("swept:{object}");
    let read = name.clone();
    let (swept, here) = core
        .desk
        .read(move |reader| Ok((reader.mirror.cursor(&read)?, reader.mirror.count(object)?)))
        .await?;
    let swept: Option<gone::Listed> = swept.and_then(|text| serde_json::from_str(&text).ok());
    if here == 0 || swept.as_ref().is_some_and(|swept| swept.rests(core)) {
        return Ok(ObjectCount::default());
    }
    let at = core.now();
    let how = Walk {
        fresh: true,
        ..Walk::default()
    };
    let is_first = swept.is_none() && here > MANY;
    let count = match is_first {
        // A long list was read a moment ago.
        true => ObjectCount::default(),
        false => Box::pin(walk(core, object, how, &|_| {})).await?.1,
    };
    let pages = here.div_ceil(100);
    let swept = serde_json::to_string(&gone::Listed { at, pages }).unwrap_or_default();
    core.desk
        .write(move |store| Ok(store.mirror.set_cursor(&name, &swept)?))
        .await?;
    Ok(ObjectCount { fetched: 0, ..count })
}

/// Compares counts, and what differs record by record; `None` = they cannot be compared.
async fn compare_counts(core: &Core, object: ObjectType) -> Result<Option<Found>, Trouble> {
    let span = core
        .desk
        .read(move |reader| Ok((reader.mirror.id_length(object)?, reader.mirror.count(object)?)))
        .await?;
    let (Some(length), here) = span else {
        return Ok(None);
    };
    let Some(above) = 10_u64.checked_pow(length) else {
        return Ok(None);
    };
    let mut found = Found::default();
    let mut open = vec![Range {
        low: above / 10,
        high: above - 1,
        here,
        there: None,
    }];
    let most = MOST.min(SMALL + here / 100);
    while let Some(range) = open.pop() {
        if found.searches >= most {
            tracing::info!(%object, "more differs than one audit looks into");
            break;
        }
        let Some(parts) = look(core, object, range, &mut found).await? else {
            tracing::info!(%object, "the totals of this account's search do not count its records");
            return Ok(None);
        };
        open.extend(parts);
    }
    Ok(Some(found))
}

/// Looks into one range; the parts of it that are still to be looked into. `None` = totals are no counts here.
async fn look(core: &Core, object: ObjectType, range: Range, found: &mut Found) -> Result<Option<Vec<Range>>, Trouble> {
    let is_small = range.here <= FEW;
    let ids = if is_small { top::PAGE } else { 1 };
    let known = range
        .there
        .filter(|there| *there == range.here || *there > FEW || !is_small);
    let (there, theirs) = match known {
        Some(there) => (there, Vec::new()),
        None => {
            found.searches += 1;
            let counted = top::between(core, object, (range.low, range.high), ids).await?;
            // A few that are not there are asked about one by one.
            if counted.total > FEW && counted.is_wrong() {
                return Ok(None);
            }
            (counted.total, counted.ids)
        }
    };
    if there == range.here && there != WALL {
        return Ok(Some(Vec::new()));
    }
    if is_small && there <= FEW {
        compare(core, object, range, theirs.into_iter().collect(), &mut found.count).await?;
        return Ok(Some(Vec::new()));
    }
    let (low, high) = (range.low, range.high);
    if low == high {
        return Ok(Some(Vec::new()));
    }
    // Where the mirror has next to nothing of what is there, ids are all there is to halve.
    let middle = core
        .desk
        .read(move |reader| Ok(reader.mirror.middle_id(object, low, high)?))
        .await?
        .filter(|middle| !is_small && (low..high).contains(middle))
        .unwrap_or(low + (high - low) / 2);
    let here = core
        .desk
        .read(move |reader| Ok(reader.mirror.count_between(object, low, middle)?))
        .await?;
    found.searches += 1;
    let lower = top::between(core, object, (low, middle), 1).await?.total;
    let is_cut = there == WALL || lower == WALL;
    let part = |low, high, here, there| Range { low, high, here, there };
    Ok(Some(vec![
        part(low, middle, here, (lower != WALL).then_some(lower)),
        part(
            middle + 1,
            high,
            range.here.saturating_sub(here),
            (!is_cut).then(|| there.saturating_sub(lower)),
        ),
    ]))
}

/// Asks the records themselves: those that only one side knows.
async fn compare(
    core: &Core,
    object: ObjectType,
    range: Range,
    theirs: BTreeSet<String>,
    count: &mut ObjectCount,
) -> Result<(), Trouble> {
    let ours: BTreeSet<String> = core
        .desk
        .read(move |reader| Ok(reader.mirror.ids_between(object, range.low, range.high)?))
        .await?
        .into_iter()
        .collect();
    let doubtful: Vec<String> = ours.symmetric_difference(&theirs).cloned().collect();
    if doubtful.is_empty() {
        return Ok(());
    }
    let properties = properties_of(core, object);
    let names: Vec<&str> = properties.iter().map(String::as_str).collect();
    let read = core
        .client
        .batch_read(Lane::Sync, object, &doubtful, &names, &[])
        .await?;
    let vanished: Vec<String> = read.missing.into_iter().filter(|id| ours.contains(id)).collect();
    let appeared: Vec<Record> = read
        .records
        .into_iter()
        .filter(|record| !ours.contains(&record.id))
        .collect();
    count.deleted += vanished.len() as u64;
    count.fetched += arrive(core, object, appeared, Via::Direct, Vec::new()).await?;
    gone::vanished(core, object, vanished).await?;
    Ok(())
}

/// Whatever a walk that started anywhere left out, as far as counting shows it; `None` = it cannot be counted.
pub async fn missing(core: &Core, object: ObjectType) -> Result<Option<u64>, Trouble> {
    let found = compare_counts(core, object).await?;
    Ok(found.map(|found| found.count.fetched))
}
