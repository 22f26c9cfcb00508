//! Lists ("segments"): who is a member since when, and a size that lags behind. Filters are kept, never evaluated: the
//! members of a `DYNAMIC` list are what the account was opened with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::clock::iso;

/// A list in HubSpot's shape, with its members.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub id: String,
    wire: Value,
    /// Record ids, and when each joined (Unix milliseconds).
    pub members: BTreeMap<u64, i64>,
    /// Sizes and from when on they are told (Unix milliseconds), oldest first.
    sizes: Vec<(i64, usize)>,
    /// Deleted lists can be restored.
    pub deleted: bool,
}

impl List {
    /// Reads HubSpot's shape; `None` without a `listId`. The members joined when the shape says that the last one did, or
    /// at `joined`; Unix milliseconds.
    pub(super) fn from_wire(wire: Value, members: Vec<u64>, joined: i64) -> Option<Self> {
        let id = wire
            .get("listId")
            .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))?;
        let last = wire.pointer("/additionalProperties/hs_last_record_added_at");
        let joined = last.and_then(|at| at.as_str()?.parse().ok()).unwrap_or(joined);
        let members: BTreeMap<u64, i64> = members.into_iter().map(|member| (member, joined)).collect();
        Some(Self {
            id,
            wire,
            sizes: vec![(i64::MIN, members.len())],
            members,
            deleted: false,
        })
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.wire.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// HubSpot decides who is in it.
    pub(super) fn is_dynamic(&self) -> bool {
        self.text("processingType") == "DYNAMIC"
    }

    /// The list as it is told at this time, with a size that may be old. Filters only when they are asked for.
    pub(super) fn told(&self, now: i64, filters: bool) -> Value {
        let mut wire = self.wire.clone();
        let size = self.sizes.iter().rev().find(|(from, _)| *from <= now);
        let extra = &mut wire["additionalProperties"];
        extra["hs_list_size"] = json!(size.map_or(0, |(_, size)| *size).to_string());
        if let Some(newest) = self.members.values().max() {
            extra["hs_last_record_added_at"] = json!(newest.to_string());
        }
        if !filters && let Some(map) = wire.as_object_mut() {
            map.remove("filterBranch");
        }
        wire
    }

    /// Changes a field of HubSpot's shape; the version goes up.
    pub(super) fn set(&mut self, key: &str, value: Value, now: i64) {
        self.wire[key] = value;
        self.wire["updatedAt"] = json!(iso(now));
        let version = self.wire.get("listVersion").and_then(Value::as_u64).unwrap_or(0);
        self.wire["listVersion"] = json!(version + 1);
    }

    /// Adds records; those that were not in it. The size follows after `lag` milliseconds.
    pub(super) fn add(&mut self, ids: &[u64], now: i64, lag: i64) -> Vec<u64> {
        let fresh: Vec<u64> = ids
            .iter()
            .copied()
            .filter(|id| !self.members.contains_key(id))
            .collect();
        self.members.extend(fresh.iter().map(|id| (*id, now)));
        self.resize(now + lag);
        fresh
    }

    /// Removes records; those that were in it.
    pub(super) fn remove(&mut self, ids: &[u64], now: i64, lag: i64) -> Vec<u64> {
        let gone: Vec<u64> = ids
            .iter()
            .copied()
            .filter(|id| self.members.remove(id).is_some())
            .collect();
        self.resize(now + lag);
        gone
    }

    fn resize(&mut self, from: i64) {
        self.sizes.push((from, self.members.len()));
    }
}
