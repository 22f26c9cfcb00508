//! Undo: the newest action of any face, whatever it was. What was not sent is never sent; what was sent is answered by its
//! inverse, guarded by the value we set, so that undo never changes what somebody else did since.

use jiff::{SignedDuration, Timestamp};

use super::{Settings, core::deal_of, labels::Labels, push::unborn, submit, titles, view};
use crate::{
    domain::{Bug, DealId, Drill, Fault, ObjectType, OpId, OpState, Payload, Properties, RecordRef, UndoOutcome},
    store::{Keeper, Kept, NewOperation},
};

/// A close date that is so near to the end of the write is the write's.
const SETTLES: SignedDuration = SignedDuration::from_mins(1);

/// What undo did.
pub struct Undone {
    /// For the face.
    pub outcome: UndoOutcome,
    /// Operations that are in a new state because of it.
    pub moved: Vec<Moved>,
}

/// An operation in a new state, and the deal it is about.
pub type Moved = (OpId, Option<DealId>, OpState);

/// Takes back the newest action, and what was one with it.
pub fn undo(store: &mut Keeper, settings: &Settings, now: Timestamp) -> Result<Undone, Fault> {
    submit::may_change(settings)?;
    let actions = store.outbox.newest_undos()?;
    let mut outcome = UndoOutcome::Nothing;
    let (mut undone, mut refused, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for op in &actions {
        let deal = deal_of(&store.outbox, op);
        let (step, kept) = match take_back(store, settings.drill, op, now) {
            // What is done already is told, whatever became of the rest.
            Err(fault) if !undone.is_empty() => {
                refused.push((op.id, fault.to_string()));
                continue;
            }
            step => step?,
        };
        moved.extend(kept.into_iter().map(|(kept, state)| (kept.id, deal.clone(), state)));
        match &step {
            UndoOutcome::Refused { why, .. } => refused.push((op.id, why.clone())),
            _ => undone.push(op.id),
        }
        outcome = step;
    }
    if actions.len() > 1 {
        outcome = UndoOutcome::Several { undone, refused };
    }
    Ok(Undone { outcome, moved })
}

fn take_back(store: &mut Keeper, drill: Drill, op: &Kept, now: Timestamp) -> Result<Step, Fault> {
    match op.state {
        OpState::Queued if store.outbox.cancel(op.id, now)? => cancelled(store, op, now),
        OpState::Held | OpState::Conflict | OpState::Dead => {
            store.outbox.drop_by_hand(op.id, now)?;
            cancelled(store, op, now)
        }
        _ => invert(store, drill, op, now),
    }
}

type Step = (UndoOutcome, Vec<(Kept, OpState)>);

fn cancelled(store: &mut Keeper, op: &Kept, now: Timestamp) -> Result<Step, Fault> {
    store.outbox.mark_undone(op.id, false, now)?;
    let outcome = UndoOutcome::Cancelled {
        of: op.id,
        said: format!("took back: {}", titles::backwards(&op.title)),
    };
    Ok((outcome, vec![(op.clone(), OpState::Cancelled)]))
}

fn invert(store: &mut Keeper, drill: Drill, op: &Kept, now: Timestamp) -> Result<Step, Fault> {
    let inverse = match inverse(store, drill, op)? {
        Ok(inverse) => inverse,
        Err(why) => {
            // It must not stay in the way of what can still be undone.
            store.outbox.mark_undone(op.id, true, now)?;
            return Ok((UndoOutcome::Refused { of: op.id, why }, Vec::new()));
        }
    };
    let kept = store.outbox.keep(inverse, now)?;
    let outcome = UndoOutcome::Inverse {
        of: op.id,
        op: kept.id,
        said: kept.title.trim_start_matches("undo: ").to_owned(),
    };
    Ok((outcome, vec![(kept, OpState::Queued)]))
}

/// The operation that takes another one back, or why there is none.
fn inverse(store: &Keeper, drill: Drill, op: &Kept) -> Result<Result<NewOperation, String>, Fault> {
    let (entity, payload) = match &op.payload {
        Payload::Archive => {
            return Ok(Err(format!(
                "HubSpot's interface alone can bring an archived {} back; restore it there within 90 days",
                op.entity.object.singular()
            )));
        }
        Payload::CreateNote { .. } => {
            let note = op.remote_id.as_deref().map(|id| RecordRef::new(ObjectType::Notes, id));
            (note.unwrap_or_else(|| unborn(op.id)), Payload::Archive)
        }
        Payload::Associate { with, linked } => {
            let payload = Payload::Associate {
                with: with.clone(),
                linked: !linked,
            };
            (op.entity.clone(), payload)
        }
        Payload::ListMember { list, member } => {
            let payload = Payload::ListMember {
                list: list.clone(),
                member: !member,
            };
            (op.entity.clone(), payload)
        }
        Payload::UpsertContact { .. } => {
            return Ok(Err(
                "a pushed contact stays in HubSpot; archive it there, or with `dealdeck contacts archive`".to_owned(),
            ));
        }
        Payload::SetProperties { values, base } => {
            if let Some(why) = changed_since(store, op)?
                && !drill.has(Bug::UndoUnguarded)
            {
                return Ok(Err(why));
            }
            let (values, base) = backwards(store, drill, op, values, base)?;
            let payload = Payload::SetProperties { values, base };
            (left(store, &op.entity)?, payload)
        }
    };
    Ok(Ok(NewOperation {
        account: op.account,
        entity,
        payload,
        title: format!("undo: {}", titles::backwards(&op.title)),
        not_before: None,
        undo_of: Some(op.id),
        op_key: None,
    }))
}

/// What an undo sets, and what it expects to find: what was set. What HubSpot changed along with it goes back as well, as long
/// as it is what HubSpot made of it.
fn backwards(
    store: &Keeper,
    drill: Drill,
    op: &Kept,
    values: &Properties,
    base: &Properties,
) -> Result<(Properties, Properties), Fault> {
    let mut back = base.clone();
    back.retain(|name, _| values.contains_key(name));
    let mut expected = values.clone();
    let Some(record) = store.mirror.record(&left(store, &op.entity)?)? else {
        return Ok((back, expected));
    };
    for (name, then) in base.iter().filter(|(name, _)| !values.contains_key(*name)) {
        let now = record.get(name);
        if !view::same_value(now, then.as_deref()) && was_set_at(now, op.landed_version) {
            back.insert(name.clone(), then.clone());
            expected.insert(name.clone(), now.map(str::to_owned));
        }
    }
    if drill.has(Bug::UndoUnguarded) {
        expected
            .iter_mut()
            .for_each(|(name, value)| *value = record.get(name).map(str::to_owned));
    }
    Ok((back, expected))
}

/// Whether a date is the moment at which a write took effect: then HubSpot set it, and nobody else since.
fn was_set_at(value: Option<&str>, landed: Option<Timestamp>) -> bool {
    let date = value.and_then(|value| value.parse::<Timestamp>().ok());
    let apart = date.zip(landed).map(|(date, landed)| date.duration_since(landed).abs());
    apart.is_some_and(|apart| apart <= SETTLES)
}

/// The record itself, or the one that it was merged into.
pub fn left(store: &Keeper, entity: &RecordRef) -> Result<RecordRef, Fault> {
    Ok(store.outbox.alias(entity)?.unwrap_or_else(|| entity.clone()))
}

/// What somebody changed since on top of ours, in a sentence.
fn changed_since(store: &Keeper, op: &Kept) -> Result<Option<String>, Fault> {
    match &op.payload {
        Payload::SetProperties { values, .. } => differs(
            store,
            &op.entity,
            values.iter().map(|(name, value)| (name, value.clone())),
        ),
        _ => Ok(None),
    }
}

/// What of a record is not as expected, in a sentence.
pub fn differs<'v>(
    store: &Keeper,
    entity: &RecordRef,
    mut expected: impl Iterator<Item = (&'v String, Option<String>)>,
) -> Result<Option<String>, Fault> {
    let Some(mut record) = store.mirror.record(entity)? else {
        return Ok(Some(format!(
            "the {} is not in HubSpot any more; restore it there first",
            entity.object.singular()
        )));
    };
    view::overlay(
        &mut record.properties,
        &submit::operations(store.outbox.pending_of(entity)?),
    );
    let Some((name, ours)) = expected.find(|(name, ours)| !view::same_value(record.get(name), ours.as_deref())) else {
        return Ok(None);
    };
    let labels = Labels::read(&store.mirror, entity.object)?;
    Ok(Some(format!(
        "'{}' is '{}' now and not '{}' any more; set it by hand if you still want to",
        labels.property(name),
        labels.value(&record, name, record.get(name)),
        labels.value(&record, name, ours.as_deref())
    )))
}
