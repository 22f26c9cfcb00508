//! Operations: changes on their way to HubSpot, each in exactly one state, none ever lost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OpId, Properties, RecordRef};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// Sets properties of an existing record (a stage move is one).
    SetProperties,
    /// Creates a note with its associations.
    CreateNote,
    /// Archives a record.
    Archive,
}

impl OpKind {
    /// The word in JSON and in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetProperties => "set_properties",
            Self::CreateNote => "create_note",
            Self::Archive => "archive",
        }
    }
}

/// Where an operation is. `landed` = HubSpot confirmed it; `done` = the mirror shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// On disk, not claimed yet.
    Queued,
    /// Claimed: HubSpot may be hearing of it right now.
    InFlight,
    /// Sent, and nobody knows whether it took effect. Never resent blindly.
    Uncertain,
    /// HubSpot confirmed it, the mirror does not show it yet.
    Landed,
    /// The mirror shows it.
    Done,
    /// Somebody else changed the same value.
    Conflict,
    /// Needs a person or a precondition.
    Held,
    /// HubSpot refuses it for good.
    Dead,
    /// Taken back before it was sent.
    Cancelled,
    /// Replaced by a newer one before it was sent.
    Superseded,
}

impl OpState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::InFlight,
        Self::Uncertain,
        Self::Landed,
        Self::Done,
        Self::Conflict,
        Self::Held,
        Self::Dead,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// The word in JSON and in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Uncertain => "uncertain",
            Self::Landed => "landed",
            Self::Done => "done",
            Self::Conflict => "conflict",
            Self::Held => "held",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }

    /// Finished: it has no influence on what is shown any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled | Self::Superseded)
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What is sent, fixed at the moment of the intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// New values, and what the person saw when they decided.
    SetProperties {
        /// What to set; `None` clears.
        values: Properties,
        /// The values then; a difference at sending time is a conflict.
        base: Properties,
    },
    /// A note.
    CreateNote {
        /// HTML body, already escaped.
        body: String,
        /// `hs_timestamp`.
        at: Timestamp,
        /// `hubspot_owner_id`, when the writer is known.
        owner: Option<super::OwnerId>,
        /// Every record it is linked to, the deal first.
        links: Vec<RecordRef>,
    },
    /// Archive the record.
    Archive,
}

impl Payload {
    /// The kind of operation this is the payload of.
    #[must_use]
    pub const fn kind(&self) -> OpKind {
        match self {
            Self::SetProperties { .. } => OpKind::SetProperties,
            Self::CreateNote { .. } => OpKind::CreateNote,
            Self::Archive => OpKind::Archive,
        }
    }
}

/// Why an operation did not go through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpError {
    /// A stable word: `validation`, `auth`, `scope`, `not_found`, `conflict`, `unknown_outcome`, `needs_fields`…
    pub class: String,
    /// HubSpot's sentence, verbatim, or ours with the next step.
    pub message: String,
    /// HubSpot's correlation id, for their support.
    pub correlation_id: Option<String>,
}

/// One operation of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OpId,
    /// Which record it is about; for a note, the deal it is written on.
    pub entity: RecordRef,
    /// What is sent.
    pub payload: Payload,
    /// Where it is.
    pub state: OpState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was kept.
    pub created_at: Timestamp,
    /// Not sent before this time.
    pub not_before: Option<Timestamp>,
    /// The last error.
    pub error: Option<OpError>,
    /// The record it created or changed, once known.
    pub remote_id: Option<String>,
    /// The operation this one undoes.
    pub undo_of: Option<OpId>,
    /// In words, for outbox and receipt.
    pub title: String,
}

impl Operation {
    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> OpKind {
        self.payload.kind()
    }
}
