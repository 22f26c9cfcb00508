//! Contacts.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{ContactDetail, ListId, Properties, format};

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
    /// HubSpot had the contact like this at that time, or later.
    pub synced_at: Timestamp,
    /// Every property in the mirror by its internal name; unset ones are null.
    pub properties: Properties,
}

/// The JSON of a contact.
#[must_use]
pub fn contact_json(source: &ContactDetail) -> ContactJson {
    let contact = &source.contact;
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
        lists: source.lists.iter().map(ListId::to_string).collect(),
        created_at: contact.created,
        updated_at: contact.updated,
        synced_at: source.synced_at,
        properties: source.properties.clone(),
    }
}

/// Contacts in any format; a table has the wanted properties as columns besides.
///
/// # Errors
/// As [`super::compact`].
pub fn contacts(
    contacts: &[ContactDetail],
    properties: &[String],
    names: &Names<'_>,
    format: Format,
) -> serde_json::Result<String> {
    let rows = || contacts.iter().map(contact_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&rows())? + "\n",
        Format::Jsonl => json::lines(&rows())?,
        Format::Csv => keys(rows())?.csv(),
        Format::Table => people(contacts, properties, names).table_within(names.width),
        Format::Markdown => people(contacts, properties, names).markdown(),
    })
}

/// One contact in any format: a document for scripts, a line per fact for people.
///
/// # Errors
/// As [`super::compact`].
pub fn contact(contact: &ContactDetail, names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&contact_json(contact))? + "\n",
        Format::Csv => keys(vec![contact_json(contact)])?.csv(),
        Format::Table => facts(contact, names).table_within(names.width),
        Format::Markdown => facts(contact, names).markdown(),
    })
}

/// How many contacts were removed from the mirror.
///
/// # Errors
/// As [`super::compact`].
pub fn cleared(count: u64, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&serde_json::json!({ "cleared": count }))? + "\n",
        Format::Csv => format!("cleared\r\n{count}\r\n"),
        Format::Table | Format::Markdown => format!(
            "{} removed from the mirror; the next sync reads them again\n",
            format::plural(count, "contact", "contacts")
        ),
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
            contact.synced_at.to_string(),
            json::compact(&contact.properties)?,
        ])
    };
    Ok(Sheet {
        columns: columns.map(Column::text).to_vec(),
        rows: rows.into_iter().map(cells).collect::<serde_json::Result<_>>()?,
    })
}

/// The columns people read, then the properties they asked for.
fn people(contacts: &[ContactDetail], properties: &[String], names: &Names<'_>) -> Sheet {
    let unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| format::UNKNOWN.to_owned());
    let cells = |source: &ContactDetail| {
        let contact = &source.contact;
        let mut cells = vec![
            contact.id.to_string(),
            contact.name(),
            unknown(&contact.email),
            unknown(&contact.company),
            unknown(&contact.lifecycle),
            source.segments.join(" "),
            names.minute(contact.updated),
        ];
        let property = |name: &String| source.properties.get(name).cloned().flatten().unwrap_or_default();
        cells.extend(properties.iter().map(property));
        cells
    };
    let mut own = ["id", "name", "e-mail", "company", "lifecycle", "segments"]
        .map(Column::text)
        .to_vec();
    own.push(Column::whole("updated"));
    let asked = properties.iter().cloned().map(Column::named);
    Sheet {
        columns: own.into_iter().chain(asked).collect(),
        rows: contacts.iter().map(cells).collect(),
    }
}

/// What is known of one contact, a line each.
fn facts(source: &ContactDetail, names: &Names<'_>) -> Sheet {
    let contact = &source.contact;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| format::UNKNOWN.to_owned());
    let owner = contact.owner.as_ref().map(|owner| names.owner(owner));
    let activity = contact.last_activity.map(|at| names.minute(at));
    let lists: Vec<&str> = source.lists.iter().map(ListId::as_str).collect();
    let mut rows = vec![
        ("id", contact.id.to_string()),
        ("name", contact.name()),
        ("e-mail", text(&contact.email)),
        ("company", text(&contact.company)),
        ("phone", text(&contact.phone)),
        ("job title", text(&contact.job_title)),
        ("lifecycle", text(&contact.lifecycle)),
        ("owner", text(&owner)),
        ("segments", source.segments.join(" ")),
        ("lists", lists.join(" ")),
        ("created", names.minute(contact.created)),
        ("updated", names.minute(contact.updated)),
        ("last activity", text(&activity)),
        ("as of", names.minute(source.synced_at)),
    ];
    if let Some(url) = names.url(&contact.reference()) {
        rows.push(("page", url));
    }
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(fact, value)| vec![fact.to_owned(), value])
        .collect();
    let shown = crate::domain::Contact::PROPERTIES;
    let others = source
        .properties
        .iter()
        .filter(|(name, value)| !shown.contains(&name.as_str()) && value.is_some());
    rows.extend(others.map(|(name, value)| vec![name.clone(), value.clone().unwrap_or_default()]));
    Sheet {
        columns: vec![Column::text("fact"), Column::text("value")],
        rows,
    }
}
