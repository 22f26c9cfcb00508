//! Redo: what was undone last is done again, as a new operation with a new key. It is guarded like undo: what somebody else
//! did since stays.

use jiff::Timestamp;

use super::{
    Settings,
    connection::later,
    core::deal_of,
    submit,
    undo::{Moved, differs},
};
use crate::{
    domain::{Fault, OpState, Payload, RedoOutcome},
    store::{Keeper, Kept, NewOperation},
};

/// What redo did.
pub struct Redone {
    /// For the face.
    pub outcome: RedoOutcome,
    /// Operations that are new because of it.
    pub moved: Vec<Moved>,
}

/// Does again what was undone last, and what was one with it.
pub fn redo(store: &mut Keeper, settings: &Settings, now: Timestamp) -> Result<Redone, Fault> {
    submit::may_change(settings)?;
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for op in store.outbox.newest_redos()? {
        match again(store, settings, &op, now)? {
            Ok(new) => {
                let new = store.outbox.keep(new, now)?;
                store.outbox.mark_redone(op.id, Some(new.id), now)?;
                kept.push(new);
            }
            Err(why) => {
                store.outbox.mark_redone(op.id, None, now)?;
                refused.push((op.id, why));
            }
        }
    }
    let ops: Vec<_> = kept.iter().map(|op| op.id).collect();
    if ops.len() > 1 {
        store.outbox.bundle(&ops)?;
    }
    let moved = kept
        .iter()
        .map(|op| (op.id, deal_of(&store.outbox, op), OpState::Queued))
        .collect();
    let outcome = match (kept.first(), refused.first()) {
        (Some(first), _) => RedoOutcome::Redone {
            ops,
            said: first.title.clone(),
            refused,
        },
        (None, Some((of, why))) => RedoOutcome::Refused {
            of: *of,
            why: why.clone(),
        },
        (None, None) => RedoOutcome::Nothing,
    };
    Ok(Redone { outcome, moved })
}

/// The operation that does it again, or why there is none.
fn again(
    store: &Keeper,
    settings: &Settings,
    op: &Kept,
    now: Timestamp,
) -> Result<Result<NewOperation, String>, Fault> {
    let entity = store.outbox.alias(&op.entity)?.unwrap_or_else(|| op.entity.clone());
    let is_change = matches!(op.payload, Payload::SetProperties { .. });
    if let Payload::SetProperties { values, base } = &op.payload {
        // What is there has to be what the person saw then.
        let seen = values.keys().map(|name| (name, base.get(name).cloned().flatten()));
        if let Some(why) = differs(store, &entity, seen)? {
            return Ok(Err(why));
        }
    }
    Ok(Ok(NewOperation {
        account: op.account,
        entity,
        payload: op.payload.clone(),
        title: op.title.clone(),
        not_before: is_change.then(|| later(now, settings.undo_grace)),
        undo_of: None,
        op_key: None,
    }))
}
