//! One record as it is kept once it differs from the generated account: values, their history, whether it is archived.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The internal name of a property.
pub(super) type Name = Cow<'static, str>;

/// Who writes, as a property's history tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actor {
    /// `CRM_UI`, `INTEGRATION`, `MERGE_OBJECTS`, …
    pub source_type: Cow<'static, str>,
    /// `userId:<id>` for a person, the app's id for a token.
    pub source_id: Option<String>,
    pub user: Option<u64>,
}

impl Actor {
    /// A person at HubSpot's own screens.
    pub(super) fn person(user: Option<u64>) -> Self {
        Self {
            source_type: Cow::Borrowed("CRM_UI"),
            source_id: user.map(|id| format!("userId:{id}")),
            user,
        }
    }

    pub(super) fn merge() -> Self {
        Self {
            source_type: Cow::Borrowed("MERGE_OBJECTS"),
            source_id: None,
            user: None,
        }
    }
}

/// One entry of a property's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Empty when the property was cleared.
    pub value: String,
    /// Unix milliseconds.
    pub at: i64,
    pub by: Actor,
}

/// A record that was created, edited, loaded or archived here. Untouched generated records have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Index of the generated record this one grew from: its older history still counts.
    pub base: Option<u32>,
    /// Set properties only; never an empty text.
    pub properties: BTreeMap<Name, String>,
    /// Newest first, without what the generated record already tells.
    pub history: BTreeMap<Name, Vec<Change>>,
    /// Unix milliseconds of the archiving.
    pub archived_at: Option<i64>,
    /// The survivor, when this record was merged away: it is then nowhere to be seen.
    pub merged_into: Option<u64>,
    /// Deleted for good, for the sake of privacy: nowhere to be seen either.
    pub forgotten: bool,
}

impl Record {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str)
    }

    /// Sets or, with an empty text, clears a property without a word in its history: for what HubSpot calculates.
    pub(super) fn calculate(&mut self, name: impl Into<Name>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            self.properties.remove(&name);
        } else {
            self.properties.insert(name, value);
        }
    }

    /// Sets or clears a property; an unchanged value makes no history. True when the value changed.
    pub(super) fn set(&mut self, name: impl Into<Name>, value: &str, at: i64, by: &Actor) -> bool {
        let name = name.into();
        if self.get(&name).unwrap_or_default() == value {
            return false;
        }
        self.history.entry(name.clone()).or_default().insert(
            0,
            Change {
                value: value.to_owned(),
                at,
                by: by.clone(),
            },
        );
        self.calculate(name, value);
        true
    }
}
