//! Operations: changes on their way to HubSpot, each in exactly one state, none ever lost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ListId, OpId, Properties, RecordRef};

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
    /// Links two records, or takes the link away.
    Associate,
    /// Puts a contact on a static list, or takes it off.
    ListMember,
    /// Creates or updates the contact with this e-mail address.
    UpsertContact,
}

impl OpKind {
    /// The word in JSON and in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetProperties => "set_properties",
            Self::CreateNote => "create_note",
            Self::Archive => "archive",
            Self::Associate => "associate",
            Self::ListMember => "list_member",
            Self::UpsertContact => "upsert_contact",
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

    /// Only a person can bring it further.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Conflict | Self::Held | Self::Dead)
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
        /// The values then; a difference at sending time is a conflict. It may hold more than is set: what HubSpot changes
        /// along with it (the date on which a deal is closed), so that undo can put that back; nothing is compared with it.
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
        /// The unique property that carries the operation's key; `None` where the account has none: then HubSpot cannot
        /// tell a second copy from the first, and it is never sent again without a person's word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Archive the record.
    Archive,
    /// The record is linked to another one, or is not any more.
    Associate {
        /// The other one.
        with: RecordRef,
        /// Whether they are to be linked.
        linked: bool,
    },
    /// The contact is on a static list, or is not any more.
    ListMember {
        /// The list.
        list: ListId,
        /// Whether it is to be on it.
        member: bool,
    },
    /// The contact with this e-mail address has these values; there is one afterwards if there was none.
    UpsertContact {
        /// Its e-mail address: what HubSpot finds it by.
        email: String,
        /// What to set. Nothing is cleared.
        values: Properties,
    },
}

impl Payload {
    /// It sets a property of this name.
    #[must_use]
    pub fn sets(&self, name: &str) -> bool {
        match self {
            Self::SetProperties { values, .. } | Self::UpsertContact { values, .. } => values.contains_key(name),
            _ => false,
        }
    }

    /// The kind of operation this is the payload of.
    #[must_use]
    pub const fn kind(&self) -> OpKind {
        match self {
            Self::SetProperties { .. } => OpKind::SetProperties,
            Self::CreateNote { .. } => OpKind::CreateNote,
            Self::Archive => OpKind::Archive,
            Self::Associate { .. } => OpKind::Associate,
            Self::ListMember { .. } => OpKind::ListMember,
            Self::UpsertContact { .. } => OpKind::UpsertContact,
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

/// Before and behind the names in the sentence about fields that are wanted.
const WANTS: (&str, &str) = ("HubSpot wants '", "' first; fill it in, then send this again");

impl OpError {
    /// The class of an operation whose values HubSpot refuses.
    pub const VALIDATION: &str = "validation";

    /// The class of an operation that waits for fields the account's rules want.
    pub const NEEDS_FIELDS: &str = "needs_fields";
    /// Its record was merged into another one: what is sent again is about that one.
    pub const MERGED: &str = "merged";

    /// What is said when HubSpot wants these properties first. [`Self::wanted`] reads it.
    #[must_use]
    pub fn wants(fields: &[String]) -> String {
        format!("{}{}{}", WANTS.0, fields.join("', '"), WANTS.1)
    }

    /// The internal names of the properties HubSpot wants first; none when it is about something else. Internal names have
    /// no quotes in them, so the sentence that is on disk says them exactly.
    #[must_use]
    pub fn wanted(&self) -> Vec<&str> {
        let names = (self.message.strip_prefix(WANTS.0)).and_then(|rest| rest.strip_suffix(WANTS.1));
        match names.filter(|names| self.class == Self::NEEDS_FIELDS && !names.is_empty()) {
            Some(names) => names.split("', '").collect(),
            None => Vec::new(),
        }
    }
}

/// One send of an operation. Its row was on disk before the first byte left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1; attempts that did not count have one too.
    pub n: u32,
    /// The epoch of the process that sent.
    pub epoch: u64,
    /// When it was claimed.
    pub intent_at: Timestamp,
    /// When its outcome was known; `None` while it is in flight.
    pub ended_at: Option<Timestamp>,
    /// The state it led to.
    pub outcome: Option<OpState>,
    /// Nobody knows whether it took effect.
    pub ambiguous: bool,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// HubSpot's correlation id.
    pub correlation_id: Option<String>,
}

/// What a person decides about an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it: now, when it waits for a next try; again, when it is held or dead; over what is there now, when it is in
    /// conflict.
    Send,
    /// The same with these values besides, or instead of, its own: what the account's rules asked for, or a third value
    /// in a conflict.
    SendWith(Properties),
    /// Give it up: taken back when HubSpot certainly has not heard of it, dropped when it is held, in conflict or dead.
    Drop,
}

/// An operation with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationStory {
    /// The operation.
    pub operation: Operation,
    /// `portalId` it is meant for.
    pub account: u64,
    /// Every send, first to last.
    pub attempts: Vec<Attempt>,
    /// What the mirror has of the properties it sets: theirs, in a conflict.
    pub mirrored: Properties,
    /// The operation that replaced it before it was sent.
    pub superseded_by: Option<OpId>,
    /// When its state last changed.
    pub changed_at: Timestamp,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_that_are_wanted_are_read_back_from_the_sentence() {
        let error = |class: &str, message: String| OpError {
            class: class.to_owned(),
            message,
            correlation_id: None,
        };
        let both = ["closed_lost_reason".to_owned(), "competitor".to_owned()];
        let sentence = OpError::wants(&both);
        assert_eq!(
            sentence,
            "HubSpot wants 'closed_lost_reason', 'competitor' first; fill it in, then send this again"
        );
        assert_eq!(error(OpError::NEEDS_FIELDS, sentence.clone()).wanted(), both);
        assert_eq!(error("validation", sentence).wanted(), [""; 0]);
        assert_eq!(error(OpError::NEEDS_FIELDS, OpError::wants(&[])).wanted(), [""; 0]);
        assert_eq!(
            error(OpError::NEEDS_FIELDS, "HubSpot says 'no'".to_owned()).wanted(),
            [""; 0]
        );
    }
}
