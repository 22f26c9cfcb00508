//! HubSpot's lists of contacts, and who is in them. What a list says of itself (its size, when somebody last joined or
//! left) tells whether its members have to be read again; the lists of contacts that changed are asked for by contact.
//!
//! Members are read page by page, each committed with the place where the reading goes on, so that a list of any length
//! takes no memory and is read once however often the process ends. A large list that never stops changing rests in
//! between like a large archive, and a list that cannot be read does not keep the others from being read.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::debug;

use super::{
    Tell, Trouble, allowed,
    gone::{Listed, Upkeep},
};
use crate::{
    domain::{Fault, Lane, List, ListId, ObjectCount, ObjectType, Progress, Reading},
    hubspot::{Cursor, Failure, ListSearch, MemberOrder, Signal},
    store::Store,
    sync::{connection::later, core::Core, scopes::Need},
};

/// Lists whose members are read at the same time.
const TOGETHER: usize = 4;
/// With more changed contacts than this the lists are read, not the contacts asked.
const MOST: usize = 1_000;
/// A pass that somebody waits for reads every list that changed, but for those with more pages than this that rest.
const LARGE: u64 = 50;
/// A reading that was begun longer ago than this is begun anew.
const GOOD_FOR: Duration = Duration::from_hours(1);
/// Before a list that could not be read is tried again, the first time; twice as long every time.
const FIRST_WAIT: Duration = Duration::from_mins(5);
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// Hears of every page.
type Heard<'a> = &'a (dyn Fn(ObjectCount) + Sync);

/// What is kept of the reading of one list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// When its members were read whole last, and how many pages that took.
    listed: Option<Listed>,
    /// A reading that was begun and not finished.
    way: Option<Way>,
    /// It could not be read.
    failed: Option<Failed>,
}

/// A reading under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Way {
    /// When it began.
    since: Timestamp,
    /// What the list said of itself when it began: what changes later is read by the next one.
    told: String,
    /// The cursor of the next page.
    after: Option<String>,
    pages: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Failed {
    at: Timestamp,
    /// How often in a row, at least 1.
    times: u32,
    fault: Fault,
}

impl Kept {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Failed {
    fn waits(&self, now: Timestamp) -> bool {
        let wait = FIRST_WAIT.saturating_mul(1 << (self.times - 1).min(8));
        later(self.at, wait.min(LONGEST_WAIT)) > now
    }
}

/// The cursor that keeps it. It goes when the contacts are forgotten.
fn name(list: &ListId) -> String {
    format!("members:{list}:contacts")
}

/// Who waits for the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Nobody: they are looked at again and again.
    Nobody,
    /// Somebody who runs one pass.
    APass,
}

/// A list that says something else of itself than when its members were read.
struct Changed<'a> {
    list: &'a List,
    told: String,
    kept: Kept,
}

impl Changed<'_> {
    /// Whether it is left for later, when so many lists change as often as this one.
    fn rests(&self, core: &Core, who: Who, together: u64) -> bool {
        if self.kept.way.is_some() {
            return false;
        }
        let Some(listed) = &self.kept.listed else { return false };
        let shared = Listed {
            at: listed.at,
            pages: listed.pages.saturating_mul(together),
        };
        let may_rest = who == Who::Nobody || listed.pages > LARGE;
        may_rest && shared.rests_as(core, Upkeep::Lists)
    }
}

/// Lists and members as they are now, for one pass. Answers how many memberships were read, and names the lists that could
/// not be.
pub async fn refresh(core: &Core, tell: Tell<'_>) -> Result<(ObjectCount, Option<Fault>), Trouble> {
    read_changed(core, Who::APass, tell).await
}

/// The same for somebody who looks again and again.
pub async fn look(core: &Core) -> Result<(ObjectCount, Option<Fault>), Trouble> {
    read_changed(core, Who::Nobody, &|_| {}).await
}

