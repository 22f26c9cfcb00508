//! Search: filters over HubSpot's index, which lags behind the records by seconds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    batch_read::Batch,
    budget::Quota,
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    signal::Signal,
    wire::{self, Results, WireRecord},
};
use crate::domain::{Lane, ObjectType, PropertyDefinition, Record, RecordRef};

/// Bodies longer than this are refused.
const LONGEST: usize = 3_000;
/// Records that can be paged to, whatever matches.
const WALL: u32 = 10_000;
const MOST_GROUPS: usize = 5;
const MOST_IN_GROUP: usize = 6;
const MOST_FILTERS: usize = 18;

/// A comparison, in HubSpot's words. Values are text; dates are epoch milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq(String),
    /// Not equal.
    Neq(String),
    /// Less.
    Lt(String),
    /// Less or equal.
    Lte(String),
    /// Greater.
    Gt(String),
    /// Greater or equal.
    Gte(String),
    /// Between, both ends included.
    Between(String, String),
    /// One of. Texts must be in lower case, which [`SearchFilter::on`] sees to; options are told apart by their case.
    In(Vec<String>),
    /// None of; the same holds.
    NotIn(Vec<String>),
    /// Has a value.
    Has,
    /// Has no value.
    HasNot,
    /// Contains a word; `*` stands for any rest.
    ContainsToken(String),
    /// Does not contain a word.
    NotContainsToken(String),
}

/// A condition on one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchFilter {
    /// The property, or `associations.contact`.
    pub property: String,
    /// What must hold.
    pub is: Comparison,
}

impl SearchFilter {
    /// A condition.
    #[must_use]
    pub fn new(property: impl Into<String>, is: Comparison) -> Self {
        Self {
            property: property.into(),
            is,
        }
    }

    /// A condition on a property that is known: HubSpot finds texts in a list only by their lower case.
    #[must_use]
    pub fn on(definition: &PropertyDefinition, is: Comparison) -> Self {
        let is_text = matches!(definition.kind.as_str(), "string" | "phone_number");
        let lower = |values: Vec<String>| values.iter().map(|value| value.to_lowercase()).collect();
        let is = match is {
            Comparison::In(values) if is_text => Comparison::In(lower(values)),
            Comparison::NotIn(values) if is_text => Comparison::NotIn(lower(values)),
            is => is,
        };
        Self::new(definition.name.clone(), is)
    }

    /// Associated with a record.
    #[must_use]
    pub fn associated(with: &RecordRef) -> Self {
        let property = format!("associations.{}", with.object.singular());
        Self::new(property, Comparison::Eq(with.id.clone()))
    }
}

/// The one property results are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchSort {
    /// The property. `hs_object_id` sorts as text.
    pub property: String,
    /// Largest first.
    pub descending: bool,
}

/// A search. HubSpot takes at most 5 groups of 6 filters, 18 in all, and 3,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// Groups are alternatives; the filters of a group must all hold.
    pub filter_groups: Vec<Vec<SearchFilter>>,
    /// Words to find in the type's own searchable properties.
    pub query: Option<String>,
    /// Order; HubSpot's is creation time, ascending.
    pub sort: Option<SearchSort>,
    /// Properties to read, besides HubSpot's defaults.
    pub properties: Vec<String>,
    /// Records per page, at most 200.
    pub limit: u32,
    /// The cursor of the page before; HubSpot stops at 10,000 records.
    pub after: Option<String>,
}

impl Default for SearchQuery {
    fn default() -> Self {
        Self {
            filter_groups: Vec::new(),
            query: None,
            sort: None,
            properties: Vec::new(),
            limit: 200,
            after: None,
        }
    }
}

/// One page of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// How many records match, as far as the index knows.
    pub total: u64,
    /// The page.
    pub records: Vec<Record>,
    /// The cursor of the next page.
    pub after: Option<String>,
}

impl Client {
    /// One page of a search. Where the properties would make the body too long, ids are searched and the properties
    /// read in batches; a record archived in between is then left out of the page. To go past 10,000 records, use
    /// [`search_all`](Self::search_all).
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries; nothing is sent when the query is larger than HubSpot
    /// takes.
    pub async fn search(&self, lane: Lane, object: ObjectType, query: &SearchQuery) -> Result<SearchPage, Failure> {
        let found = self.search_found(lane, object, query).await?;
        self.search_filled(lane, object, query, found).await
    }

    /// A page as the index has it: without the properties where these are too many for the body.
    pub(super) async fn search_found(
        &self,
        lane: Lane,
        object: ObjectType,
        query: &SearchQuery,
    ) -> Result<SearchPage, Failure> {
        query.check()?;
        let properties: &[String] = if query.is_wide() { &[] } else { &query.properties };
        self.search_with(lane, object, &query.body(properties)).await
    }

