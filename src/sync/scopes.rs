//! What the token may do, as far as is known: from its introspection, and from what HubSpot has refused since. What it may
//! not is not asked for: one sentence instead of a refusal at every poll. It refuses to guess: a token whose scopes nobody
//! tells may try everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::{Fault, FaultKind, ObjectType};

/// Something a token needs a scope for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The deals' pipelines.
    Pipelines,
    /// Reading records of a type.
    Read(ObjectType),
    /// Writing records of a type.
    Write(ObjectType),
    /// The owners.
    Owners,
    /// The definitions of a type's properties.
    Definitions(ObjectType),
    /// The lists and who is in them.
    Lists,
    /// The day's gauge.
    Usage,
}

impl Need {
    /// The scopes of which any one is enough, the usual one first (HubSpot's API specification lists alternatives; `contacts` is
    /// what old OAuth apps have for all three types).
    #[must_use]
    pub const fn any_of(self) -> &'static [&'static str] {
        use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
        match self {
            Self::Lists => &["crm.lists.read", "crm.lists.write"],
            Self::Definitions(Contacts) => &[
                "crm.objects.contacts.read",
                "crm.objects.contacts.write",
                "crm.schemas.contacts.read",
                "contacts",
            ],
            Self::Definitions(Companies) => &[
                "crm.objects.companies.read",
                "crm.objects.companies.write",
                "crm.schemas.companies.read",
                "contacts",
            ],
            Self::Definitions(Tickets) => Self::Read(Tickets).any_of(),
            Self::Definitions(Tasks | Notes | Calls | Meetings | Emails) => Self::Read(Tasks).any_of(),
            Self::Pipelines | Self::Definitions(Deals) => &[
                "crm.objects.deals.read",
                "crm.objects.deals.write",
                "crm.schemas.deals.read",
                "contacts",
            ],
            Self::Owners => &["crm.objects.owners.read"],
            Self::Usage => &[
                "crm.objects.deals.read",
                "crm.objects.contacts.read",
                "crm.objects.companies.read",
                "crm.objects.owners.read",
                "crm.objects.tickets.read",
            ],
            Self::Read(Deals) => &["crm.objects.deals.read", "contacts"],
            Self::Write(Deals) => &["crm.objects.deals.write", "contacts"],
            Self::Read(Tasks) => &["crm.objects.contacts.read", "crm.objects.tasks.read", "contacts"],
            Self::Write(Tasks) => &["crm.objects.contacts.write", "crm.objects.tasks.write", "contacts"],
            Self::Read(Contacts | Notes | Calls | Meetings | Emails) => &["crm.objects.contacts.read", "contacts"],
            Self::Write(Contacts | Notes | Calls | Meetings | Emails) => &["crm.objects.contacts.write", "contacts"],
            Self::Read(Companies) => &["crm.objects.companies.read", "contacts"],
            Self::Write(Companies) => &["crm.objects.companies.write", "contacts"],
            Self::Read(Tickets) => &["crm.objects.tickets.read", "tickets"],
            Self::Write(Tickets) => &["crm.objects.tickets.write", "tickets"],
        }
    }

    /// Whether the dashboard misses it: people hear of nothing else there. A pass without a screen names everything.
    #[must_use]
    pub const fn is_essential(self) -> bool {
        use ObjectType::{Tasks, Tickets};
        !matches!(
            self,
            Self::Lists | Self::Read(Tickets | Tasks) | Self::Definitions(Tickets | Tasks)
        )
    }

    /// What goes without it.
    fn loss(self) -> String {
        match self {
            Self::Pipelines => "pipelines are not read".to_owned(),
            Self::Owners => "owners are not read".to_owned(),
            Self::Definitions(object) => format!("property definitions of {object} are not read"),
            Self::Lists => "lists are not read".to_owned(),
            Self::Usage => "the day's gauge is not read".to_owned(),
            Self::Read(object) => format!("{object} are not read"),
            Self::Write(object) => format!("{object} are not changed"),
        }
    }
}

/// What the token may do.
#[derive(Debug, Default)]
pub struct Scopes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Granted scopes; empty = nobody has said.
    granted: BTreeSet<String>,
    /// What HubSpot refused although nothing spoke against it.
    refused: BTreeMap<Need, Fault>,
    /// Something was not asked for.
    has_lacked: bool,
    /// Somebody wants it asked again.
    is_stale: bool,
    /// Types that HubSpot refused the last time somebody tried, in this process or in one before.
    unread: BTreeSet<ObjectType>,
}

impl Scopes {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What introspection says; empty when it does not. What was refused is tried once more: a refusal may pass, and
    /// nobody may be there to ask again.
    pub fn granted(&self, scopes: &[String]) {
        let mut known = self.lock();
        known.granted = scopes.iter().cloned().collect();
        known.refused.clear();
        known.is_stale = false;
    }

    /// HubSpot refused it: it is not asked for again before the token is asked again, which happens once an hour, or
    /// before somebody wants to know.
    pub fn refused(&self, need: Need, fault: Fault) {
        let mut known = self.lock();
        known.refused.insert(need, fault);
        known.has_lacked = true;
    }

    /// Why it makes no sense to ask; `None` = try.
    pub fn lacking(&self, need: Need) -> Option<Fault> {
        let mut known = self.lock();
        let fault = known.lacking(need);
        known.has_lacked |= fault.is_some();
        fault
    }

