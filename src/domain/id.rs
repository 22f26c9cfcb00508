//! A newtype per id. HubSpot's ids are text that looks like integers, unique only inside one object type, so a deal id
//! and a contact id must never be mistaken for each other.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as HubSpot spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), &self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

text_id! {
    /// A deal.
    DealId,
    /// A contact.
    ContactId,
    /// A company.
    CompanyId,
    /// A note.
    NoteId,
    /// An owner, the value of `hubspot_owner_id` (not a user id).
    OwnerId,
    /// A user of the account, as property history and introspection name people.
    UserId,
    /// A pipeline.
    PipelineId,
    /// A stage. Only its metadata tells whether it is won, lost or open, never its id.
    StageId,
    /// A HubSpot list.
    ListId,
}

/// An operation in the outbox: a version 7 UUID, so ids sort by the time of the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(pub uuid::Uuid);

impl OpId {
    /// The last eight digits: they tell operations apart, where the first ones are much the same within an hour.
    #[must_use]
    pub fn tail(self) -> String {
        let id = self.to_string();
        id[id.len() - 8..].to_owned()
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