async fn read_changed(core: &Core, who: Who, tell: Tell<'_>) -> Result<(ObjectCount, Option<Fault>), Trouble> {
    let mut count = ObjectCount::default();
    let Some(lists) = all(core).await? else {
        return Ok((count, None));
    };
    let mut changed = Vec::new();
    for list in &lists {
        changed.extend(changes(core, list).await?);
    }
    let (now, together) = (core.now(), changed.len() as u64);
    let mut faults = Vec::new();
    let mut due = Vec::new();
    for change in changed {
        match &change.kept.failed {
            Some(failed) if who == Who::Nobody && failed.waits(now) => faults.push((change.list, failed.fault.clone())),
            _ if change.rests(core, who, together) => debug!(list = %change.list.id, "its members rest"),
            _ => due.push(change),
        }
    }
    let read_so_far = Mutex::new(ObjectCount::default());
    let sizes = due.iter().map(|change| change.list.size);
    let about = sizes.sum::<Option<u64>>();
    let heard = |page: ObjectCount| {
        let so_far = {
            let mut so_far = read_so_far.lock().unwrap_or_else(PoisonError::into_inner);
            *so_far += page;
            *so_far
        };
        tell(Progress {
            what: Reading::Members,
            fetched: so_far.fetched,
            pages: so_far.pages,
            about,
        });
    };
    let heard = &heard;
    let reads = due.into_iter().map(|change| {
        Box::pin(async move {
            let list = change.list;
            (list, read(core, change, heard).await)
        })
    });
    let mut reads = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(TOGETHER);
    while let Some((list, read)) = reads.next().await {
        match read? {
            Ok(read) => count += read,
            Err(fault) => faults.push((list, fault)),
        }
    }
    Ok((count, unread(&faults)))
}

/// One sentence about all lists that cannot be read.
fn unread(faults: &[(&List, Fault)]) -> Option<Fault> {
    let (list, fault) = faults.iter().min_by_key(|(list, _)| &list.id)?;
    let more = match faults.len() - 1 {
        0 => String::new(),
        1 => " and one more".to_owned(),
        more => format!(" and {more} more"),
    };
    Some(Fault {
        what: format!("the members of list '{}'{more} are not read: {}", list.name, fault.what),
        ..fault.clone()
    })
}

/// The lists as they are now, kept without a look at their members; `None` where the token may not read them.
pub async fn all(core: &Core) -> Result<Option<Vec<List>>, Trouble> {
    let search = ListSearch {
        object: Some(ObjectType::Contacts),
        ..ListSearch::default()
    };
    let lists = allowed(core, Need::Lists, core.client.lists(Lane::Sync, &search)).await?;
    if let Some(lists) = lists.clone() {
        core.desk
            .write(move |store| Ok(store.mirror.put_lists(&lists)?))
            .await?;
    }
    Ok(lists)
}

/// What a list says of itself, to be held against what it says later.
fn told(list: &List) -> String {
    let says = (list.size, list.joined_at, list.left_at, list.updated_at);
    serde_json::to_string(&says).unwrap_or_default()
}

/// Whether the members of a list have to be read; `None` = what it says of itself fits what is here.
async fn changes<'a>(core: &Core, list: &'a List) -> Result<Option<Changed<'a>>, Fault> {
    let told = told(list);
    let (id, name) = (list.id.clone(), name(&list.id));
    let (before, here, kept, is_open) = core
        .desk
        .read(move |reader| {
            let mirror = &reader.mirror;
            let kept = mirror.cursor(&name)?;
            Ok((
                mirror.list_told(&id)?,
                mirror.member_count(&id)?,
                kept,
                mirror.members_open(&id)?,
            ))
        })
        .await?;
    if before.as_ref() == Some(&told) && !is_open {
        return Ok(None);
    }
    let mut kept: Kept = kept
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    // What the mirror does not know of any more begins anew, and what was begun long ago.
    let now = core.now();
    kept.way = kept
        .way
        .filter(|way| is_open && way.since <= now && later(way.since, GOOD_FOR) > now);
    if before.is_some() && !is_open && list.size == Some(here.0) && list.joined_at == here.1 {
        let id = list.id.clone();
        core.desk
            .write(move |store| Ok(store.mirror.members_are(&id, &told)?))
            .await?;
        return Ok(None);
    }
    Ok(Some(Changed { list, told, kept }))
}

/// Reads the members of one list. `Ok(Err)` = this list cannot be read, and that says nothing about the others.
async fn read(core: &Core, change: Changed<'_>, heard: Heard<'_>) -> Result<Result<ObjectCount, Fault>, Trouble> {
    let (id, mut kept) = (change.list.id.clone(), change.kept.clone());
    let failure = match members(core, change, heard).await {
        Ok(count) => return Ok(Ok(count)),
        Err(Trouble::Failure(failure)) if !failure.signal.is_about_everything() => failure,
        Err(trouble) => return Err(trouble),
    };
    let fault = failure.fault();
    tracing::info!(list = %id, %fault, "the members of a list cannot be read");
    let times = kept.failed.as_ref().map_or(0, |failed| failed.times).saturating_add(1);
    let failed = Failed {
        at: core.now(),
        times,
        fault: fault.clone(),
    };
    core.desk
        .write(move |store| {
            let name = name(&id);
            // Where the reading stands now.
            let stands = store.mirror.cursor(&name)?;
            kept = stands.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(kept);
            kept.failed = Some(failed);
            Ok(store.mirror.set_cursor(&name, &kept.text())?)
        })
        .await?;
    Ok(Err(fault))
}

