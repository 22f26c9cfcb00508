//! What is true in the portal right now: the generated account with everything written laid over it. Records, associations
//! and unique values; no rules, no search.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::base::{self, Base};
use super::clock;
use super::kinds::{LinkType, ObjectType, default_type, primary_type};
use super::record::{Actor, Change, Record};

/// The records of one type that a record is associated with, and by which types.
pub(super) type Links = BTreeMap<u64, BTreeSet<LinkType>>;

/// Everything the portal holds.
pub(super) struct Truth {
    /// The generated account; `None` when a fixture took its place.
    base: Option<Base>,
    /// Records that differ from the generated account.
    kept: BTreeMap<(ObjectType, u64), Arc<Record>>,
    /// Associations that differ, one entry per record and type on the other side; both directions are always kept.
    links: HashMap<(ObjectType, u64, ObjectType), Links>,
    /// Unique values (lower case) of kept records.
    unique: HashMap<(ObjectType, String, String), u64>,
    /// Whose they were last: what archived records are found by.
    gone: HashMap<(ObjectType, String, String), u64>,
    next_id: BTreeMap<ObjectType, u64>,
}

/// A record as readers see it, whether or not it was ever made whole.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Generated {
        base: &'a Base,
        object: ObjectType,
        index: u32,
    },
    Kept {
        base: Option<&'a Base>,
        object: ObjectType,
        record: &'a Record,
    },
}

impl<'a> Row<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        match *self {
            Self::Generated { base, object, index } => base.value(object, index, name).map(Cow::Owned),
            Self::Kept { record, .. } => record.get(name).map(Cow::Borrowed),
        }
    }

    /// A date as Unix milliseconds, without a detour where the generated account knows it.
    pub(super) fn instant(&self, name: &str) -> Option<i64> {
        if let Self::Generated { base, object, index } = *self
            && let Some(at) = base.instant(object, index, name)
        {
            return Some(at);
        }
        clock::parse(&self.get(name)?)
    }

    pub(super) fn archived_at(&self) -> Option<i64> {
        match self {
            Self::Generated { .. } => None,
            Self::Kept { record, .. } => record.archived_at,
        }
    }

    /// All set properties.
    pub(super) fn whole(&self) -> Cow<'a, Record> {
        match *self {
            Self::Generated { base, object, index } => Cow::Owned(base.record(object, index)),
            Self::Kept { record, .. } => Cow::Borrowed(record),
        }
    }

    /// Who a value without a recorded past is put down to.
    pub(super) fn creator(&self) -> Actor {
        Actor::person(self.get("hs_created_by_user_id").and_then(|user| user.parse().ok()))
    }

    /// The past of a property, newest first. A value nobody recorded a past for has one entry, from the creation.
    pub(super) fn history(&self, name: &str) -> Vec<Change> {
        let (base, object, index, mut history) = match *self {
            Self::Generated { base, object, index } => (Some(base), object, Some(index), Vec::new()),
            Self::Kept { base, object, record } => (
                base,
                object,
                record.base,
                record.history.get(name).cloned().unwrap_or_default(),
            ),
        };
        if let (Some(base), Some(index)) = (base, index) {
            history.extend(base.history(object, index, name));
        }
        if history.is_empty()
            && let Some(value) = self.get(name)
        {
            let at = self.instant(object.created_property()).unwrap_or_default();
            history.push(Change {
                value: value.into_owned(),
                at,
                by: self.creator(),
            });
        }
        history
    }
}

impl Truth {
    pub(super) fn new(base: Option<Base>) -> Self {
        let span = |object| base.as_ref().map_or(0, |base| base.span(object));
        let next_id = ObjectType::ALL
            .into_iter()
            .map(|object| (object, base::beyond(object, span(object))))
            .collect();
        Self {
            base,
            kept: BTreeMap::new(),
            links: HashMap::new(),
            unique: HashMap::new(),
            gone: HashMap::new(),
            next_id,
        }
    }

    // -- reading ---------------------------------------------------------------------------------------------------

