//! Pull: HubSpot into the mirror, first whole, then by what changed. Every page is one transaction together with its
//! cursor, so an interrupted pass goes on where it stopped. It refuses to touch the outbox, and it never waits for people:
//! who looks at the mirror sees what is there.

pub mod activities;
mod announce;
mod arrive;
mod audit;
mod delta;
mod doubt;
mod first;
mod front;
mod gone;
pub mod history;
mod links;
pub mod lists;
mod mark;
pub mod notes;
mod pace;
mod round;
mod top;
mod unread;
mod walk;

use jiff::Timestamp;

use super::{
    connection::Part,
    core::{AS_OF, Core, UNREAD},
    extent::{Wished, is_short},
    scopes::Need,
};
use crate::{
    domain::{Company, Connection, Contact, Deal, Fault, Note, ObjectCount, ObjectType, Progress},
    hubspot::{Failure, Signal},
    store::Put,
};

pub use announce::announce;
pub use arrive::arrive;
pub use audit::audit;
pub use delta::Look;
pub use doubt::ask;
pub use first::{basics, believe, check, facts, meet};
pub use gone::{archived, vanished};
pub use mark::{settle, since};
pub use pace::{between_polls, run};
pub use walk::{Walk, walk};

/// The types that are mirrored, in the order in which people miss them.
pub const MIRRORED: [ObjectType; 5] = [
    ObjectType::Deals,
    ObjectType::Contacts,
    ObjectType::Companies,
    ObjectType::Tickets,
    ObjectType::Tasks,
];

/// Why a pass stopped.
#[derive(Debug)]
pub enum Trouble {
    /// HubSpot, or the way there.
    Failure(Box<Failure>),
    /// The store, or what we found out about the account.
    Fault(Fault),
}

