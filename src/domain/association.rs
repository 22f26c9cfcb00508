//! Associations: that one record belongs to another, and under which labels.

use serde::{Deserialize, Serialize};

/// Who defined a type of association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssociationCategory {
    /// HubSpot: the same number in every account.
    HubspotDefined,
    /// The account's own labels.
    UserDefined,
    /// An app's labels.
    IntegratorDefined,
    /// Any other.
    #[serde(other)]
    Other,
}

/// A type of association between two object types. Direction matters: deal to contact is another number than contact to
/// deal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssociationLabel {
    /// Who defined it.
    pub category: AssociationCategory,
    /// Its number, unique only inside its category.
    pub type_id: u32,
    /// As people read it, `Decision maker`; `None` for the plain association.
    pub label: Option<String>,
}

/// A record that another one is associated with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The id of the associated record.
    pub to: String,
    /// Under which labels, the plain one included.
    pub labels: Vec<AssociationLabel>,
}
