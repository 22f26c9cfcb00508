//! Lists ("segments"): who is a member since when, and figures that lag behind. A filter that asks for one property to have
//! one of some values is evaluated, where a list was made here or belongs to a generated account; every other filter is
//! kept and told, and the members of such a list are what the account was opened with.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::clock::iso;
use super::kinds::ObjectType;
use super::truth::Row;

mod following;

/// A list in HubSpot's shape, with its members.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub id: String,
    wire: Value,
    /// Record ids, and when each joined (Unix milliseconds). Live records only.
    pub members: BTreeMap<u64, i64>,
    /// What decides who is a member; `None` where people do, or nobody any more.
    pub rule: Option<Rule>,
    /// The figures as they are.
    newest: Figures,
    /// Figures and from when on they are told (Unix milliseconds), oldest first.
    told: Vec<(i64, Figures)>,
    /// Deleted lists can be restored.
    pub deleted: bool,
}

/// What HubSpot counts and dates about a list. Instants are Unix milliseconds.
#[derive(Debug, Clone, Copy)]
struct Figures {
    size: usize,
    added: Option<i64>,
    removed: Option<i64>,
}

/// The kind of filter that is evaluated: one property with one of these values.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    property: String,
    values: Vec<String>,
}

impl Rule {
    /// Reads a `filterBranch` whose branches lead to a single property filter; `None` for everything richer.
    pub(super) fn read(branch: &Value) -> Option<Self> {
        let items = |key: &str| branch.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        match (items("filterBranches"), items("filters")) {
            ([inner], []) => Self::read(inner),
            ([], [filter]) if filter.get("filterType")?.as_str() == Some("PROPERTY") => {
                let operation = filter.get("operation")?;
                if !matches!(operation.get("operator")?.as_str()?, "IS_ANY_OF" | "IS_EQUAL_TO") {
                    return None;
                }
                let many = operation.get("values").and_then(Value::as_array).into_iter().flatten();
                let values: Vec<String> = many
                    .chain(operation.get("value"))
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    .collect();
                let property = filter.get("property")?.as_str()?.to_owned();
                (!values.is_empty()).then_some(Self { property, values })
            }
            _ => None,
        }
    }

    /// Asks for an enumeration to have this value, in HubSpot's shape.
    pub(super) fn branch(property: &str, value: &str) -> Value {
        json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [], "filterBranches": [{
            "filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [], "filters": [{
                "filterType": "PROPERTY", "property": property, "operation": {"operationType": "ENUMERATION",
                    "operator": "IS_ANY_OF", "values": [value], "includeObjectsWithNoValueSet": false}}]}]})
    }

    fn holds(&self, row: Row<'_>) -> bool {
        row.get(&self.property)
            .is_some_and(|value| self.values.iter().any(|wanted| *wanted == value))
    }
}

impl List {
    /// Reads HubSpot's shape; `None` without a `listId`. The members joined when the shape says that the last one did, or
    /// at `joined`; Unix milliseconds.
    pub(super) fn from_wire(wire: Value, members: Vec<u64>, joined: i64) -> Option<Self> {
        let id = wire
            .get("listId")
            .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))?;
        let said = |key: &str| -> Option<i64> {
            wire.pointer(&format!("/additionalProperties/{key}"))?
                .as_str()?
                .parse()
                .ok()
        };
        let (added, removed) = (said("hs_last_record_added_at"), said("hs_last_record_removed_at"));
        let joined = added.unwrap_or(joined);
        let members: BTreeMap<u64, i64> = members.into_iter().map(|member| (member, joined)).collect();
        let newest = Figures {
            size: members.len(),
            added: added.or((!members.is_empty()).then_some(joined)),
            removed,
        };
        Some(Self {
            id,
            wire,
            members,
            rule: None,
            newest,
            told: vec![(i64::MIN, newest)],
            deleted: false,
        })
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.wire.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The type of its members; record ids mean nothing without it.
    pub(super) fn object(&self) -> Option<ObjectType> {
        ObjectType::parse(self.text("objectTypeId"))
    }

    /// HubSpot decides who is in it.
    pub(super) fn is_dynamic(&self) -> bool {
        self.text("processingType") == "DYNAMIC"
    }

    /// The rule that its filter spells, when HubSpot decides who is in it and this portal knows how.
    pub(super) fn spelt_rule(&self) -> Option<Rule> {
        self.wire
            .get("filterBranch")
            .filter(|_| self.is_dynamic())
            .and_then(Rule::read)
    }

    /// The list as one whose filter decides from now on, where this portal can read it.
    pub(super) fn evaluated(self) -> Self {
        let rule = self.spelt_rule();
        Self { rule, ..self }
    }

    /// The list as it is told at this time, with figures that may be old. Filters only when they are asked for.
    pub(super) fn told(&self, now: i64, filters: bool) -> Value {
        let figures = self.told.iter().rev().find(|(from, _)| *from <= now);
        let mut wire = self.with(figures.map_or(self.newest, |(_, figures)| *figures));
        if !filters && let Some(map) = wire.as_object_mut() {
            map.remove("filterBranch");
        }
        wire
    }

    /// The list as it is, filters included.
    pub(super) fn truth(&self) -> Value {
        self.with(self.newest)
    }

    fn with(&self, figures: Figures) -> Value {
        let mut wire = self.wire.clone();
        let extra = &mut wire["additionalProperties"];
        extra["hs_list_size"] = json!(figures.size.to_string());
        let dates = [
            ("hs_last_record_added_at", figures.added),
            ("hs_last_record_removed_at", figures.removed),
        ];
        for (key, at) in dates {
            if let Some(at) = at {
                extra[key] = json!(at.to_string());
            }
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

    /// Adds records; those that were not in it. The figures follow after `lag` milliseconds.
    pub(super) fn add(&mut self, ids: &[u64], now: i64, lag: i64) -> Vec<u64> {
        let mut fresh = ids.to_vec();
        fresh.retain(|id| match self.members.entry(*id) {
            Entry::Vacant(place) => {
                place.insert(now);
                true
            }
            Entry::Occupied(_) => false,
        });
        if !fresh.is_empty() {
            self.newest.added = Some(now);
            self.tell(now, lag);
        }
        fresh
    }

    /// Adds a record that counts as a member since `joined`.
    pub(super) fn take_in(&mut self, id: u64, joined: i64, now: i64, lag: i64) {
        self.members.insert(id, joined);
        self.newest.added = Some(now);
        self.tell(now, lag);
    }

    /// Removes records; those that were in it.
    pub(super) fn remove(&mut self, ids: &[u64], now: i64, lag: i64) -> Vec<u64> {
        let mut gone = ids.to_vec();
        gone.retain(|id| self.members.remove(id).is_some());
        if !gone.is_empty() {
            self.newest.removed = Some(now);
            self.tell(now, lag);
        }
        gone
    }

    /// Removes those whom the account was opened with although they are no live records, without a word about it.
    pub(super) fn keep(&mut self, live: impl Fn(u64) -> bool) {
        self.members.retain(|id, _| live(*id));
        self.newest.size = self.members.len();
        self.told = vec![(i64::MIN, self.newest)];
    }

    /// What has just changed is told after `lag` milliseconds; what nobody can be told any more is dropped.
    fn tell(&mut self, now: i64, lag: i64) {
        self.newest.size = self.members.len();
        let old = self.told.iter().take_while(|(from, _)| *from <= now).count();
        self.told.drain(..old.saturating_sub(1));
        self.told.push((now + lag, self.newest));
    }
}
