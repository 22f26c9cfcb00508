//! Associations, and what HubSpot counts and dates because of them.

use crate::portal::clock::{iso, parse};
use crate::portal::kinds::{LinkType, ObjectType, primary_type};
use crate::portal::world::World;

impl World {
    /// Associates two records and lets follow what HubSpot counts: activities and their dates, contacts of a deal or
    /// company, deals of a company or contact.
    pub(in crate::portal) fn link(&mut self, from: (ObjectType, u64), to: (ObjectType, u64), types: &[LinkType]) {
        let known = self.truth.links(from.0, from.1, to.0).contains_key(&to.1);
        self.truth.link(from, to, types);
        self.index.generation += 1;
        // Also for two who know each other: another company may have become the primary one.
        self.name_company(from, to);
        if known {
            return;
        }
        for ((record, id), (activity, activity_id)) in [(from, to), (to, from)] {
            if activity.is_activity() && !record.is_activity() {
                self.note_activity(record, id, activity, activity_id);
            }
        }
        self.count_both(from, to);
    }

    /// Ends an association; nothing happens when there is none.
    pub(in crate::portal) fn unlink(&mut self, from: (ObjectType, u64), to: (ObjectType, u64)) {
        if self.truth.unlink(from, to) {
            self.index.generation += 1;
            self.name_company(from, to);
            self.count_both(from, to);
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
            let count: u64 = record.get("num_notes").and_then(|text| text.parse().ok()).unwrap_or(0);
            record.calculate("num_notes", (count + 1).to_string());
            record.calculate(object.modified_property(), iso(now));
        });
    }

    /// A contact carries the id of its primary company; a new one moves the contact's modified date.
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
        self.recount(ObjectType::Contacts, contact, "associatedcompanyid", company);
    }

    fn count_both(&mut self, one: (ObjectType, u64), two: (ObjectType, u64)) {
        self.count(one.0, one.1, two.0);
        self.count(two.0, two.1, one.0);
    }

    /// Counts the associated records of another type anew, where HubSpot has a property for it.
    pub(super) fn count(&mut self, object: ObjectType, id: u64, of: ObjectType) {
        if let Some(name) = counter(object, of) {
            let count = self.truth.links(object, id, of).len();
            self.recount(object, id, name, count.to_string());
        }
    }

    /// Counts anew at everybody whom a record is associated with: it has gone, or has come back.
    pub(super) fn count_around(&mut self, object: ObjectType, id: u64) {
        for around in ObjectType::ALL {
            if counter(around, object).is_some() {
                for other in self.truth.links(object, id, around).into_keys() {
                    self.count(around, other, object);
                }
            }
        }
    }

    /// A calculated value moves, and with it the modified date; nothing happens when it stays as it is.
    fn recount(&mut self, object: ObjectType, id: u64, name: &'static str, value: String) {
        let known = self
            .truth
            .row(object, id)
            .and_then(|row| Some(row.get(name)?.into_owned()));
        if known.unwrap_or_default() == value {
            return;
        }
        let now = self.clock.now();
        self.change(object, id, |record, _| {
            record.calculate(name, value);
            record.calculate(object.modified_property(), iso(now));
        });
    }
}

/// The property in which a record of one type counts its associated records of another.
fn counter(object: ObjectType, of: ObjectType) -> Option<&'static str> {
    match (object, of) {
        (ObjectType::Deals | ObjectType::Companies, ObjectType::Contacts) => Some("num_associated_contacts"),
        (ObjectType::Companies | ObjectType::Contacts, ObjectType::Deals) => Some("num_associated_deals"),
        _ => None,
    }
}