impl Trouble {
    /// In words.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Failure(failure) => failure.fault(),
            Self::Fault(fault) => fault.clone(),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure.signal {
            Signal::Unkept(fault) => Self::Fault(*fault),
            _ => Self::Failure(Box::new(failure)),
        }
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        trouble.fault()
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What the token may not read is not asked for, and told; everything else is read all the same.
pub async fn allowed<T, E: Into<Trouble>>(
    core: &Core,
    need: Need,
    read: impl Future<Output = Result<T, E>>,
) -> Result<Option<T>, Trouble> {
    let answer = match core.scopes.lacking(need) {
        Some(fault) => Err(fault),
        None => match Box::pin(read).await.map_err(Into::into) {
            // A type that this account's API does not have is left out like one the token may not read.
            Err(Trouble::Failure(failure))
                if matches!(failure.signal, Signal::MissingScope | Signal::Forbidden)
                    || (failure.signal == Signal::NotFound && !need.is_essential()) =>
            {
                core.scopes.refused(need, failure.fault());
                Err(failure.fault())
            }
            answer => Ok(answer?),
        },
    };
    // What the token says it lacks is known by the token; that HubSpot refuses what nothing speaks against is not.
    let is_lacking = answer.is_err() && !core.scopes.was_refused(need);
    if let Need::Read(object) = need
        && !is_lacking
        && let Some(unread) = core.scopes.tried(object, answer.is_ok())
    {
        let unread = serde_json::to_string(&unread).unwrap_or_default();
        core.desk
            .write(move |store| Ok(store.mirror.set_cursor(UNREAD, &unread)?))
            .await?;
    }
    if need.is_essential() {
        core.line.troubled(Part::Scope(need), answer.as_ref().err().cloned());
    }
    Ok(answer.ok())
}

/// Those of these types the token may read.
fn readable(core: &Core, objects: impl IntoIterator<Item = ObjectType>) -> Vec<ObjectType> {
    let may = |object: &ObjectType| core.scopes.lacking(Need::Read(*object)).is_none();
    objects.into_iter().filter(may).collect()
}

/// What is read of a ticket.
const TICKET: [&str; 9] = [
    "createdate",
    "content",
    "hs_lastmodifieddate",
    "hs_pipeline",
    "hs_pipeline_stage",
    "hs_ticket_category",
    "hs_ticket_priority",
    "hubspot_owner_id",
    "subject",
];
/// What is read of a task.
const TASK: [&str; 9] = [
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_task_body",
    "hs_task_priority",
    "hs_task_status",
    "hs_task_subject",
    "hs_task_type",
    "hs_timestamp",
    "hubspot_owner_id",
];

/// What is read of a call.
const CALL: [&str; 9] = [
    "hs_call_body",
    "hs_call_direction",
    "hs_call_disposition",
    "hs_call_duration",
    "hs_call_status",
    "hs_call_title",
    "hs_lastmodifieddate",
    "hs_timestamp",
    "hubspot_owner_id",
];
/// What is read of an e-mail; without a scope of its own it comes without its text.
const EMAIL: [&str; 7] = [
    "hs_email_direction",
    "hs_email_status",
    "hs_email_subject",
    "hs_email_text",
    "hs_lastmodifieddate",
    "hs_timestamp",
    "hubspot_owner_id",
];
/// What is read of a meeting.
const MEETING: [&str; 9] = [
    "hs_lastmodifieddate",
    "hs_meeting_body",
    "hs_meeting_end_time",
    "hs_meeting_location",
    "hs_meeting_outcome",
    "hs_meeting_start_time",
    "hs_meeting_title",
    "hs_timestamp",
    "hubspot_owner_id",
];

/// The properties every read of a type asks for: those the product needs, and those that the configuration names.
pub fn properties_of(core: &Core, object: ObjectType) -> Vec<String> {
    asked_of(object, &core.wished)
}

/// The same, with what the configuration names.
pub fn asked_of(object: ObjectType, wished: &Wished) -> Vec<String> {
    let (typed, more): (&[&str], &[&str]) = match object {
        ObjectType::Deals => (
            &Deal::PROPERTIES,
            &[super::feed::UPDATED_BY, "notes_next_activity_date", gone::MERGED],
        ),
        ObjectType::Contacts => (&Contact::PROPERTIES, &[gone::MERGED]),
        ObjectType::Companies => (&Company::PROPERTIES, &[gone::MERGED]),
        ObjectType::Tickets => (&TICKET, &[gone::MERGED]),
        ObjectType::Tasks => (&TASK, &[]),
        ObjectType::Notes => (&Note::PROPERTIES, &[]),
        ObjectType::Calls => (&CALL, &[]),
        ObjectType::Emails => (&EMAIL, &[]),
        ObjectType::Meetings => (&MEETING, &[]),
    };
    let mut names: Vec<String> = typed.iter().chain(more).map(|name| (*name).to_owned()).collect();
    for name in wished.get(&object).into_iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The types whose ids are kept with records of this type, as far as the token may read them.
pub fn linked(core: &Core, object: ObjectType) -> Vec<ObjectType> {
    let mut types = links::kept_with(object);
    types.retain(|object| core.scopes.may_read(*object));
    types
}

/// Since when changes of a type are not known; `None` = it is to be read whole.
pub async fn known(core: &Core, object: ObjectType) -> Result<Option<Timestamp>, Fault> {
    let since = core
        .desk
        .read(move |reader| Ok(reader.mirror.cursor(&since(object))?))
        .await?;
    let since = since.and_then(|text| text.parse().ok());
    match since {
        Some(_) if is_short(core, object).await? => Ok(None),
        since => Ok(since),
    }
}

/// The cursor that keeps when all contacts were last asked about.
pub const LOOKED: &str = "looked:contacts";

/// Everything that HubSpot had of a type at this time is here.
pub async fn looked(core: &Core, object: ObjectType, at: Timestamp) -> Result<(), Fault> {
    if object != ObjectType::Contacts {
        return Ok(());
    }
    core.desk
        .write(move |store| Ok(store.mirror.set_cursor(LOOKED, &at.to_string())?))
        .await
}

/// Who hears how far reading is.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Sync);

/// One type as it is now: what changed since the last look, or everything when there was none. Adds to `count` what was
/// read.
pub async fn refresh(
    core: &Core,
    object: ObjectType,
    look: Look,
    tell: Tell<'_>,
    count: &mut ObjectCount,
) -> Result<(), Trouble> {
    let began = core.now();
    refresh_since(core, object, look, tell, count).await?;
    Ok(looked(core, object, began).await?)
}

async fn refresh_since(
    core: &Core,
    object: ObjectType,
    look: Look,
    tell: Tell<'_>,
    count: &mut ObjectCount,
) -> Result<(), Trouble> {
    if let Some(since) = known(core, object).await? {
        settle(core, object).await?;
        return delta::delta(core, object, since, look, tell, count).await;
    }
    let tell = |progress: Progress| core.line.syncing(Connection::Syncing(progress));
    core.line.awaits(object);
    walk(core, object, Walk::default(), &tell, count).await?;
    core.line.came(object);
    Ok(())
}

/// A pass that began at `as_of` is complete.
pub async fn complete(core: &Core, as_of: Timestamp) -> Result<(), Fault> {
    core.desk
        .write(move |store| Ok(store.mirror.set_cursor(AS_OF, &as_of.to_string())?))
        .await?;
    core.line.complete(as_of);
    Ok(())
}

/// A record as a direct read answered it.
pub const fn direct() -> Put<'static> {
    Put::via(crate::store::Via::Direct)
}
