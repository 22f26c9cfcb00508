//! What may be asked about records, and the shapes of the answers.

use jiff::Timestamp;

use super::paths::{self, Query};
use crate::domain::{ObjectType, Record, RecordRef};

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Properties to read, besides HubSpot's defaults.
    pub properties: Vec<String>,
    /// Properties whose history to read; the page is then at most 50 records.
    pub history: Vec<String>,
    /// Types whose associated ids to read.
    pub associations: Vec<ObjectType>,
    /// The cursor of the page before.
    pub after: Option<String>,
    /// Records per page, at most 100.
    pub limit: u32,
    /// Only archived records.
    pub archived: bool,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            properties: Vec::new(),
            history: Vec::new(),
            associations: Vec::new(),
            after: None,
            limit: 100,
            archived: false,
        }
    }
}

/// What to read of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetQuery {
    /// Properties to read, besides HubSpot's defaults.
    pub properties: Vec<String>,
    /// Properties whose history to read.
    pub history: Vec<String>,
    /// Types whose associated ids to read.
    pub associations: Vec<ObjectType>,
    /// Look among archived records.
    pub archived: bool,
    /// The unique property that the reference's id is a value of, instead of the record id (keyed creates).
    pub id_property: Option<String>,
}

/// Records, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    /// May be fewer than the limit, even none, with a cursor nevertheless.
    pub records: Vec<Record>,
    /// The cursor of the next page; `None` on the last one.
    pub after: Option<String>,
}

/// What has become of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It lives, under the id that was asked for.
    Live(Record),
    /// It was merged into this one: the id that was asked for is another name of this record.
    Merged(Record),
    /// It was archived; people can restore it in HubSpot for 90 days.
    Archived {
        /// As it was then.
        record: Record,
        /// When, where HubSpot says so.
        at: Option<Timestamp>,
    },
    /// Never there, or deleted for good.
    Absent,
}

/// The answer for every id, or unique value, that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchRead {
    /// Found, in no particular order.
    pub records: Vec<Record>,
    /// Asked for and not found under this id or value: archived, never there, or merged into another record.
    pub missing: Vec<String>,
    /// Those of the missing that the answer left out without a word, as it also does where it understood nothing.
    pub silent: Vec<String>,
}

impl ListQuery {
    /// At most 100; 50 with history.
    pub(super) fn page_size(&self) -> u32 {
        self.limit.clamp(1, if self.history.is_empty() { 100 } else { 50 })
    }

    pub(super) fn path(&self, object: ObjectType) -> String {
        Query::default()
            .with("limit", self.page_size().to_string())
            .with_list("properties", self.properties.iter().map(String::as_str))
            .with_list("propertiesWithHistory", self.history.iter().map(String::as_str))
            .with_list("associations", self.associations.iter().map(|kind| kind.name()))
            .with_some("archived", self.archived.then_some("true"))
            .with_some("after", self.after.as_deref())
            .on(&paths::objects(object))
    }
}

impl GetQuery {
    pub(super) fn path(&self, record: &RecordRef) -> String {
        Query::default()
            .with_list("properties", self.properties.iter().map(String::as_str))
            .with_list("propertiesWithHistory", self.history.iter().map(String::as_str))
            .with_list("associations", self.associations.iter().map(|kind| kind.name()))
            .with_some("archived", self.archived.then_some("true"))
            .with_some("idProperty", self.id_property.as_deref())
            .on(&paths::record(record))
    }
}
