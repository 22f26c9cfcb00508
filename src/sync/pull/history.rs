//! The past of what people ask about, read in the background: of deals the newest first, so that "what changed" works on
//! the first day; of contacts as far as the day allows.

use std::time::Duration;

use super::{Tell, Trouble, allowed};
use crate::{
    domain::{Lane, ObjectType, Progress, Reading},
    store::watched,
    sync::{core::Core, scopes::Need},
};

/// Records of one request: HubSpot allows fifty with history.
const PAGE: u64 = 50;
/// Records that are read and kept together.
const TOGETHER: usize = 100;
/// The part of what is left of the day that the past of contacts may cost, in percent.
const CONTACTS_PERCENT: u64 = 2;

/// Reads the past of every record of a type that is due, at most so many; how many there were.
pub async fn fill(core: &Core, object: ObjectType, most: u64, tell: Tell<'_>) -> Result<u64, Trouble> {
    let about = core
        .desk
        .read(move |reader| Ok(reader.mirror.history_left(object)?))
        .await?;
    let mut read = 0;
    while read < most {
        let together = TOGETHER.min(usize::try_from(most - read).unwrap_or(usize::MAX));
        let due = core
            .desk
            .read(move |reader| Ok(reader.mirror.history_due(object, together)?))
            .await?;
        if due.is_empty() {
            break;
        }
        read += due.len() as u64;
        let ids: Vec<String> = due.iter().map(|due| due.id.clone()).collect();
        let batch = core.client.batch_read(Lane::Sync, object, &ids, &[], watched(object));
        let Some(batch) = allowed(core, Need::Read(object), batch).await? else {
            break;
        };
        core.desk
            .write(move |store| Ok(store.mirror.put_history(object, &due, &batch.records)?))
            .await?;
        tell(Progress {
            what: Reading::Past(object),
            fetched: read,
            pages: read.div_ceil(PAGE),
            about: Some(about.min(most)),
        });
    }
    Ok(read)
}

/// How many contacts' past may be read now, when that was done `since` ago the last time.
pub fn affordable(core: &Core, since: Duration) -> u64 {
    let Some(day) = core.client.limits().daily else {
        return 0;
    };
    let until_reset = day.resets_at.map_or(Duration::from_hours(24), |reset| {
        reset.duration_since(core.now()).unsigned_abs()
    });
    let requests = u128::from(day.left * CONTACTS_PERCENT / 100) * since.as_millis();
    let requests = requests / until_reset.max(since).as_millis().max(1);
    u64::try_from(requests).unwrap_or(u64::MAX).saturating_mul(PAGE)
}
