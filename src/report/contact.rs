//! Contacts.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{Contact, Properties, format};

/// A contact with what the mirror knows about it besides its own fields.
#[derive(Clone, Debug)]
pub struct ContactSource<'a> {
    /// The contact.
    pub contact: &'a Contact,
    /// Names of the segments it is in.
    pub segments: Vec<String>,
    /// Ids of the HubSpot lists it is in.
    pub lists: Vec<String>,
    /// Every property in the mirror.
    pub properties: &'a Properties,
    /// When it was last read from HubSpot.
    pub synced_at: Option<Timestamp>,
}

/// A contact for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct ContactJson {
    /// HubSpot's id.
    pub id: String,
    /// `email`
    pub email: Option<String>,
    /// `firstname`
    pub first_name: Option<String>,
    /// `lastname`
    pub last_name: Option<String>,
    /// `company`
    pub company: Option<String>,
    /// `phone`
    pub phone: Option<String>,
    /// `jobtitle`
    pub job_title: Option<String>,
    /// `lifecyclestage`
    pub lifecycle_stage: Option<String>,
    /// Names of the segments it is in.
    pub segments: Vec<String>,
    /// Ids of the HubSpot lists it is in.
    pub lists: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was last read from HubSpot.
    pub synced_at: Option<Timestamp>,
    /// Every property in the mirror by its internal name; unset ones are null.
    pub properties: Properties,
}

/// The JSON of a contact.
#[must_use]
pub fn contact_json(source: &ContactSource<'_>) -> ContactJson {
    let contact = source.contact;
    ContactJson {
        id: contact.id.to_string(),
        email: contact.email.clone(),
        first_name: contact.first_name.clone(),
        last_name: contact.last_name.clone(),
        company: contact.company.clone(),
        phone: contact.phone.clone(),
        job_title: contact.job_title.clone(),
        lifecycle_stage: contact.lifecycle.clone(),
        segments: source.segments.clone(),
        lists: source.lists.clone(),
        created_at: contact.created,
        updated_at: contact.updated,
        synced_at: source.synced_at,
        properties: source.properties.clone(),
    }
}

/// Contacts in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn contacts(contacts: &[ContactSource<'_>], names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    let rows = || contacts.iter().map(contact_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&rows())? + "\n",
        Format::Jsonl => json::lines(&rows())?,
        Format::Csv => keys(rows())?.csv(),
        Format::Table => people(contacts, names).table(),
        Format::Markdown => people(contacts, names).markdown(),
    })
}

/// Every key; lists joined by blanks, the properties as one JSON object.
fn keys(rows: Vec<ContactJson>) -> serde_json::Result<Sheet> {
    let columns = [
        "id",
        "email",
        "first_name",
        "last_name",
        "company",
        "phone",
        "job_title",
        "lifecycle_stage",
        "segments",
        "lists",
        "created_at",
        "updated_at",
        "synced_at",
        "properties",
    ];
    let cells = |contact: ContactJson| {
        Ok(vec![
            contact.id,
            contact.email.unwrap_or_default(),
            contact.first_name.unwrap_or_default(),
            contact.last_name.unwrap_or_default(),
            contact.company.unwrap_or_default(),
            contact.phone.unwrap_or_default(),
            contact.job_title.unwrap_or_default(),
            contact.lifecycle_stage.unwrap_or_default(),
            contact.segments.join(" "),
            contact.lists.join(" "),
            contact.created_at.to_string(),
            contact.updated_at.to_string(),
            contact.synced_at.map(|at| at.to_string()).unwrap_or_default(),
            json::compact(&contact.properties)?,
        ])
    };
    Ok(Sheet {
        columns: columns.map(Column::text).to_vec(),
        rows: rows.into_iter().map(cells).collect::<serde_json::Result<_>>()?,
    })
}

/// The columns people read.
fn people(contacts: &[ContactSource<'_>], names: &Names<'_>) -> Sheet {
    let unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| format::UNKNOWN.to_owned());
    let cells = |source: &ContactSource<'_>| {
        let contact = source.contact;
        vec![
            contact.id.to_string(),
            contact.name(),
            unknown(&contact.email),
            unknown(&contact.company),
            unknown(&contact.lifecycle),
            source.segments.join(" "),
            names.minute(contact.updated),
        ]
    };
    Sheet {
        columns: ["id", "name", "e-mail", "company", "lifecycle", "segments", "updated"]
            .map(Column::text)
            .to_vec(),
        rows: contacts.iter().map(cells).collect(),
    }
}
