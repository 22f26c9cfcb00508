//! Records that somebody did not tell of. No list, no search and no answer that leaves something out proves a deletion:
//! whether a record is gone is asked by its name.

use super::{Trouble, arrive::arrive, gone, properties_of};
use crate::{
    domain::{Lane, ObjectType, Record, RecordRef},
    hubspot::{Found, GetQuery},
    store::Via,
    sync::core::Core,
};

/// So many records are asked for one by one where a batch did not say a word about them.
const SINGLY: usize = 100;

/// So many records at a time are asked about that no page named.
const UNMET: usize = 500;

/// What became of records.
#[derive(Debug, Default)]
pub struct Asked {
    /// They live.
    pub there: Vec<Record>,
    /// HubSpot says so: archived, merged into another one, or deleted for good. Whoever is in neither stays in doubt.
    pub gone: Vec<String>,
}

/// Asks what became of these records: in batches, and one by one where the answer is silent.
pub async fn ask(core: &Core, object: ObjectType, ids: &[String]) -> Result<Asked, Trouble> {
    if ids.is_empty() {
        return Ok(Asked::default());
    }
    let properties = properties_of(core, object);
    let names: Vec<&str> = properties.iter().map(String::as_str).collect();
    let read = core.client.batch_read(Lane::Sync, object, ids, &names, &[]).await?;
    let mut asked = Asked {
        there: read.records,
        gone: read.missing,
    };
    asked.gone.retain(|id| !read.silent.contains(id));
    for id in read.silent.iter().take(SINGLY) {
        let query = GetQuery {
            properties: properties.clone(),
            ..GetQuery::default()
        };
        match core
            .client
            .find(Lane::Sync, &RecordRef::new(object, id.as_str()), &query)
            .await?
        {
            Found::Live(record) => asked.there.push(record),
            Found::Merged(_) | Found::Archived { .. } | Found::Absent => asked.gone.push(id.clone()),
        }
    }
    Ok(asked)
}

/// Whoever no page named is asked about: a list may leave out what is there, and an index may not know it yet. Answers how
/// many are gone.
pub async fn ask_about_the_rest(core: &Core, object: ObjectType) -> Result<u64, Trouble> {
    let mut above: Option<String> = None;
    let mut gone = 0;
    loop {
        let unmet = core
            .desk
            .count(move |reader| Ok(reader.mirror.unmet(object, above.as_deref(), UNMET)?))
            .await?;
        let Some(last) = unmet.last() else {
            return Ok(gone);
        };
        above = Some(last.clone());
        let asked = ask(core, object, &unmet).await?;
        arrive(core, object, asked.there, Via::Direct, Vec::new()).await?;
        gone += gone::vanished(core, object, asked.gone).await?;
    }
}
