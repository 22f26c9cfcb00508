//! Contacts: listed page by page by the store, with the segments and lists each is in, and forgotten on request.

use jiff::Timestamp;

use super::{
    extent::{self, Wished},
    handle::Handle,
    pull, segments,
    words::Words,
};
use crate::{
    domain::{
        Contact, ContactDetail, Event, Fault, FaultKind, List, ObjectType, Page, Properties, Record, RecordRef, safe,
    },
    filter::{ContactRow, Expr},
    store::{Lock, MirrorView, Query, Reader, Sort, SortKey},
};

/// What contacts are sorted by; unset values are last, ties go by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContactSort {
    /// By id, as a number where it is one.
    #[default]
    Id,
    /// By first and last name, else the e-mail.
    Name,
    /// By e-mail.
    Email,
    /// By company text.
    Company,
    /// By lifecycle stage.
    Lifecycle,
    /// By owner.
    Owner,
    /// By creation.
    Created,
    /// By last change.
    Updated,
    /// By last activity.
    Activity,
}

impl ContactSort {
    const fn key(self) -> SortKey {
        match self {
            Self::Id => SortKey::Id,
            Self::Name => SortKey::Name,
            Self::Email => SortKey::Email,
            Self::Company => SortKey::Company,
            Self::Lifecycle => SortKey::Lifecycle,
            Self::Owner => SortKey::Owner,
            Self::Created => SortKey::Created,
            Self::Updated => SortKey::Updated,
            Self::Activity => SortKey::Activity,
        }
    }
}

/// Which contacts, in which order, which part of them.
#[derive(Clone, Debug, Default)]
pub struct ContactQuery {
    /// What they must match.
    pub filter: Option<Expr>,
    /// In which order, smallest first.
    pub sort: ContactSort,
    /// Largest first.
    pub descending: bool,
    /// At most so many; 0 = all.
    pub limit: usize,
    /// Rows to skip.
    pub offset: usize,
    /// `next_after` of the page before, in the same order.
    pub after: Option<String>,
    /// Leave out how many match in all.
    pub uncounted: bool,
}

impl Handle {
    /// A page of contacts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_contacts(&self, query: ContactQuery) -> Result<Page<Contact>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let wished = self.core.wished.clone();
        self.core
            .desk
            .read(move |reader| {
                let words = Words::read(&reader.mirror, &settings, ObjectType::Contacts, now)?;
                let page = page(reader, &words, &wished, query)?;
                Ok(Page {
                    rows: page.rows.iter().map(Contact::from_record).collect(),
                    total: page.total,
                    next_after: page.next_after,
                })
            })
            .await
    }

    /// A page of contacts with everything that is known about them. However long it takes, no screen waits for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_contact_details(&self, query: ContactQuery) -> Result<Page<ContactDetail>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let wished = self.core.wished.clone();
        self.core
            .desk
            .count(move |reader| {
                let words = Words::read(&reader.mirror, &settings, ObjectType::Contacts, now)?;
                let page = page(reader, &words, &wished, query)?;
                Ok(Page {
                    rows: details(&reader.mirror, &words, &wished, &page.rows)?,
                    total: page.total,
                    next_after: page.next_after,
                })
            })
            .await
    }

    /// Refuses properties of a type that the mirror does not have: they would look as if nobody had a value.
    ///
    /// # Errors
    /// A fault of kind usage for a property that is not read, of kind refused for one that was not read of all records yet;
    /// when the store cannot be read.
    pub async fn check_properties(&self, object: ObjectType, names: &[String]) -> Result<(), Fault> {
        let (wished, names) = (self.core.wished.clone(), names.to_vec());
        self.core
            .desk
            .read(move |reader| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                extent::check(&reader.mirror, &wished, object, &names)
            })
            .await
    }

    /// The live contacts with this id or this e-mail address, which several may have.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find_contacts(&self, id_or_email: &str) -> Result<Vec<ContactDetail>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        let (wanted, wished) = (id_or_email.trim().to_owned(), self.core.wished.clone());
        self.core
            .desk
            .read(move |reader| {
                let mirror = &reader.mirror;
                let records: Vec<Record> = if wanted.contains('@') {
                    mirror.contacts_by_email(&wanted)?
                } else {
                    let found = mirror.record(&RecordRef::new(ObjectType::Contacts, wanted.as_str()))?;
                    found.into_iter().filter(|record| !record.archived).collect()
                };
                let words = Words::read(mirror, &settings, ObjectType::Contacts, now)?;
                details(mirror, &words, &wished, &records)
            })
            .await
    }

    /// HubSpot's lists of contacts, each with how many of its members are known here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lists(&self) -> Result<Vec<(List, u64)>, Fault> {
        self.core
            .desk
            .read(|reader| {
                let lists = reader.mirror.lists()?.into_iter();
                lists
                    .map(|list| {
                        let (members, _) = reader.mirror.member_count(&list.id)?;
                        Ok((list, members))
                    })
                    .collect()
            })
            .await
    }

    /// How many contacts the mirror has.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn contact_count(&self) -> Result<u64, Fault> {
        self.core
            .desk
            .read(|reader| Ok(reader.mirror.count(ObjectType::Contacts)?))
            .await
    }

    /// Whether all records of a type were read at least once.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn has_all(&self, object: ObjectType) -> Result<bool, Fault> {
        self.core
            .desk
            .read(move |reader| Ok(reader.mirror.cursor(&pull::since(object))?.is_some()))
            .await
    }

    /// Forgets the contacts and lists of the mirror; HubSpot and what waits to be sent are left alone. Answers how many
    /// contacts there were; the next sync reads them again.
    ///
    /// # Errors
    /// A fault of kind busy while another process syncs; when the store cannot be written.
    pub async fn clear_contacts(&self) -> Result<u64, Fault> {
        let core = &self.core;
        // Who reads contacts just now would go on in the middle.
        let Some(_lock) = Lock::try_take(&core.dir)? else {
            return Err(busy());
        };
        let cleared = core.desk.write(|store| Ok(store.mirror.clear_contacts()?)).await?;
        segments::recount(core).await?;
        core.tell(Event::SegmentsChanged);
        Ok(cleared)
    }
}

