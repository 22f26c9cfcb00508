//! The account and its rules: who is in it, what may be written, and what a write sets in motion. Everything that changes a
//! record goes through here, whoever asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::clock::{Clock, iso, parse};
use super::effects::{self, Rules};
use super::errors::Problem;
use super::gate::Gate;
use super::index::SearchIndex;
use super::keys::{Caller, Keys};
use super::kinds::{LinkType, ObjectType, primary_type};
use super::lists::List;
use super::pipelines::{Owner, Pipeline};
use super::record::{Actor, Change, Record};
use super::schema::Schema;
use super::search::Cache;
use super::settings::CursorKind;
use super::switches::{Switch, Switches};
use super::truth::Truth;

/// One simulated account.
pub(super) struct World {
    pub clock: Clock,
    pub seed: u64,
    pub portal_id: u64,
    pub app_id: u64,
    pub keys: Keys,
    /// Whoever makes the request that is being answered.
    pub caller: Caller,
    pub switches: Switches,
    /// Account details in HubSpot's shape.
    pub account: Value,
    pub strict: bool,
    pub cursor: CursorKind,
    pub owners: Vec<Owner>,
    pub pipelines: BTreeMap<ObjectType, Vec<Pipeline>>,
    pub schema: Schema,
    pub lists: Vec<List>,
    /// App events, in the order they came.
    pub events: Vec<Value>,
    /// Milliseconds until a list tells its new size.
    pub list_lag: i64,
    pub truth: Truth,
    pub index: SearchIndex,
    pub cache: Cache,
    pub gate: Gate,
}

/// An association asked for by a write: other type, other id, types in the direction from the written record.
pub(super) type LinkWish = (ObjectType, u64, Vec<LinkType>);

impl World {
    pub(super) fn pipelines(&self, object: ObjectType) -> &[Pipeline] {
        self.pipelines.get(&object).map_or(&[], Vec::as_slice)
    }

    pub(super) fn home_currency(&self) -> &str {
        self.account
            .get("companyCurrency")
            .and_then(Value::as_str)
            .unwrap_or("USD")
    }

    /// The token's user: the first live owner.
    pub(super) fn token_user(&self) -> u64 {
        self.owners
            .iter()
            .find(|owner| !owner.archived)
            .and_then(|owner| owner.user_id)
            .unwrap_or(1)
    }

    /// The request about to be answered comes from this caller; from nobody known where no token is needed.
    pub(super) fn receive_from(&mut self, caller: Option<Caller>) {
        self.caller = caller.unwrap_or_else(|| Caller::nobody(self.app_id));
    }

    /// Writes that come in with the token.
    pub(super) fn token_actor(&self) -> Actor {
        Actor {
            source_type: "INTEGRATION".into(),
            source_id: Some(self.caller.app.to_string()),
            user: Some(self.token_user()),
        }
    }

    /// Creates a record from checked values; returns its id.
    pub(super) fn create(
        &mut self,
        object: ObjectType,
        values: &BTreeMap<String, String>,
        links: &[LinkWish],
        by: &Actor,
    ) -> u64 {
        let id = self.truth.fresh_id(object);
        let at = self.clock.now();
        let mut extra = BTreeMap::new();
        if object == ObjectType::Contacts && !values.contains_key("lifecyclestage") {
            extra.insert("lifecyclestage".to_owned(), "lead".to_owned());
        }
        if object == ObjectType::Deals {
            extra.insert("deal_currency_code".to_owned(), self.home_currency().to_owned());
        }
        let app = by.source_id.clone().unwrap_or_default();
        let user = by.user.map(|user| user.to_string()).unwrap_or_default();
        self.change(object, id, |record, rules| {
            record.calculate("hs_object_id", id.to_string());
            record.calculate(object.created_property(), iso(at));
            record.calculate("hs_object_source", by.source_type.clone());
            record.calculate("hs_object_source_id", app);
            record.calculate("hs_created_by_user_id", user);
            if object == ObjectType::Deals {
                record.calculate("num_notes", "0");
                record.calculate("num_associated_contacts", "0");
                record.calculate("hs_exchange_rate", "1.0");
            }
            extra.extend(values.iter().map(|(name, value)| (name.clone(), value.clone())));
            effects::write(object, record, &extra, rules, at, by);
            effects::touch(object, record, at, by);
        });
        for (to, other, types) in links {
            self.link((object, id), (*to, *other), types);
        }
        id
    }

