//! What everything else depends on: whose account it is, its pipelines, its owners, the definitions of its deal
//! properties. Read before the first deal, then once an hour.

use super::Trouble;
use crate::{
    domain::{Account, Event, Fault, FaultKind, Identity, Lane, ObjectType},
    hubspot::Signal,
    sync::{core::Core, words::IDENTITY},
};

/// Reads account, identity, pipelines, owners and definitions. A token of another account than the store's is refused:
/// what the store holds must never be sent there.
pub async fn basics(core: &Core) -> Result<(), Trouble> {
    let account = core.client.account(Lane::Sync).await?;
    let identity = identity(core).await?;
    guard(core, &account, identity.as_ref()).await?;
    let pipelines = core.client.pipelines(Lane::Sync).await?;
    let owners = core.client.owners(Lane::Sync).await?;
    let definitions = core.client.definitions(Lane::Sync, ObjectType::Deals).await?;
    let changed = core
        .desk
        .write(move |store| {
            let mirror = &mut store.mirror;
            let before = (mirror.account()?, mirror.pipelines()?, mirror.owners()?);
            mirror.put_account(&account)?;
            mirror.put_pipelines(&pipelines)?;
            mirror.put_owners(&owners)?;
            mirror.put_definitions(ObjectType::Deals, &definitions)?;
            if let Some(identity) = identity {
                mirror.set_cursor(IDENTITY, &serde_json::to_string(&identity).unwrap_or_default())?;
            }
            Ok(before != (mirror.account()?, mirror.pipelines()?, mirror.owners()?))
        })
        .await?;
    core.account_checked.send_replace(true);
    core.push_bell.notify_one();
    if changed {
        core.tell(Event::BoardChanged);
    }
    Ok(())
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

async fn guard(core: &Core, account: &Account, identity: Option<&Identity>) -> Result<(), Trouble> {
    let known = core.desk.read(|reader| Ok(reader.mirror.account()?)).await?;
    let stranger = known
        .map(|known| known.portal_id)
        .or(core.settings.portal_id)
        .filter(|known| *known != account.portal_id)
        .map(|known| (known, account.portal_id))
        .or_else(|| {
            identity
                .map(|identity| (account.portal_id, identity.portal_id))
                .filter(|(account, token)| account != token)
        });
    let Some((store, token)) = stranger else {
        return Ok(());
    };
    let fault = Fault::new(
        FaultKind::Auth,
        format!("the token belongs to HubSpot account '{token}', the data here to '{store}'"),
        "use that account's token, or another directory with --data-dir",
    );
    core.line.refused(fault.clone());
    Err(fault.into())
}