    /// The page with the properties it was found without.
    pub(super) async fn search_filled(
        &self,
        lane: Lane,
        object: ObjectType,
        query: &SearchQuery,
        found: SearchPage,
    ) -> Result<SearchPage, Failure> {
        if !query.is_wide() {
            return Ok(found);
        }
        let ids: Vec<String> = found.records.iter().map(|record| record.id.clone()).collect();
        let batch = Batch {
            object,
            properties: &query.properties,
            history: &[],
            archived: false,
            id_property: None,
        };
        let read = self.batches(lane, &batch, &ids).await?;
        let mut records: BTreeMap<String, Record> = read.records.into_iter().map(|r| (r.id.clone(), r)).collect();
        Ok(SearchPage {
            records: ids.iter().filter_map(|id| records.remove(id)).collect(),
            ..found
        })
    }

    async fn search_with(&self, lane: Lane, object: ObjectType, body: &Value) -> Result<SearchPage, Failure> {
        let path = format!("{}/search", paths::objects(object));
        let call = Call::post(path, body).out_of(Quota::Search);
        self.read(lane, call, |response| {
            let answer: Results<WireRecord> = wire::read(response)?;
            let records = wire::records(answer.results, object)?;
            Ok(SearchPage {
                total: answer.total.map_or(records.len() as u64, |total| total.0),
                records,
                after: wire::after(answer.paging),
            })
        })
        .await
    }
}

impl SearchQuery {
    /// Refuses what HubSpot would refuse, and says which of its limits is in the way.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let groups = self.filter_groups.len();
        let largest = self.filter_groups.iter().map(Vec::len).max().unwrap_or(0);
        let filters: usize = self.filter_groups.iter().map(Vec::len).sum();
        let length = self.body(&[]).to_string().len();
        let many = |what: &str, most: usize, is: usize| {
            Some(format!(
                "a search takes at most {most} {what}, not '{is}'; ask for less"
            ))
        };
        let trouble = if groups > MOST_GROUPS {
            many("groups of conditions", MOST_GROUPS, groups)
        } else if largest > MOST_IN_GROUP {
            many("conditions in a group", MOST_IN_GROUP, largest)
        } else if filters > MOST_FILTERS {
            many("conditions in all", MOST_FILTERS, filters)
        } else if length > LONGEST {
            many("characters", LONGEST, length)
        } else if self.offset() >= WALL {
            Some(format!(
                "a search ends after {WALL} records; ask for less, or page by id"
            ))
        } else {
            None
        };
        match trouble {
            None => Ok(()),
            Some(why) => Err(Failure::new(Signal::Validation, why)),
        }
    }

    /// Whether the properties make the body too long.
    fn is_wide(&self) -> bool {
        self.body(&self.properties).to_string().len() > LONGEST
    }

    /// Where the page begins; a cursor that is no number is HubSpot's to judge.
    fn offset(&self) -> u32 {
        self.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0)
    }

    fn body(&self, properties: &[String]) -> Value {
        let groups = self.filter_groups.iter().map(|group| {
            let filters: Vec<Value> = group.iter().map(SearchFilter::body).collect();
            json!({ "filters": filters })
        });
        let limit = self.limit.clamp(1, 200).min(WALL.saturating_sub(self.offset()));
        let mut body = json!({ "filterGroups": groups.collect::<Vec<_>>(), "limit": limit });
        if !properties.is_empty() {
            body["properties"] = json!(properties);
        }
        if let Some(sort) = &self.sort {
            let direction = if sort.descending { "DESCENDING" } else { "ASCENDING" };
            body["sorts"] = json!([{ "propertyName": sort.property, "direction": direction }]);
        }
        if let Some(query) = &self.query {
            body["query"] = json!(query);
        }
        if let Some(after) = &self.after {
            body["after"] = json!(after);
        }
        body
    }
}

impl SearchFilter {
    fn body(&self) -> Value {
        let one = |operator: &str, value: &str| json!({ "propertyName": self.property, "operator": operator, "value": value });
        let many = |operator: &str, values: &[String]| json!({ "propertyName": self.property, "operator": operator, "values": values });
        let none = |operator: &str| json!({ "propertyName": self.property, "operator": operator });
        match &self.is {
            Comparison::Eq(value) => one("EQ", value),
            Comparison::Neq(value) => one("NEQ", value),
            Comparison::Lt(value) => one("LT", value),
            Comparison::Lte(value) => one("LTE", value),
            Comparison::Gt(value) => one("GT", value),
            Comparison::Gte(value) => one("GTE", value),
            Comparison::Between(low, high) => {
                let mut filter = one("BETWEEN", low);
                filter["highValue"] = json!(high);
                filter
            }
            Comparison::In(values) => many("IN", values),
            Comparison::NotIn(values) => many("NOT_IN", values),
            Comparison::Has => none("HAS_PROPERTY"),
            Comparison::HasNot => none("NOT_HAS_PROPERTY"),
            Comparison::ContainsToken(value) => one("CONTAINS_TOKEN", value),
            Comparison::NotContainsToken(value) => one("NOT_CONTAINS_TOKEN", value),
        }
    }
}
