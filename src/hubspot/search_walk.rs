//! A search to its end, past the 10,000 records at which HubSpot stops: each page begins after the last id of the page
//! before. Ids are compared as text there, so they are here; a page that does not go on in that order ends the walk
//! rather than leave records out.

use super::{
    client::Client,
    failure::Failure,
    search::{Comparison, SearchFilter, SearchQuery, SearchSort},
    signal::Signal,
};
use crate::domain::{Lane, ObjectType, Record};

const ID: &str = "hs_object_id";

/// A search under way. Records that are archived or created meanwhile may or may not appear; none appears twice.
#[derive(Debug)]
pub struct SearchWalk {
    client: Client,
    lane: Lane,
    object: ObjectType,
    query: SearchQuery,
    /// The last id seen.
    last: Option<String>,
    total: Option<u64>,
    done: bool,
}

impl Client {
    /// Walks a search to its end. The order is that of ids as text, whatever the query's own; every group needs room for
    /// one condition more.
    ///
    /// # Errors
    /// [`Failure`] when the query is too large, before anything is sent.
    pub fn search_all(&self, lane: Lane, object: ObjectType, query: SearchQuery) -> Result<SearchWalk, Failure> {
        let query = SearchQuery {
            sort: Some(SearchSort {
                property: ID.to_owned(),
                descending: false,
            }),
            after: None,
            ..query
        };
        let walk = SearchWalk {
            client: self.clone(),
            lane,
            object,
            query,
            last: None,
            total: None,
            done: false,
        };
        walk.page_after(Some("0")).check()?;
        Ok(walk)
    }
}

impl SearchWalk {
    /// The next records; `None` after the last ones. After a failure it can be asked again, and goes on where it stood.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, after the retries, or when the walk does not get any further.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, Failure> {
        if self.done {
            return Ok(None);
        }
        let query = self.page_after(self.last.as_deref());
        let found = self.client.search_found(self.lane, self.object, &query).await?;
        let mut last = self.last.clone();
        for record in &found.records {
            if last.as_ref().is_some_and(|last| *last >= record.id) {
                let message = format!("HubSpot's search did not go on after id '{}'", last.unwrap_or_default());
                return Err(Failure::new(Signal::Unreadable, message));
            }
            last = Some(record.id.clone());
        }
        if found.after.is_some() && last == self.last {
            return Err(Failure::new(
                Signal::Unreadable,
                "HubSpot's search came to an empty page before its end",
            ));
        }
        let (total, done) = (found.total, found.after.is_none());
        let page = self.client.search_filled(self.lane, self.object, &query, found).await?;
        self.total.get_or_insert(total);
        self.last = last;
        self.done = done;
        Ok(Some(page.records))
    }

    /// How many records match, as the index said when the walk began; `None` before its first page.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    fn page_after(&self, last: Option<&str>) -> SearchQuery {
        let mut query = self.query.clone();
        if let Some(last) = last {
            if query.filter_groups.is_empty() {
                query.filter_groups.push(Vec::new());
            }
            for group in &mut query.filter_groups {
                group.push(SearchFilter::new(ID, Comparison::Gt(last.to_owned())));
            }
        }
        query
    }
}
