//! The account and its rules: who is in it, what may be written, and what a write sets in motion. Everything that changes a
//! record goes through here, whoever asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::clock::{Clock, iso};
use super::effects::{self, Rules};
use super::gate::Gate;
use super::index::SearchIndex;
use super::keys::{Caller, Keys};
use super::kinds::{LinkType, ObjectType};
use super::lists::List;
use super::pipelines::{Owner, Pipeline};
use super::record::{Actor, Record};
use super::schema::Schema;
use super::search::Cache;
use super::settings::CursorKind;
use super::switches::{Switch, Switches};
use super::truth::Truth;

mod links;
mod lives;

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

    /// Changes one record; search learns of it later, the register of unique values and the lists at once.
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
        self.follow(object, id);
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
