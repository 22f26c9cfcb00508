//! What everything else depends on: whose account it is, its pipelines, its owners, the definitions of its properties.

use std::time::Duration;

use futures::future::{join, join_all, join3};
use jiff::Timestamp;

use super::{MIRRORED, Trouble, allowed};
use crate::{
    domain::{Account, Bug, Event, Fault, FaultKind, Identity, Lane, ObjectType, PropertyDefinition},
    hubspot::Signal,
    sync::{connection::later, core::Core, extent, scopes::Need, words::IDENTITY},
};

/// What is known of account and token from a moment ago holds.
pub async fn believe(core: &Core) -> Result<(), Fault> {
    let identity = core.desk.read(|reader| Ok(reader.mirror.cursor(IDENTITY)?)).await?;
    let identity: Option<Identity> = identity.and_then(|text| serde_json::from_str(&text).ok());
    core.scopes
        .granted(identity.as_ref().map_or(&[][..], |identity| &identity.scopes));
    core.account_checked.send_replace(true);
    core.push_bell.notify_one();
    Ok(())
}

/// How long pipelines, owners and definitions are believed.
const FACTS: Duration = Duration::from_mins(10);
/// The name under which the mirror keeps when they were read.
const FACTS_AT: &str = "facts";

/// Reads account and identity. A token of another account than the store's is refused: what the store holds must never be
/// sent there.
pub async fn basics(core: &Core) -> Result<(), Trouble> {
    let (account, identity) = check(core).await?;
    let is_new = core
        .desk
        .write(move |store| {
            let before = store.mirror.account()?;
            store.mirror.put_account(&account)?;
            if let Some(identity) = identity {
                let identity = serde_json::to_string(&identity).unwrap_or_default();
                store.mirror.set_cursor(IDENTITY, &identity)?;
            }
            Ok(before != Some(account))
        })
        .await?;
    // What people changed may go out now, whatever becomes of the rest: a day that is spent still has their reserve.
    core.account_checked.send_replace(true);
    core.push_bell.notify_one();
    if is_new {
        core.tell(Event::BoardChanged);
    }
    Ok(())
}

/// Reads pipelines, owners and the definitions of these types' properties, unless that was done a moment ago, by whichever
/// process. One that fails does not keep the others from being kept.
pub async fn facts(core: &Core, objects: &[ObjectType], anyway: bool) -> Result<(), Trouble> {
    let now = core.now();
    let read_at = core.desk.read(|reader| Ok(reader.mirror.cursor(FACTS_AT)?)).await?;
    let read_at: Option<Timestamp> = read_at.and_then(|text| text.parse().ok());
    if !anyway && read_at.is_some_and(|at| at <= now && later(at, FACTS) > now) {
        return Ok(());
    }
    let (pipelines, owners, definitions) = join3(
        allowed(core, Need::Pipelines, core.client.pipelines(Lane::Sync)),
        allowed(core, Need::Owners, core.client.owners(Lane::Sync)),
        join_all(defined(objects).map(|object| define(core, object))),
    )
    .await;
    let mut troubles = Vec::new();
    let pipelines = pipelines.unwrap_or_else(|trouble| missed(&mut troubles, trouble));
    let owners = owners.unwrap_or_else(|trouble| missed(&mut troubles, trouble));
    let definitions: Vec<_> = definitions
        .into_iter()
        .filter_map(|definitions| definitions.unwrap_or_else(|trouble| missed(&mut troubles, trouble)))
        .collect();
    // What the token may not read is asked for by every pass: it may be granted any time.
    let is_all = pipelines.is_some() && owners.is_some() && objects.len() == MIRRORED.len();
    let is_whole = is_all && troubles.is_empty();
    let changed = core
        .desk
        .write(move |store| {
            let mirror = &mut store.mirror;
            let before = (mirror.pipelines()?, mirror.owners()?);
            if let Some(pipelines) = pipelines {
                mirror.put_pipelines(&pipelines)?;
            }
            if let Some(owners) = owners {
                mirror.put_owners(&owners)?;
            }
            for (object, definitions) in definitions {
                mirror.put_definitions(object, &definitions)?;
            }
            if is_whole {
                mirror.set_cursor(FACTS_AT, &now.to_string())?;
            }
            Ok(before != (mirror.pipelines()?, mirror.owners()?))
        })
        .await?;
    if changed {
        core.tell(Event::BoardChanged);
    }
    // What stops everything is told before what failed by itself.
    let about_everything = |trouble: &Trouble| match trouble {
        Trouble::Failure(failure) => !failure.signal.is_about_everything(),
        Trouble::Fault(_) => true,
    };
    match troubles.into_iter().min_by_key(about_everything) {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    }
}

