//! Notes and the live feed of what happened to deals.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DealId, NoteId, ObjectType, OpId, OpState, OwnerId, Record, RecordRef, parse_time};

/// A note on a deal: HubSpot's, or one of ours that is still on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// HubSpot's id; `None` while it only exists in the outbox.
    pub id: Option<NoteId>,
    /// Our operation, while it is not finished.
    pub op: Option<(OpId, OpState)>,
    /// `hs_timestamp`: where it stands in the timeline.
    pub at: Timestamp,
    /// `hs_note_body` as HubSpot keeps it (HTML). Shown only through [`super::html_to_text`].
    pub body: String,
    /// Who wrote it.
    pub owner: Option<OwnerId>,
}

impl Note {
    /// The properties a note is made of.
    pub const PROPERTIES: [&'static str; 5] = [
        "hs_createdate",
        "hs_lastmodifieddate",
        "hs_note_body",
        "hs_timestamp",
        "hubspot_owner_id",
    ];

    /// Reads a note out of a record.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        Self {
            id: Some(record.id.as_str().into()),
            op: None,
            at: record
                .get("hs_timestamp")
                .and_then(parse_time)
                .unwrap_or(record.created_at),
            body: record.get("hs_note_body").unwrap_or_default().to_owned(),
            owner: record.get("hubspot_owner_id").map(Into::into),
        }
    }
}

/// A call, an e-mail, a meeting or a task of a deal's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Which of them, and its id.
    pub record: RecordRef,
    /// `hs_timestamp`: where it stands in the timeline; for a task, when it is due.
    pub at: Timestamp,
    /// Its title or subject; empty when it has none.
    pub title: String,
    /// What was said or written, as HubSpot keeps it (it may be HTML). Shown only through [`super::html_to_text`].
    pub body: String,
    /// What became of it: `COMPLETED`, `SENT`, `NO_ANSWER`…; empty when HubSpot does not say.
    pub status: String,
    /// Whose it is.
    pub owner: Option<OwnerId>,
}

impl Activity {
    /// Reads an activity out of a record.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        let [title, body, status] = match record.object {
            ObjectType::Calls => ["hs_call_title", "hs_call_body", "hs_call_status"],
            ObjectType::Emails => ["hs_email_subject", "hs_email_text", "hs_email_status"],
            ObjectType::Meetings => ["hs_meeting_title", "hs_meeting_body", "hs_meeting_outcome"],
            _ => ["hs_task_subject", "hs_task_body", "hs_task_status"],
        }
        .map(|name| record.get(name).unwrap_or_default().to_owned());
        Self {
            record: record.reference(),
            at: record
                .get("hs_timestamp")
                .and_then(parse_time)
                .unwrap_or(record.created_at),
            title,
            body,
            status,
            owner: record.get("hubspot_owner_id").map(Into::into),
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// This program, for the person in front of it.
    You,
    /// A colleague.
    Owner(OwnerId),
    /// Somebody or something HubSpot does not name.
    Someone,
    /// The engine itself: the network came or went.
    Net,
}

/// What happened, for the feed: words of the product, values ready to be formatted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A new deal.
    Created,
    /// Moved to the stage with this label.
    Moved(String),
    /// The amount changed: old and new as decimal text in the deal's currency.
    Amount {
        /// Before.
        from: Option<String>,
        /// After.
        to: Option<String>,
        /// ISO code; `None` = company currency.
        currency: Option<String>,
    },
    /// The close date changed to this instant.
    CloseDate(Option<Timestamp>),
    /// The next step changed to this text.
    NextStep(Option<String>),
    /// The owner changed.
    Owner(Option<OwnerId>),
    /// The name changed; the old one.
    Renamed(String),
    /// A note with so many lines.
    Note(usize),
    /// Archived (or merged away).
    Archived,
    /// A sentence of the engine.
    Said(String),
}

/// One entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityItem {
    /// When it happened, as HubSpot says it.
    pub at: Timestamp,
    /// Who did it.
    pub who: Who,
    /// On which deal, when it is about one.
    pub deal: Option<DealId>,
    /// Its name then.
    pub name: String,
    /// What happened.
    pub kind: ActivityKind,
}
