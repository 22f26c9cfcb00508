//! Contacts of one's own, for the faces: kept, looked at, decided about. What is meant is made sure of before anything is
//! kept; nothing is sent here.

use super::{contact_queue::pushing, contacts::find_list, handle::Handle, pull, submit::may_change, words::Words};
use crate::{
    domain::{
        Behind, Contact, DealId, Fault, FaultKind, FieldMap, ImportCount, Lane, LocalContact, NewContact, ObjectType,
        OpId, OpState, PushDecision, Record, RecordRef,
    },
    filter::{ContactRow, Expr},
    hubspot::Quota,
    store::{MirrorView, Pushing, Reader},
};

/// How many contacts one transaction keeps.
const PART: usize = 500;

/// What was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// In numbers.
    pub count: ImportCount,
    /// Their numbers here.
    pub numbers: Vec<u64>,
}

/// A contact that somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is here.
    Here(Box<LocalContact>),
    /// HubSpot has it; here it is not yet.
    Mirrored(NewContact),
}

impl Handle {
    /// What the columns of a contact list mean in this account.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn field_map(&self) -> Result<FieldMap, Fault> {
        let own = self.core.settings.push.map.clone();
        Ok(FieldMap::new(&own, self.definitions(ObjectType::Contacts).await?))
    }

    /// What keeping these contacts would come to; with `anyway` also of those that HubSpot has already.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn plan_contacts(&self, contacts: Vec<NewContact>, anyway: bool) -> Result<ImportCount, Fault> {
        let (settings, now) = (self.core.settings.push.clone(), self.core.now());
        self.core
            .desk
            .keep(move |store| {
                let how = Pushing {
                    anyway,
                    ..pushing(&store.mirror, &settings, now)?
                };
                Ok(store.outbox.plan_contacts(&contacts, &how, now)?)
            })
            .await
    }

    /// Keeps contacts and queues their pushes, 500 in one go; `progress` hears how many are kept. With `anyway` also those
    /// HubSpot has already.
    ///
    /// # Errors
    /// In a session that only looks; when something is to follow and the account is not known yet; when the store cannot
    /// keep them: what was kept before stays.
    pub async fn keep_contacts(
        &self,
        contacts: Vec<NewContact>,
        anyway: bool,
        behind: Vec<Behind>,
        progress: impl Fn(u64),
    ) -> Result<Pushed, Fault> {
        may_change(&self.core.settings)?;
        let mut kept = Pushed::default();
        for part in contacts.chunks(PART) {
            let (part, behind) = (part.to_vec(), behind.clone());
            let (settings, now) = (self.core.settings.push.clone(), self.core.now());
            let done = self
                .core
                .desk
                .keep(move |store| {
                    let how = Pushing {
                        anyway,
                        behind,
                        ..pushing(&store.mirror, &settings, now)?
                    };
                    if how.account.is_none() && !how.behind.is_empty() {
                        return Err(no_account_yet());
                    }
                    Ok(store.outbox.keep_contacts(&part, &how, now)?)
                })
                .await?;
            kept.count.add(done.count);
            kept.numbers.extend(done.numbers);
            self.core.push_bell.notify_one();
            self.core.queue_bell.notify_one();
            progress(u64::try_from(kept.numbers.len()).unwrap_or(u64::MAX));
        }
        Ok(kept)
    }

    /// Every contact of one's own, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn local_contacts(&self) -> Result<Vec<LocalContact>, Fault> {
        self.core.desk.read(|reader| Ok(reader.outbox.contacts()?)).await
    }

    /// What is under way for these contacts, and else the newest push of each, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn operations_of_contacts(&self, emails: &[&str]) -> Result<Vec<OpId>, Fault> {
        let emails: Vec<String> = emails.iter().map(|email| (*email).to_owned()).collect();
        self.core
            .desk
            .read(move |reader| {
                let mut ops = Vec::new();
                for email in emails {
                    let pending = reader.outbox.pending_of(&RecordRef::by_email(&email))?;
                    let newest = reader.outbox.contact_of(&email)?.and_then(|row| row.operation);
                    let newest = newest.map(|operation| operation.id);
                    ops.extend(newest.filter(|id| pending.iter().all(|op| op.id != *id)));
                    ops.extend(pending.iter().map(|op| op.id));
                }
                Ok(ops)
            })
            .await
    }

    /// The property that every push sets to the day it was made on.
    #[must_use]
    pub fn sync_date(&self) -> Option<&str> {
        self.core.settings.push.sync_date.as_deref()
    }

    /// How many of these contacts are where.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn contact_states(&self, numbers: &[u64]) -> Result<Vec<(PushDecision, Option<OpState>, u64)>, Fault> {
        let numbers = numbers.to_vec();
        self.core
            .desk
            .read(move |reader| Ok(reader.outbox.contact_states(&numbers)?))
            .await
    }

    /// The contact somebody means: by its id here, its e-mail address or HubSpot's id.
    ///
    /// # Errors
    /// When there is none, or one without an e-mail address; when the store cannot be read.
    pub async fn find_local_contact(&self, text: &str) -> Result<Wanted, Fault> {
        let text = text.trim().to_owned();
        self.core.desk.read(move |reader| find(reader, &text)).await
    }

    /// The contacts of one's own that match a filter: by their values here, and by the lists HubSpot has them in.
    ///
    /// # Errors
    /// When the filter asks for what nobody knows; when the store cannot be read.
    pub async fn matching_local_contacts(&self, filter: Expr) -> Result<Vec<LocalContact>, Fault> {
        let (settings, now) = (self.core.settings.clone(), self.core.now());
        self.core
            .desk
            .count(move |reader| {
                let words = Words::read(&reader.mirror, &settings, ObjectType::Contacts, now)?;
                words.check(&filter)?;
                let context = words.context();
                let plan = filter.plan(&context);
                let mut matching = Vec::new();
                for row in reader.outbox.contacts()? {
                    let record = record(&row);
                    let lists = match &row.hubspot_id {
                        Some(id) => reader.mirror.lists_of(id)?,
                        None => Vec::new(),
                    };
                    let lists: Vec<&str> = lists.iter().map(|membership| membership.list.as_str()).collect();
                    let contact = Contact::from_record(&record);
                    let shown = ContactRow {
                        contact: &contact,
                        properties: Some(&record.properties),
                        lists: &lists,
                    };
                    if plan.matches(&shown, &context) {
                        matching.push(row);
                    }
                }
                Ok(matching)
            })
            .await
    }

    /// What a person decided about contacts, other than to push them now.
    ///
    /// # Errors
    /// In a session that only looks; when the store cannot keep it.
    pub async fn decide_contacts(&self, numbers: Vec<u64>, decision: PushDecision) -> Result<(), Fault> {
        may_change(&self.core.settings)?;
        let now = self.core.now();
        self.core
            .desk
            .keep(move |store| Ok(store.outbox.decide_contacts(&numbers, decision, now)?))
            .await?;
        self.core.push_bell.notify_one();
        Ok(())
    }

    /// Forgets what became of contacts; answers of how many. Those HubSpot may be hearing of right now stay.
    ///
    /// # Errors
    /// In a session that only looks; when the store cannot keep it.
    pub async fn reset_contacts(&self, numbers: Vec<u64>) -> Result<u64, Fault> {
        may_change(&self.core.settings)?;
        let now = self.core.now();
        self.core
            .desk
            .keep(move |store| Ok(store.outbox.reset_contacts(&numbers, now)?))
            .await
    }

    /// What is to happen behind a push: links to the company with this domain and to deals, places on static lists.
    ///
    /// # Errors
    /// When one of them is not known, or a list fills itself.
    pub async fn behind(
        &self,
        company: Option<&str>,
        deals: &[DealId],
        add: &[String],
        remove: &[String],
    ) -> Result<Vec<Behind>, Fault> {
        let mut behind = Vec::new();
        if let Some(domain) = company {
            let domain = domain.to_owned();
            let company = self
                .core
                .desk
                .count(move |reader| company_of(&reader.mirror, &domain))
                .await?;
            behind.push(Behind::Link(company));
        }
        for deal in deals {
            let deal = RecordRef::new(ObjectType::Deals, deal.as_str());
            let wanted = deal.clone();
            let known = self
                .core
                .desk
                .read(move |reader| Ok(reader.mirror.record(&wanted)?))
                .await?;
            if known.is_none_or(|known| known.archived) {
                return Err(super::core::unknown_record(deal.object, &deal.id));
            }
            behind.push(Behind::Link(deal));
        }
        if !add.is_empty() || !remove.is_empty() {
            let lists: Vec<_> = self.lists().await?.into_iter().map(|(list, _)| list).collect();
            let named = add.iter().map(|name| (name, true));
            for (name, member) in named.chain(remove.iter().map(|name| (name, false))) {
                let list = find_list(&lists, name)?;
                if list.kind.is_some_and(|kind| !kind.takes_members()) {
                    return Err(Fault::new(
                        FaultKind::Refused,
                        format!("the list '{}' is dynamic: its filters decide who is on it", list.name),
                        "choose a static list, or change the contact so that the filters pick it",
                    ));
                }
                behind.push(Behind::List(list.id.clone(), member));
            }
        }
        Ok(behind)
    }

    /// Makes the properties of the configuration that HubSpot does not have, and reads the definitions again. Answers
    /// their names.
    ///
    /// # Errors
    /// When HubSpot refuses, or there is one by that name that holds something else.
    pub async fn create_properties(&self) -> Result<Vec<String>, Fault> {
        may_change(&self.core.settings)?;
        // A token may be another account's since the last look.
        self.check().await?;
        let core = &self.core;
        let wanted = &core.settings.push.properties;
        let contacts = ObjectType::Contacts;
        let known = core
            .client
            .definitions(Lane::Read, contacts)
            .await
            .map_err(|failure| failure.fault())?;
        let mut made = Vec::new();
        for property in wanted {
            let (kind, _) = property.kind.names();
            if known
                .iter()
                .any(|known| known.name == property.name && known.kind == kind)
            {
                continue;
            }
            if property.group != "contactinformation" {
                let permit = core.client.permit(Lane::Write, Quota::Burst).await;
                core.client
                    .ensure_property_group(permit, contacts, &property.group, &property.group)
                    .await
                    .map_err(|failure| failure.fault())?;
            }
            let permit = core.client.permit(Lane::Write, Quota::Burst).await;
            core.client
                .ensure_property(permit, contacts, property)
                .await
                .map_err(|failure| failure.fault())?;
            made.push(property.name.clone());
        }
        if !made.is_empty() {
            pull::facts(core, &[contacts], true).await?;
        }
        Ok(made)
    }
}