    /// The record of this id, archived ones included; merged ones are gone.
    pub(super) fn row(&self, object: ObjectType, id: u64) -> Option<Row<'_>> {
        if let Some(record) = self.kept.get(&(object, id)) {
            let there = record.merged_into.is_none() && !record.forgotten;
            return there.then(|| self.kept_row(object, record));
        }
        let base = self.base.as_ref()?;
        Some(Row::Generated {
            base,
            object,
            index: base.index(object, id)?,
        })
    }

    /// Whether a record of this id was here and is archived, merged away or forgotten. An id nobody ever had is not gone.
    pub(super) fn is_gone(&self, object: ObjectType, id: u64) -> bool {
        let kept = self.kept.get(&(object, id));
        kept.is_some_and(|record| record.archived_at.is_some() || record.merged_into.is_some() || record.forgotten)
    }

    /// The generated account, where there is one.
    pub(super) fn generated(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// A generated record, as it was before anybody wrote to it.
    pub(super) fn generated_row(base: &Base, object: ObjectType, index: u32) -> Row<'_> {
        Row::Generated { base, object, index }
    }

    /// A record that is not the current one, as search may still show.
    pub(super) fn kept_row<'a>(&'a self, object: ObjectType, record: &'a Record) -> Row<'a> {
        Row::Kept {
            base: self.base.as_ref(),
            object,
            record,
        }
    }

    /// Follows merges to the survivor.
    pub(super) fn resolve(&self, object: ObjectType, id: u64) -> u64 {
        let mut id = id;
        while let Some(next) = self.kept.get(&(object, id)).and_then(|record| record.merged_into) {
            id = next;
        }
        id
    }

    /// A live record, by id or through a merge.
    pub(super) fn live(&self, object: ObjectType, id: u64) -> Option<(u64, Row<'_>)> {
        let id = self.resolve(object, id);
        self.row(object, id)
            .filter(|row| row.archived_at().is_none())
            .map(|row| (id, row))
    }

    /// Ids from `from` on, ascending, archived and merged ones included.
    pub(super) fn ids(&self, object: ObjectType, from: u64) -> impl Iterator<Item = u64> {
        let generated = self.base.iter().flat_map(move |base| {
            let indexes = base.index_from(object, from)..base.span(object);
            indexes
                .filter(move |index| base.exists(object, *index))
                .map(move |index| base.id(object, index))
        });
        let kept = self
            .kept
            .range((object, from)..=(object, u64::MAX))
            .map(|((_, id), _)| *id);
        let (mut generated, mut kept) = (generated.peekable(), kept.peekable());
        std::iter::from_fn(move || match (generated.peek().copied(), kept.peek().copied()) {
            (Some(one), Some(two)) if one == two => {
                kept.next();
                generated.next()
            }
            (Some(one), Some(two)) if two < one => kept.next(),
            (None, _) => kept.next(),
            _ => generated.next(),
        })
    }

    /// Ids of the records that differ from the generated account, ascending, whatever has become of them.
    pub(super) fn kept_ids(&self, object: ObjectType) -> impl Iterator<Item = u64> {
        self.kept
            .range((object, 0)..=(object, u64::MAX))
            .map(|((_, id), _)| *id)
    }

    /// Ids of archived records from `from` on, ascending: generated records never are.
    pub(super) fn archived_ids(&self, object: ObjectType, from: u64) -> impl Iterator<Item = u64> {
        let kept = self.kept.range((object, from)..=(object, u64::MAX));
        kept.filter(|(_, record)| record.archived_at.is_some() && record.merged_into.is_none() && !record.forgotten)
            .map(|((_, id), _)| *id)
    }

    /// A record drawn by number, for colleagues who pick at random: generated ones first, then the others.
    pub(super) fn nth(&self, object: ObjectType, draw: u64) -> Option<u64> {
        let generated = self.base.as_ref().map_or(0, |base| base.span(object)) as usize;
        let kept = self.kept.range((object, 0)..=(object, u64::MAX));
        let place = usize::try_from(draw).ok()? % (generated + kept.clone().count()).max(1);
        match self.base.as_ref().filter(|_| place < generated) {
            Some(base) => Some(base.id(object, place as u32)),
            None => kept.map(|((_, id), _)| *id).nth(place - generated),
        }
    }

    /// The live record whose unique property has this value, case ignored.
    pub(super) fn by_unique(&self, object: ObjectType, name: &str, value: &str) -> Option<u64> {
        let key = (object, name.to_owned(), value.to_lowercase());
        let generated = || {
            let base = self
                .base
                .as_ref()
                .filter(|_| object == ObjectType::Contacts && name == "email")?;
            let id = base.id(object, base.contact_by_email(value)?);
            // Its address may have been changed since.
            (!self.kept.contains_key(&(object, id))).then_some(id)
        };
        let id = self.unique.get(&key).copied().or_else(generated)?;
        self.row(object, id)
            .is_some_and(|row| row.archived_at().is_none())
            .then_some(id)
    }

    /// The archived record whose unique property had this value last. Others may have it by now.
    pub(super) fn archived_by_unique(&self, object: ObjectType, name: &str, value: &str) -> Option<u64> {
        let id = *self.gone.get(&(object, name.to_owned(), value.to_lowercase()))?;
        self.row(object, id)
            .is_some_and(|row| row.archived_at().is_some())
            .then_some(id)
    }

    /// The record as it stands, for those who keep versions.
    pub(super) fn version(&self, object: ObjectType, id: u64) -> Option<Arc<Record>> {
        if let Some(record) = self.kept.get(&(object, id)) {
            return Some(Arc::clone(record));
        }
        let base = self.base.as_ref()?;
        Some(Arc::new(base.record(object, base.index(object, id)?)))
    }

    // -- writing ---------------------------------------------------------------------------------------------------

    /// An id nobody has.
    pub(super) fn fresh_id(&mut self, object: ObjectType) -> u64 {
        let next = self.next_id.entry(object).or_insert(1);
        let id = *next;
        *next += 1;
        id
    }

    /// The record, to be changed; made whole first when it was generated, empty when it is new.
    pub(super) fn edit(&mut self, object: ObjectType, id: u64) -> &mut Record {
        let base = self.base.as_ref();
        let entry = self.kept.entry((object, id)).or_insert_with(|| {
            let generated = base.and_then(|base| Some(base.record(object, base.index(object, id)?)));
            Arc::new(generated.unwrap_or_default())
        });
        let next = self.next_id.entry(object).or_insert(1);
        *next = (*next).max(id + 1);
        Arc::make_mut(entry)
    }

    /// Keeps the register of unique values; an empty text is none.
    pub(super) fn register(&mut self, object: ObjectType, id: u64, name: &str, before: &str, after: &str) {
        let key = |value: &str| (object, name.to_owned(), value.to_lowercase());
        if !before.is_empty() && self.unique.get(&key(before)) == Some(&id) {
            self.unique.remove(&key(before));
            self.gone.insert(key(before), id);
        }
        if !after.is_empty() {
            self.unique.insert(key(after), id);
        }
    }

    // -- associations ----------------------------------------------------------------------------------------------

    /// The associations of a record with records of one type; archived and merged ones are left out.
    pub(super) fn links(&self, object: ObjectType, id: u64, to: ObjectType) -> Links {
        let mut links = self.raw_links(object, id, to);
        links.retain(|other, _| self.row(to, *other).is_some_and(|row| row.archived_at().is_none()));
        links
    }

    fn raw_links(&self, object: ObjectType, id: u64, to: ObjectType) -> Links {
        if let Some(links) = self.links.get(&(object, id, to)) {
            return links.clone();
        }
        let Some(base) = &self.base else { return Links::new() };
        let Some(index) = base.index(object, id) else {
            return Links::new();
        };
        let types: BTreeSet<LinkType> = [default_type(object, to), primary_type(object, to)]
            .into_iter()
            .flatten()
            .collect();
        base.neighbours(object, index, to)
            .into_iter()
            .map(|other| (base.id(to, other), types.clone()))
            .collect()
    }

    fn links_mut(&mut self, object: ObjectType, id: u64, to: ObjectType) -> &mut Links {
        let now = self.raw_links(object, id, to);
        self.links.entry((object, id, to)).or_insert(now)
    }

    /// Associates two records by these types (the unlabelled one is always among them); a first company becomes primary.
    pub(super) fn link(&mut self, from: (ObjectType, u64), to: (ObjectType, u64), types: &[LinkType]) {
        let mut types: BTreeSet<LinkType> = types.iter().copied().chain(default_type(from.0, to.0)).collect();
        if let Some(primary) = primary_type(from.0, to.0) {
            let (person, company) = if to.0 == ObjectType::Companies {
                (from, to)
            } else {
                (to, from)
            };
            let seen_from_person = primary_type(person.0, company.0);
            let has = |links: &BTreeSet<LinkType>| seen_from_person.is_some_and(|primary| links.contains(&primary));
            let companies = self.raw_links(person.0, person.1, company.0);
            let taken = companies
                .iter()
                .find(|(id, links)| **id != company.1 && has(links))
                .map(|(id, _)| *id);
            match taken {
                Some(other) if types.contains(&primary) => self.drop_type(person, (company.0, other), seen_from_person),
                None => _ = types.insert(primary),
                Some(_) => {}
            }
        }
        for link in types {
            self.links_mut(from.0, from.1, to.0)
                .entry(to.1)
                .or_default()
                .insert(link);
            if let Some(back) = link.inverse(from.0, to.0) {
                self.links_mut(to.0, to.1, from.0)
                    .entry(from.1)
                    .or_default()
                    .insert(back);
            }
        }
    }

    /// Takes one type away from an association, in both directions.
    pub(super) fn drop_type(&mut self, from: (ObjectType, u64), to: (ObjectType, u64), link: Option<LinkType>) {
        let Some(link) = link else { return };
        if let Some(types) = self.links_mut(from.0, from.1, to.0).get_mut(&to.1) {
            types.remove(&link);
        }
        if let Some(back) = link.inverse(from.0, to.0)
            && let Some(types) = self.links_mut(to.0, to.1, from.0).get_mut(&from.1)
        {
            types.remove(&back);
        }
    }

    /// Ends an association altogether; true when there was one.
    pub(super) fn unlink(&mut self, from: (ObjectType, u64), to: (ObjectType, u64)) -> bool {
        self.links_mut(to.0, to.1, from.0).remove(&from.1);
        self.links_mut(from.0, from.1, to.0).remove(&to.1).is_some()
    }
}
