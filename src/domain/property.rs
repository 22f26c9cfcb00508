//! Property definitions: what a field is called and what may be written to it.

use serde::{Deserialize, Serialize};

use super::{Fault, ObjectType};

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
    /// It may have several of its options at once, which the wire separates by `;`.
    #[serde(default)]
    pub several: bool,
}

/// What a new property holds, and how HubSpot's forms show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyKind {
    /// One line of text.
    Text,
    /// Lines of text.
    LongText,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of `(value, label)`.
    Choice(Vec<(String, String)>),
    /// Any of `(value, label)`.
    Choices(Vec<(String, String)>),
}

impl PropertyKind {
    /// HubSpot's `type` and `fieldType`.
    #[must_use]
    pub const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("string", "text"),
            Self::LongText => ("string", "textarea"),
            Self::Number => ("number", "number"),
            Self::Flag => ("bool", "booleancheckbox"),
            Self::Date => ("date", "date"),
            Self::DateTime => ("datetime", "date"),
            Self::Choice(_) => ("enumeration", "select"),
            Self::Choices(_) => ("enumeration", "checkbox"),
        }
    }

    /// The options to choose from, in display order. HubSpot wants the two of a flag spelled out.
    #[must_use]
    pub fn options(&self) -> Vec<(String, String)> {
        match self {
            Self::Choice(options) | Self::Choices(options) => options.clone(),
            Self::Flag => [("true", "Yes"), ("false", "No")]
                .map(|(value, label)| (value.to_owned(), label.to_owned()))
                .to_vec(),
            _ => Vec::new(),
        }
    }
}

/// A property to define.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewProperty {
    /// Internal name: lower case, digits and `_`. It cannot be changed.
    pub name: String,
    /// Label, as people read it.
    pub label: String,
    /// For people who wonder what it is for; may be empty.
    pub description: String,
    /// The group it stands in, by internal name: `dealinformation`, `contactinformation`…
    pub group: String,
    /// What it holds. It cannot be changed.
    pub kind: PropertyKind,
    /// Whether HubSpot keeps its values unique, at most ten properties per type. It cannot be changed.
    pub unique: bool,
}

/// Whether records of a type can be created so that a second send cannot make a second one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySupport {
    /// The type.
    pub object: ObjectType,
    /// The unique property that carries the key; `None` where the account has none.
    pub property: Option<String>,
    /// Why that could not be found out, or be changed.
    pub trouble: Option<Fault>,
}