/// Reads the members of a list now, whatever it says of itself.
pub async fn read_anyway(core: &Core, list: &List) -> Result<ObjectCount, Trouble> {
    let mut change = changes(core, list).await?.unwrap_or_else(|| Changed {
        list,
        told: told(list),
        kept: Kept::default(),
    });
    // A reading that an older state began would miss who joined behind it.
    let told = change.told.clone();
    change.kept.way = change.kept.way.filter(|way| way.told == told);
    members(core, change, &|_| {}).await
}

/// Reads the members of a list to the end, from where an earlier reading stopped.
async fn members(core: &Core, change: Changed<'_>, heard: Heard<'_>) -> Result<ObjectCount, Trouble> {
    let was_under_way = change.kept.way.is_some();
    let (list, told) = (change.list.id.clone(), change.told.clone());
    match Box::pin(pages(core, &list, &told, change.kept, heard)).await {
        // A cursor of an earlier process that HubSpot does not accept any more.
        Err(Trouble::Failure(failure)) if was_under_way && is_stale(&failure) => {
            Box::pin(pages(core, &list, &told, Kept::default(), heard)).await
        }
        outcome => outcome,
    }
}

fn is_stale(failure: &Failure) -> bool {
    matches!(
        failure.signal,
        Signal::Validation | Signal::BadRequest(_) | Signal::NotFound | Signal::Unreadable
    )
}

async fn pages(
    core: &Core,
    list: &ListId,
    told: &str,
    mut kept: Kept,
    heard: Heard<'_>,
) -> Result<ObjectCount, Trouble> {
    let mut count = ObjectCount::default();
    let name = name(list);
    let mut way = match kept.way.take() {
        Some(way) => way,
        None => {
            let way = Way {
                since: core.now(),
                told: told.to_owned(),
                after: None,
                pages: 0,
            };
            let (list, name) = (list.clone(), name.clone());
            let text = with_way(&kept, &way);
            core.desk
                .write(move |store| Ok(store.mirror.members_begin(&list, (&name, &text))?))
                .await?;
            way
        }
    };
    let mut cursor = Cursor::at(way.after.clone());
    loop {
        let page = core
            .client
            .list_members(Lane::Sync, list, MemberOrder::Id, cursor.after())
            .await?;
        let read = ObjectCount {
            fetched: page.members.len() as u64,
            pages: 1,
            deleted: 0,
        };
        count += read;
        heard(read);
        way.pages += 1;
        let is_last = !cursor.advance(page.after)?;
        way.after = cursor.after().map(str::to_owned);
        let (list, name, now) = (list.clone(), name.clone(), core.now());
        if is_last {
            let listed = Listed {
                at: way.since,
                pages: way.pages,
            };
            let text = Kept {
                listed: Some(listed),
                ..Kept::default()
            }
            .text();
            let finish = move |store: &mut Store| {
                let mirror = &mut store.mirror;
                Ok(mirror.members_finish(&list, &page.members, &way.told, now, (&name, &text))?)
            };
            core.desk.write(finish).await?;
            return Ok(count);
        }
        let text = with_way(&kept, &way);
        core.desk
            .write(move |store| Ok(store.mirror.members_page(&list, &page.members, now, (&name, &text))?))
            .await?;
    }
}

fn with_way(kept: &Kept, way: &Way) -> String {
    Kept {
        way: Some(way.clone()),
        ..kept.clone()
    }
    .text()
}

/// Asks in which lists these contacts are now. Where HubSpot cannot be asked that, the lists' own word has to do.
pub async fn of_contacts(core: &Core, contacts: &[String]) -> Result<(), Trouble> {
    if contacts.is_empty() || contacts.len() > MOST || core.scopes.lacking(Need::Lists).is_some() {
        return Ok(());
    }
    let has_lists = core.desk.read(|reader| Ok(!reader.mirror.lists()?.is_empty())).await?;
    if !has_lists {
        return Ok(());
    }
    let memberships = match core
        .client
        .memberships_of(Lane::Sync, ObjectType::Contacts, contacts)
        .await
    {
        Ok(memberships) => memberships,
        Err(failure)
            if matches!(
                failure.signal,
                Signal::NotFound | Signal::MissingScope | Signal::Forbidden
            ) =>
        {
            debug!(why = failure.message, "the lists of single contacts cannot be read");
            return Ok(());
        }
        Err(failure) => return Err(failure.into()),
    };
    let now = core.now();
    let contacts: Vec<_> = memberships.into_iter().collect();
    core.desk
        .write(move |store| Ok(store.mirror.put_memberships(&contacts, now)?))
        .await?;
    Ok(())
}
