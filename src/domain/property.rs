//! Property definitions: what a field is called and what may be written to it.

use serde::{Deserialize, Serialize};

/// The definition of one property of one object type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyDefinition {
    /// Internal name, as the wire spells it.
    pub name: String,
    /// Label, as people read it.
    pub label: String,
    /// `string`, `number`, `bool`, `date`, `datetime`, `enumeration`, `phone_number`.
    pub kind: String,
    /// `(value, label)` of an enumeration, in display order.
    pub options: Vec<(String, String)>,
    /// Calculated, or read only by definition: never written.
    pub read_only: bool,
    /// Not shown to people.
    pub hidden: bool,
    /// HubSpot keeps its values unique, which makes keyed creates possible.
    pub unique: bool,
}