/// What could not be read is left as it is here; what else came is kept.
fn missed<T>(troubles: &mut Vec<Trouble>, trouble: Trouble) -> Option<T> {
    troubles.push(trouble);
    None
}

/// Properties that the configuration names and nobody here knows may be new in HubSpot: what it defines is read before the
/// records are. Where that fails, it is read again with the other facts.
pub async fn meet(core: &Core, objects: &[ObjectType]) {
    let wished = core.wished.clone();
    let unknown = core
        .desk
        .read(move |reader| extent::has_unknown(&reader.mirror, &wished))
        .await;
    if matches!(unknown, Ok(true)) {
        let _ = facts(core, objects, true).await;
    }
}

/// The types whose properties matter: those that are read, and notes, which are written here and may have a property that
/// makes them safe to send again.
fn defined(objects: &[ObjectType]) -> impl Iterator<Item = ObjectType> {
    let notes = objects.contains(&ObjectType::Deals).then_some(ObjectType::Notes);
    objects.iter().copied().chain(notes)
}

async fn define(core: &Core, object: ObjectType) -> Result<Option<(ObjectType, Vec<PropertyDefinition>)>, Trouble> {
    // What is not read needs no definitions; that it is not read is told once.
    if core.scopes.lacking(Need::Read(object)).is_some() {
        return Ok(None);
    }
    let read = core.client.definitions(Lane::Sync, object);
    let definitions = allowed(core, Need::Definitions(object), read).await?;
    Ok(definitions.map(|definitions| (object, definitions)))
}

/// Makes sure that the token is of the account that everything here belongs to, and finds out what it may do.
pub async fn check(core: &Core) -> Result<(Account, Option<Identity>), Trouble> {
    // Not in the lane of background reads: what people changed waits for it.
    let (account, identity) = join(core.client.account(Lane::Verify), identity(core)).await;
    let (account, identity) = (account?, identity?);
    guard(core, &account, identity.as_ref()).await?;
    let scopes = identity.as_ref().map_or(&[][..], |identity| &identity.scopes);
    core.scopes.granted(scopes);
    Ok((account, identity))
}

/// Whose token it is. Some tokens cannot be asked; then nobody is "me" unless the configuration says so.
async fn identity(core: &Core) -> Result<Option<Identity>, Trouble> {
    match core.client.identity().await {
        Ok(identity) => Ok(Some(identity)),
        Err(failure)
            if matches!(
                failure.signal,
                Signal::NotFound | Signal::Validation | Signal::MissingScope | Signal::Forbidden | Signal::Unknown(_)
            ) =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Everything that says which account is meant must name the token's: the mirror, the configuration, what waits to be
/// sent, and the token itself.
async fn guard(core: &Core, account: &Account, identity: Option<&Identity>) -> Result<(), Trouble> {
    let token = account.portal_id;
    let (mirrored, unsent) = core
        .desk
        .read(move |reader| Ok((reader.mirror.account()?, reader.outbox.pending_elsewhere(token)?)))
        .await?;
    let elsewhere = |known: &u64| *known != token;
    let mirrored = mirrored.map(|known| known.portal_id).filter(elsewhere).map(|known| {
        let what = format!("the token belongs to HubSpot account '{token}', the data here to '{known}'");
        (what, "use that account's token, or another directory with --data-dir")
    });
    let configured = || {
        core.settings.portal_id.filter(elsewhere).map(|known| {
            let what = format!("the token belongs to HubSpot account '{token}', the configuration names '{known}'");
            (what, "use that account's token, or change 'account.portal_id'")
        })
    };
    let waiting = || {
        unsent.map(|known| {
            let what = format!("the token belongs to HubSpot account '{token}', changes kept here to '{known}'");
            (what, "use that account's token, or another directory with --data-dir")
        })
    };
    let answered = || {
        identity
            .map(|identity| identity.portal_id)
            .filter(elsewhere)
            .map(|known| {
                let what = format!("the token belongs to HubSpot account '{known}', but HubSpot answers for '{token}'");
                (what, "check the token and the base URL")
            })
    };
    let stranger = mirrored.or_else(configured).or_else(waiting).or_else(answered);
    let Some((what, next)) = stranger.filter(|_| !core.settings.drill.has(Bug::NoAccountCheck)) else {
        return Ok(());
    };
    let fault = Fault::new(FaultKind::Auth, what, next);
    core.line.refused(fault.clone());
    Err(fault.into())
}