    /// Writes checked values into a record.
    pub(super) fn update(&mut self, object: ObjectType, id: u64, values: &BTreeMap<String, String>, by: &Actor) {
        let at = self.clock.now();
        self.change(object, id, |record, rules| {
            _ = effects::write(object, record, values, rules, at, by)
        });
    }

    /// Archives a record; nothing happens when there is none.
    pub(super) fn archive(&mut self, object: ObjectType, id: u64) {
        let at = self.clock.now();
        if self.truth.live(object, id).is_some() {
            let id = self.truth.resolve(object, id);
            self.change(object, id, |record, _| record.archived_at = Some(at));
            if let Some(record) = self.truth.version(object, id) {
                self.register(object, id, &record, &Record::default());
            }
        }
    }

    /// Forgets a record for good: what it held is gone and nobody finds it again, archived or not.
    pub(super) fn forget(&mut self, object: ObjectType, id: u64) {
        self.archive(object, id);
        for list in &mut self.lists {
            list.members.remove(&id);
        }
        let record = self.truth.edit(object, id);
        *record = Record {
            archived_at: record.archived_at,
            forgotten: true,
            ..Record::default()
        };
        self.index.generation += 1;
    }

    /// Associates two records and lets follow what HubSpot counts: notes, activity dates, contacts of a deal.
    pub(super) fn link(&mut self, from: (ObjectType, u64), to: (ObjectType, u64), types: &[LinkType]) {
        let known = self.truth.links(from.0, from.1, to.0).contains_key(&to.1);
        self.truth.link(from, to, types);
        self.index.generation += 1;
        if known {
            return;
        }
        for ((record, id), (activity, activity_id)) in [(from, to), (to, from)] {
            if activity.is_activity() && !record.is_activity() {
                self.note_activity(record, id, activity, activity_id);
            } else if activity == ObjectType::Contacts {
                self.count_contacts(record, id);
            }
        }
        self.name_company(from, to);
    }

    /// Ends an association.
    pub(super) fn unlink(&mut self, from: (ObjectType, u64), to: (ObjectType, u64)) {
        if self.truth.unlink(from, to) {
            self.index.generation += 1;
            for ((record, id), other) in [(from, to.0), (to, from.0)] {
                if other == ObjectType::Contacts {
                    self.count_contacts(record, id);
                }
            }
            self.name_company(from, to);
        }
    }

    fn note_activity(&mut self, object: ObjectType, id: u64, activity: ObjectType, activity_id: u64) {
        let now = self.clock.now();
        let at = self
            .truth
            .row(activity, activity_id)
            .and_then(|row| row.instant("hs_timestamp"))
            .unwrap_or(now);
        let upcoming = activity == ObjectType::Tasks || at > now;
        self.change(object, id, |record, _| {
            let name = if upcoming {
                "notes_next_activity_date"
            } else {
                "notes_last_updated"
            };
            let known = record.get(name).and_then(parse);
            let better = known.is_none_or(|known| {
                if upcoming {
                    at < known || known < now
                } else {
                    at > known
                }
            });
            if better {
                record.calculate(name, iso(at));
            }
            if activity == ObjectType::Notes {
                let count: u64 = record.get("num_notes").and_then(|text| text.parse().ok()).unwrap_or(0);
                record.calculate("num_notes", (count + 1).to_string());
            }
            record.calculate(object.modified_property(), iso(now));
        });
    }

    /// A contact carries the id of its primary company.
    fn name_company(&mut self, one: (ObjectType, u64), two: (ObjectType, u64)) {
        let contact = match (one.0, two.0) {
            (ObjectType::Contacts, ObjectType::Companies) => one.1,
            (ObjectType::Companies, ObjectType::Contacts) => two.1,
            _ => return,
        };
        let primary = primary_type(ObjectType::Contacts, ObjectType::Companies);
        let companies = self.truth.links(ObjectType::Contacts, contact, ObjectType::Companies);
        let company = companies
            .iter()
            .find(|(_, types)| primary.is_some_and(|primary| types.contains(&primary)));
        let company = company.map_or_else(String::new, |(id, _)| id.to_string());
        self.change(ObjectType::Contacts, contact, |record, _| {
            record.calculate("associatedcompanyid", company)
        });
    }

