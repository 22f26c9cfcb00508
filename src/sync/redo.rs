//! Redo: what was undone last is done again, as a new operation with a new key. It is guarded like undo: what somebody else
//! did since stays.

use jiff::{SignedDuration, Timestamp};

use super::{
    Settings,
    connection::later,
    core::deal_of,
    decide::relinked,
    submit,
    undo::{Moved, differs, left},
};
use crate::{
    domain::{Fault, OpId, OpState, Payload, RedoOutcome},
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
    let (mut done, mut new, mut refused): (Vec<Kept>, Vec<OpId>, Vec<_>) = (Vec::new(), Vec::new(), Vec::new());
    for op in store.outbox.newest_redos()? {
        let step = match again(store, settings, &op, now) {
            // What is done already is told, whatever became of the rest.
            Err(fault) if !done.is_empty() => Step::NotNow(fault.to_string()),
            step => step?,
        };
        match step {
            Step::Stands => done.push(op),
            Step::New(kept) => {
                new.push(kept.id);
                done.push(*kept);
            }
            Step::Never(why) => {
                store.outbox.refuse_redo(op.id)?;
                refused.push((op.id, why));
            }
            Step::NotNow(why) => refused.push((op.id, why)),
            Step::Elsewhere => {}
        }
    }
    if new.len() > 1 {
        store.outbox.bundle(&new)?;
    }
    let moved = done
        .iter()
        .map(|op| (op.id, deal_of(&store.outbox, op), op.state))
        .collect();
    let outcome = match (done.first(), refused.first()) {
        (Some(first), _) => RedoOutcome::Redone {
            said: first.title.clone(),
            ops: done.iter().map(|op| op.id).collect(),
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

/// What came of one action.
enum Step {
    /// Its undo was not sent yet and is taken back: the action stands as it was.
    Stands,
    /// It was kept once more.
    New(Box<Kept>),
    /// It cannot be done again: why.
    Never(String),
    /// It cannot be done again at this moment: why.
    NotNow(String),
    /// Somebody else did it again meanwhile.
    Elsewhere,
}

fn again(store: &mut Keeper, settings: &Settings, op: &Kept, now: Timestamp) -> Result<Step, Fault> {
    let undo = store.outbox.undone_by(op.id)?;
    if let Some(undo) = &undo
        && undo.state == OpState::Queued
        && store.outbox.take_undo_back(op.id, undo.id, now)?
    {
        return Ok(Step::Stands);
    }
    let entity = left(store, &op.entity)?;
    let payload = match &op.payload {
        Payload::SetProperties { values, base } => {
            // What is there has to be what the person saw then.
            let seen = values.keys().map(|name| (name, base.get(name).cloned().flatten()));
            if let Some(why) = differs(store, &entity, seen)? {
                return Ok(Step::Never(why));
            }
            op.payload.clone()
        }
        Payload::CreateNote { .. } => {
            // While the first one may be there, a second one would be its double.
            match undo.map(|undo| undo.state) {
                None | Some(OpState::Landed | OpState::Done) => {}
                Some(OpState::Queued | OpState::InFlight | OpState::Uncertain) => {
                    let why = "the note is still being taken back; try again when that is done";
                    return Ok(Step::NotNow(why.to_owned()));
                }
                Some(_) => {
                    let why = "the note was not taken back, it is in HubSpot still";
                    return Ok(Step::Never(why.to_owned()));
                }
            }
            let mut payload = relinked(store, &entity, &op.payload)?.unwrap_or_else(|| op.payload.clone());
            if let Payload::CreateNote { at, .. } = &mut payload {
                // A note without a key is known by its time and its text: the new one is another note.
                *at = at.checked_add(SignedDuration::from_millis(1)).unwrap_or(*at);
            }
            payload
        }
        Payload::Archive => return Ok(Step::Never("archive it again by hand".to_owned())),
        _ => op.payload.clone(),
    };
    let new = NewOperation {
        account: op.account,
        entity,
        not_before: matches!(payload, Payload::SetProperties { .. }).then(|| later(now, settings.undo_grace)),
        payload,
        title: op.title.clone(),
        undo_of: None,
        op_key: None,
    };
    let kept = store.outbox.keep_again(&new, op.id, now)?;
    Ok(kept.map_or(Step::Elsewhere, |kept| Step::New(Box::new(kept))))
}
