//! HubSpot's lists, which its screens call segments: records that a filter picks, or that people picked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ListId, ObjectType};

/// How a list gets its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// People add and remove them ("static").
    Manual,
    /// Its filters do, all the time ("active"): nobody else can.
    Dynamic,
    /// Its filters did once; people add and remove since.
    Snapshot,
}

impl ListKind {
    /// Whether members can be added and removed.
    #[must_use]
    pub const fn takes_members(self) -> bool {
        !matches!(self, Self::Dynamic)
    }
}

/// What a list's filters ask, in brief. The tree itself is HubSpot's to edit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterSummary {
    /// How many conditions there are, over all branches.
    pub conditions: usize,
    /// How many of them ask for each property.
    pub properties: BTreeMap<String, usize>,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Its id.
    pub id: ListId,
    /// Its name.
    pub name: String,
    /// The type of its members; `None` for a type that the product does not know.
    pub object: Option<ObjectType>,
    /// How it gets its members; `None` for a kind nobody documents.
    pub kind: Option<ListKind>,
    /// `COMPLETE`, `PROCESSING`, `DRAFT`…
    pub status: String,
    /// How many members HubSpot counted last; it lags behind.
    pub size: Option<u64>,
    /// When its definition changed last.
    pub updated_at: Option<Timestamp>,
    /// When a record last joined, as far as HubSpot has counted.
    #[serde(default)]
    pub joined_at: Option<Timestamp>,
    /// When a record last left, as far as HubSpot has counted.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
    /// Its filters, where they were asked for and it has any.
    pub filters: Option<FilterSummary>,
}

/// A record in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMember {
    /// The record's id.
    pub record: String,
    /// When it joined.
    pub joined_at: Option<Timestamp>,
}

/// A list that a record is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The list.
    pub list: ListId,
    /// When the record joined it last.
    pub joined_at: Option<Timestamp>,
}

/// A record joined a list or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChange {
    /// The list.
    pub list: ListId,
    /// The record's id.
    pub record: String,
    /// It joined; else it left.
    pub joins: bool,
    /// When it joined, as HubSpot says; when it was seen to have left.
    pub at: Timestamp,
}

/// What a change of a list's members did. Ids that are in none of the three were members already, or were none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipChange {
    /// Are members now.
    pub added: Vec<String>,
    /// Are members no longer.
    pub removed: Vec<String>,
    /// There are no such records.
    pub missing: Vec<String>,
}
