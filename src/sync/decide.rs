//! What a person decides about an operation that cannot go on by itself, or that was not sent yet. Nothing is sent here,
//! and nothing that HubSpot may have heard of is given up.

use jiff::Timestamp;

use super::{
    Settings, links,
    submit::{self, Counter},
};
use crate::{
    domain::{
        Deal, Decision, Fault, FaultKind, OpError, OpId, OpState, OperationStory, Payload, Properties, RecordRef,
    },
    store::{Error, Keeper, Kept, Reader},
};

/// Carries a decision out. The answer is the operation as it is then.
pub fn decide(
    store: &mut Keeper,
    settings: &Settings,
    id: OpId,
    decision: &Decision,
    now: Timestamp,
) -> Result<Kept, Fault> {
    submit::may_change(settings)?;
    let op = store.outbox.get(id)?.ok_or(Error::Missing(id))?;
    match op.state {
        OpState::InFlight | OpState::Uncertain => {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("HubSpot may have it already: {}", op.title),
                "its outcome is looked up first; decide then",
            ));
        }
        OpState::Landed | OpState::Done => {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("HubSpot has it: {}", op.title),
                "undo takes it back, if it is the newest change",
            ));
        }
        OpState::Cancelled | OpState::Superseded => {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("it was {} before it was sent: {}", op.state.word(), op.title),
                "make the change anew if you want it",
            ));
        }
        OpState::Queued | OpState::Conflict | OpState::Held | OpState::Dead => {}
    }
    match decision {
        Decision::Drop if op.state == OpState::Queued => {
            if store.outbox.cancel(id, now)? {
                return Ok(store.outbox.get(id)?.unwrap_or(op));
            }
            Err(Fault::new(
                FaultKind::Refused,
                format!("an earlier send of it may still arrive: {}", op.title),
                "wait until it landed, then undo it",
            ))
        }
        Decision::Drop => Ok(store.outbox.drop_by_hand(id, now)?),
        Decision::Send | Decision::SendWith(_) => {
            let given = match decision {
                Decision::SendWith(values) => values.clone(),
                _ => Properties::new(),
            };
            // What waits in peace is looked at when it is sent.
            let left = match op.state {
                OpState::Queued => None,
                _ => store.outbox.alias(&op.entity)?,
            };
            let payload = payload(store, settings, &op, left.as_ref(), &given)?;
            match left {
                Some(left) => Ok(store.outbox.rebase_by_hand(id, &left, payload.as_ref(), now)?),
                None if is_merged(&op) => Err(Fault::new(
                    FaultKind::Refused,
                    format!("nobody knows what it was merged into: {}", op.title),
                    "make the change on the record that is left, then drop this one",
                )),
                None => Ok(store.outbox.requeue_by_hand(id, payload.as_ref(), now)?),
            }
        }
    }
}

/// Its record was merged into another one; what the person decides is about that one.
fn is_merged(op: &Kept) -> bool {
    op.error.as_ref().is_some_and(|error| error.class == OpError::MERGED)
}

/// What is sent after a decision; `None` = what was to be sent before. In a conflict that is decided, what is there now is
/// what is expected.
fn payload(
    store: &Keeper,
    settings: &Settings,
    op: &Kept,
    left: Option<&RecordRef>,
    given: &Properties,
) -> Result<Option<Payload>, Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        if given.is_empty() {
            let is_relinked = left.is_some() || op.state == OpState::Dead;
            let links = is_relinked.then(|| relinked(store, left.unwrap_or(&op.entity), &op.payload));
            return Ok(links.transpose()?.flatten());
        }
        return Err(Fault::new(
            FaultKind::Usage,
            format!("it sets no fields: {}", op.title),
            "send it again as it is, or drop it",
        ));
    };
    let is_decided = op.state == OpState::Conflict;
    if given.is_empty() && !is_decided {
        return Ok(None);
    }
    let kept = if is_decided { values.clone() } else { Properties::new() };
    let Payload::SetProperties {
        values: wanted,
        base: there,
    } = Counter::open(store, settings)?.decided(&op.entity, kept, given)?
    else {
        return Ok(None);
    };
    let (mut all, mut expected) = (values.clone(), base.clone());
    all.extend(wanted);
    expected.extend(there);
    Ok(Some(Payload::SetProperties {
        values: all,
        base: expected,
    }))
}

/// A note that HubSpot refused is linked to what belongs to its deal now: a contact that was archived meanwhile would have
/// it refused for ever. The deal itself stays, and without it in the mirror the note goes to it alone.
pub fn relinked(store: &Keeper, deal: &RecordRef, payload: &Payload) -> Result<Option<Payload>, Fault> {
    let mut payload = payload.clone();
    let Payload::CreateNote { links, .. } = &mut payload else {
        return Ok(None);
    };
    let Some(record) = store.mirror.record(deal)? else {
        if !links.contains(deal) {
            *links = vec![deal.clone()];
        }
        return Ok(Some(payload));
    };
    let mut now = links::of_note(&Deal::from_record(&record));
    let mut gone = Vec::new();
    for link in &now {
        if store.mirror.record(link)?.is_some_and(|record| record.archived) {
            gone.push(link.clone());
        }
    }
    now.retain(|link| link == deal || !gone.contains(link));
    *links = now;
    Ok(Some(payload))
}

/// The operation that is meant: by its id, or by how that begins or ends.
pub fn find(reader: &Reader, text: &str) -> Result<OpId, Fault> {
    let text = text.trim().to_ascii_lowercase();
    let list = "'dealdeck outbox list --all' shows them";
    if text.is_empty() {
        return Err(Fault::new(FaultKind::Usage, "no operation is named", list));
    }
    match reader.outbox.named(&text, 2)?.as_slice() {
        [] => Err(Fault::new(
            FaultKind::Usage,
            format!("there is no operation '{text}'"),
            list,
        )),
        [op] => Ok(op.id),
        _ => Err(Fault::new(
            FaultKind::Usage,
            format!("several operations begin or end with '{text}'"),
            "give more of the id; its end tells operations apart sooner than its beginning",
        )),
    }
}

/// An operation with all that is known of it.
pub fn story(reader: &Reader, id: OpId) -> Result<OperationStory, Fault> {
    let kept = reader.outbox.get(id)?.ok_or(Error::Missing(id))?;
    let mirrored = match &kept.payload {
        Payload::SetProperties { values, .. } => reader.mirror.record(&kept.entity)?.map(|record| {
            let there = |name: &String| (name.clone(), record.get(name).map(str::to_owned));
            values.keys().map(there).collect()
        }),
        _ => None,
    };
    Ok(OperationStory {
        account: kept.account,
        attempts: reader.outbox.attempts(id)?,
        mirrored: mirrored.unwrap_or_default(),
        superseded_by: kept.superseded_by,
        changed_at: kept.changed_at,
        operation: kept.op,
    })
}
