//! Lists ("segments") with fixed members, as far as a reader of an account meets them.

use serde_json::Value;

/// A list in HubSpot's shape, with the ids of its members.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub id: String,
    pub wire: Value,
    pub members: Vec<u64>,
}

impl List {
    /// Reads HubSpot's shape; `None` without a `listId`.
    pub(super) fn from_wire(mut wire: Value, members: Vec<u64>) -> Option<Self> {
        let id = wire
            .get("listId")
            .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))?;
        if let Some(map) = wire.as_object_mut() {
            let extra = map
                .entry("additionalProperties")
                .or_insert_with(|| serde_json::json!({}));
            if let Some(extra) = extra.as_object_mut() {
                extra.insert("hs_list_size".to_owned(), serde_json::json!(members.len().to_string()));
            }
        }
        Some(Self { id, wire, members })
    }
}