/// Another process has the lock.
pub fn busy() -> Fault {
    Fault::new(
        FaultKind::Busy,
        "another dealdeck is syncing this store",
        "wait until it is done, or close it",
    )
}

/// The list with this id, else with this name, else the only one whose name begins so.
pub fn find_list<'a>(lists: &'a [List], text: &str) -> Result<&'a List, Fault> {
    let wanted = text.trim().to_lowercase();
    let named = |hit: &dyn Fn(&str) -> bool| -> Vec<&'a List> {
        lists.iter().filter(|list| hit(&list.name.to_lowercase())).collect()
    };
    if let Some(list) = lists.iter().find(|list| list.id.as_str() == wanted) {
        return Ok(list);
    }
    let mut hits = named(&|name| name == wanted);
    if hits.is_empty() {
        hits = named(&|name| name.starts_with(&wanted));
    }
    match hits.as_slice() {
        [list] => Ok(list),
        [] => Err(no_list(lists, &wanted, text)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|list| format!("'{}' ({})", safe(&list.name), list.id))
                .collect();
            Err(Fault::new(
                FaultKind::Usage,
                format!("'{text}' could be several lists"),
                format!("use the id of one of: {}", names.join(", ")),
            ))
        }
    }
}

fn no_list(lists: &[List], wanted: &str, text: &str) -> Fault {
    let likeness = |list: &List| strsim::jaro_winkler(wanted, &list.name.to_lowercase());
    let best = lists.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let next = best.map_or_else(
        || "HubSpot's lists are read by 'dealdeck sync'; none are here".to_owned(),
        |list| format!("the nearest one is '{}' ({})", safe(&list.name), list.id),
    );
    Fault::new(FaultKind::Usage, format!("there is no list '{text}'"), next)
}

/// Records of a page, filtered and sorted by the store.
fn page(reader: &Reader, words: &Words, wished: &Wished, query: ContactQuery) -> Result<Page<Record>, Fault> {
    if let Some(filter) = &query.filter {
        extent::check(&reader.mirror, wished, ObjectType::Contacts, &filter.properties())?;
        words.check(filter)?;
    }
    let query = Query {
        plan: query.filter.map(|expr| expr.plan(&words.context())),
        sort: Sort {
            key: query.sort.key(),
            descending: query.descending,
        },
        limit: if query.limit == 0 { usize::MAX >> 1 } else { query.limit },
        offset: query.offset,
        after: query.after,
        uncounted: query.uncounted,
    };
    Ok(reader.mirror.page(ObjectType::Contacts, &query)?)
}

fn details(
    mirror: &MirrorView,
    words: &Words,
    wished: &Wished,
    records: &[Record],
) -> Result<Vec<ContactDetail>, Fault> {
    // What is not read any more is not true any more.
    let asked = pull::asked_of(ObjectType::Contacts, wished);
    let is_asked = |(name, _): &(&String, &Option<String>)| asked.contains(name);
    let read = |all: &Properties| -> Properties {
        let read = all.iter().filter(is_asked);
        read.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let context = words.context();
    let looked: Option<Timestamp> = mirror.cursor(pull::LOOKED)?.and_then(|text| text.parse().ok());
    let detail = |record: &Record| {
        let contact = Contact::from_record(record);
        let lists = mirror.lists_of(&record.id)?;
        let ids: Vec<&str> = lists.iter().map(|membership| membership.list.as_str()).collect();
        let row = ContactRow {
            contact: &contact,
            properties: Some(&record.properties),
            lists: &ids,
        };
        Ok(ContactDetail {
            segments: words
                .known_segments()
                .filter(|(_, plan)| plan.matches(&row, &context))
                .map(|(name, _)| name.clone())
                .collect(),
            lists: lists.iter().map(|membership| membership.list.clone()).collect(),
            properties: read(&record.properties),
            synced_at: looked.map_or(contact.updated, |looked| looked.max(contact.updated)),
            contact,
        })
    };
    records.iter().map(detail).collect()
}
