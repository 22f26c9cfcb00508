//! A record of any type as HubSpot sends it: text properties, associations, history. Typed views (`Deal`, `Contact`…)
//! are made from it; the mirror stores it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::UserId;

/// Property name → value. `None` = asked for and not set. Every value is text on the wire, numbers included.
pub type Properties = BTreeMap<String, Option<String>>;

/// The object types the product knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectType {
    /// `deals`, `0-3`
    Deals,
    /// `contacts`, `0-1`
    Contacts,
    /// `companies`, `0-2`
    Companies,
    /// `tickets`, `0-5`
    Tickets,
    /// `notes`, `0-46`
    Notes,
    /// `tasks`, `0-27`
    Tasks,
    /// `calls`, `0-48`
    Calls,
    /// `meetings`, `0-47`
    Meetings,
    /// `emails`, `0-49`
    Emails,
}

impl ObjectType {
    /// All of them, in the order in which people think of them.
    pub const ALL: [Self; 9] = [
        Self::Deals,
        Self::Contacts,
        Self::Companies,
        Self::Tickets,
        Self::Notes,
        Self::Tasks,
        Self::Calls,
        Self::Meetings,
        Self::Emails,
    ];

    /// The plural name, as paths and JSON spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deals => "deals",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Tickets => "tickets",
            Self::Notes => "notes",
            Self::Tasks => "tasks",
            Self::Calls => "calls",
            Self::Meetings => "meetings",
            Self::Emails => "emails",
        }
    }

    /// The name of one record of the type, for sentences.
    #[must_use]
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Deals => "deal",
            Self::Contacts => "contact",
            Self::Companies => "company",
            Self::Tickets => "ticket",
            Self::Notes => "note",
            Self::Tasks => "task",
            Self::Calls => "call",
            Self::Meetings => "meeting",
            Self::Emails => "email",
        }
    }

    /// HubSpot's numeric type id, as record links use it.
    #[must_use]
    pub const fn type_id(self) -> &'static str {
        match self {
            Self::Deals => "0-3",
            Self::Contacts => "0-1",
            Self::Companies => "0-2",
            Self::Tickets => "0-5",
            Self::Notes => "0-46",
            Self::Tasks => "0-27",
            Self::Calls => "0-48",
            Self::Meetings => "0-47",
            Self::Emails => "0-49",
        }
    }

    /// The property that moves on every change: contacts have their own name for it.
    #[must_use]
    pub const fn modified_property(self) -> &'static str {
        match self {
            Self::Contacts => "lastmodifieddate",
            _ => "hs_lastmodifieddate",
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ObjectType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text || kind.singular() == text)
            .ok_or_else(|| {
                format!(
                    "unknown object type '{text}', expected one of: {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }
}

/// Which record: ids are unique only inside one type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// The record's type.
    #[serde(rename = "type")]
    pub object: ObjectType,
    /// Its id inside the type.
    pub id: String,
}

impl RecordRef {
    /// A reference to a record of any type.
    #[must_use]
    pub fn new(object: ObjectType, id: impl Into<String>) -> Self {
        Self { object, id: id.into() }
    }

    /// A contact that goes by its e-mail address, because HubSpot's id of it is not known (yet, or at all).
    #[must_use]
    pub fn by_email(email: &str) -> Self {
        Self::new(
            ObjectType::Contacts,
            format!("{BY_EMAIL}{}", email.trim().to_lowercase()),
        )
    }

    /// The e-mail address it goes by, where that is all there is.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.id.strip_prefix(BY_EMAIL)
    }
}

const BY_EMAIL: &str = "email:";

/// One entry of a property's history, newest first in HubSpot's answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyVersion {
    /// The value set then.
    pub value: Option<String>,
    /// When it was set.
    pub at: Timestamp,
    /// `CRM_UI`, `API`, `INTEGRATION`, `CALCULATED`…
    pub source: String,
    /// Who, when a person did it.
    pub user: Option<UserId>,
}

/// One record, whatever its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its type.
    pub object: ObjectType,
    /// Its id. When it differs from the id that was asked for, the record was merged into this one.
    pub id: String,
    /// The properties that were asked for (and HubSpot's defaults).
    pub properties: Properties,
    /// When HubSpot made it.
    pub created_at: Timestamp,
    /// The version: rows in the mirror never go back to an older one.
    pub updated_at: Timestamp,
    /// Archived records are hidden everywhere but in listings that ask for them.
    pub archived: bool,
    /// Associated ids per type, deduplicated; only the types that were asked for are keys.
    pub associations: BTreeMap<ObjectType, Vec<String>>,
    /// History per property, newest first; only the properties that were asked for are keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub history: BTreeMap<String, Vec<PropertyVersion>>,
}

impl Record {
    /// A property's value; unset, empty and absent are all `None`.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties
            .get(property)
            .and_then(Option::as_deref)
            .filter(|text| !text.is_empty())
    }

    /// The reference to this record.
    #[must_use]
    pub fn reference(&self) -> RecordRef {
        RecordRef::new(self.object, self.id.clone())
    }
}
