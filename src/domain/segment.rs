//! Segments: named groups of contacts, defined by a filter in the configuration.

use serde::{Deserialize, Serialize};

/// A segment's definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its key in the configuration, e.g. `high_value`.
    pub name: String,
    /// Its filter, in the filter language.
    pub filter: String,
}

impl Segment {
    /// The four that ship.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        [
            ("engaged", "updated < 30d"),
            ("cold", "updated >= 90d"),
            ("high_value", "lifecycle:(customer, evangelist, opportunity)"),
            ("chainge", "company ~ \"chainge\""),
        ]
        .into_iter()
        .map(|(name, filter)| Self {
            name: name.to_owned(),
            filter: filter.to_owned(),
        })
        .collect()
    }

    /// The name as people read it: `high value`.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// A segment with how many contacts are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentCount {
    /// The definition.
    pub segment: Segment,
    /// How many contacts match now.
    pub count: u64,
    /// Counts at the end of the last days, oldest first, today last; at most seven.
    pub history: Vec<u64>,
}
