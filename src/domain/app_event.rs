//! App events: lines that an app writes into a record's timeline. Each is an occurrence of an event type that the app has
//! defined in HubSpot.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose timeline an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTarget {
    /// The record with this id, of the type that the event type is defined for.
    Record(String),
    /// The contact with this e-mail address; HubSpot creates it where there is none.
    Email(String),
    /// The contact behind this browser cookie.
    Visitor(String),
    /// The company with this domain.
    Domain(String),
}

/// An occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppEvent {
    /// The event type's full name, as HubSpot made it up when the type was defined.
    pub kind: String,
    /// Our own id: HubSpot takes each but once, so an event that has one can be sent again.
    pub id: Option<String>,
    /// Whose timeline.
    pub about: EventTarget,
    /// Values of the event type's properties.
    pub properties: BTreeMap<String, String>,
    /// When it happened; HubSpot takes the time of arrival otherwise.
    pub at: Option<Timestamp>,
}
