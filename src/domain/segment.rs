//! Segments: named groups of contacts, defined by a filter in the configuration, by a HubSpot list, or by both.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultKind, ListId};

/// A segment's definition: a filter, a HubSpot list, or both, which a contact must fit then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its key in the configuration, e.g. `high_value`.
    pub name: String,
    /// Its filter, in the filter language; empty = everybody in the list.
    pub filter: String,
    /// The HubSpot list its contacts are in.
    pub list: Option<ListId>,
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
            list: None,
        })
        .collect()
    }

    /// The segment that is called so, else the only one whose name begins so; an underscore is a blank.
    ///
    /// # Errors
    /// When there is none, which names the nearest, or several.
    pub fn find<'a>(segments: &'a [Self], text: &str) -> Result<&'a Self, Fault> {
        let plain = |text: &str| text.trim().to_lowercase().replace('_', " ");
        let wanted = plain(text);
        if let Some(segment) = segments.iter().find(|segment| plain(&segment.name) == wanted) {
            return Ok(segment);
        }
        let begin = |segment: &&Self| !wanted.is_empty() && plain(&segment.name).starts_with(&wanted);
        let hits: Vec<&Self> = segments.iter().filter(begin).collect();
        if let [segment] = hits.as_slice() {
            return Ok(segment);
        }
        let names: Vec<&str> = hits.iter().map(|segment| segment.name.as_str()).collect();
        let (what, next) = match (names.is_empty(), Self::nearest(segments, text)) {
            (false, _) => ("could be several segments", format!("use one of: {}", names.join(", "))),
            (true, Some(near)) => ("is no segment", format!("the nearest one is '{near}'")),
            (true, None) => ("is no segment", "the configuration defines none".to_owned()),
        };
        Err(Fault::new(FaultKind::Usage, format!("'{text}' {what}"), next))
    }

    /// The name most like a text that is none; `None` when there are no segments.
    #[must_use]
    pub fn nearest<'a>(segments: &'a [Self], text: &str) -> Option<&'a str> {
        let text = text.to_lowercase();
        let likeness = |segment: &Self| strsim::jaro_winkler(&text, &segment.name.to_lowercase());
        let best = segments.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        best.map(|segment| segment.name.as_str())
    }

    /// What the segment asks, as one text: another text is another segment, whatever its name.
    #[must_use]
    pub fn definition(&self) -> String {
        match &self.list {
            Some(list) => format!("list {list} {}", self.filter),
            None => self.filter.clone(),
        }
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
    /// How many contacts matched when they were counted.
    pub count: u64,
    /// When they were counted; `None` = they were not, and the count is no number.
    pub as_of: Option<Timestamp>,
    /// Counts at the end of the last days, oldest first, today last; at most seven.
    pub history: Vec<u64>,
    /// Why it cannot be counted: its filter is wrong, or what it asks for was not read of every contact yet. Then it has
    /// neither count nor history.
    pub obstacle: Option<Fault>,
}
