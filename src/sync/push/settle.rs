//! The last look at what landed: its record comes into the mirror; where a send was ambiguous, it is made sure first that no
//! late, older send of ours overwrote a newer intent. What landed together is looked at together.

use crate::{
    domain::{DealId, Fault, Lane, OpState, Payload, Record},
    store::Kept,
    sync::{
        core::Core,
        pull::{Trouble, notes},
    },
};

use super::{
    Rest, Turn, land, late,
    precheck::{self, Look},
    resolve::unseen,
};

/// Works on operations that landed and are not done.
pub async fn settle(core: &Core, ops: Vec<Kept>) -> Vec<Turn> {
    let mut looks = precheck::looks(core, &ops, Lane::Verify).await;
    let deals: Vec<DealId> = ops
        .iter()
        .filter(|op| matches!(op.payload, Payload::CreateNote { .. }))
        .map(|op| op.entity.id.as_str().into())
        .collect();
    let noted = match deals.as_slice() {
        [] => Ok(()),
        deals => notes::refresh(core, Lane::Verify, deals).await,
    };
    let mut turns = Vec::with_capacity(ops.len());
    for op in ops {
        let rest = match (&op.payload, &noted, looks.remove(&op.id)) {
            (Payload::SetProperties { .. }, _, Some(look)) => properties(core, &op, look).await,
            (Payload::CreateNote { .. }, Err(Trouble::Failure(failure)), _) => unseen(core, failure).await,
            (Payload::CreateNote { .. }, Err(Trouble::Fault(fault)), _) => Err(fault.clone()),
            _ => done(core, &op, None).await,
        };
        turns.push((op.id, rest));
    }
    turns
}

async fn properties(core: &Core, op: &Kept, look: Look) -> Result<Rest, Fault> {
    let record = match look {
        Look::Already(record) => return done(core, op, Some(*record)).await,
        Look::Go(record) | Look::Changed(record) => *record,
        Look::Gone | Look::Merged(_) => return done(core, op, None).await,
        Look::Failed(failure) => return unseen(core, &failure).await,
    };
    let Some(repair) = late::overwritten(core, op, &record).await? else {
        return done(core, op, Some(record)).await;
    };
    land::mirrored(core, op, Some(record), false).await?;
    let (id, now) = (op.id, core.now());
    let kept = core
        .desk
        .write(move |store| {
            // A newer intent is on its way: it will overwrite the late value itself, and must not be overwritten by an old one.
            if late::is_outdated(&repair, &store.outbox.pending_of(&repair.entity)?) {
                store.outbox.settle(id, now)?;
                return Ok(None);
            }
            Ok(Some(store.outbox.settle_with_repair(id, &repair, now)?))
        })
        .await?;
    land::tell(core, op, OpState::Done).await;
    if let Some(kept) = kept {
        land::tell(core, &kept, OpState::Queued).await;
    }
    Ok(None)
}

async fn done(core: &Core, op: &Kept, record: Option<Record>) -> Result<Rest, Fault> {
    let state = land::mirrored(core, op, record, true).await?;
    land::tell(core, op, state).await;
    Ok(None)
}