fn find(reader: &Reader, text: &str) -> Result<Wanted, Fault> {
    let here = |found: LocalContact| Ok(Wanted::Here(Box::new(found)));
    if let Some(n) = LocalContact::number(text) {
        return reader.outbox.contact(n)?.map_or_else(|| Err(nobody(text)), here);
    }
    let mirrored = if text.contains('@') {
        if let Some(found) = reader.outbox.contact_of(text)? {
            return here(found);
        }
        reader.mirror.contacts_by_email(text)?
    } else {
        if let [found] = reader.outbox.contacts_called(text)?.as_slice() {
            return here(found.clone());
        }
        let found = reader.mirror.record(&RecordRef::new(ObjectType::Contacts, text))?;
        found.into_iter().filter(|record| !record.archived).collect()
    };
    let Some(record) = mirrored.first() else {
        return Err(nobody(text));
    };
    let Some(email) = record.get("email") else {
        return Err(Fault::new(
            FaultKind::Usage,
            format!(
                "contact '{}' has no e-mail address, and contacts are pushed by it",
                record.id
            ),
            "give it one in HubSpot, then run 'dealdeck sync'",
        ));
    };
    if let Some(found) = reader.outbox.contact_of(email)? {
        return here(found);
    }
    Ok(Wanted::Mirrored(NewContact {
        email: email.to_owned(),
        hubspot_id: Some(record.id.clone()),
        ..NewContact::default()
    }))
}

