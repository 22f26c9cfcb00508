//! Contacts of one's own: what a person decided about each, and what became of it.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{ImportCount, LocalContact, ProcessingStatus, Properties};

/// A contact of one's own for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct LocalContactJson {
    /// Its id here.
    pub id: String,
    /// Its e-mail address.
    pub email: String,
    /// What the person's decision has come to: [`crate::domain::SyncStatus::word`].
    pub sync_status: &'static str,
    /// What the system did last: [`ProcessingStatus::word`]; null before the first push.
    pub processing_status: Option<&'static str>,
    /// The last error, at most 500 characters.
    pub error: Option<String>,
    /// HubSpot's id.
    pub hubspot_contact_id: Option<String>,
    /// How often it was, or will be, tried again.
    pub retry_count: u32,
    /// When the last try that failed was made.
    pub last_retry_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_retry_at: Option<Timestamp>,
    /// Where it failed last.
    pub last_failed_crm: Option<&'static str>,
    /// Its newest operation.
    pub operation: Option<String>,
    /// When it was first kept.
    pub created_at: Timestamp,
    /// When its values last changed.
    pub updated_at: Timestamp,
    /// When a person last decided about it by hand.
    pub decided_at: Timestamp,
    /// The HubSpot properties it sets.
    pub properties: Properties,
}

/// The JSON of a contact of one's own.
#[must_use]
pub fn local_contact_json(row: &LocalContact) -> LocalContactJson {
    let (sync, processing) = row.statuses();
    LocalContactJson {
        id: row.id(),
        email: row.email.clone(),
        sync_status: sync.word(),
        processing_status: processing.map(ProcessingStatus::word),
        error: row.error(),
        hubspot_contact_id: row.hubspot_id.clone(),
        retry_count: row.retry_count(),
        last_retry_at: row.last_retry_at(),
        next_retry_at: row.next_retry_at(),
        last_failed_crm: row.last_failed_crm(),
        operation: row.operation.as_ref().map(|operation| operation.id.to_string()),
        created_at: row.created_at,
        updated_at: row.updated_at,
        decided_at: row.decided_at,
        properties: row.values.clone(),
    }
}

/// Contacts of one's own in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn local_contacts(rows: &[LocalContact], names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    let all = || rows.iter().map(local_contact_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&all())? + "\n",
        Format::Jsonl => json::lines(&all())?,
        Format::Csv => keys(&all()).csv(),
        Format::Table => people(&all()).table_within(names.width),
        Format::Markdown => people(&all()).markdown(),
    })
}

fn keys(rows: &[LocalContactJson]) -> Sheet {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let cells = |row: &LocalContactJson| {
        vec![
            row.id.clone(),
            row.email.clone(),
            row.sync_status.to_owned(),
            row.processing_status.unwrap_or_default().to_owned(),
            row.error.clone().unwrap_or_default(),
            row.hubspot_contact_id.clone().unwrap_or_default(),
            row.retry_count.to_string(),
            time(row.last_retry_at),
            time(row.next_retry_at),
            row.last_failed_crm.unwrap_or_default().to_owned(),
        ]
    };
    Sheet {
        columns: [
            "id",
            "email",
            "sync_status",
            "processing_status",
            "error",
            "hubspot_contact_id",
            "retry_count",
            "last_retry_at",
            "next_retry_at",
            "last_failed_crm",
        ]
        .map(Column::text)
        .to_vec(),
        rows: rows.iter().map(cells).collect(),
    }
}

fn people(rows: &[LocalContactJson]) -> Sheet {
    let cells = |row: &LocalContactJson| {
        let next = row.next_retry_at.map(|at| format!("{at:.0}"));
        vec![
            row.email.clone(),
            row.id.clone(),
            row.sync_status.to_owned(),
            row.processing_status.unwrap_or("–").to_owned(),
            row.hubspot_contact_id.clone().unwrap_or_else(|| "–".to_owned()),
            row.retry_count.to_string(),
            next.unwrap_or_else(|| "–".to_owned()),
            row.error.clone().unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("email"),
            Column::whole("id"),
            Column::whole("decision"),
            Column::whole("system"),
            Column::whole("HubSpot id"),
            Column::number("retries"),
            Column::whole("next try"),
            Column::text("error"),
        ],
        rows: rows.iter().map(cells).collect(),
    }
}

/// Where contacts that were kept are now.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PushedNow {
    /// HubSpot has them.
    pub complete: u64,
    /// They are on their way.
    pub waiting: u64,
    /// They did not go through.
    pub errors: u64,
}

#[derive(Serialize)]
struct ImportJson {
    #[serde(flatten)]
    count: ImportCount,
    #[serde(flatten)]
    now: Option<PushedNow>,
}

/// What keeping contacts came to.
///
/// # Errors
/// As [`super::compact`].
pub fn import(count: ImportCount, now: Option<PushedNow>, format: Format) -> serde_json::Result<String> {
    let mut cells = vec![
        ("imported", count.imported),
        ("updated", count.updated),
        ("unchanged", count.unchanged),
        ("skipped", count.skipped),
        ("queued", count.queued),
    ];
    if let Some(now) = now {
        cells.extend([
            ("complete", now.complete),
            ("waiting", now.waiting),
            ("errors", now.errors),
        ]);
    }
    let sheet = || Sheet {
        columns: cells.iter().map(|(name, _)| Column::number(name)).collect(),
        rows: vec![cells.iter().map(|(_, number)| number.to_string()).collect()],
    };
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&ImportJson { count, now })? + "\n",
        Format::Csv => sheet().csv(),
        Format::Markdown => sheet().markdown(),
        Format::Table => {
            let parts: Vec<String> = cells.iter().map(|(name, number)| format!("{name} {number}")).collect();
            parts.join(", ") + "\n"
        }
    })
}

/// Of how many contacts it was forgotten what became of them.
///
/// # Errors
/// As [`super::compact`].
pub fn reset(count: u64, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&serde_json::json!({ "reset": count }))? + "\n",
        Format::Csv => format!("reset\r\n{count}\r\n"),
        Format::Table | Format::Markdown => format!(
            "{} reset: selected, as if never pushed\n",
            crate::domain::format::plural(count, "contact", "contacts")
        ),
    })
}
