//! Records on their way into the mirror, with what they are linked to, in one transaction.

use std::collections::BTreeMap;

use super::{Trouble, announce, links, lists};
use crate::{
    domain::{Bug, ObjectType, Record},
    store::{Put, Via},
    sync::core::Core,
};

/// Keeps the records the mirror does not have in this version, with their associations; answers how many there were.
/// Cursors move in the same transaction.
pub async fn arrive(
    core: &Core,
    object: ObjectType,
    rows: Vec<Record>,
    via: Via,
    cursors: Vec<(String, String)>,
) -> Result<u64, Trouble> {
    let drill = core.settings.drill;
    let (mut news, new) = core
        .desk
        .read(move |reader| {
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            let known: BTreeMap<String, Record> = reader
                .mirror
                .records(object, &ids)?
                .into_iter()
                .map(|record| (record.id.clone(), record))
                .collect();
            let is_new = |row: &Record| known.get(&row.id).is_none_or(|known| known.archived);
            let new: Vec<String> = rows
                .iter()
                .filter(|row| is_new(row))
                .map(|row| row.id.clone())
                .collect();
            let mut rows = rows;
            if drill.has(Bug::OlderRowWins) {
                for row in &mut rows {
                    let known = known.get(&row.id).map(|known| known.updated_at);
                    row.updated_at = row.updated_at.max(known.unwrap_or(row.updated_at));
                }
            }
            let news = rows
                .into_iter()
                .filter(|row| known.get(&row.id).is_none_or(|known| is_news(row, known)));
            Ok((news.collect::<Vec<Record>>(), new))
        })
        .await?;
    if via != Via::List && core.settings.drill.has(Bug::PageLost) {
        news.clear();
    }
    links::fill(core, object, &mut news).await?;
    let ids = news.iter().map(|record| record.id.clone());
    let changed: Vec<String> = ids.filter(|id| !new.contains(id)).collect();
    let told = links::told_by_others(core, object, &changed, &new).await?;
    let fetched = news.len() as u64;
    let contacts: Vec<String> = match object {
        ObjectType::Contacts => news.iter().map(|record| record.id.clone()).collect(),
        _ => Vec::new(),
    };
    let (changed, others) = core
        .desk
        .write(move |store| {
            let cursors: Vec<(&str, &str)> = cursors
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let changed = store.mirror.put(object, &news, Put::via(via).with_cursors(&cursors))?;
            let mut others = Vec::new();
            for told in told {
                others.push((told.keeper, store.mirror.told(told.keeper, object, &told.links)?));
            }
            Ok((changed, others))
        })
        .await?;
    announce(core, object, changed).await?;
    lists::of_contacts(core, &contacts).await?;
    for (keeper, changed) in others {
        announce(core, keeper, changed).await?;
    }
    Ok(fetched)
}

/// A newer version, or other values in the same one.
fn is_news(row: &Record, known: &Record) -> bool {
    row.archived != known.archived
        || row.updated_at > known.updated_at
        || (row.updated_at == known.updated_at
            && row
                .properties
                .iter()
                .any(|(name, value)| known.properties.get(name) != Some(value)))
}
