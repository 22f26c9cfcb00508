//! A deal's calls, e-mails, meetings and tasks, read when somebody looks at it and then kept. Notes are read by
//! [`super::notes`]: they are what people write here, so more is known of them.

use super::{Trouble, allowed, properties_of};
use crate::{
    domain::{DealId, Lane, ObjectType},
    store::{Put, Via},
    sync::{core::Core, scopes::Need},
};

/// What stands in a timeline besides notes and what happened to the deal itself.
pub const TIMELINE: [ObjectType; 4] = [
    ObjectType::Calls,
    ObjectType::Emails,
    ObjectType::Meetings,
    ObjectType::Tasks,
];

/// Reads them, as far as the token may.
pub async fn refresh(core: &Core, lane: Lane, deal: &DealId) -> Result<(), Trouble> {
    for object in TIMELINE {
        let ids = [deal.to_string()];
        let links = core.client.associations(lane, ObjectType::Deals, object, &ids);
        let Some(mut links) = allowed(core, Need::Read(object), links).await? else {
            continue;
        };
        let ids = links.remove(deal.as_str()).unwrap_or_default();
        let properties = properties_of(core, object);
        let names: Vec<&str> = properties.iter().map(String::as_str).collect();
        let records = match ids.is_empty() {
            true => Vec::new(),
            false => core.client.batch_read(lane, object, &ids, &names, &[]).await?.records,
        };
        let deal = deal.to_string();
        core.desk
            .write(move |store| {
                store.mirror.put(object, &records, Put::via(Via::Direct))?;
                store.mirror.told(object, ObjectType::Deals, &[(deal, ids)])?;
                Ok(())
            })
            .await?;
    }
    Ok(())
}