    fn count_contacts(&mut self, object: ObjectType, id: u64) {
        if matches!(object, ObjectType::Deals | ObjectType::Companies) {
            let count = self.truth.links(object, id, ObjectType::Contacts).len();
            let now = self.clock.now();
            self.change(object, id, |record, _| {
                record.calculate("num_associated_contacts", count.to_string());
                record.calculate(object.modified_property(), iso(now));
            });
        }
    }

    /// Merges two live records of one type into a third with a new id, which both old ids lead to from then on.
    pub(super) fn merge(&mut self, object: ObjectType, primary: u64, other: u64) -> Result<u64, Problem> {
        let (Some((primary, first)), Some((other, second))) =
            (self.truth.live(object, primary), self.truth.live(object, other))
        else {
            return Err(Problem::not_found());
        };
        if primary == other {
            return Err(Problem::invalid("A record cannot be merged with itself."));
        }
        let (first, second) = (first.whole().into_owned(), second.whole().into_owned());
        let at = self.clock.now();
        let survivor = self.truth.fresh_id(object);
        let histories: BTreeMap<_, Vec<Change>> = self.truth.row(object, primary).map_or_else(BTreeMap::new, |row| {
            first
                .properties
                .keys()
                .map(|name| (name.clone(), row.history(name)))
                .collect()
        });
        self.register(object, primary, &first, &Record::default());
        self.register(object, other, &second, &Record::default());
        let by = Actor::merge();
        self.change(object, survivor, |record, rules| {
            record.properties = first.properties;
            record.history = histories;
            for (name, value) in second.properties {
                if !record.properties.contains_key(&name) {
                    record.set(name, &value, at, &by);
                }
            }
            let mut merged: Vec<String> = record
                .get("hs_merged_object_ids")
                .map(|ids| ids.split(';').map(str::to_owned).collect())
                .unwrap_or_default();
            merged.extend([primary.to_string(), other.to_string()]);
            record.calculate("hs_merged_object_ids", merged.join(";"));
            record.calculate("hs_object_id", survivor.to_string());
            if object == ObjectType::Deals {
                effects::derive_deal(record, rules);
            }
            effects::touch(object, record, at, &by);
        });
        for old in [primary, other] {
            for to in ObjectType::ALL {
                for (linked, types) in self.truth.links(object, old, to) {
                    let types: Vec<LinkType> = types.into_iter().collect();
                    self.truth.link((object, survivor), (to, linked), &types);
                }
            }
        }
        for old in [primary, other] {
            self.change(object, old, |record, _| record.merged_into = Some(survivor));
        }
        self.count_contacts(object, survivor);
        Ok(survivor)
    }

    /// Changes one record; search learns of it later, the register of unique values at once.
    pub(super) fn change(&mut self, object: ObjectType, id: u64, change: impl FnOnce(&mut Record, &Rules<'_>)) {
        let before = self.truth.version(object, id);
        let home_currency = self.home_currency().to_owned();
        let pipelines = self.pipelines.get(&object).map_or(&[][..], Vec::as_slice);
        change(
            self.truth.edit(object, id),
            &Rules {
                pipelines,
                home_currency: &home_currency,
                keeps_close_date: self.switches.on(Switch::CloseDateKept),
                counts_seconds: self.switches.on(Switch::StageSeconds),
            },
        );
        let Some(after) = self.truth.version(object, id) else {
            return;
        };
        self.register(object, id, before.as_deref().unwrap_or(&Record::default()), &after);
        self.index
            .written((object, id), before, Arc::clone(&after), self.clock.micros());
    }

    /// Tells the register of unique values what a record held and holds.
    fn register(&mut self, object: ObjectType, id: u64, before: &Record, after: &Record) {
        let unique = self.schema.all(object).filter(|(_, definition)| definition.unique);
        for name in unique.map(|(name, _)| name.to_owned()).collect::<Vec<_>>() {
            let (old, new) = (
                before.get(&name).unwrap_or_default(),
                after.get(&name).unwrap_or_default(),
            );
            if old != new || !new.is_empty() {
                self.truth.register(object, id, &name, old, new);
            }
        }
    }
}
