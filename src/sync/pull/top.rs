//! Searches by id: the lane of a walk that comes down from the top, and counting. Search has a quota of its own, so a large
//! type is read about twice as fast, by documented calls only. A page asks for ids below the lowest one so far, so nothing
//! shifts when records vanish meanwhile.

use super::properties_of;
use crate::{
    domain::{Lane, ObjectType, Record},
    hubspot::{Comparison, Failure, SearchFilter, SearchPage, SearchQuery, SearchSort},
    sync::core::Core,
};

/// Records of one page.
pub const PAGE: u32 = 200;
/// HubSpot's name of the id as a property; it sorts and compares as text.
const ID: &str = "hs_object_id";

/// The page of records with the highest ids below this one (of all, when there is none yet), highest first, and how many
/// there are.
pub async fn below(core: &Core, object: ObjectType, lowest: Option<u64>) -> Result<(Vec<Record>, u64), Failure> {
    let filter = lowest.map(|lowest| Comparison::Lt(lowest.to_string()));
    let page = search(core, object, filter, properties_of(core, object), PAGE).await?;
    Ok((page.records, page.total))
}

/// The highest id, where it is a number, and how many records there are.
pub async fn highest(core: &Core, object: ObjectType) -> Result<(Option<u64>, u64), Failure> {
    let page = search(core, object, None, Vec::new(), 1).await?;
    let id = page.records.first().and_then(|record| record.id.parse().ok());
    Ok((id, page.total))
}

/// How many records of a range there are, by what a search says.
#[derive(Debug, Default)]
pub struct Counted {
    pub total: u64,
    /// The highest ids, as many as were asked for.
    pub ids: Vec<String>,
    /// The search says there is no further page.
    is_all: bool,
}

impl Counted {
    /// The total names records that the search itself does not have: it counts nothing.
    pub fn is_wrong(&self) -> bool {
        self.is_all && (self.ids.len() as u64) < self.total
    }
}

/// How many records there are from `low` to `high`, both included, with at most `ids` of their ids. Both ends must be of
/// one length.
pub async fn between(core: &Core, object: ObjectType, (low, high): (u64, u64), ids: u32) -> Result<Counted, Failure> {
    let filter = Comparison::Between(low.to_string(), high.to_string());
    let page = search(core, object, Some(filter), Vec::new(), ids).await?;
    Ok(Counted {
        total: page.total,
        ids: page.records.into_iter().map(|record| record.id).collect(),
        is_all: page.after.is_none(),
    })
}

async fn search(
    core: &Core,
    object: ObjectType,
    filter: Option<Comparison>,
    properties: Vec<String>,
    limit: u32,
) -> Result<SearchPage, Failure> {
    let filter = filter.map(|is| vec![SearchFilter::new(ID, is)]);
    let query = SearchQuery {
        filter_groups: filter.into_iter().collect(),
        sort: Some(SearchSort {
            property: ID.to_owned(),
            descending: true,
        }),
        properties,
        limit,
        ..SearchQuery::default()
    };
    core.client.search(Lane::Sync, object, &query).await
}

/// The lowest id of a page, if the page really comes down from `above` in steps that hold as numbers, too: text order and
/// number order are the same only among ids of one length.
pub fn lowest(page: &[Record], above: Option<u64>, length: usize) -> Option<u64> {
    let mut last = above;
    for record in page {
        let id: u64 = record.id.parse().ok().filter(|_| record.id.len() == length)?;
        if last.is_some_and(|last| id >= last) {
            return None;
        }
        last = Some(id);
    }
    if page.is_empty() { None } else { last }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn page(ids: &[&str]) -> Vec<Record> {
        ids.iter()
            .map(|id| Record {
                object: ObjectType::Contacts,
                id: (*id).to_owned(),
                properties: BTreeMap::new(),
                created_at: jiff::Timestamp::UNIX_EPOCH,
                updated_at: jiff::Timestamp::UNIX_EPOCH,
                archived: false,
                associations: BTreeMap::new(),
                history: BTreeMap::new(),
            })
            .collect()
    }

    #[test]
    fn only_a_page_that_comes_down_in_numbers_counts() {
        assert_eq!(lowest(&page(&["309", "307", "120"]), None, 3), Some(120));
        assert_eq!(lowest(&page(&["119", "118"]), Some(120), 3), Some(118));
        assert_eq!(
            lowest(&page(&["99", "98"]), None, 3),
            None,
            "text order, not number order"
        );
        assert_eq!(
            lowest(&page(&["121"]), Some(120), 3),
            None,
            "outside of what was asked for"
        );
        assert_eq!(lowest(&page(&["118", "119"]), Some(120), 3), None, "not in order");
        assert_eq!(lowest(&page(&["abc"]), None, 3), None);
        assert_eq!(lowest(&[], Some(120), 3), None);
    }
}
