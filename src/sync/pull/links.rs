//! Associations. Each pair of types is kept with one of the two, the smaller one where there is a choice: a deal's
//! contacts with the deal, a company's contacts with the company. A search says nothing of associations, so they are read
//! beside it: for a changed record as far as a change of its associations moves the record itself, for a new one all of
//! them, since nobody knows what it was linked to before it came here.

use std::collections::BTreeMap;

use super::{Trouble, allowed};
use crate::{
    domain::{Lane, ObjectType, Record},
    sync::{core::Core, scopes::Need},
};

use ObjectType::{Companies, Contacts, Deals, Tasks, Tickets};

/// The pairs that are kept, the keeping type first.
const PAIRS: [(ObjectType, ObjectType); 9] = [
    (Deals, Contacts),
    (Deals, Companies),
    (Companies, Contacts),
    (Tickets, Contacts),
    (Tickets, Companies),
    (Tickets, Deals),
    (Tasks, Contacts),
    (Tasks, Companies),
    (Tasks, Deals),
];

/// The types whose ids are kept with records of this type.
pub fn kept_with(object: ObjectType) -> Vec<ObjectType> {
    let own = PAIRS.iter().filter(|(from, _)| *from == object);
    own.map(|(_, to)| *to).collect()
}

/// The types with whose records ids of this type are kept.
fn keepers_of(object: ObjectType) -> Vec<ObjectType> {
    let others = PAIRS.iter().filter(|(_, to)| *to == object);
    others.map(|(from, _)| *from).collect()
}

/// Of one record of another type: which records of the page's type it is associated with.
#[derive(Clone, Debug)]
pub struct Told {
    /// The type that keeps the pair.
    pub keeper: ObjectType,
    /// By record of the page: the keeper's records.
    pub links: Vec<(String, Vec<String>)>,
}

/// Reads into the records what they keep themselves.
pub async fn fill(core: &Core, object: ObjectType, records: &mut [Record]) -> Result<(), Trouble> {
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    for to in kept_with(object) {
        if let Some(mut links) = read(core, object, to, &ids).await? {
            for record in &mut *records {
                record
                    .associations
                    .insert(to, links.remove(&record.id).unwrap_or_default());
            }
        }
    }
    Ok(())
}

/// What other types keep of these records. A company that gains a deal changes; of the other pairs only the keeper does.
pub async fn told_by_others(
    core: &Core,
    object: ObjectType,
    changed: &[String],
    new: &[String],
) -> Result<Vec<Told>, Trouble> {
    let mut told = Vec::new();
    for keeper in keepers_of(object) {
        let moves = (keeper, object) == (Deals, Companies);
        let ids: Vec<String> = new.iter().chain(changed.iter().filter(|_| moves)).cloned().collect();
        if let Some(links) = read(core, object, keeper, &ids).await? {
            told.push(Told {
                keeper,
                links: links.into_iter().collect(),
            });
        }
    }
    Ok(told)
}

async fn read(
    core: &Core,
    from: ObjectType,
    to: ObjectType,
    ids: &[String],
) -> Result<Option<BTreeMap<String, Vec<String>>>, Trouble> {
    if ids.is_empty() {
        return Ok(None);
    }
    let links = core.client.associations(Lane::Sync, from, to, ids);
    allowed(core, Need::Read(to), links).await
}
