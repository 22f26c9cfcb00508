//! HubSpot's lists of contacts, and who is in them. What a list says of itself (its size, when somebody last joined or
//! left) tells whether its members have to be read again; the lists of contacts that changed are asked for by contact.

use futures::{StreamExt as _, stream};
use tracing::debug;

use super::{Trouble, allowed};
use crate::{
    domain::{Lane, List, ObjectCount, ObjectType},
    hubspot::{ListSearch, Signal},
    sync::{core::Core, scopes::Need},
};

/// Lists whose members are read at the same time.
const TOGETHER: usize = 4;
/// With more changed contacts than this the lists are read, not the contacts asked.
const MOST: usize = 1_000;

/// Lists and members as they are now. Answers how many memberships were read.
pub async fn refresh(core: &Core) -> Result<ObjectCount, Trouble> {
    let mut count = ObjectCount::default();
    let Some(lists) = all(core).await? else {
        return Ok(count);
    };
    let reads = lists.iter().map(|list| Box::pin(members(core, list)));
    let mut reads = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(TOGETHER);
    while let Some(read) = reads.next().await {
        let read = read?;
        count.fetched += read.fetched;
        count.pages += read.pages;
    }
    Ok(count)
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
pub fn told(list: &List) -> String {
    let says = (list.size, list.joined_at, list.left_at, list.updated_at);
    serde_json::to_string(&says).unwrap_or_default()
}

/// Reads the members of a list, unless what it says of itself fits what is here.
async fn members(core: &Core, list: &List) -> Result<ObjectCount, Trouble> {
    let mut count = ObjectCount::default();
    let told = told(list);
    let id = list.id.clone();
    let (before, here) = core
        .desk
        .read(move |reader| Ok((reader.mirror.list_told(&id)?, reader.mirror.member_count(&id)?)))
        .await?;
    if before.as_ref() == Some(&told) {
        return Ok(count);
    }
    let (id, now) = (list.id.clone(), core.now());
    if before.is_some() && list.size == Some(here.0) && list.joined_at == here.1 {
        core.desk
            .write(move |store| Ok(store.mirror.members_are(&id, &told)?))
            .await?;
        return Ok(count);
    }
    let members = core.client.every_member(Lane::Sync, &list.id).await?;
    count.fetched = members.len() as u64;
    count.pages = (members.len() as u64).div_ceil(250).max(1);
    core.desk
        .write(move |store| Ok(store.mirror.put_members(&id, &members, &told, now)?))
        .await?;
    Ok(count)
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
