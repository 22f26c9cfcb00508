//! A contact: a person a deal is about.

use jiff::Timestamp;

use super::{ContactId, ListId, ObjectType, OwnerId, Properties, Record, RecordRef, parse_time};

/// A contact as the panes and commands show it; every other property stays in the mirror's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// `email`, may be unset and is not unique in a mirror.
    pub email: Option<String>,
    /// `firstname`
    pub first_name: Option<String>,
    /// `lastname`
    pub last_name: Option<String>,
    /// `company`, the text on the contact (not the associated record).
    pub company: Option<String>,
    /// `phone`
    pub phone: Option<String>,
    /// `jobtitle`
    pub job_title: Option<String>,
    /// `lifecyclestage`
    pub lifecycle: Option<String>,
    /// `hubspot_owner_id`
    pub owner: Option<OwnerId>,
    /// `createdate`
    pub created: Timestamp,
    /// `lastmodifieddate`
    pub updated: Timestamp,
    /// `notes_last_updated`: last activity of any kind.
    pub last_activity: Option<Timestamp>,
}

/// A contact with everything that is known about it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactDetail {
    /// The contact.
    pub contact: Contact,
    /// Its raw properties, as far as they are read.
    pub properties: Properties,
    /// Names of the segments it is in now, in the order of the configuration.
    pub segments: Vec<String>,
    /// The HubSpot lists it is in.
    pub lists: Vec<ListId>,
    /// HubSpot had the contact like this at that time, or later: when all contacts were last asked about, or when this one
    /// changed last, whichever is later. When each row was read is not kept; rows that did not change are not read again.
    pub synced_at: Timestamp,
}

impl Contact {
    /// The properties a contact is made of: what every read asks for.
    pub const PROPERTIES: [&'static str; 12] = [
        "company",
        "createdate",
        "email",
        "firstname",
        "hs_lead_status",
        "hubspot_owner_id",
        "jobtitle",
        "lastmodifieddate",
        "lastname",
        "lifecyclestage",
        "notes_last_updated",
        "phone",
    ];

    /// Reads a contact out of a record.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        debug_assert_eq!(record.object, ObjectType::Contacts);
        let text = |name: &str| record.get(name).map(str::to_owned);
        Self {
            id: record.id.as_str().into(),
            email: text("email"),
            first_name: text("firstname"),
            last_name: text("lastname"),
            company: text("company"),
            phone: text("phone"),
            job_title: text("jobtitle"),
            lifecycle: text("lifecyclestage"),
            owner: text("hubspot_owner_id").map(Into::into),
            created: record
                .get("createdate")
                .and_then(parse_time)
                .unwrap_or(record.created_at),
            updated: record.updated_at,
            last_activity: record.get("notes_last_updated").and_then(parse_time),
        }
    }

    /// The record.
    #[must_use]
    pub fn reference(&self) -> RecordRef {
        RecordRef::new(ObjectType::Contacts, self.id.as_str())
    }

    /// First and last name, else the e-mail, else the id.
    #[must_use]
    pub fn name(&self) -> String {
        let part = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let full = format!("{} {}", part(&self.first_name), part(&self.last_name));
        match (full.trim(), &self.email) {
            ("", Some(email)) => email.clone(),
            ("", None) => self.id.to_string(),
            (name, _) => name.to_owned(),
        }
    }
}
