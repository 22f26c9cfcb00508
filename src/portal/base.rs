//! The generated account: every record is a pure function of the seed, its type and its index, so that a million contacts
//! cost nothing until somebody looks at one. Knows nothing of edits; those lie over it in `truth`.

use std::sync::OnceLock;

use super::clock::DAY;
use super::kinds::ObjectType::{self, Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
use super::names;
use super::pipelines::{Owner, Pipeline};
use super::record::{Actor, Change, Name, Record};

mod deal;
mod kept;
mod order;
mod timeline;
mod values;

pub(super) use deal::DealFacts;

/// How many of everything, and whom they belong to.
pub(super) struct Base {
    seed: u64,
    contacts: u32,
    companies: u32,
    deals: u32,
    tickets: u32,
    /// Unix milliseconds at the opening: all dates lie around it.
    opened: i64,
    /// Live owners, the token's user first.
    owners: Vec<(String, u64)>,
    pipelines: Vec<Pipeline>,
    /// (contact, deal) and (company, deal), sorted; made when first asked for.
    by_contact: OnceLock<Vec<(u32, u32)>>,
    by_company: OnceLock<Vec<(u32, u32)>>,
    /// Per object type; see `order`.
    by_modified: [OnceLock<Vec<u32>>; ObjectType::ALL.len()],
}

/// Sizes of a generated account.
pub(super) struct Sizes {
    pub contacts: u32,
    pub companies: u32,
    pub deals: u32,
    pub tickets: u32,
}

/// At most this many activities of a kind per deal; their indexes are `deal * PER_DEAL + n`. Tasks have the deal's own index.
const PER_DEAL: u32 = 4;

impl Base {
    pub(super) fn new(seed: u64, sizes: &Sizes, opened: i64, owners: &[Owner], pipelines: &[Pipeline]) -> Self {
        let live = owners.iter().filter(|owner| !owner.archived);
        Self {
            seed,
            contacts: sizes.contacts,
            companies: sizes.companies,
            deals: sizes.deals,
            tickets: sizes.tickets,
            opened,
            owners: live
                .map(|owner| (owner.id.clone(), owner.user_id.unwrap_or_default()))
                .collect(),
            pipelines: pipelines.to_vec(),
            by_contact: OnceLock::new(),
            by_company: OnceLock::new(),
            by_modified: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// Indexes run from 0 to this; not every index of an activity holds a record.
    pub(super) fn span(&self, object: ObjectType) -> u32 {
        match object {
            Contacts => self.contacts,
            Companies => self.companies,
            Deals | Tasks => self.deals,
            Tickets => self.tickets,
            Notes | Calls | Emails | Meetings => self.deals.saturating_mul(PER_DEAL),
        }
    }

    pub(super) fn exists(&self, object: ObjectType, index: u32) -> bool {
        index < self.span(object)
            && match object {
                Notes | Calls | Emails | Meetings => index % PER_DEAL < self.activity_count(object, index / PER_DEAL),
                Tasks => self.has_task(index),
                _ => true,
            }
    }

    /// The record id of an index: ascending, with gaps, never starting at 1.
    pub(super) fn id(&self, object: ObjectType, index: u32) -> u64 {
        first_id(object) + u64::from(index) * 8 + self.hash(object, index, 0) % 8
    }

    /// The index of a record id, if that record exists.
    pub(super) fn index(&self, object: ObjectType, id: u64) -> Option<u32> {
        let index = u32::try_from(id.checked_sub(first_id(object))? / 8).ok()?;
        (self.exists(object, index) && self.id(object, index) == id).then_some(index)
    }

    /// The first index whose id may be `id` or more.
    pub(super) fn index_from(&self, object: ObjectType, id: u64) -> u32 {
        let index = u32::try_from(id.saturating_sub(first_id(object)) / 8).unwrap_or(u32::MAX);
        let index = index.min(self.span(object));
        if index < self.span(object) && self.id(object, index) < id {
            index + 1
        } else {
            index
        }
    }

    /// The whole record, without its history.
    pub(super) fn record(&self, object: ObjectType, index: u32) -> Record {
        let value = |name: &&'static str| Some((Name::Borrowed(*name), self.value(object, index, name)?));
        let mut properties: std::collections::BTreeMap<_, _> = kept::names(object).iter().filter_map(value).collect();
        if object == Deals {
            properties.extend(self.stage_dates(index));
        }
        Record {
            base: Some(index),
            properties,
            ..Record::default()
        }
    }

    /// What the generated record tells of a property's past, newest first.
    pub(super) fn history(&self, object: ObjectType, index: u32, name: &str) -> Vec<Change> {
        if object == Deals
            && let Some(history) = self.deal_history(index, name)
        {
            return history;
        }
        let Some(value) = self.value(object, index, name) else {
            return Vec::new();
        };
        let creator = self
            .value(object, index, "hs_created_by_user_id")
            .and_then(|user| user.parse().ok());
        let by = Actor::person(creator);
        vec![Change {
            value,
            at: self.created(object, index),
            by,
        }]
    }

    /// Unix milliseconds of the creation.
    pub(super) fn created(&self, object: ObjectType, index: u32) -> i64 {
        match object {
            Deals => self.deal(index).created,
            Notes | Calls | Emails | Meetings => self.activity_at(object, index),
            Contacts => self.modified(object, index) - (self.share(object, index, 11) * 300.0 * DAY as f64) as i64,
            Tasks => self.deal(index).entered_current,
            _ => self.modified(object, index) - (self.share(object, index, 11) * 400.0 * DAY as f64) as i64,
        }
    }

    /// Unix milliseconds of the last change.
    pub(super) fn modified(&self, object: ObjectType, index: u32) -> i64 {
        match object {
            Deals => self.deal(index).modified,
            _ if object.is_activity() => self.created(object, index),
            Tickets => self.ago(object, index, 12, 20.0),
            _ => self.ago(object, index, 12, 200.0),
        }
    }

    /// The instant up to `days` ago drawn from this salt.
    fn ago(&self, object: ObjectType, index: u32, salt: u64, days: f64) -> i64 {
        self.opened - (self.share(object, index, salt) * days * DAY as f64) as i64
    }

    // -- who belongs to whom ---------------------------------------------------------------------------------------

    /// Indexes of the records of type `to` that the generated record is associated with; a primary company comes first.
    pub(super) fn neighbours(&self, object: ObjectType, index: u32, to: ObjectType) -> Vec<u32> {
        match (object, to) {
            (Contacts, Companies) => self.company_of(index).into_iter().collect(),
            (Companies, Contacts) => self.contacts_of(index).collect(),
            (Deals, Companies) => self.deal_company(index).into_iter().collect(),
            (Companies, Deals) => deals_of(self.by_company(), index).collect(),
            (Deals, Contacts) => self.deal_contacts(index),
            (Contacts, Deals) => deals_of(self.by_contact(), index).collect(),
            (Deals, Notes | Calls | Emails | Meetings) => (0..self.activity_count(to, index))
                .map(|n| index * PER_DEAL + n)
                .collect(),
            (Notes | Calls | Emails | Meetings, Deals) => vec![index / PER_DEAL],
            (Notes | Calls | Emails | Meetings, Contacts) => {
                self.deal_contacts(index / PER_DEAL).into_iter().take(1).collect()
            }
            (Contacts, Notes | Calls | Emails | Meetings) => {
                let deals = self.led_by(index);
                deals.flat_map(|deal| self.neighbours(Deals, deal, to)).collect()
            }
            (Deals, Tasks) | (Tasks, Deals) => self.has_task(index).then_some(index).into_iter().collect(),
            (Tickets, Contacts) => self.ticket_contact(index).into_iter().collect(),
            (Contacts, Tickets) => (0..self.tickets)
                .filter(|t| self.ticket_contact(*t) == Some(index))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn company_of(&self, contact: u32) -> Option<u32> {
        let works = self.companies > 0 && !self.hash(Contacts, contact, 1).is_multiple_of(5);
        works.then(|| contact % self.companies)
    }

    fn contacts_of(&self, company: u32) -> impl Iterator<Item = u32> {
        let step = usize::try_from(self.companies.max(1)).unwrap_or(1);
        (company..self.contacts)
            .step_by(step)
            .filter(move |contact| self.company_of(*contact) == Some(company))
    }

    fn deal_company(&self, deal: u32) -> Option<u32> {
        let size = u64::from(self.companies);
        (size > 0).then(|| (self.hash(Deals, deal, 1) % size) as u32)
    }

    /// One to three people of the deal's company; one deal in twenty has nobody yet.
    fn deal_contacts(&self, deal: u32) -> Vec<u32> {
        let Some(company) = self.deal_company(deal) else {
            return Vec::new();
        };
        if self.hash(Deals, deal, 2).is_multiple_of(20) {
            return Vec::new();
        }
        let per_company = (self.contacts / self.companies).max(1);
        let start = (self.hash(Deals, deal, 3) % u64::from(per_company)) as u32;
        let wanted = 1 + (self.hash(Deals, deal, 4) % 3) as usize;
        let seats = (0..per_company.min(8)).map(|n| company + (start + n) % per_company * self.companies);
        seats
            .filter(|c| *c < self.contacts && self.company_of(*c) == Some(company))
            .take(wanted)
            .collect()
    }

    /// The deals of a contact whose first contact it is: their activities are its own, too.
    fn led_by(&self, contact: u32) -> impl Iterator<Item = u32> {
        let deals = deals_of(self.by_contact(), contact);
        deals.filter(move |deal| self.deal_contacts(*deal).first() == Some(&contact))
    }

    fn by_contact(&self) -> &[(u32, u32)] {
        self.by_contact.get_or_init(|| {
            let mut pairs: Vec<_> = (0..self.deals)
                .flat_map(|deal| self.deal_contacts(deal).into_iter().map(move |c| (c, deal)))
                .collect();
            pairs.sort_unstable();
            pairs
        })
    }

    fn by_company(&self) -> &[(u32, u32)] {
        self.by_company.get_or_init(|| {
            let mut pairs: Vec<_> = (0..self.deals)
                .filter_map(|deal| Some((self.deal_company(deal)?, deal)))
                .collect();
            pairs.sort_unstable();
            pairs
        })
    }

    fn ticket_contact(&self, ticket: u32) -> Option<u32> {
        let size = u64::from(self.contacts);
        (size > 0).then(|| (self.hash(Tickets, ticket, 1) % size) as u32)
    }

    /// The owner's id and user id; a quarter of everything belongs to the token's user, a few records to nobody.
    fn owner(&self, object: ObjectType, index: u32) -> Option<&(String, u64)> {
        let draw = self.hash(object, index, 8);
        match draw % 100 {
            0..=3 => None,
            4..=27 => self.owners.first(),
            _ => self.owners.get((draw / 100 % self.owners.len().max(1) as u64) as usize),
        }
    }

    fn company_name(&self, company: u32) -> String {
        let index = company as usize;
        if let Some(name) = names::COMPANIES.get(index) {
            return (*name).to_owned();
        }
        let noun = names::NOUNS[(index / names::ADJECTIVES.len() + index) % names::NOUNS.len()];
        let round = index / (names::ADJECTIVES.len() * names::NOUNS.len());
        let town = if round == 0 {
            String::new()
        } else {
            format!(" of {}", names::CITIES[round % names::CITIES.len()].0)
        };
        match self.hash(Companies, company, 1) % 40 {
            0 => format!("Chainge {noun}{town}"),
            1 => format!("月光{}株式会社", company),
            _ => format!("{} {noun}{town}", names::ADJECTIVES[index % names::ADJECTIVES.len()]),
        }
    }

    fn company_domain(&self, company: u32) -> String {
        let slug = names::slug(&self.company_name(company));
        let slug = if slug.is_empty() { "moonlight".to_owned() } else { slug };
        if (company as usize) < names::COMPANIES.len() {
            format!("{slug}.example")
        } else {
            format!("{slug}-{company}.example")
        }
    }

    // -- chance ----------------------------------------------------------------------------------------------------

    /// Sixty-four bits that depend on nothing but the seed and the arguments (SplitMix64's finisher).
    fn hash(&self, object: ObjectType, index: u32, salt: u64) -> u64 {
        let place = (u64::from(index) << 12) ^ (salt << 4) ^ object as u64;
        mix(mix(self.seed ^ 0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The same as a share, 0.0 up to but not 1.0.
    fn share(&self, object: ObjectType, index: u32, salt: u64) -> f64 {
        (self.hash(object, index, salt) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick<T: Copy>(&self, list: &[T], object: ObjectType, index: u32, salt: u64) -> T {
        list[(self.hash(object, index, salt) % list.len() as u64) as usize]
    }
}

/// The deals paired with this record, ascending.
fn deals_of(pairs: &[(u32, u32)], index: u32) -> impl Iterator<Item = u32> {
    let from = pairs.partition_point(|pair| pair.0 < index);
    let own = pairs[from..].iter().take_while(move |pair| pair.0 == index);
    own.map(|pair| pair.1)
}

/// Where the ids of a type begin: eleven digits each, so that text order and number order agree.
fn first_id(object: ObjectType) -> u64 {
    20_000_000_000 + object as u64 * 7_000_000_000
}

/// The first id that no generated record can have.
pub(super) fn beyond(object: ObjectType, span: u32) -> u64 {
    first_id(object) + u64::from(span) * 8 + 8
}

/// SplitMix64's output function.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