    /// Whether the token is known to have a scope for it, and was not refused.
    pub fn is_granted(&self, need: Need) -> bool {
        let known = self.lock();
        !known.granted.is_empty() && known.lacking(need).is_none()
    }

    /// Whether HubSpot refused it although nothing spoke against it.
    pub fn was_refused(&self, need: Need) -> bool {
        self.lock().refused.contains_key(&need)
    }

    /// Takes over which types could not be read the last time.
    pub fn remember(&self, unread: BTreeSet<ObjectType>) {
        self.lock().unread = unread;
    }

    /// A type was read, or could not be. Answers which types could not, if that is news.
    pub fn tried(&self, object: ObjectType, was_read: bool) -> Option<BTreeSet<ObjectType>> {
        let mut known = self.lock();
        let is_news = if was_read {
            known.unread.remove(&object)
        } else {
            known.unread.insert(object)
        };
        is_news.then(|| known.unread.clone())
    }

    /// Whether there is hope to read a type beside another one: nothing speaks against it, and the last try did not fail.
    /// That a refusal is forgotten says nothing yet: only who tries the type itself finds out.
    pub fn may_read(&self, object: ObjectType) -> bool {
        let mut known = self.lock();
        let fault = known.lacking(Need::Read(object));
        known.has_lacked |= fault.is_some();
        fault.is_none() && !known.unread.contains(&object)
    }

    /// Somebody says that it may be different now: what was refused is tried again, and the token is asked again. Where
    /// nothing was lacking there is nothing to ask.
    pub fn ask_again(&self) {
        let mut known = self.lock();
        if known.has_lacked {
            *known = Known {
                is_stale: true,
                unread: std::mem::take(&mut known.unread),
                ..Known::default()
            };
        }
    }

    /// Whether the token is to be asked again.
    pub fn is_stale(&self) -> bool {
        self.lock().is_stale
    }
}

impl Known {
    fn lacking(&self, need: Need) -> Option<Fault> {
        if let Some(fault) = self.refused.get(&need) {
            return Some(fault.clone());
        }
        let any_of = need.any_of();
        let is_granted = self.granted.is_empty() || any_of.iter().any(|scope| self.granted.contains(*scope));
        let usual = any_of.first().filter(|_| !is_granted)?;
        Some(Fault::new(
            FaultKind::Auth,
            format!("the token lacks the scope {usual}: {}", need.loss()),
            "add the scope to the key in HubSpot, then refresh",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(granted: &[&str]) -> Scopes {
        let scopes = Scopes::default();
        scopes.granted(&granted.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>());
        scopes
    }

    #[test]
    fn any_one_of_the_alternatives_is_enough() {
        for (granted, need) in [
            ("tickets", Need::Read(ObjectType::Tickets)),
            ("crm.objects.tickets.read", Need::Read(ObjectType::Tickets)),
            ("crm.schemas.deals.read", Need::Definitions(ObjectType::Deals)),
            ("crm.objects.deals.write", Need::Pipelines),
            ("crm.objects.tasks.read", Need::Read(ObjectType::Tasks)),
            ("crm.objects.contacts.write", Need::Write(ObjectType::Notes)),
            ("contacts", Need::Read(ObjectType::Deals)),
        ] {
            assert_eq!(
                scopes(&[granted, "oauth"]).lacking(need),
                None,
                "{granted} for {need:?}"
            );
            let fault = scopes(&["oauth"]).lacking(need).unwrap();
            assert!(fault.what.contains(need.any_of()[0]), "{fault}");
        }
        let reader = scopes(&["crm.objects.deals.read"]);
        let fault = reader.lacking(Need::Write(ObjectType::Deals)).unwrap();
        assert_eq!(
            fault.what,
            "the token lacks the scope crm.objects.deals.write: deals are not changed"
        );
    }

    #[test]
    fn a_token_that_says_nothing_may_try_until_it_is_refused() {
        let scopes = scopes(&[]);
        assert_eq!(scopes.lacking(Need::Owners), None);
        let fault = Fault::new(FaultKind::Auth, "no", "ask");
        scopes.refused(Need::Owners, fault.clone());
        assert_eq!(scopes.lacking(Need::Owners), Some(fault));
        assert_eq!(scopes.lacking(Need::Pipelines), None);
        scopes.ask_again();
        assert_eq!(scopes.lacking(Need::Owners), None);
        assert!(scopes.is_stale());
    }

    #[test]
    fn a_type_that_could_not_be_read_is_not_hoped_for_until_somebody_read_it() {
        let known = scopes(&[]);
        let companies = ObjectType::Companies;
        assert!(known.may_read(companies), "nobody has tried");
        assert_eq!(known.tried(companies, true), None, "no news");
        assert_eq!(known.tried(companies, false), Some(BTreeSet::from([companies])));
        known.granted(&[]);
        known.ask_again();
        assert!(known.lacking(Need::Read(companies)).is_none(), "it is tried again");
        assert!(!known.may_read(companies), "but nothing else counts on it");
        assert_eq!(known.tried(companies, true), Some(BTreeSet::new()));
        assert!(known.may_read(companies));
    }

    #[test]
    fn a_refusal_holds_until_the_token_is_asked_again() {
        let scopes = scopes(&[]);
        scopes.refused(Need::Owners, Fault::new(FaultKind::Auth, "no", "ask"));
        assert!(scopes.lacking(Need::Owners).is_some());
        scopes.granted(&[]);
        assert_eq!(scopes.lacking(Need::Owners), None);
    }
}
