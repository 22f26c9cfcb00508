//! What one look at the mirror answers: the whole board, one deal in detail, a page of anything.

use jiff::Timestamp;

use super::{
    Account, Activity, ActivityItem, Company, Contact, Deal, Freshness, Note, Owner, OwnerId, Pipeline, Properties,
    PropertyDefinition, SegmentCount,
};

/// Everything the board needs, read in one go: mirror with our pending operations on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The account, once it is known.
    pub account: Option<Account>,
    /// The owner the token belongs to, or the configured one.
    pub me: Option<OwnerId>,
    /// Deal pipelines by order.
    pub pipelines: Vec<Pipeline>,
    /// Owners, live and archived.
    pub owners: Vec<Owner>,
    /// All deals of all pipelines, in no promised order.
    pub deals: Vec<Deal>,
    /// Contact segments with their counts.
    pub segments: Vec<SegmentCount>,
    /// The latest entries of the feed, newest first.
    pub activity: Vec<ActivityItem>,
    /// How true all this is.
    pub freshness: Freshness,
}

/// The account as far as words need it: what ids are called, in which zone and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The account, once it is known.
    pub account: Option<Account>,
    /// Deal pipelines by order.
    pub pipelines: Vec<Pipeline>,
    /// Owners, live and archived.
    pub owners: Vec<Owner>,
}

/// One deal with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealDetail {
    /// The deal itself.
    pub deal: Deal,
    /// Every property in the mirror, with our pending operations on top.
    pub properties: Properties,
    /// Definitions of the deal properties, for labels; empty until they were read.
    pub definitions: Vec<PropertyDefinition>,
    /// Its contacts, in the order of the association.
    pub contacts: Vec<Contact>,
    /// Its companies, the primary one first where known.
    pub companies: Vec<Company>,
    /// Its notes, newest first, ours on their way included.
    pub notes: Vec<Note>,
    /// Its calls, e-mails, meetings and tasks, newest first; empty until somebody looked at the deal.
    pub activities: Vec<Activity>,
    /// When the notes were last read from HubSpot; `None` = never.
    pub notes_as_of: Option<Timestamp>,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: usize,
    /// Where the next page starts, for keyset paging; `None` on the last page.
    pub next_after: Option<String>,
}