fn no_account_yet() -> Fault {
    Fault::new(
        FaultKind::Refused,
        "nobody knows yet which HubSpot account this is, so nothing can be linked or listed there",
        "run 'dealdeck sync', then push again; without --company, --deal and lists the contact waits for the account",
    )
}

fn nobody(text: &str) -> Fault {
    Fault::new(
        FaultKind::Usage,
        format!("there is no contact '{text}' here"),
        "'dealdeck contacts push --status' lists your own; 'dealdeck contacts import FILE.csv' adds some",
    )
}

fn company_of(mirror: &MirrorView, domain: &str) -> Result<RecordRef, Fault> {
    let plain = |text: &str| {
        let text = text.trim().to_lowercase();
        text.strip_prefix("www.").map(str::to_owned).unwrap_or(text)
    };
    let wanted = plain(domain);
    let found: Vec<Record> = mirror
        .all(ObjectType::Companies)?
        .into_iter()
        .filter(|company| !company.archived && company.get("domain").is_some_and(|theirs| plain(theirs) == wanted))
        .collect();
    match found.as_slice() {
        [company] => Ok(company.reference()),
        [] => Err(Fault::new(
            FaultKind::Usage,
            format!("there is no company with the domain '{domain}' here"),
            "check it, or run 'dealdeck sync' if it is new",
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|company| company.id.as_str()).collect();
            Err(Fault::new(
                FaultKind::Usage,
                format!("several companies have the domain '{domain}': {}", ids.join(", ")),
                "merge them in HubSpot, or link the contact there",
            ))
        }
    }
}

/// A contact of one's own as if HubSpot had it.
fn record(row: &LocalContact) -> Record {
    let mut properties = row.values.clone();
    properties.insert("email".to_owned(), Some(row.email.clone()));
    Record {
        object: ObjectType::Contacts,
        id: row.hubspot_id.clone().unwrap_or_else(|| row.id()),
        properties,
        created_at: row.created_at,
        updated_at: row.updated_at,
        archived: false,
        associations: Default::default(),
        history: Default::default(),
    }
}
