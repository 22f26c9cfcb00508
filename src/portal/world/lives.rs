//! Records that go and come back: archived, restored, forgotten, merged; and a modified date that moves for no reason a
//! reader can see.

use std::collections::BTreeMap;

use crate::portal::clock::{iso, parse};
use crate::portal::effects;
use crate::portal::errors::Problem;
use crate::portal::kinds::{LinkType, ObjectType};
use crate::portal::record::{Actor, Change, Record};
use crate::portal::world::World;

impl World {
    /// Archives a record; nothing happens when there is none. It leaves every list.
    pub(in crate::portal) fn archive(&mut self, object: ObjectType, id: u64) {
        let at = self.clock.now();
        if self.truth.live(object, id).is_some() {
            let id = self.truth.resolve(object, id);
            self.change(object, id, |record, _| record.archived_at = Some(at));
            if let Some(record) = self.truth.version(object, id) {
                self.register(object, id, &record, &Record::default());
            }
            self.count_around(object, id);
        }
    }

    /// A person takes an archived record out of HubSpot's recycle bin: it is live again with its associations, and its
    /// modified date moves. A HubSpot community thread ("Restoring recently deleted contacts") observed the moving date and
    /// that calculated properties are set anew; HubSpot's knowledge base says that activities come back, and that a contact
    /// stays archived while a live one has its address. It does not come back to lists that people keep; a list whose
    /// filter is evaluated takes it in anew.
    pub(in crate::portal) fn restore(&mut self, object: ObjectType, id: u64, by: &Actor) -> Result<(), Problem> {
        let row = self.truth.row(object, id).filter(|row| row.archived_at().is_some());
        let row = row.ok_or_else(Problem::not_found)?;
        for (name, _) in self.schema.all(object).filter(|(_, definition)| definition.unique) {
            let holder = row
                .get(name)
                .and_then(|value| self.truth.by_unique(object, name, &value));
            if let Some(holder) = holder {
                return Err(match object {
                    ObjectType::Contacts => Problem::contact_exists(holder),
                    _ => Problem::invalid(format!("{holder} already has the {name} of this record.")),
                });
            }
        }
        let at = self.clock.now();
        self.change(object, id, |record, _| {
            record.archived_at = None;
            effects::touch(object, record, at, by);
        });
        for of in [ObjectType::Contacts, ObjectType::Deals] {
            self.count(object, id, of);
        }
        self.count_around(object, id);
        Ok(())
    }

    /// Forgets a record for good: what it held is gone and nobody finds it again, archived or not.
    pub(in crate::portal) fn forget(&mut self, object: ObjectType, id: u64) {
        self.archive(object, id);
        let record = self.truth.edit(object, id);
        *record = Record {
            archived_at: record.archived_at,
            forgotten: true,
            ..Record::default()
        };
        self.index.generation += 1;
    }

    /// A calculated property that no reader sees gets another value: the modified date goes up, and nothing else differs.
    pub(in crate::portal) fn recalculate(&mut self, object: ObjectType, id: u64) -> Result<u64, Problem> {
        let (id, row) = self.truth.live(object, id).ok_or_else(Problem::not_found)?;
        let name = object.modified_property();
        let before = row.get(name).and_then(|text| parse(&text)).unwrap_or(i64::MIN);
        let at = self.clock.now().max(before.saturating_add(1));
        self.change(object, id, |record, _| record.calculate(name, iso(at)));
        Ok(id)
    }

    /// Merges two live records of one type into a third with a new id, which both old ids lead to from then on. Where one
    /// of them was in a list that people keep, the survivor takes its place.
    pub(in crate::portal) fn merge(&mut self, object: ObjectType, primary: u64, other: u64) -> Result<u64, Problem> {
        let (Some((primary, first)), Some((other, second))) =
            (self.truth.live(object, primary), self.truth.live(object, other))
        else {
            return Err(Problem::not_found());
        };
        if primary == other {
            return Err(Problem::invalid("A record cannot be merged with itself."));
        }
        let (first, second) = (first.whole().into_owned(), second.whole().into_owned());
        let survivor = self.truth.fresh_id(object);
        self.register(object, primary, &first, &Record::default());
        self.register(object, other, &second, &Record::default());
        self.survive(object, survivor, (primary, first), (other, second));
        for old in [primary, other] {
            for to in ObjectType::ALL {
                for (linked, types) in self.truth.links(object, old, to) {
                    let types: Vec<LinkType> = types.into_iter().collect();
                    self.truth.link((object, survivor), (to, linked), &types);
                }
            }
        }
        self.inherit(object, survivor, [primary, other]);
        for old in [primary, other] {
            self.change(object, old, |record, _| record.merged_into = Some(survivor));
        }
        for of in [ObjectType::Contacts, ObjectType::Deals] {
            self.count(object, survivor, of);
        }
        self.count_around(object, survivor);
        Ok(survivor)
    }

    /// Makes the survivor of a merge: the values of the first, completed with those of the second.
    fn survive(&mut self, object: ObjectType, survivor: u64, first: (u64, Record), second: (u64, Record)) {
        let ((primary, first), (other, second)) = (first, second);
        let at = self.clock.now();
        let histories: BTreeMap<_, Vec<Change>> = self.truth.row(object, primary).map_or_else(BTreeMap::new, |row| {
            first
                .properties
                .keys()
                .map(|name| (name.clone(), row.history(name)))
                .collect()
        });
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
    }
}
